"""JSON-RPC: which method, which tool."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import jsonrpc

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm","arguments":{"p":1}}}'


def test_a_tool_call_names_its_tool_and_its_arguments() -> None:
    decoded = jsonrpc.decode(CALL)
    assert decoded.args == {"p": 1}
    assert isinstance(decoded.value, dict)
    assert [decoded.value[k] for k in ("method", "tool", "id")] == ["tools/call", "rm", 1]


def test_a_batch_is_a_list_without_args() -> None:
    decoded = jsonrpc.decode(b"[" + CALL + b',{"jsonrpc":"2.0","method":"ping"}]')
    assert isinstance(decoded.value, list)
    assert [m["method"] for m in decoded.value] == ["tools/call", "ping"]
    assert decoded.args == {}


def test_an_answer_to_the_server_has_no_method() -> None:
    decoded = jsonrpc.decode(b'{"jsonrpc":"2.0","id":4,"result":{}}')
    assert decoded.value == {"method": None, "tool": None, "id": 4, "params": {}}


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"[1]",
        b'{"jsonrpc":"1.0","method":"x"}',
        b'{"jsonrpc":"2.0","method":7}',
        b'{"jsonrpc":"2.0","method":"tools/call","params":{}}',
        b'{"jsonrpc":"2.0","method":"x","params":3}',
        b'{"jsonrpc":"2.0","method":"a","method":"b"}',
    ],
)
def test_what_is_no_message_is_invalid(data: bytes) -> None:
    assert jsonrpc.decode(data).state is BodyState.INVALID


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    jsonrpc.decode(data)
    jsonrpc.decode(b"[" + CALL + b"," + data + b"]")
