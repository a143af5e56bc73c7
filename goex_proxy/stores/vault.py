"""The vault: credentials in a 0600 SQLite file, each value under AES-256-GCM.

Not protected against: a thief of both file and key, and the whole file being put back to an
older state by somebody who may write it (a deleted or revoked credential would be back).
"""

import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from goex_proxy.stores.credential import Credential, Source
from goex_proxy.stores.sealed_row import bound_to, pack, seal, source_kind, unpack, unseal
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import KeySource, VaultError, require_private, sync_directory

SCHEMA = 1
_CHECK = b"goex-proxy vault"
_LISTS = ("hosts", "slots", "variables", "agents", "labels")
_COLUMNS = tuple(field for field in Credential.__dataclass_fields__)


class Vault:
    """Open it with `Vault.open`; one object per thread. Every method may raise VaultError."""

    def __init__(self, path: Path, db: sqlite3.Connection, key: Secret, now: "Clock") -> None:
        self._path, self._db, self._key, self._now = path, db, key, now

    @classmethod
    def create(cls, path: Path, key: KeySource, now: "Clock | None" = None) -> "Vault":
        """A new, empty vault. Raises VaultError if the file is there already."""
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise VaultError(f"cannot make the vault {path}: {error.strerror}") from None
        try:
            salt = secrets.token_bytes(16)
            derived = key.key(salt)
            with _clear(path), _connection(path) as db:
                _make_tables(db, salt, seal(derived, _CHECK, salt))
        except BaseException:
            path.unlink()
            raise
        sync_directory(path.parent)
        return cls.open(path, key, now)

    @classmethod
    def open(cls, path: Path, key: KeySource, now: "Clock | None" = None) -> "Vault":
        """Raises VaultError: no such file, loose permissions, damaged, newer, or the wrong key."""
        try:
            require_private(path.lstat(), path)
        except OSError as error:
            raise VaultError(
                f"cannot open the vault {path}: {error.strerror}; `goex init` makes one"
            ) from None
        with _clear(path):
            db = _connect(path)
            try:
                salt, check = _read_meta(db, path)
                derived = key.key(salt)
                unseal(derived, check, salt, f"the vault {path} does not open")
            except BaseException:
                db.close()
                raise
        return cls(path, db, derived, now or _utc)

    def close(self) -> None:
        self._db.close()

    def derived(self, purpose: bytes) -> Secret:
        """A key for one purpose of its own, the same as long as the vault's is (HMAC-SHA256)."""
        return Secret(hmac.digest(self._key.reveal(), purpose, "sha256"))

    def __repr__(self) -> str:
        return f"Vault({str(self._path)!r})"

    def generation(self) -> int:
        """Grows with every change of a credential (not with `touch`), whoever made it."""
        with _clear(self._path):
            row = self._db.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(row[0])

    def credentials(self) -> tuple[Credential, ...]:
        """All of them, revoked ones too, by name. What they say is only proved by `source`."""
        with _clear(self._path):
            rows = self._db.execute("SELECT * FROM credential ORDER BY name").fetchall()
        return tuple(_credential(row) for row in rows)

    def get(self, name_or_id: str) -> Credential:
        with _clear(self._path):
            row = self._db.execute(
                "SELECT * FROM credential WHERE id = ? OR name = ?", (name_or_id, name_or_id)
            ).fetchone()
        if row is None:
            raise VaultError(f"no credential {name_or_id!r}: see `goex secret list`")
        return _credential(row)

    def source(self, id: str) -> tuple[Credential, Source]:
        """A credential and the source of its value, both proved to be as they were written."""
        with _clear(self._path):
            row = self._db.execute("SELECT * FROM credential WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise VaultError(f"no credential with id {id!r}")
            credential = _credential(row)
            plain = unseal(
                self._key, row["sealed"], bound_to(credential), f"credential {credential.name!r}"
            )
        return credential, unpack(credential.source, plain)

    def add(self, credential: Credential, source: Source) -> Credential:
        """Keep a new credential. Its id, version and dates are given here."""
        new = replace(
            credential,
            id=f"cr_{secrets.token_hex(6)}",
            version=1,
            source=source_kind(source),
            created=self._stamp(),
            last_used=None,
            revoked=None,
        )
        columns = (*_COLUMNS, "sealed")
        marks = ", ".join("?" for _ in columns)
        sql = f"INSERT INTO credential ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        try:
            with self._change() as db:
                db.execute(sql, (*_row(new), self._seal(new, source)))
        except sqlite3.IntegrityError as error:
            column = str(error).rpartition(".")[2]
            raise VaultError(
                f"a credential with this {column} is there already ({new.name!r}); "
                "`goex secret rotate` gives it another value"
            ) from None
        return new

    def rotate(self, id: str, source: Source, *, principal: str | None = None) -> Credential:
        """Another value under the same id and placeholder. Also brings back a revoked one."""
        with self._change():
            old, _ = self.source(id)
            new = replace(
                old,
                version=old.version + 1,
                source=source_kind(source),
                principal=principal or old.principal,
                revoked=None,
            )
            self._rewrite(new, source)
        return new

    def amend(self, changed: Credential) -> Credential:
        """Change what limits a credential (hosts, slots, agents, ...), not its value."""
        with self._change():
            old, source = self.source(changed.id)
            new = replace(
                changed,
                version=old.version + 1,
                placeholder=old.placeholder,
                source=old.source,
                created=old.created,
            )
            self._rewrite(new, source)
        return new

    def revoke(self, id: str) -> Credential:
        """It stays known, so that a use of its placeholder can be told from a typing error."""
        with self._change():
            old, source = self.source(id)
            new = replace(old, revoked=self._stamp())
            self._rewrite(new, source)
        return new

    def remove(self, id: str) -> None:
        """Delete it, securely (SQLite overwrites the freed pages)."""
        with self._change() as db:
            if db.execute("DELETE FROM credential WHERE id = ?", (id,)).rowcount != 1:
                raise VaultError(f"no credential with id {id!r}")

    def touch(self, used: Mapping[str, datetime]) -> None:
        """Note when credentials were last used, many in one commit."""
        rows = [(_text(when), id) for id, when in used.items()]
        with _clear(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("UPDATE credential SET last_used = ? WHERE id = ?", rows)

    def _stamp(self) -> str:
        return _text(self._now())

    def _seal(self, credential: Credential, source: Source) -> bytes:
        return seal(self._key, pack(source), bound_to(credential))

    def _rewrite(self, new: Credential, source: Source) -> None:
        settings = ", ".join(f"{column} = ?" for column in (*_COLUMNS, "sealed"))
        sql = f"UPDATE credential SET {settings} WHERE id = ?"  # noqa: S608
        self._db.execute(sql, (*_row(new), self._seal(new, source), new.id))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with _clear(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")


type Clock = Callable[[], datetime]


def _utc() -> datetime:
    return datetime.now(UTC)


def _text(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    """SQLite's own errors, but for broken constraints, as a VaultError that says where."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise VaultError(f"the vault {path}: {error}") from None


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    db = _connect(path)
    try:
        yield db
    finally:
        db.close()


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _make_tables(db: sqlite3.Connection, salt: bytes, check: bytes) -> None:
    from sqlite_utils import Database  # noqa: PLC0415 - only needed to make a vault; slow to load

    tables = Database(db)
    columns: dict[str, Any] = dict.fromkeys(_COLUMNS, str) | {"version": int, "sealed": bytes}
    optional = {"principal", "last_used", "revoked"}
    table = tables.table("credential").create(
        columns, pk="id", not_null=set(columns) - optional, strict=True
    )
    table.create_index(["name"], unique=True)
    table.create_index(["placeholder"], unique=True)
    meta = {"name": "TEXT PRIMARY KEY", "value": "ANY"}
    fields = ", ".join(f"{name} {kind}" for name, kind in meta.items())
    db.execute(f"CREATE TABLE meta ({fields}) STRICT")
    db.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("generation", 0), ("salt", salt), ("check", check)]
    )
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def _read_meta(db: sqlite3.Connection, path: Path) -> tuple[bytes, bytes]:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        newer = "was made by a newer goex-proxy" if version > SCHEMA else "is not a vault"
        raise VaultError(f"{path} {newer} (version {version}, known: {SCHEMA})")
    meta = dict(db.execute("SELECT name, value FROM meta").fetchall())
    if not isinstance(meta.get("salt"), bytes) or not isinstance(meta.get("check"), bytes):
        raise VaultError(f"the vault {path} is damaged: restore it from your backup")
    return meta["salt"], meta["check"]


def _row(credential: Credential) -> tuple[Any, ...]:
    return tuple(
        json.dumps(value) if isinstance(value, tuple) else value
        for value in (getattr(credential, column) for column in _COLUMNS)
    )


def _credential(row: sqlite3.Row) -> Credential:
    fields = {column: row[column] for column in _COLUMNS}
    try:
        lists = {name: tuple(json.loads(fields[name])) for name in _LISTS}
    except (ValueError, TypeError):
        raise VaultError(f"credential {fields['name']!r}: its row is damaged") from None
    return Credential(**(fields | lists))
