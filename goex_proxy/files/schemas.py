"""JSON Schemas of policy files and of goex.yaml, for editors: completion and red underlines.

The loaders check far more (types of expressions, names, circles); a test keeps the keys of both
the same. Written out into `policies/_schema/`.
"""

import json

from goex_proxy.files.config import KEYS, LIMITS
from goex_proxy.files.policy_file import FILE_KEYS, MATCH_KEYS, RULE_KEYS

type Schema = dict[str, object]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SPAN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
_NAME = "^[a-z_][a-z0-9_]*$"


def _text(what: str = "", **more: object) -> Schema:
    return {"type": "string", "minLength": 1, **({"description": what} if what else {}), **more}


def _texts(what: str = "") -> Schema:
    one = {"type": "string", "minLength": 1}
    many = {"type": "array", "items": one, "minItems": 1}
    return {"oneOf": [one, many], **({"description": what} if what else {})}


def _map(properties: Schema, keys: frozenset[str], **more: object) -> Schema:
    if properties.keys() != keys:
        raise ValueError(f"the schema and the loader differ: {properties.keys() ^ keys}")
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


_MODE: Schema = {
    "enum": ["enforce", "shadow", "off"],
    "description": "shadow: recorded as what would have been",
}
_CONDITION: Schema = {"type": ["string", "boolean"], "description": "CEL: true or false"}


def _rule() -> Schema:
    operations = "An operation glob or a list of them; * crosses / and ."
    properties: Schema = {
        "allow": _texts(operations),
        "hold": _texts(operations),
        "deny": _texts(operations),
        "id": _text("Else a slug of effect and operation", pattern="^[a-z0-9][a-z0-9._-]*$"),
        "if": {
            "oneOf": [_CONDITION, {"type": "array", "items": _CONDITION, "minItems": 1}],
            "description": "CEL; of a list all must hold",
        },
        "unless": _CONDITION,
        "reason": _text("Text with ${CEL} in it; what the agent is told"),
        "match": _map(
            {key: _texts("glob") for key in sorted(MATCH_KEYS)},
            MATCH_KEYS,
            description="Matched before any expression runs; all of them must match",
        ),
        "timeout": _text("Then a held call is refused: 30m", pattern=_SPAN),
        "undo": {"type": "boolean", "description": "Whether the rule also binds undo"},
        "mode": _MODE,
    }
    effects = [{"required": [effect]} for effect in ("allow", "hold", "deny")]
    return _map(properties, RULE_KEYS, oneOf=effects)


def policy() -> Schema:
    """The schema of a policy file."""
    named = {"type": "object", "propertyNames": {"pattern": _NAME}}
    properties: Schema = {
        "version": {"const": 1},
        "mode": _MODE,
        "lists": {**named, "description": "Typed constants: lists.NAME"},
        "let": {**named, "additionalProperties": {"type": ["string", "number", "boolean"]}},
        "rules": {"type": "array", "items": _rule()},
    }
    required = ["version", "rules"]
    whole = _map(properties, FILE_KEYS, required=required)
    return {"$schema": _DRAFT, "title": "goex-proxy policy", **whole}


def config() -> Schema:
    """The schema of goex.yaml."""
    urls = {"type": "object", "additionalProperties": _text(pattern="^https?://[^/]+/?$")}
    names = {"type": "array", "items": _text()}
    hosts = _map({"hosts": _texts()}, frozenset(("hosts",)))
    limits: Schema = {
        "body": _text("such as 1MiB", pattern="^[0-9]+(B|KiB|MiB|GiB)$"),
        "hold_wait": _text("such as 3s", pattern=_SPAN),
        "upstream_timeout": _text("such as 600s", pattern=_SPAN),
        "image_requests": {"type": "integer", "minimum": 1},
    }
    network: Schema = {"private": {"enum": ["deny", "allow"]}, "allow": names}
    properties: Schema = {
        "version": {"const": 1},
        "listen": _text("host:port of the proxy"),
        "console": _text("host:port of the pages"),
        "journal": {"const": "sqlite"},
        "posture": {"enum": ["careful", "balanced", "open"]},
        "policies": {"oneOf": [names, _text()]},
        "lists": {"type": "object"},
        "reversers": {"oneOf": [names, _text()]},
        "upstreams": urls,
        "services": {"type": "object", "additionalProperties": hosts},
        "upstream_ca": {"type": ["string", "null"]},
        "routes": urls,
        "network": _map(network, frozenset(("private", "allow"))),
        "limits": _map(limits, LIMITS),
        "upstream_proxy": {"type": "null"},
    }
    return {"$schema": _DRAFT, "title": "goex.yaml", **_map(properties, KEYS)}


def written(schema: Schema) -> str:
    """As it stands in `_schema/`."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
