"""TLS on both sides: towards agents with leaves of our CA, towards services verified, always.

No key log is ever attached to these contexts, whatever SSLKEYLOGFILE says.
"""

import time
from collections import OrderedDict
from ipaddress import ip_address

from OpenSSL import SSL, crypto

from goex_proxy.gateway.certificates import Authority, CertificateError, certificates_in

_LEAVES = 512
_RENEWAL = 30 * 86400
"""Seconds after which a host gets a new leaf (they are valid for half a year)."""
_HOST_FLAGS = SSL._lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | getattr(  # type: ignore[attr-defined]
    SSL._lib,  # type: ignore[attr-defined]
    "X509_CHECK_FLAG_NEVER_CHECK_SUBJECT",
    0,
)


def _context(method: int) -> SSL.Context:
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION)
    return context


def _pick(offered: list[bytes], known: tuple[bytes, ...]) -> bytes:
    """Our order decides (RFC 7301, 3.2), as it does at nginx and most services: clients that want
    HTTP/2 and offer HTTP/1.1 first (httpx) get what they would get without us."""
    return next((name for name in known if name in offered), known[-1])


class AgentSide:
    """Speaks for a host towards an agent. Contexts are kept, so that sessions resume."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._contexts: OrderedDict[tuple[str, bool, int], SSL.Context] = OrderedDict()

    def connection(self, host: str, *, h2: bool) -> SSL.Connection:
        key = (host, h2, int(time.time() / _RENEWAL))
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = self._make(host, h2)
            if len(self._contexts) > _LEAVES:
                self._contexts.popitem(last=False)
        else:
            self._contexts.move_to_end(key)
        found = SSL.Connection(context)
        found.set_accept_state()
        return found

    def _make(self, host: str, h2: bool) -> SSL.Context:
        leaf = self._authority.leaf(host)
        context = _context(SSL.TLS_SERVER_METHOD)
        context.use_certificate(leaf.certificate)
        context.use_privatekey(leaf.key)
        known = (b"h2", b"http/1.1") if h2 else (b"http/1.1",)
        context.set_alpn_select_callback(lambda _, offered: _pick(offered, known))
        return context


class ServiceSide:
    """Verifies services: chain to the given roots, and the name that was asked for."""

    def __init__(self, roots: bytes) -> None:
        """`roots` is PEM. Raises CertificateError if it holds no certificate."""
        self._context = _context(SSL.TLS_CLIENT_METHOD)
        self._context.set_verify(SSL.VERIFY_PEER)
        store = self._context.get_cert_store()
        if store is None or not roots:
            raise CertificateError("there is no trusted root certificate to verify services with")
        for der in certificates_in(roots):
            store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, der))

    def connection(self, name: str, *, h2: bool) -> SSL.Connection:
        """A client connection that fails unless the certificate proves `name`."""
        found = SSL.Connection(self._context)
        library = SSL._lib  # type: ignore[attr-defined]
        parameters = library.SSL_get0_param(found._ssl)
        library.X509_VERIFY_PARAM_set_hostflags(parameters, _HOST_FLAGS)
        try:
            packed = ip_address(name).packed
        except ValueError:
            encoded = name.encode("ascii")
            found.set_tlsext_host_name(encoded)
            done = library.X509_VERIFY_PARAM_set1_host(parameters, encoded, len(encoded))
        else:
            done = library.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))
        if done != 1:
            raise CertificateError(f"OpenSSL cannot verify the name {name!r}")
        found.set_alpn_protos([b"h2", b"http/1.1"] if h2 else [b"http/1.1"])
        found.set_connect_state()
        return found
