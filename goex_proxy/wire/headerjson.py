"""JSON in a header field: Dropbox's `Dropbox-API-Arg` and its kin.

The field is ASCII with `\\u` escapes (Dropbox's "HTTP header safe JSON"); it must stand once,
or the service could read another one than we do.
"""

from collections.abc import Mapping

from goex_proxy.core import exact
from goex_proxy.core.decoded import Decoded
from goex_proxy.core.exchange import Headers
from goex_proxy.wire import json
from goex_proxy.wire.outcome import invalid

DEFAULT = "dropbox-api-arg"


def decode(headers: Headers, name: str = DEFAULT) -> Decoded:
    """Absent if the field is not there."""
    values = headers.all(name)
    if not values:
        return Decoded()
    if len(values) > 1:
        return invalid(f"the header {name} stands {len(values)} times")
    if not values[0].isascii():
        return invalid(f"the header {name} is not ASCII")
    return json.decode(values[0].encode("ascii"))


def encode(value: Mapping[str, object]) -> str:
    """A field value: characters beyond ASCII, and DEL, as escapes."""
    text = exact.dumps(dict(value)).decode()
    return "".join(c if c.isascii() and c != "\x7f" else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
