"""The keyring: what a request's credentials are, the swap, and what may be journaled of it."""

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.credentials import problem, redaction, slot
from goex_proxy.credentials.finding import Find, Found, find
from goex_proxy.credentials.peer import Peer, Upstreams
from goex_proxy.credentials.problem import CredentialRefusedError, Problem, Trouble
from goex_proxy.credentials.ring import Live, Ring, live
from goex_proxy.credentials.scrub import Scrubs
from goex_proxy.credentials.swapped import Swapped, SwappedHeaders
from goex_proxy.stores.credential import Credential, Source
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import VaultError

_DEPARTED = 64


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request is authenticated, as policy sees it."""

    kind: Literal["ours", "foreign", "none"]
    credential: Credential | None = None
    problem: Problem | None = None

    @property
    def id(self) -> str | None:
        return self.credential.id if self.credential else None


_NONE = Auth("none")


class Keyring:
    """The credentials of a vault, live. `inspect`, `swap` and `redact` never block or touch disk.

    Values are read by `reload` (blocking, at start) and `refresh` (every second or so).
    """

    def __init__(
        self,
        vault: Vault,
        upstreams: Upstreams | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault = vault
        self._upstreams = upstreams or Upstreams()
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self._generation = -1
        self._unreadable = ""
        self._refreshing = asyncio.Lock()
        self._ring = Ring(())
        self._foreign_key = vault.derived(b"whose a foreign credential is")

    def __repr__(self) -> str:
        return f"Keyring({len(self._ring.lives)} credentials)"

    def reload(self) -> None:
        """Read every credential anew, commands included. Raises VaultError: the old set stays."""
        generation = self._vault.generation()
        pairs = [self._vault.source(one.id) for one in self._vault.credentials()]
        self._take([self._live(*pair) for pair in pairs], generation)
        self._unreadable = ""

    async def refresh(self) -> None:
        """Follow changes of the vault, renew values that are about to expire, note uses.

        Commands run in a thread. Raises VaultError: the old set stays, to scrub and to know ours
        by, and nothing of it may be sent until a refresh succeeds.
        """
        async with self._refreshing:
            try:
                await self._refresh()
            except VaultError:
                self._unreadable = "the vault cannot be read"
                raise
            self._unreadable = ""

    async def _refresh(self) -> None:
        self._note_uses()
        generation = self._vault.generation()
        changed = generation != self._generation
        if not changed and not any(one.due(self._clock()) for one in self._ring.lives):
            return
        pairs = [self._vault.source(one.id) for one in self._vault.credentials()]
        lives = [await asyncio.to_thread(self._live, *pair) for pair in pairs]
        self._take(lives, generation)

    @property
    def scrubs(self) -> Scrubs:
        """The scrubber of all values, also of revoked and former ones. False if it is empty."""
        return self._ring.scrubs

    def credentials(self) -> tuple[Credential, ...]:
        return tuple(one.credential for one in self._ring.lives)

    def unavailable(self) -> dict[str, str]:
        """Names of credentials without a value, and why."""
        return {one.credential.name: one.unavailable for one in self._ring.lives if one.unavailable}

    def inspect(self, request: Request, agent: str | None) -> Auth:
        """Whose credential a request carries, and what is wrong with it.

        `agent` None: the engine itself, for a person. Only auth slots are looked at; the body
        never is. A problem is to be refused by the caller (a foreign credential: by posture).
        """
        found = find(request, self._ring)
        return self._judge(found, request, agent) if found else _NONE

    def swap(self, request: Request, peer: Peer, credential: str | None = None) -> Request:
        """The request with the real value, for this connection; the same object without one.

        Checks all anew: host, slot, TLS, peer. `credential`: the only id that may be swapped.
        A foreign credential beside ours is let through here: `inspect` reports it.
        The result prints redacted; write it to the wire and drop it. Raises
        CredentialRefusedError: nothing may be sent.
        """
        found = find(request, self._ring)
        if not found.ours:
            return request
        auth = self._judge(found, request, None)
        if auth.problem is not None and auth.problem.trouble is not Trouble.FOREIGN:
            raise CredentialRefusedError(auth.problem)
        one = self._ring.by_placeholder[found.ours[0].value]
        name = one.credential.name
        if credential is not None and one.credential.id != credential:
            raise CredentialRefusedError(problem.other_credential(name))
        wrong = self._upstreams.wrong(request.origin, peer)
        if wrong is not None:
            raise CredentialRefusedError(problem.wrong_peer(name, request.origin.host, wrong))
        self._used[one.credential.id] = datetime.now(UTC)
        return _write(one, request, found.ours)

    def arm(self, request: Request, credential: str) -> Request:
        """A request of ours with the placeholder of a credential, unless it carries one already.

        Raises CredentialRefusedError if there is no such credential in force.
        """
        if find(request, self._ring).ours:
            return request
        one = self._ring.by_id.get(credential)
        if one is None or one.credential.revoked is not None or not one.credential.slots:
            raise CredentialRefusedError(
                problem.unavailable(credential, "it was removed, revoked, or has no slot")
            )
        first = slot.parse(one.credential.slots[0])
        name, value = slot.field_for(first, one.credential.placeholder)
        return replace(request, headers=request.headers.set(name, value))

    def redact(self, request: Request) -> Request:
        """The request as it may be journaled: foreign credentials are marked, placeholders stay.

        Real values of ours that an agent should not have had are replaced by placeholders.
        """
        keep, scrubs = self._ring.by_placeholder.__contains__, self._ring.scrubs
        fields = tuple(
            (name, redaction.field(name.lower(), value, keep))
            for name, value in scrubs.headers(request.headers).fields
        )
        target, body = scrubs.text(redaction.target(request.target, keep)), request.body
        clean = scrubs.data(body) if body else body
        if fields == request.headers.fields and target == request.target and clean is body:
            return request
        return replace(request, target=target, headers=Headers(fields), body=clean)

    def foreign(self, request: Request, redacted: Request) -> str:
        """Tells apart what `redact` made alike: a keyed hash (HMAC-SHA256, 32 hexadecimal digits)
        of all that it took away; '' if that was nothing. It gives nothing of a secret away."""
        if request is redacted:
            return ""
        pairs = zip(request.headers.fields, redacted.headers.fields, strict=True)
        taken = [f"{name.lower()}:{_lasting(v)}" for (name, v), kept in pairs if v != kept[1]]
        taken += [request.target] if request.target != redacted.target else []
        body = request.body if request.body != redacted.body else b""
        digest = hmac.new(self._foreign_key.reveal(), digestmod="sha256")
        for part in (*(text.encode(errors="surrogateescape") for text in sorted(taken)), body):
            digest.update(len(part or b"").to_bytes(8, "big") + (part or b""))
        return digest.hexdigest()[:32]

    def redact_response(self, response: Response) -> Response:
        """A scrubbed response as it may be journaled: without cookies and signed locations."""
        keep = self._ring.by_placeholder.__contains__
        fields = []
        for name, value in response.headers.fields:
            lower = name.lower()
            if lower in ("location", "content-location"):
                fields.append((name, redaction.target(value, keep)))
            else:
                fields.append((name, redaction.field(lower, value, keep)))
        return replace(response, headers=Headers(tuple(fields)))

    def _judge(self, found: Found, request: Request, agent: str | None) -> Auth:
        ring, host = self._ring, request.origin.host
        if not found.ours:
            owner = ring.owner(request.origin)
            wrong = problem.foreign(owner.credential.name, host) if owner else None
            return Auth("foreign", None, wrong)
        held = {each.value for each in found.ours}
        if len(held) > 1:
            return Auth("ours", None, problem.mixed())
        one = ring.by_placeholder[held.pop()]
        wrong = self._problem(one, found, request, agent)
        if wrong is None and found.foreign:
            return Auth("foreign", one.credential, problem.foreign(one.credential.name, host))
        return Auth("ours", one.credential, wrong)

    def _problem(
        self, one: Live, found: Found, request: Request, agent: str | None
    ) -> Problem | None:
        credential, origin = one.credential, request.origin
        name = credential.name
        if credential.revoked is not None:
            return problem.revoked(name)
        if agent is not None and credential.agents and agent not in credential.agents:
            return problem.other_agent(name, agent)
        if not one.covers(origin):
            return problem.unbound_host(name, origin.host, credential.hosts)
        wrong = next((each.slot for each in found.ours if each.slot not in one.slots), None)
        if wrong is not None:
            return problem.wrong_slot(name, wrong, credential.slots)
        if origin.scheme != "https" and not self._upstreams.plain(origin):
            return problem.plaintext(name, origin.host)
        why = self._unreadable or one.unusable(self._clock())
        return problem.unavailable(name, why) if why else None

    def _live(self, credential: Credential, source: Source) -> Live:
        old, now = self._ring.by_id.get(credential.id), self._clock()
        if old is not None and old.credential.version == credential.version and not old.due(now):
            return replace(old, credential=credential)
        try:
            return live(credential, source, now, old)
        except ValueError as error:
            raise VaultError(f"credential {credential.name!r}: {error}") from None

    def _take(self, lives: list[Live], generation: int) -> None:
        ids = {one.credential.id for one in lives}
        gone = [one for one in self._ring.lives if one.credential.id not in ids]
        ring = Ring(lives, (*gone, *self._ring.departed)[:_DEPARTED])
        if ring.values_differ(self._ring):
            _ = ring.scrubs  # compiled here, so that no request waits for it
        else:
            ring.borrow(self._ring)
        self._ring, self._generation = ring, generation

    def _note_uses(self) -> None:
        if self._used:
            used, self._used = self._used, {}
            self._vault.touch(used)


def _lasting(value: str) -> str:
    """What of a credential is the same at each try: of a signature (AWS, version 4) its owner."""
    return value.partition("/")[0] if value.startswith("AWS4-") else value


def _write(one: Live, request: Request, finds: Sequence[Find]) -> Request:
    value = one.value().decode("latin-1")
    fields = list(request.headers.fields)
    for each in finds:
        name, held = fields[each.index]
        try:
            fields[each.index] = (name, slot.put(held, each.slot, each.value, value))
        except ValueError as error:
            refused = problem.unavailable(one.credential.name, str(error))
            raise CredentialRefusedError(refused) from None
    return Swapped(
        method=request.method,
        origin=request.origin,
        target=request.target,
        headers=SwappedHeaders(tuple(fields)),
        body=request.body,
    )
