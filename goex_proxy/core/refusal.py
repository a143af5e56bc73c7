"""What an agent is told when a call does not go through: in words that it can act on.

Always a `goex` object, the entry in `X-Goex-Entry`, the reason as reason phrase, and the
whole in the service's own error dialect, so that its clients show it to their user.
"""

from dataclasses import dataclass
from enum import StrEnum

from goex_proxy.core import exact
from goex_proxy.core.book import Encoder
from goex_proxy.core.exchange import Headers, Response
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.service import Service
from goex_proxy.core.step import render


class Told(StrEnum):
    """The outcomes that an agent can be told; a contract."""

    REFUSED = "refused"
    HELD = "held"
    IN_DOUBT = "in_doubt"
    UNAVAILABLE = "unavailable"
    """Nothing was sent."""
    FAILED = "failed"
    """A read was sent, and the service gave no whole answer to it. Never said of a change."""


_STATUS = {Told.IN_DOUBT: 409, Told.FAILED: 502}
_DEFAULT_STATUS = 403
"""Not a 5xx: common clients retry those for minutes and then drop the text. But what failed and
only reads they may well ask again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    told: Told
    reason: str
    rule: str = "goex"
    entry: str = ""
    """`e1044`, where there is one."""
    status: int | None = None
    hint: str = ""

    @property
    def advice(self) -> str:
        """What to do, in the imperative."""
        if self.hint:
            return self.hint
        match self.told:
            case Told.HELD:
                return f"do not retry; ask your user to run `goex approve {self.entry}`"
            case Told.IN_DOUBT:
                return f"do not retry; ask your user to run `goex show {self.entry}`"
            case Told.UNAVAILABLE:
                return "nothing was sent; ask your user to run `goex doctor`"
            case Told.FAILED:
                return "it was sent and only reads, so it may be asked again"
            case Told.REFUSED:
                return "do not retry; tell your user, or choose another way"

    @property
    def message(self) -> str:
        where = f" ({self.entry})" if self.entry else ""
        return f"goex: {self.told}{where}: {self.reason}; {self.advice}"


def response(
    refusal: Refusal,
    service: Service | None,
    encode: Encoder | None = None,
    args: object = None,
) -> Response:
    """The answer in the service's dialect; the default one is `{"message": ...}`."""
    dialect = service.dialect if service is not None else None
    fields = Headers((("X-Goex-Outcome", refusal.told.value),))
    if refusal.entry:
        fields = fields.set("X-Goex-Entry", refusal.entry)
    phrase = _phrase(refusal.message)
    if dialect is not None and dialect.codec is not None and encode is not None and args:
        try:
            body, kind = encode(dialect.codec, {"args": args, "reason": refusal.message})
        except ValueError:
            pass  # not a call that the codec can refuse: the default says it
        else:
            fields = fields.set("Content-Type", kind)
            return Response(status=200, headers=fields, body=body, reason="OK")
    status = refusal.status or _status(refusal.told, dialect.status if dialect else None)
    body = exact.dumps(_object(refusal, service))
    fields = fields.set("Content-Type", "application/json")
    return Response(status=status, headers=fields, body=body, reason=phrase)


def _status(told: Told, dialect: int | None) -> int:
    """Ours says more than a dialect's one error; but where errors are said with 200, they are."""
    own = _STATUS.get(told)
    if own is not None and (dialect is None or dialect >= 400):
        return own
    return dialect or _DEFAULT_STATUS


def _object(refusal: Refusal, service: Service | None) -> dict[str, object]:
    told: dict[str, object] = {"message": refusal.message}
    if service is not None and service.dialect.json is not None:
        names = {
            "reason": refusal.message,
            "outcome": refusal.told.value,
            "entry": refusal.entry,
            "hint": refusal.advice,
        }
        try:
            rendered = render(service.dialect.json, service.language.scope(names))
        except ExpressionError:
            rendered = None
        if isinstance(rendered, dict):
            told = rendered
    told["goex"] = {
        "outcome": refusal.told.value,
        "rule": refusal.rule,
        "reason": refusal.reason,
        "entry": refusal.entry or None,
        "hint": refusal.advice,
    }
    return told


def _phrase(text: str) -> str:
    """Printable ASCII on one line (RFC 9112, 4): what a reason phrase may hold."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:250]
