"""What a decoder says: one constructor per state, so that none is told by accident."""

from collections.abc import Mapping

from goex_proxy.core.decoded import BodyState, Decoded


def parsed(value: object, args: Mapping[str, object] | None = None) -> Decoded:
    """Understood. `args` defaults to the value's own fields, if it has fields."""
    if args is None:
        args = value if isinstance(value, dict) else {}
    return Decoded(state=BodyState.PARSED, value=value, args=args)


def invalid(why: str) -> Decoded:
    """Not what it says it is."""
    return Decoded(state=BodyState.INVALID, why=why)


def ambiguous(why: str) -> Decoded:
    """What some reader takes for one sound body, and some for another: no change goes out so."""
    return Decoded(state=BodyState.INVALID, why=why, ambiguous=True)


def unsupported(why: str) -> Decoded:
    """Perhaps sound, but in a form that is not decoded here."""
    return Decoded(state=BodyState.UNSUPPORTED, why=why)


def too_large(why: str) -> Decoded:
    return Decoded(state=BodyState.TOO_LARGE, why=why)
