"""Making a home: folder, keys, CA, configuration. Idempotent; it never replaces what is there."""

import os
from pathlib import Path

from goex_proxy.engine.library import shipped
from goex_proxy.gateway.certificates import bundle, open_authority, system_roots
from goex_proxy.home import Home
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile

_CONFIG = """\
# yaml-language-server: $schema=policies/_schema/config.json
# goex-proxy: see docs/config.md
version: 1
listen: 127.0.0.1:8080
posture: {posture}
policies: [./policies]
reversers: [shipped, ./reversers]
"""
_FIRST_POLICY = """\
# Rules of your own. What no rule speaks of is decided by the posture in goex.yaml.
# yaml-language-server: $schema=_schema/policy.json
version: 1
rules:
  - deny: github.repos/delete
    reason: a repository is never deleted by an agent
"""


def found(home: Home, *, posture: str = "balanced") -> list[str]:
    """Make what is missing; what was made, in words. Raises OSError, `VaultError`,
    `CertificateError`."""
    made: list[str] = []
    home.path.mkdir(parents=True, mode=0o700, exist_ok=True)
    home.path.chmod(0o700)
    for folder in (home.path / "policies", home.path / "reversers", home.sessions):
        folder.mkdir(mode=0o700, exist_ok=True)
    _schemas(home)
    if not home.vault_key.exists():
        KeyFile(home.vault_key).create()
        made.append("a key for the vault")
    if not home.vault_file.exists():
        Vault.create(home.vault_file, KeyFile(home.vault_key)).close()
        made.append("an empty vault")
    made += _certificates(home)
    if not home.config.exists():
        home.journal().close()
        made.append("an empty journal")
        _write(home.path / "policies" / "mine.yaml", _FIRST_POLICY.encode())
        _write(home.config, _CONFIG.format(posture=posture).encode())
        made.append("goex.yaml and policies/mine.yaml")
    return made


def _schemas(home: Home) -> None:
    """The JSON Schemas beside what they describe, for editors; always those of this version."""
    for room in ("policies", "reversers"):
        folder = home.path / room / "_schema"
        folder.mkdir(mode=0o700, exist_ok=True)
        for schema in sorted((shipped() / room / "_schema").glob("*.json")):
            _write(folder / schema.name, schema.read_bytes())


def _certificates(home: Home) -> list[str]:
    fresh = not home.ca.exists()
    authority = open_authority(home.ca)
    home.client.mkdir(mode=0o755, exist_ok=True)
    _write(home.ca_certificate, authority.pem, 0o644)
    _write(home.bundle, bundle(system_roots(), authority.pem), 0o644)
    return ["a local CA, and the bundle of it and the system's roots"] if fresh else []


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    new.chmod(mode)
    new.replace(path)
