"""The schemas for editors say what the loaders take."""

from pathlib import Path

import pytest

from goex_proxy.files import schemas

SCHEMAS = Path(__file__).parents[2] / "policies" / "_schema"


@pytest.mark.parametrize(
    ("name", "schema"), [("policy", schemas.policy()), ("config", schemas.config())]
)
def test_the_schema_in_the_tree_is_the_one_that_the_code_writes(
    name: str, schema: schemas.Schema
) -> None:
    assert (SCHEMAS / f"{name}.json").read_text() == schemas.written(schema)


def test_a_key_that_the_loader_takes_and_the_schema_does_not_know_is_found() -> None:
    with pytest.raises(ValueError, match="differ"):
        schemas._map({"a": {}}, frozenset(("a", "b")))
