"""JSON-RPC 2.0, and of it the Model Context Protocol: which method, which tool.

A batch is a list of messages. Answers and errors that a client sends (MCP, server to client
requests) are messages without a method.
"""

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire import json
from goex_proxy.wire.outcome import invalid, parsed, too_large

MAX_BATCH = 1000
TOOL_CALL = "tools/call"


def decode(data: bytes, charset: str = "") -> Decoded:
    """The value: `{method, tool, id, params}`, of a batch the list of these.

    `args` are the tool's arguments where one tool is called, else the params, if they are
    named; of a batch there are none: it is decided child by child.
    """
    body = json.decode(data, charset)
    if body.why:
        return body
    if isinstance(body.value, list):
        return _batch(body.value)
    message = _message(body.value)
    if message is None:
        return invalid("not a JSON-RPC 2.0 message")
    params = message["params"]
    named = params.get("arguments", {}) if message["tool"] and isinstance(params, dict) else params
    return parsed(message, named if isinstance(named, dict) else {})


def _batch(items: list[object]) -> Decoded:
    if len(items) > MAX_BATCH:
        return too_large(f"a batch of more than {MAX_BATCH} messages")
    messages = [_message(item) for item in items]
    if not messages or None in messages:
        return invalid("not a batch of JSON-RPC 2.0 messages")
    return parsed(messages, {})


def _message(item: object) -> dict[str, object] | None:
    if not isinstance(item, dict) or item.get("jsonrpc") != "2.0":
        return None
    method, params = item.get("method"), item.get("params", {})
    if method is None:
        answers = "id" in item and ("result" in item or "error" in item)
        return _seen(None, None, item.get("id"), {}) if answers else None
    if not isinstance(method, str) or not isinstance(params, dict | list):
        return None
    if method != TOOL_CALL:
        return _seen(method, None, item.get("id"), params)
    tool = params.get("name") if isinstance(params, dict) else None
    return _seen(method, tool, item.get("id"), params) if isinstance(tool, str) else None


def _seen(method: str | None, tool: str | None, ident: object, params: object) -> dict[str, object]:
    return {"method": method, "tool": tool, "id": ident, "params": params}
