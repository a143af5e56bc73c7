"""A mediator for tests: decides as it is told, swaps one placeholder, scrubs one secret."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.gateway.mediator import (
    Address,
    Client,
    Fault,
    NeedBody,
    Peer,
    Refusal,
    Scrubber,
    Ticket,
    Waiting,
)

PLACEHOLDER = "PLACEHOLDER-0123456789"
SECRET = "s3cr3t-abcdefghijklmnop"


@dataclass(frozen=True)
class Agent:
    name: str


class Cleaner:
    """Scrubs SECRET; keeps back only what could be its beginning."""

    def __init__(self) -> None:
        self._tail = b""
        self._secret = SECRET.encode()

    def feed(self, data: bytes) -> bytes:
        data = (self._tail + data).replace(self._secret, PLACEHOLDER.encode())
        keep = next(
            (n for n in range(len(self._secret) - 1, 0, -1) if data.endswith(self._secret[:n])), 0
        )
        self._tail = data[len(data) - keep :] if keep else b""
        return data[: len(data) - keep]

    def flush(self) -> bytes:
        tail, self._tail = self._tail, b""
        return tail

    def text(self, value: str) -> str:
        return value.replace(SECRET, PLACEHOLDER)


@dataclass
class Pass:
    """A ticket that keeps a diary."""

    judge: "Judge"
    mutating: bool = False
    streams: bool = True
    answer_cap: int = 1 << 20
    abandons: Response | None = None
    """What `abandoned` has to say."""

    def _swapped(self, wire: Request, peer: Peer) -> Request:
        self.judge.diary.append(("swap", wire, peer))
        if self.judge.refuse_swap is not None:
            raise Refusal(self.judge.refuse_swap)
        fields = tuple((k, v.replace(PLACEHOLDER, SECRET)) for k, v in wire.headers.fields)
        return replace(wire, headers=Headers(fields))

    def swap(self, wire: Request, peer: Peer) -> Request:
        self.judge.maybe_raise("swap")
        return self._swapped(wire, peer)

    async def sending(self, wire: Request, peer: Peer) -> Request:
        await self.judge.pause("sending")
        self.judge.note("sending")
        return self._swapped(wire, peer)

    def scrubber(self) -> Scrubber | None:
        return Cleaner() if self.judge.scrubs else None

    async def begun(self, head: Response) -> None:
        await self.judge.pause("begun")
        self.judge.note("begun", head.status)

    async def answered(self, response: Response) -> Response:
        await self.judge.pause("answered")
        self.judge.note("answered", response.status, response.body)
        return response

    async def lost(self, reason: str) -> Response:
        await self.judge.pause("lost")
        self.judge.note("lost", reason)
        return self.judge.refuse(None, Fault.IN_DOUBT, reason)

    async def abandoned(self, reason: str) -> Response | None:
        await self.judge.pause("abandoned")
        self.judge.note("abandoned", reason)
        return self.abandons

    def hung_up(self) -> None:
        self.judge.note("hung_up")


@dataclass
class Judge:
    """Set the fields to say what is decided; read `diary` for what was asked."""

    upstreams: dict[str, Address] = field(default_factory=dict)
    routes: dict[str, Origin] = field(default_factory=dict)
    decide: Callable[["Judge", Request], Ticket | Response | NeedBody] | None = None
    admits: Callable[["Judge", Request, bytes, Waiting], Awaitable[Ticket | Response]] | None = None
    password: str | None = None
    scrubs: bool = False
    refuse_swap: Response | None = None
    broken: set[str] = field(default_factory=set)
    pauses: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    ports: tuple[int, ...] | None = None
    diary: list[tuple[object, ...]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, *what: object) -> None:
        self.diary.append(what)
        self.happened.set()

    def names(self) -> list[str]:
        return [str(each[0]) for each in self.diary]

    async def until(self, name: str, within: float = 5.0) -> tuple[object, ...]:
        async with asyncio.timeout(within):
            while name not in self.names():
                self.happened.clear()
                await self.happened.wait()
        return next(each for each in self.diary if each[0] == name)

    def maybe_raise(self, where: str) -> None:
        if where in self.broken:
            raise RuntimeError(f"{where} with {SECRET}")

    async def pause(self, where: str) -> None:
        self.maybe_raise(where)
        if where in self.pauses:
            await self.pauses[where]()

    # -- the protocol

    def client(
        self, proxy_authorization: tuple[str, str] | None, local: str | None
    ) -> Client | Response:
        self.maybe_raise("client")
        if local is not None:
            return Agent(local)
        if self.password is not None and (proxy_authorization or ("", ""))[1] != self.password:
            return Response(status=407, headers=Headers((("Proxy-Authenticate", "Basic"),)))
        return Agent(proxy_authorization[0] if proxy_authorization else "anonymous")

    def tunnel(self, client: Client, host: str, port: int) -> Response | None:
        self.note("tunnel", client, host, port)
        if self.ports is not None and port not in self.ports:
            return self.refuse(None, Fault.MISDIRECTED, "port")
        return None

    def route(self, path: str) -> tuple[Origin, str] | None:
        for prefix, origin in self.routes.items():
            if path.startswith(prefix + "/"):
                return origin, path[len(prefix) :]
        return None

    def screen(self, client: Client, request: Request) -> Ticket | Response | NeedBody:
        self.maybe_raise("screen")
        self.requests.append(request)
        self.note("screen", client, request)
        return self.decide(self, request) if self.decide else Pass(self)

    async def admit(
        self, client: Client, request: Request, prefix: bytes, waiting: Waiting
    ) -> Ticket | Response:
        self.maybe_raise("admit")
        self.note("admit", request.body, prefix)
        if self.admits is not None:
            return await self.admits(self, request, prefix, waiting)
        return Pass(self, mutating=True, streams=False)

    def upstream(self, origin: Origin) -> Address:
        self.maybe_raise("upstream")
        found = self.upstreams.get(origin.host)
        if found is not None:
            return found
        return Address(
            host=origin.host, port=origin.port, tls=origin.scheme == "https", sni=origin.host
        )

    def dialled(self, origin: Origin, peer_ip: str) -> str | None:
        assert ip_address(peer_ip).version in (4, 6)
        return f"{peer_ip} is a private address" if peer_ip in self.private else None

    def refuse(self, request: Request | None, outcome: Fault, reason: str) -> Response:
        body = json.dumps({"message": reason, "goex": {"outcome": str(outcome)}}).encode()
        return Response(
            status=outcome.status,
            headers=Headers((("Content-Type", "application/json"),)),
            body=body,
            reason=f"goex: {outcome}",
        )

    def failed(self, what: str) -> None:
        self.failures.append(what)


def journaled(judge: Judge, request: Request) -> Ticket | Response | NeedBody:
    """GET and HEAD are reads; what else comes is decided with its body, and journaled."""
    return Pass(judge) if request.method in ("GET", "HEAD") else NeedBody(1 << 20)
