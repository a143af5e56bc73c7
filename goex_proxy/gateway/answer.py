"""The answer of a service on its way to the agent: cleaned, and held or relayed."""

from mitmproxy import http

from goex_proxy.core.exchange import Response
from goex_proxy.gateway import translate
from goex_proxy.gateway.codings import Undecodable, unpackers
from goex_proxy.gateway.mediator import Scrubber

_ONE_VALUE = b"content-length"


class Answer:
    """One answer: its head, made fit for the agent, and its body, chunk by chunk.

    Without a scrubber no byte of the body is looked at.
    """

    def __init__(
        self, head: http.Response, scrubber: Scrubber | None, *, bodiless: bool, h2: bool
    ) -> None:
        """Raises Undecodable for a coding that cannot be undone."""
        self.status = head.status_code
        self.bodiless = bodiless
        self._h2 = h2
        self._scrubber = scrubber
        self.reason = head.data.reason
        self.fields = translate.answer_fields(head)
        self._unpackers = []
        if scrubber is not None:
            self._clean_head(scrubber)
            if not bodiless:
                self._unpackers = unpackers(", ".join(self._values(b"content-encoding")))
                self._drop(b"content-encoding", b"content-length", b"content-md5", b"digest")
        self.declared = self._declared()
        self.trailers: http.Headers | None = None
        self.left = None if bodiless else self.declared
        """Bytes of the body that are still to go; None if the end is marked otherwise."""
        self.held: list[bytes] = []
        self.size = 0

    def _clean_head(self, scrubber: Scrubber) -> None:
        self.fields = [
            (
                scrubber.text(name.decode("latin-1")).encode("latin-1"),
                scrubber.text(value.decode("latin-1")).encode("latin-1"),
            )
            for name, value in self.fields
        ]
        self.reason = scrubber.text(self.reason.decode("latin-1")).encode("latin-1")

    def _values(self, wanted: bytes) -> list[str]:
        return [value.decode("latin-1") for name, value in self.fields if name.lower() == wanted]

    def _drop(self, *names: bytes) -> None:
        self.fields = [pair for pair in self.fields if pair[0].lower() not in names]

    def _declared(self) -> int | None:
        values = self._values(_ONE_VALUE)
        return int(values[0]) if values and values[0].isdigit() else None

    def feed(self, data: bytes) -> bytes:
        """Raises Undecodable."""
        if self._scrubber is None:
            return data
        for unpacker in self._unpackers:
            data = unpacker.feed(data)
        return self._scrubber.feed(data)

    def finish(self) -> bytes:
        """What was kept back. Raises Undecodable if the body ended early."""
        if self._scrubber is None or self.bodiless:
            return b""
        for unpacker in self._unpackers:
            unpacker.finish()
        return self._scrubber.flush()

    def clean_trailers(self, fields: translate.Fields) -> http.Headers:
        """h2 trailers, cleaned."""
        if self._scrubber is None:
            return http.Headers(fields)
        clean = self._scrubber.text
        return http.Headers(
            [(name, clean(value.decode("latin-1")).encode("latin-1")) for name, value in fields]
        )

    def hold(self, data: bytes) -> None:
        self.held.append(data)
        self.size += len(data)

    def take(self) -> bytes:
        held, self.held, self.size = self.held, [], 0
        return b"".join(held)

    def streamed_head(self) -> http.Response:
        """The head, framed for a body that follows chunk by chunk."""
        fields = self.fields
        if not self.bodiless and self.left is None and not self._h2:
            fields = [*fields, (b"Transfer-Encoding", b"chunked")]
        return translate.client_response(self.status, self.reason, fields, h2=self._h2)

    def whole_head(self, size: int) -> http.Response:
        """The head for a body of this size that goes out together with it."""
        fields = self.fields
        if not self.bodiless and self.declared is None:
            fields = [*fields, (b"Content-Length", b"%d" % size)]
        return translate.client_response(self.status, self.reason, fields, h2=self._h2)

    def core(self, body: bytes | None) -> Response:
        return translate.core_response(
            self.status, self.reason.decode("latin-1"), tuple(self.fields), body
        )


__all__ = ["Answer", "Undecodable"]
