"""Which credentials stand in the auth slots of a request: ours, and others'."""

from dataclasses import dataclass

from goex_proxy.core.exchange import Request
from goex_proxy.credentials import redaction, slot
from goex_proxy.credentials.ring import Ring
from goex_proxy.credentials.slot import Find

__all__ = ["Find", "Found", "find"]

_PASSED_OVER = frozenset({"cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Found:
    """Our placeholders where they stand, and whether anything else authenticates the request.

    A cookie counts only where nothing of ours does: clients keep trackers' cookies too.
    """

    ours: tuple[Find, ...] = ()
    foreign: bool = False

    def __bool__(self) -> bool:
        return bool(self.ours) or self.foreign


def find(request: Request, ring: Ring) -> Found:
    """Look at header fields and signed-URL parameters, by dict look-ups; never at the body."""
    ours: list[Find] = []
    foreign = cookie = False
    known, declared = ring.by_placeholder, ring.fields
    for index, (name, value) in enumerate(request.headers.fields):
        lower = name.lower()
        if lower == "authorization":
            finds = slot.in_authorization(index, value)
            mine = [each for each in finds if each.value in known]
            ours += mine
            foreign = foreign or not _covers(finds, mine)
        elif lower in _PASSED_OVER:
            cookie = cookie or lower == "cookie"
        elif lower in declared or redaction.is_secret_field(lower):
            if value in known:
                ours.append(Find(index, f"header:{lower}", value))
            else:
                foreign = foreign or bool(value)
    if "?" in request.target:
        values = redaction.signed(request.query)
        mine = [Find(-1, "query", value) for value in values if value in known]
        ours += mine
        foreign = foreign or len(mine) < len(values)
    return Found(tuple(ours), foreign or (cookie and not ours))


def _covers(finds: list[Find], mine: list[Find]) -> bool:
    """Is every secret of this field ours? Beside ours, Basic may hold a user name or filler."""
    if len(mine) == len(finds):
        return True
    if not mine or finds[0].slot != slot.BASIC:
        return False
    return mine[-1] == finds[-1] or slot.is_filler(finds[-1].value)
