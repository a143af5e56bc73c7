"""Rules of their day: read back from the text that the journal kept, by the same loader."""

from collections import OrderedDict
from hashlib import sha256
from threading import Lock

from goex_proxy.core.event import RuleText
from goex_proxy.core.operation import Operation
from goex_proxy.core.service import Service, Trust
from goex_proxy.files.reverser_file import load


class Recaller:
    """Rules of their day, read back from their text; the latest of them are kept."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[Service, Operation]] = OrderedDict()

    def recall(self, rule: RuleText) -> tuple[Service, Operation]:
        """The service and operation of a rule's text. Raises ValueError."""
        key = f"{rule.trust}:{rule.digest}"
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _recall(rule)
        with self._lock:
            self._known[key] = found
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found


def _recall(rule: RuleText) -> tuple[Service, Operation]:
    if sha256(rule.text.encode()).hexdigest() != rule.digest:
        raise ValueError(f"the text of the rule {rule.name} is not the one it was")
    [service] = load(rule.text, f"rule {rule.name}", trust=Trust(rule.trust))
    if len(service.operations) != 1:
        raise ValueError(f"the text of the rule {rule.name} does not hold one operation")
    return service, service.operations[0]
