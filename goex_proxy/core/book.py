"""What a phase goes by: the rules in force, and the codecs. One value, replaced on reload."""

from collections.abc import Callable
from dataclasses import dataclass, field

from goex_proxy.core.catalog import Catalog, Decoder
from goex_proxy.core.decision import Posture
from goex_proxy.core.decoded import Decoded
from goex_proxy.core.event import RuleText
from goex_proxy.core.exchange import Response
from goex_proxy.core.operation import Operation
from goex_proxy.core.policy import Ruleset
from goex_proxy.core.service import Service

type Encoder = Callable[[str, object], tuple[bytes, str]]
"""A codec's name and its arguments -> body and content type. Raises ValueError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    body: int = 1 << 20
    """Bytes of a request that are read before it is decided."""
    image: int = 32 << 20
    """Bytes of one image."""
    image_requests: int = 50
    """Reads that the images of one call may take."""
    upstream_timeout: float = 600.0
    """Seconds after which a call may be said not to have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    catalog: Catalog
    rules: Ruleset
    decode: Decoder
    decode_answer: Callable[[Response, str | None], Decoded]
    encode: Encoder
    recall: Callable[[RuleText], tuple[Service, Operation]]
    """A rule of its day, from its text. Raises ValueError."""
    posture: Posture = Posture.BALANCED
    limits: Limits = field(default_factory=Limits)

    def read(self, response: Response, codec: str | None = None) -> Decoded:
        """What the decoders make of an answer's body."""
        return self.decode_answer(response, codec)
