"""One launched session: who it is towards the gateway, and how a client says so."""

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session's name, its agent, and the password that proves it: one per run, 256 bits.

    A name carries no colon: it is the user-id of Basic authentication (RFC 7617, section 2).
    """

    name: str
    agent: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        for what, value in (("session", self.name), ("agent", self.agent)):
            if not _NAME.fullmatch(value):
                raise ValueError(
                    f"{what} name {value!r}: write 1 to 64 letters, digits, '.', '_' or '-', "
                    "beginning with a letter or digit"
                )

    def proxy_url(self, host: str, port: int) -> str:
        """The proxy as clients are given it: who and password percent-encoded (RFC 3986, 3.2.1).

        It bears the password: for the agent's environment, never for a log.
        """
        who = f"{quote(self.name, safe='')}:{quote(self.password, safe='')}"
        return f"http://{who}@{_bracketed(host)}:{port}"


def open_session(agent: str, name: str | None = None) -> Session:
    """A new session of an agent; without a name it is called after the agent.

    Raises ValueError for a name that does not fit in a proxy URL.
    """
    unique = name or f"{agent[:55]}-{secrets.token_hex(4)}"
    return Session(name=unique, agent=agent, password=secrets.token_urlsafe(_PASSWORD_BYTES))


def sealed_proxy_url(port: int) -> str:
    """The proxy inside a sealed view: its socket is the identity, so no password travels."""
    return f"http://127.0.0.1:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
