"""The text of one rule, as the journal keeps it with every call that went by it."""

from collections.abc import Mapping

from goex_proxy.core import exact

_HEADER = ("version", "service", "protocol", "done", "verbs", "decode", "volatile")
"""What of a document the text of one of its rules needs."""


def rule_text(
    document: Mapping[str, object],
    name: str,
    hosts: tuple[str, ...],
    volatile: tuple[str, ...],
    used: frozenset[str],
) -> str:
    """A document with this operation alone and what it refers to; JSON is YAML."""
    kept: dict[str, object] = {key: document[key] for key in _HEADER if key in document}
    kept["hosts"] = list(hosts)
    for key, wanted in (("resources", used), ("operations", {name})):
        fields = document.get(key)
        if isinstance(fields, dict) and any(k in wanted for k in fields):
            kept[key] = {k: v for k, v in fields.items() if k in wanted}
    return exact.dumps(kept).decode()
