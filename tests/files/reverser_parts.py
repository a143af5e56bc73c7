"""Small reverser files for tests, and what is wrong with broken ones."""

from __future__ import annotations

import pytest

from goex_proxy.core.operation import Operation
from goex_proxy.core.service import Service
from goex_proxy.files.issue import FileError
from goex_proxy.files.reverser_file import load

HEAD = "version: 1\nservice: demo\nhosts: [api.example.com]\n"
THING = 'resources: {thing: {at: "/things/{id:int}"}}\n'


def service(text: str) -> Service:
    [found] = load(HEAD + text, "demo.yaml")
    return found


def operation(body: str, resources: str = THING) -> Operation:
    """The one operation `op`, whose keys are `body` in flow style."""
    return service(f"{resources}operations:\n  op: {{{body}}}\n").operations[0]


def wrong(text: str) -> str:
    """What a file's loader says about a text after the head."""
    with pytest.raises(FileError) as caught:
        load(HEAD + text, "demo.yaml")
    return str(caught.value)


def wrong_operation(body: str, resources: str = THING) -> str:
    return wrong(f"{resources}operations:\n  op: {{{body}}}\n")
