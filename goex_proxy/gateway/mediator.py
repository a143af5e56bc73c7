"""The two protocols that the gateway asks of the engine, under the name the gateway uses."""

from goex_proxy.engine.mediator import (
    Address,
    Client,
    Fault,
    Mediator,
    NeedBody,
    Peer,
    Refusal,
    Scrubber,
    Ticket,
    Waiting,
)

__all__ = [
    "Address",
    "Client",
    "Fault",
    "Mediator",
    "NeedBody",
    "Peer",
    "Refusal",
    "Scrubber",
    "Ticket",
    "Waiting",
]
