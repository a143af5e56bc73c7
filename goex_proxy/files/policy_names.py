"""The names that expressions of policies read, and their types (formats.md, section 1)."""

from goex_proxy.files.cel import CelType

FACTS: dict[str, CelType] = {
    "args": CelType.MAP,
    "method": CelType.STRING,
    "scheme": CelType.STRING,
    "host": CelType.STRING,
    "port": CelType.INT,
    "path": CelType.STRING,
    "segments": CelType.STRINGS,
    "query": CelType.TEXTS,
    "headers": CelType.TEXTS,
    "content_type": CelType.STRING,
    "size": CelType.INT,
    "body": CelType.DYN,
    "body_state": CelType.STRING,
    "operation": CelType.STRING,
    "service": CelType.STRING,
    "kind": CelType.STRING,
    "fidelity": CelType.STRING,
    "residue": CelType.STRINGS,
    "outside": CelType.BOOL,
    "proved": CelType.STRING,
    "recipients": CelType.STRINGS,
    "targets": CelType.STRINGS,
    "blast": CelType.INT,
    "cost_usd": CelType.DOUBLE,
    "auth": CelType.STRING,
    "forced": CelType.STRING,
    "is_undo": CelType.BOOL,
    "credential.name": CelType.STRING,
    "credential.labels": CelType.STRINGS,
    "agent.id": CelType.STRING,
    "agent.labels": CelType.STRINGS,
    "session.id": CelType.STRING,
    "session.started": CelType.TIME,
    "session.writes": CelType.INT,
    "now": CelType.TIME,
}

AT_HAND = frozenset(FACTS) - {"recipients", "targets", "forced", "body", "session.started", "now"}
"""Looking these up computes nothing worth saving."""
