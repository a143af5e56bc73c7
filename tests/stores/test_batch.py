"""Who of the writer and the clock has a batch: one of them, always."""

import threading
from concurrent.futures import ThreadPoolExecutor

from goex_proxy.stores.batch import Batch


def test_the_first_to_claim_a_batch_has_it() -> None:
    batch = Batch([], lambda outcomes: None)
    assert batch.claim()
    assert not batch.claim()


def test_of_two_that_claim_at_once_one_has_it() -> None:
    for _ in range(200):
        batch = Batch([], lambda outcomes: None)
        start = threading.Barrier(2)

        def ask(batch: Batch = batch, start: threading.Barrier = start) -> bool:
            start.wait(10)
            return batch.claim()

        with ThreadPoolExecutor(2) as pool:
            said = [pool.submit(ask) for _ in range(2)]
            assert sorted(each.result() for each in said) == [False, True]
