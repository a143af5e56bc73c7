"""Which keys a reverser file has: what the loader knows and what editors complete, from one table.

A key that formats describe and this version does not have is `later`: an error that says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

type Schema = Mapping[str, object]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer", "minimum": 1}
ANY: Schema = {}
CEL: Schema = {"$ref": "#/$defs/cel"}
CELS: Schema = {"type": "object", "additionalProperties": CEL}
TEXTS: Schema = {"oneOf": [TEXT, {"type": "array", "items": TEXT}]}
FIELDS: Schema = {"type": "object"}
FIDELITIES = ("exact", "equivalent", "compensating", "none")
METHODS = ("get", "post", "put", "patch", "delete")
CODECS = (
    "form",
    "git-receive-pack",
    "git-refs",
    "git-report",
    "header-json",
    "json",
    "json-rpc",
    "multistatus",
    "xml",
)
"""Those of wire/codecs.py; a test compares."""


def one_of(*words: str) -> Schema:
    return {"enum": list(words)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def mapping(item: Schema) -> Schema:
    return {"type": "object", "additionalProperties": item}


def either(*kinds: Schema) -> Schema:
    return {"anyOf": list(kinds)}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one kind of map in a reverser file."""

    what: str
    """What the map is, for messages: `an operation`."""
    known: Mapping[str, Schema]
    needed: tuple[str, ...] = ()
    later: frozenset[str] = field(default_factory=frozenset)

    def schema(self) -> Schema:
        made: dict[str, object] = {
            "type": "object",
            "additionalProperties": False,
            "properties": dict(self.known),
        }
        return made | ({"required": list(self.needed)} if self.needed else {})


CREDENTIAL = Keys(
    "a credential",
    {
        "slots": TEXTS,
        "as": TEXTS,
        "shape": TEXT,
        "hosts": TEXTS,
        "check": TEXT,
        "principal": TEXT,
    },
)
ERRORS = Keys("errors", {"status": WHOLE, "json": FIELDS, "codec": one_of("git-refusal")})
MATCH = Keys(
    "a match",
    {"method": TEXTS, "path": TEXT, "if": CEL},
    needed=("path",),
    later=frozenset({"graphql", "tool", "host"}),
)
READ = Keys(
    "a read",
    {
        **{method: TEXT for method in ("get", "post", "request")},
        "query": FIELDS,
        "headers": FIELDS,
        "form": FIELDS,
        "json": ANY,
        "body": TEXT,
        "pages": either(one_of("link"), ref("pages")),
    },
    later=frozenset({"host", "credential", "graphql"}),
)
PAGES = Keys("pages", {"cursor": TEXT, "collect": TEXT, "param": TEXT, "most": WHOLE})
RESOURCE = Keys(
    "a resource",
    {
        "at": TEXT,
        "read": ref("read"),
        "query": FIELDS,
        "headers": FIELDS,
        "kind": one_of("json", "bytes"),
        "set": CEL,
        "decode": one_of(*CODECS),
        "pick": CEL,
        "absent": CEL,
        "volatile": TEXTS,
        "write_as": CELS,
        "guard": {"type": "object"},
        "pages": either(one_of("link"), ref("pages")),
    },
    later=frozenset({"for", "graphql"}),
)
USE = Keys("an image", {"if": CEL})
"""Beside `if`, its one key is the name of a resource."""
STEP = Keys(
    "a step",
    {
        **{method: TEXT for method in (*METHODS, "request")},
        "if": CEL,
        "for": CEL,
        "query": FIELDS,
        "headers": FIELDS,
        "json": ANY,
        "form": FIELDS,
        "body": TEXT,
        "encode": one_of(*CODECS),
        "args": ANY,
        "ok": CEL,
        "remakes": mapping(CELS),
    },
    later=frozenset({"as", "until", "host", "credential", "graphql"}),
)
EVIDENCE = Keys(
    "evidence",
    {
        "applied": CEL,
        "not_applied": CEL,
        "reads": mapping(either(TEXT, {"type": "object"})),
    },
)
OPERATION = Keys(
    "an operation",
    {
        "match": either(TEXT, ref("match")),
        "kind": one_of("write", "delete", "admin"),
        "fidelity": either(one_of(*FIDELITIES), CEL),
        "residue": TEXTS,
        "outside": either(FLAG, CEL),
        "proved": one_of("bed", "fixture", "none"),
        "decode": one_of(*CODECS),
        "prefix": either(WHOLE, TEXT),
        "bind": CELS,
        "image": TEXT,
        "on": mapping(CELS),
        "images": mapping(either(TEXT, {"type": "object"})),
        "creates": mapping(CELS),
        "created": CEL,
        "noop": CEL,
        "writes": either(TEXT, {"type": "array", "items": TEXT}),
        "adds": CEL,
        "removes": CEL,
        "after": one_of("response"),
        "undo": either(one_of("restore", "delete"), {"type": "array", "items": ref("step")}),
        "leaves": CELS,
        "evidence": either(one_of("person"), ref("evidence")),
        "nonce": TEXTS,
        "recipients": CEL,
        "forced": CEL,
        "undoes_with": TEXTS,
    },
    needed=("match", "fidelity"),
    later=frozenset(
        {"amend", "args_from", "batch", "example", "expires", "mapper", "marker", "poll"}
    ),
)
NAMED_READ = Keys(
    "a named read",
    {"match": either(TEXT, ref("match")), "if": CEL, "inference": FLAG},
    needed=("match",),
)
DOCUMENT = Keys(
    "a reverser file",
    {
        "version": {"const": 1},
        "service": {"type": "string", "pattern": "^[a-z][a-z0-9_-]*$"},
        "hosts": TEXTS,
        "protocol": one_of("http", "git"),
        "credential": ref("credential"),
        "errors": ref("errors"),
        "done": CEL,
        "verbs": one_of("meaningless"),
        "decode": one_of(*CODECS),
        "volatile": TEXTS,
        "reads": mapping(
            either(TEXT, ref("named_read"), {"type": "array", "items": ref("named_read")})
        ),
        "resources": mapping(ref("resource")),
        "operations": mapping(ref("operation")),
    },
    needed=("version", "service"),
    later=frozenset({"args_from", "batch", "graphql", "mcp"}),
)


def schema() -> Schema:
    """The JSON Schema of one document, for editors. The loader checks more than it can say."""
    cel = {"type": ["string", "boolean"], "description": "an expression in CEL"}
    named = {
        "credential": CREDENTIAL,
        "errors": ERRORS,
        "match": MATCH,
        "read": READ,
        "pages": PAGES,
        "resource": RESOURCE,
        "step": STEP,
        "evidence": EVIDENCE,
        "operation": OPERATION,
        "named_read": NAMED_READ,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "goex-proxy reverser",
        **DOCUMENT.schema(),
        "$defs": {"cel": cel, **{name: keys.schema() for name, keys in named.items()}},
    }
