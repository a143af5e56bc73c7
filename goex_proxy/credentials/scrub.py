"""Scrubbing: what a service echoes of a secret is replaced by its placeholder.

Defence in depth, not the boundary (that is the binding): it finds the forms of forms.py. One
google-re2 automaton looks for all of them at once, so the cost does not grow with the number
of secrets. Secrets of fewer than 8 bytes are not looked for (`Scrubs.blind` names them).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import re2  # type: ignore[import-untyped]

from goex_proxy.core.exchange import Headers, Response
from goex_proxy.credentials.forms import forms
from goex_proxy.stores.secret import Secret

_HEAD = 4
_MEMORY = 64 << 20


class Scrubs:
    """All forms of all secrets, compiled. Immutable; shared by every `Scrubber`."""

    __slots__ = ("_begins", "_heads", "_longest", "_pattern", "_replacement", "blind")

    def __init__(self, secrets: Iterable[tuple[Secret, str]]) -> None:
        """Pairs of a secret and the placeholder that is written in its stead."""
        self._replacement: dict[bytes, bytes] = {}
        blind = []
        for secret, placeholder in secrets:
            found = forms(secret.reveal())
            if not found:
                blind.append(placeholder)
            for form in found:
                self._replacement.setdefault(form, placeholder.encode("latin-1"))
        self.blind: tuple[str, ...] = tuple(blind)
        """Placeholders of the secrets that are too short to be looked for."""
        ordered = sorted(self._replacement, key=lambda form: (-len(form), form))
        self._longest = len(ordered[0]) if ordered else 0
        self._begins = _begins(ordered)
        self._pattern = _compile(ordered) if ordered else None
        self._heads = _compile(sorted({form[:_HEAD] for form in ordered})) if ordered else None

    def __repr__(self) -> str:
        return f"Scrubs({len(self._replacement)} forms, redacted)"

    def __bool__(self) -> bool:
        """Is there anything to look for?"""
        return self._pattern is not None

    def scrubber(self) -> "Scrubber":
        return Scrubber(self)

    def data(self, data: bytes) -> bytes:
        """Complete bytes, scrubbed; the same object if nothing was found."""
        if self._pattern is None or self._pattern.search(data) is None:
            return data
        scrubber = Scrubber(self)
        return scrubber.feed(data) + scrubber.flush()

    def text(self, text: str) -> str:
        """A header value or another short text, scrubbed."""
        if self._pattern is None:
            return text
        try:
            data, coding = text.encode("latin-1"), "latin-1"
        except UnicodeEncodeError:
            data, coding = text.encode("utf-8", "surrogateescape"), "utf-8"
        clean = self.data(data)
        return text if clean is data else clean.decode(coding, "surrogateescape")

    def headers(self, headers: Headers) -> Headers:
        """Names and values; the same object if nothing was found."""
        joined = "\0".join(text for pair in headers.fields for text in pair)
        if self.text(joined) is joined:  # one search, whatever the number of fields
            return headers
        clean = tuple((self.text(name), self.text(value)) for name, value in headers.fields)
        return headers if clean == headers.fields else Headers(clean)

    def response(self, response: Response) -> tuple[Response, bool]:
        """A response whose body is decoded already, and whether anything was found in it.

        Raises ValueError if the body is still under a content coding: it could hide a secret.
        """
        body = response.body
        if body and response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ValueError("a body under a content coding cannot be scrubbed: decode it first")
        fields, reason = self.headers(response.headers), self.text(response.reason)
        clean = self.data(body) if body else body
        if fields is response.headers and clean is body and reason == response.reason:
            return response, False
        if clean is not body and fields.has("content-length"):
            fields = fields.set("Content-Length", str(len(clean or b"")))
        return replace(response, headers=fields, body=clean, reason=reason), True

    def consume(self, data: bytes, *, last: bool) -> tuple[list[bytes], bytes, bool]:
        """Clean pieces, what must be held back, and whether anything was found."""
        pattern = self._pattern
        if pattern is None:
            return [data], b"", False
        pieces: list[bytes] = []
        start = 0
        hold = len(data) if last else self._hold(data, 0)
        while (match := pattern.search(data, start)) is not None:
            begin, end = match.span()
            if begin >= hold:
                break
            pieces += (data[start:begin], self._replacement[data[begin:end]])
            start = end
            if start > hold:
                hold = self._hold(data, start)
        pieces.append(data[start:hold])
        return pieces, data[hold:], len(pieces) > 1

    def _hold(self, data: bytes, start: int) -> int:
        """Where the longest suffix begins that the next chunk could complete to a form."""
        size, begins = len(data), self._begins
        first = max(start, size - self._longest + 1)
        short = max(first, size - _HEAD + 1)  # from here on even a head may be cut
        if self._heads is not None and (head := self._heads.search(data, first)) is not None:
            first = head.start()
        else:
            first = short
        for at in range(first, size):
            candidates = begins.get(data[at : at + _HEAD])
            if candidates is not None and _may_begin(data[at:], candidates):
                return at
        return size


class Scrubber:
    """One stream, scrubbed as it passes: the same result however it is cut into chunks.

    It holds back only a suffix that may be the beginning of a form, so an event stream is not
    delayed.
    """

    __slots__ = ("_held", "_scrubs", "touched")

    def __init__(self, scrubs: Scrubs) -> None:
        self._scrubs = scrubs
        self._held = b""
        self.touched = False
        """Something was found: the field it was in cannot be restored from this answer."""

    def __repr__(self) -> str:
        return "Scrubber(redacted)"

    def feed(self, chunk: bytes) -> bytes:
        return self._take(chunk, last=False)

    def flush(self) -> bytes:
        """What was held back; call it once, at the end of the stream."""
        return self._take(b"", last=True)

    def text(self, text: str) -> str:
        """A header value, trailer or reason phrase that belongs to this stream."""
        clean = self._scrubs.text(text)
        self.touched = self.touched or clean is not text
        return clean

    def _take(self, chunk: bytes, *, last: bool) -> bytes:
        data = self._held + chunk if self._held else chunk
        pieces, self._held, touched = self._scrubs.consume(data, last=last)
        self.touched = self.touched or touched
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _may_begin(rest: bytes, candidates: tuple[bytes, ...]) -> bool:
    return any(len(form) > len(rest) and form.startswith(rest) for form in candidates)


def _begins(ordered: Iterable[bytes]) -> Mapping[bytes, tuple[bytes, ...]]:
    """Forms by their first four bytes, and by the fewer bytes that may end a chunk."""
    table: dict[bytes, tuple[bytes, ...]] = {}
    for form in ordered:
        for length in range(1, _HEAD + 1):
            table[form[:length]] = (*table.get(form[:length], ()), form)
    return table


def _compile(ordered: list[bytes]) -> "re2._Regexp":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    options.never_capture = True
    options.log_errors = False
    return re2.compile(b"|".join(re2.escape(form) for form in ordered), options)
