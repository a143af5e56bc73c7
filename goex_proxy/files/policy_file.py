"""Policy files (formats.md, section 1) -> the rules of the core.

Strict: what is not understood is an error, with its place. Nothing that a person wrote is
silently not enforced.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goex_proxy.core.decision import Effect
from goex_proxy.core.policy import Mode, Rule, Ruleset, Where
from goex_proxy.files import yamltext
from goex_proxy.files.cel import Cel, CelExpression
from goex_proxy.files.form import Form, form_of
from goex_proxy.files.issue import At, FileError, Issue, Issues, Within
from goex_proxy.files.node import Items, Node, Plain, Scalar
from goex_proxy.files.policy_groups import combine
from goex_proxy.files.policy_lets import language
from goex_proxy.files.policy_names import FACTS
from goex_proxy.files.text_template import Part, parts

FILE_KEYS = frozenset(("version", "mode", "lists", "let", "rules"))
RULE_KEYS = frozenset(
    (
        *("allow", "hold", "deny", "id", "if", "unless", "reason", "match"),
        *("timeout", "undo", "mode"),
    )
)
MATCH_KEYS = frozenset(("method", "path", "host", "agent", "credential"))
LATER = frozenset(("budgets", "approvers"))
_EFFECTS = {"allow": Effect.ALLOW, "hold": Effect.HOLD, "deny": Effect.DENY}
_MODES = tuple(mode.value for mode in Mode)
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy file and the name that its rules go by: `team/force-push`."""

    path: Path
    name: str
    shown: str = ""
    """As messages name it; the path if empty."""


def load(
    sources: Sequence[PolicySource],
    lists: Mapping[str, Plain] | None = None,
    *,
    grouped: bool = False,
) -> Ruleset:
    """Read policy files into one set of rules. `lists` replace those of the same name.

    `grouped`: for many decisions. Without it each says of every rule why it did not apply.

    Raises `FileError` with everything that is wrong with any of them.
    """
    issues = Issues()
    rules: list[Rule] = []
    by_name: dict[str, PolicySource] = {}
    for source in sources:
        shown = source.shown or str(source.path)
        if source.name in by_name:
            what = f"two policies are named {source.name!r}"
            issues.add(At(shown), what, f"rename this file or {by_name[source.name].path.name}")
        by_name[source.name] = source
        try:
            rules += read(yamltext.read(source.path, name=shown), source.name, lists)
        except FileError as error:
            issues.extend(error.issues)
    issues.refuse()
    together = combine if grouped else None
    return Ruleset(language=Cel(FACTS), rules=tuple(rules), combine=together)


def find(entries: Iterable[str], base: Path, shipped: Path) -> list[PolicySource]:
    """The files that `policies:` of goex.yaml names: files, directories, `shipped:NAME`.

    Raises `FileError` for one that does not exist.
    """
    found: list[PolicySource] = []
    for entry in entries:
        if entry == "shipped" or entry.startswith("shipped:"):
            name = entry.partition(":")[2]
            path = shipped / f"{name}.yaml" if name else shipped
        else:
            path = base / Path(entry).expanduser()
        if path.is_dir():
            files = sorted(p for p in path.glob("*.yaml") if not p.stem.endswith("_test"))
            found += [PolicySource(p, p.stem) for p in files]
        elif path.is_file():
            found.append(PolicySource(path, path.stem))
        else:
            raise FileError(Issue(At(str(path)), f"there is no such policy: {entry}"))
    return found


def read(node: Node, name: str, lists: Mapping[str, Plain] | None = None) -> tuple[Rule, ...]:
    """The rules of one file. Raises `FileError`."""
    issues = Issues()
    form = form_of(node, issues)
    form.version()
    form.only(FILE_KEYS, LATER)
    mode = Mode(form.choice("mode", _MODES, Mode.ENFORCE))
    reader = _Rules(name, mode, language(form, lists or {}), issues)
    for rule in form.forms("rules"):
        reader.add(rule)
    if not form.has("rules") and not issues.found:
        issues.add(form.at, "a policy without rules", "rules: [...]; to switch it off: mode: off")
    issues.refuse()
    return tuple(reader.rules)


@dataclass(slots=True)
class _Rules:
    """Reads the rules of one file, one after the other."""

    file: str
    mode: Mode
    cel: Cel
    issues: Issues
    rules: list[Rule] = field(default_factory=list)
    ids: dict[str, At] = field(default_factory=dict)

    def add(self, form: Form) -> None:
        form.only(RULE_KEYS, LATER)
        effect = self._effect(form)
        if effect is None:
            return
        operations = tuple(item.text for item in form.texts(effect))
        if form.has("timeout") and effect != "hold":
            self.issues.add(form.place("timeout"), "only a hold has a timeout", "remove it")
        own = Mode(form.choice("mode", _MODES, Mode.ENFORCE))
        self.rules.append(
            Rule(
                id=f"{self.file}/{self._id(form, effect, operations)}",
                effect=_EFFECTS[effect],
                operations=operations,
                where=self._where(form),
                conditions=self._conditions(form),
                unless=self._unless(form),
                reason=self._reason(form),
                timeout=form.duration("timeout"),
                undo=form.flag("undo"),
                mode=_stricter(self.mode, own),
                location=f"{form.at.path}:{form.at.line}",
            )
        )

    def _effect(self, form: Form) -> str | None:
        named = [effect for effect in _EFFECTS if form.has(effect)]
        if len(named) == 1:
            return named[0]
        what = "a rule with two effects" if named else "a rule without an effect"
        hint = "one of allow:, hold:, deny:, its value an operation or a list of them"
        self.issues.add(form.at, what, hint)
        return None

    def _id(self, form: Form, effect: str, operations: tuple[str, ...]) -> str:
        node = form.text("id")
        if node is None:
            return self._free(_slug(effect, operations), form.at)
        if not _ID.fullmatch(node.text):
            self.issues.add(node.at, f"id: {node.text!r}", "small letters, digits, . _ -")
        elif node.text in self.ids:
            what = f"two rules have the id {node.text!r}: see line {self.ids[node.text].line}"
            self.issues.add(node.at, what, "give one of them another id")
        self.ids[node.text] = node.at
        return node.text

    def _free(self, slug: str, at: At) -> str:
        found, number = slug, 1
        while found in self.ids:
            number += 1
            found = f"{slug}-{number}"
        self.ids[found] = at
        return found

    def _where(self, form: Form) -> Where:
        match = form.form("match")
        if match is None:
            return Where()
        match.only(MATCH_KEYS)
        texts = {key: tuple(item.text for item in match.texts(key)) for key in MATCH_KEYS}
        for item in match.texts("path") if texts["path"] else ():
            if not item.text.startswith(("/", "*")):
                self.issues.add(item.at, f"path: {item.text!r}", "a path begins with / or *")
        return Where(
            methods=tuple(method.upper() for method in texts["method"]),
            paths=texts["path"],
            hosts=tuple(host.lower() for host in texts["host"]),
            agents=texts["agent"],
            credentials=texts["credential"],
        )

    def _conditions(self, form: Form) -> tuple[CelExpression, ...]:
        node = form.node("if")
        if node is None:
            return ()
        if isinstance(node, Items):
            if not node.items:
                self.issues.add(node.at, "if: an empty list", "remove if:, or write a condition")
            return tuple(e for item in node if (e := self._bool(item, "if")) is not None)
        one = self._bool(node, "if")
        return () if one is None else (one,)

    def _unless(self, form: Form) -> CelExpression | None:
        node = form.node("unless")
        return None if node is None else self._bool(node, "unless")

    def _bool(self, node: Node, key: str) -> CelExpression | None:
        if not isinstance(node, Scalar) or node.value is None:
            hint = "an expression, such as: args.force == true"
            self.issues.add(node.at, f"{key}: a condition is wanted here", hint)
            return None
        try:
            return self.cel.compile(node.text, "bool", node)
        except FileError as error:
            self.issues.extend(error.issues)
            return None

    def _reason(self, form: Form) -> tuple[str | CelExpression, ...]:
        node = form.text("reason")
        if node is None:
            return ()
        out: list[str | CelExpression] = []
        try:
            for part in parts(node.text, node):
                if isinstance(part, Part):
                    out.append(self.cel.compile(part.source, "any", Within(node, part.start)))
                else:
                    out.append(part)
        except FileError as error:
            self.issues.extend(error.issues)
        return tuple(out)


def _stricter(file: Mode, rule: Mode) -> Mode:
    """What holds of a rule: a file in shadow or off takes its rules with it."""
    order = (Mode.ENFORCE, Mode.SHADOW, Mode.OFF)
    return max(file, rule, key=order.index)


def _slug(effect: str, operations: tuple[str, ...]) -> str:
    """`deny-slack-chat-postmessage`, of the effect and the first operation."""
    text = operations[0] if operations else ""
    named = re.sub(r"[^a-z0-9]+", "-", text.replace("*", "any").lower()).strip("-")
    return f"{effect}-{named}"[:80]
