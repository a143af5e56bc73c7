"""The schema for editors and the loader know the same keys."""

import json
from pathlib import Path

from goex_proxy.files import reverser_schema as schemas
from goex_proxy.wire.codecs import CODECS

SCHEMA = Path(__file__).parents[2] / "reversers" / "_schema" / "reverser.json"


def test_the_schema_in_the_tree_is_the_one_of_the_loader() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(schemas.schema()))


def test_the_codecs_are_those_of_wire() -> None:
    assert set(schemas.CODECS) == set(CODECS)


def test_no_key_is_both_known_and_later() -> None:
    for keys in vars(schemas).values():
        if isinstance(keys, schemas.Keys):
            assert not keys.later.intersection(keys.known), keys.what
            assert set(keys.needed) <= set(keys.known)
