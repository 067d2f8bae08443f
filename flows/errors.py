"""Errors of flows: always our bug, never the customer's.

FlowError                 the conversation goes to a person, the event is parked
├── EndlessTurn           a turn kept asking without coming to rest
├── UnhandledAnswer       a step asked and then did not know what to do with the answer
├── UnknownStep           a stored state names a step that no flow has
├── UnknownEvent          a stored event is none of ours, or lacks what it needs
└── NoCustomer            the desk, which is with nobody, wanted what only a customer has
"""

from __future__ import annotations

from typing import ClassVar


class FlowError(Exception):
    """A flow broke its own rules."""

    retryable: ClassVar[bool] = False


class EndlessTurn(FlowError):
    """A turn kept asking without coming to rest."""


class UnhandledAnswer(FlowError):
    """A step asked and then did not know what to do with the answer."""


class UnknownStep(FlowError):
    """A stored state names a step that no flow has."""


class UnknownEvent(FlowError):
    """A stored event is none of ours, or lacks what it needs."""


class NoCustomer(FlowError):
    """The desk, which is with nobody, wanted what only a customer has."""
