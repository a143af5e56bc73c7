"""The table of the design, section 7, cell by cell."""

import pytest

from goex_proxy.core.decision import Auth, Effect, Posture
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.posture import default
from tests.core.world import a_book, a_call, a_request, a_service, an_operation, classified

ALLOW, HOLD, DENY = Effect.ALLOW, Effect.HOLD, Effect.DENY
OPERATION = an_operation("x", "POST /x")
KNOWN = a_book(a_service(OPERATION))
STRANGE = a_book()
ROWS = {
    # what: careful, balanced
    "registered read": (ALLOW, ALLOW),
    "strange read": (HOLD, ALLOW),
    "exact": (ALLOW, ALLOW),
    "equivalent": (ALLOW, ALLOW),
    "compensating": (HOLD, ALLOW),
    "compensating outside": (HOLD, HOLD),
    "none": (DENY, HOLD),
    "unregistered ours": (HOLD, HOLD),
    "unregistered none": (HOLD, ALLOW),
    "unregistered foreign": (HOLD, ALLOW),
}


def decided(posture: Posture, what: str) -> tuple[Effect, tuple[str, ...]]:
    first, _, second = what.partition(" ")
    read = second == "read"
    book = STRANGE if first == "strange" else KNOWN
    request = a_request() if read else a_request("POST", "/y" if first == "unregistered" else "/x")
    seen = classified(a_call(request), book)
    auth = Auth(second) if first == "unregistered" else Auth.OURS
    fidelity = Fidelity(first) if first in set(Fidelity) else Fidelity.NONE
    found = default(posture, seen, auth, fidelity, second == "outside")
    assert found.rule == f"posture:{posture}"
    assert found.reason
    return found.effect, found.shadow


@pytest.mark.parametrize(("what", "careful", "balanced"), [(k, *v) for k, v in ROWS.items()])
def test_the_table(what: str, careful: Effect, balanced: Effect) -> None:
    assert decided(Posture.CAREFUL, what)[0] is careful
    assert decided(Posture.BALANCED, what)[0] is balanced
    shadow = () if balanced is ALLOW else (f"posture:balanced would {balanced}",)
    assert decided(Posture.OPEN, what) == (ALLOW, shadow)


def test_kinds_but_one_mutate() -> None:
    assert [kind for kind in Kind if not kind.mutating] == [Kind.READ]
