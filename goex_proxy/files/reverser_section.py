"""One map of a reverser file, read key by key; what is wrong is noted, never passed over."""

from collections.abc import Iterator
from difflib import get_close_matches

from goex_proxy.core.expression import Expression
from goex_proxy.files.cel import Want
from goex_proxy.files.issue import At
from goex_proxy.files.node import Fields, Items, Node, Scalar
from goex_proxy.files.reverser_language import Tongue
from goex_proxy.files.reverser_schema import Keys


class Section:
    """A map whose keys are known. A wrong value reads as if it were not there, and is noted."""

    def __init__(self, node: Node, keys: Keys, tongue: Tongue, *, open_keys: bool = False) -> None:
        self.tongue = tongue
        self.at = node.at
        self._keys = keys
        self._fields: Fields = node if isinstance(node, Fields) else Fields({}, node.at)
        if not isinstance(node, Fields):
            self.wrong(node.at, f"{keys.what} is a map", "write `key: value` lines")
            return
        for name in node:
            if name not in keys.known and not open_keys:
                self._unknown(name)
        for name in keys.needed:
            if name not in node:
                self.wrong(node.at, f"{keys.what} without {name}:", f"add {name}:")

    def _unknown(self, name: str) -> None:
        at = self._fields.key(name)
        if name in self._keys.later:
            self.wrong(at, f"{name}: comes in a later issue", "leave the operation out for now")
            return
        close = get_close_matches(name, self._keys.known, n=1)
        hint = f"{close[0]}:?" if close else "known: " + ", ".join(sorted(self._keys.known))
        self.wrong(at, f"{self._keys.what} has no key {name!r}", hint)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def wrong(self, at: At, what: str, hint: str = "") -> None:
        self.tongue.issues.add(at, what, hint)

    def where(self, name: str) -> At:
        """Where a key stands; the map itself if it has no such key."""
        return self._fields.key(name) if name in self._fields else self.at

    def node(self, name: str) -> Node | None:
        return self._fields.get(name)

    def names(self) -> Iterator[str]:
        return iter(self._fields)

    def scalar(self, name: str) -> Scalar | None:
        node = self.node(name)
        if node is None or isinstance(node, Scalar):
            return node
        self.wrong(node.at, f"{name}: is one value", "not a list or a map")
        return None

    def text(self, name: str, default: str = "") -> str:
        scalar = self.scalar(name)
        if scalar is None:
            return default
        if not isinstance(scalar.value, str):
            self.wrong(scalar.at, f"{name}: is a text", "quote it")
        return scalar.text

    def word(self, name: str, default: str = "") -> str:
        """A text that is one of the words of the schema."""
        text = self.text(name, default)
        words = self._keys.known[name].get("enum")
        if name in self and isinstance(words, list) and text not in words:
            hint = "one of: " + ", ".join(map(str, words))
            self.wrong(self.where(name), f"{name}: is not {text!r}", hint)
            return default
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """A text, or a list of them."""
        node = self.node(name)
        if node is None:
            return ()
        out = []
        for item in node if isinstance(node, Items) else (node,):
            if isinstance(item, Scalar) and isinstance(item.value, str) and item.text:
                out.append(item.text)
            else:
                self.wrong(item.at, f"{name}: is a text or a list of texts", "quote it")
        return tuple(out)

    def flag(self, name: str) -> bool:
        scalar = self.scalar(name)
        if scalar is None:
            return False
        if not isinstance(scalar.value, bool):
            self.wrong(scalar.at, f"{name}: is true or false", "write true")
        return scalar.value is True

    def whole(self, name: str, default: int) -> int:
        scalar = self.scalar(name)
        if scalar is None:
            return default
        if isinstance(scalar.value, bool) or not isinstance(scalar.value, int) or scalar.value < 1:
            self.wrong(scalar.at, f"{name}: is a whole number of at least 1", "write digits")
            return default
        return scalar.value

    def fields(self, name: str) -> list[tuple[str, Node]]:
        """The entries of a map; none if there is no such key."""
        node = self.node(name)
        if node is None:
            return []
        if not isinstance(node, Fields):
            self.wrong(node.at, f"{name}: is a map", "write `key: value` lines")
            return []
        return list(node.items())

    def expression(
        self, name: str, allowed: frozenset[str], want: Want = "any"
    ) -> Expression | None:
        scalar = self.scalar(name)
        return None if scalar is None else self.tongue.expression(scalar, allowed, want)

    def expressions(self, name: str, allowed: frozenset[str]) -> dict[str, Expression]:
        """A map of expressions."""
        node = self.node(name)
        return {} if node is None else expressions(node, name, allowed, self.tongue)


def expressions(
    node: Node, what: str, allowed: frozenset[str], tongue: Tongue
) -> dict[str, Expression]:
    """A map whose values are expressions."""
    if not isinstance(node, Fields):
        tongue.issues.add(node.at, f"{what}: is a map of expressions", "like {n: res.number}")
        return {}
    out: dict[str, Expression] = {}
    for key, item in node.items():
        if isinstance(item, Scalar):
            out[key] = tongue.expression(item, allowed)
        else:
            tongue.issues.add(item.at, f"{key}: is one expression", "not a list or a map")
    return out
