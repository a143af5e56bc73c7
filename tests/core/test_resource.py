"""Resources: the same thing has one key, whoever names it."""

from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.resource import Form, Instance, Pages
from tests.core.world import a_resource

NAMES = st.dictionaries(st.sampled_from("abc"), st.text("xyz/=", max_size=4), min_size=1)


def instance(use: str = "", resource: str = "note", **params: str) -> Instance:
    return Instance(use=use, resource=resource, params=params)


@given(NAMES)
def test_a_key_hangs_neither_on_the_use_nor_on_the_order_of_parameters(
    params: dict[str, str],
) -> None:
    turned = dict(reversed(params.items()))
    one = Instance(use="before", resource="note", params=params)
    assert one.key("s") == Instance(use="", resource="note", params=turned).key("s")


def test_other_services_resources_and_parameters_have_other_keys() -> None:
    keys = {
        instance(id="1").key("a"),
        instance(id="1").key("b"),
        instance(resource="tags", id="1").key("a"),
        instance(id="2").key("a"),
        instance(id="1", of="2").key("a"),
    }
    assert len(keys) == 5


def test_a_collection_with_and_without_its_slash_is_one_thing() -> None:
    """WebDAV's `/a/` and `/a`: two locks would guard nothing."""
    assert instance(path="a/b/").key("dav") == instance(path="a/b").key("dav")


def test_values_that_hold_the_marks_of_a_key_do_not_make_another_things_key() -> None:
    assert instance(a="1/b=2").key("s") != instance(a="1", b="2").key("s")
    assert instance(a="1/b=2", b="3").key("s") != instance(a="1", b="2/b=3").key("s")
    assert instance(id="1").key("s") == "s:note:id=1"


@given(NAMES, NAMES)
def test_two_things_have_one_key_only_if_they_differ_by_a_slash_at_the_end(
    one: dict[str, str], other: dict[str, str]
) -> None:
    stripped = [{k: v.rstrip("/") for k, v in params.items()} for params in (one, other)]
    keys = [Instance(use="", resource="note", params=p).key("s") for p in (one, other)]
    assert (keys[0] == keys[1]) is (stripped[0] == stripped[1])


def test_a_resource_is_one_json_value_and_pages_are_bounded() -> None:
    assert a_resource().form is Form.JSON
    assert Pages(collect="items").most == 20
