"""Operations: how far they can be taken back, from best to worst."""

import itertools

import pytest

from goex_proxy.core.operation import Fidelity, Kind, Operation, worst
from tests.core.world import Py, an_operation

BEST_TO_WORST = ["exact", "equivalent", "compensating", "none"]


def test_fidelities_rank_from_exact_to_none() -> None:
    assert sorted(Fidelity, key=lambda f: f.rank) == [Fidelity(name) for name in BEST_TO_WORST]
    assert len({f.rank for f in Fidelity}) == len(Fidelity)


@pytest.mark.parametrize("pair", list(itertools.product(Fidelity, repeat=2)))
def test_the_worst_of_two_is_the_one_that_promises_less(pair: tuple[Fidelity, Fidelity]) -> None:
    found = worst(pair)
    assert found in pair
    assert all(found.rank >= one.rank for one in pair)
    assert worst(pair[::-1]) is found


def test_what_nobody_described_counts_as_a_change() -> None:
    assert Kind.UNKNOWN.mutating
    assert not Kind.READ.mutating


@pytest.mark.parametrize(
    ("fidelity", "reads"),
    [
        (Fidelity.EXACT, False),
        (Py("'exact' if args['x'] else 'none'"), False),
        (Py("'exact' if before is None else 'none'"), True),
    ],
)
def test_the_before_image_is_needed_where_the_fidelity_reads_it(
    fidelity: Fidelity | Py, reads: bool
) -> None:
    assert an_operation("x", "POST /x", fidelity=fidelity).reads_before is reads


def test_of_an_operation_that_says_nothing_nothing_is_promised() -> None:
    made = Operation(name="x", match=an_operation("x", "POST /x").match)
    assert (made.kind, made.fidelity, made.promise) == (Kind.WRITE, Fidelity.NONE, Fidelity.NONE)
    assert made.proved == "none"
    assert made.undo is None
    assert not made.reads_before
