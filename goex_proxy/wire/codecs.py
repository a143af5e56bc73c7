"""The codecs that a reverser file may name under `decode:` and `encode:`.

`header-json` reads the field `dropbox-api-arg`; `header-json:NAME` another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from goex_proxy.core import exact
from goex_proxy.core.decoded import Decoded
from goex_proxy.core.exchange import Headers
from goex_proxy.wire import form, headerjson, json, jsonrpc, push_report, receive_pack, refs, xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """How one kind of message is read and written."""

    name: str
    decode: Callable[[bytes, Headers], Decoded]
    """The body, its content codings undone, and the headers. Never raises."""
    encode: Callable[[Mapping[str, object]], bytes] | None = None
    """The body for these args; None where there is none to write. Raises ValueError, TypeError."""
    content_type: str = ""
    """Of what `encode` writes."""
    in_body: bool = True
    """False: it reads the headers alone, so a body that is not known does not matter."""
    prefix: int = 0
    """Bytes at the body's start that are enough; 0: all of it."""


def _header_json(name: str) -> Codec:
    return Codec(
        name=f"header-json:{name}",
        decode=lambda _, headers: headerjson.decode(headers, name),
        in_body=False,
    )


def _refusal(said: Mapping[str, object]) -> bytes:
    """`args` of the push that is refused, `reason` and, if there is one, `hint`."""
    args = said.get("args")
    if not isinstance(args, Mapping) or not isinstance(args.get("updates"), list):
        raise ValueError("git-report: the call was not read as a push")
    return push_report.refuse(args, str(said.get("reason", "")), str(said.get("hint", "")))


CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "json": Codec(
            name="json",
            decode=lambda body, _: json.decode(body),
            encode=lambda args: exact.dumps(dict(args)),
            content_type="application/json",
        ),
        "form": Codec(
            name="form",
            decode=lambda body, _: form.decode(body),
            encode=form.encode,
            content_type="application/x-www-form-urlencoded",
        ),
        "header-json": _header_json(headerjson.DEFAULT),
        "json-rpc": Codec(name="json-rpc", decode=lambda body, _: jsonrpc.decode(body)),
        "xml": Codec(name="xml", decode=lambda body, _: xml.decode(body)),
        "multistatus": Codec(name="multistatus", decode=lambda body, _: xml.multistatus(body)),
        "git-refs": Codec(name="git-refs", decode=lambda body, _: refs.decode(body)),
        "git-receive-pack": Codec(
            name="git-receive-pack",
            decode=lambda body, _: receive_pack.decode(body),
            encode=receive_pack.encode,
            content_type="application/x-git-receive-pack-request",
            prefix=receive_pack.PREFIX,
        ),
        "git-report": Codec(
            name="git-report",
            decode=lambda body, _: push_report.decode(body),
            encode=_refusal,
            content_type="application/x-git-receive-pack-result",
        ),
    }
)


def codec(name: str) -> Codec | None:
    """The codec of this name; None if there is none."""
    found = CODECS.get(name)
    kind, _, field = name.partition(":")
    return (
        _header_json(field.lower()) if found is None and kind == "header-json" and field else found
    )


def encode(name: str, value: object) -> tuple[bytes, str]:
    """Body and content type of a value in a codec: the core's `Encoder`.

    Raises ValueError for a codec that cannot write, or not this value.
    """
    found = codec(name)
    if found is None or found.encode is None or not isinstance(value, Mapping):
        raise ValueError(f"nothing is written by the codec {name!r}, or not of this value")
    try:
        return found.encode(value), found.content_type
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
