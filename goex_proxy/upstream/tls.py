"""The TLS of our own client."""

import ssl
from pathlib import Path


def client_context(upstream_ca: Path | None) -> ssl.SSLContext:
    """The system's roots and `upstream_ca` (PEM); host names are checked; no key log."""
    context = ssl.create_default_context()
    # Private CAs often lack what RFC 5280 asks of them; the gateway's OpenSSL accepts them too.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = None  # type: ignore[assignment] # SSLKEYLOGFILE would open it
    if upstream_ca is not None:
        context.load_verify_locations(cafile=upstream_ca)
    return context
