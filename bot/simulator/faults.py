"""Trouble on demand: what goes wrong with the next sends and with the next webhooks."""

import time
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SendFault = Literal["error", "http", "drop", "accept_then_drop", "slow", "late_error"]
HookFault = Literal["lose", "duplicate", "delay", "reorder", "batch"]
Operation = Literal["send", "read", "upload", "download"]

SEND_KINDS = frozenset({"error", "http", "drop", "accept_then_drop", "slow", "late_error"})
BEFORE = frozenset({"error", "http", "drop"})
NEEDS_CODE = frozenset({"error", "late_error"})


class Fault(BaseModel):
    """One kind of trouble, for the next `times` occasions (0: until it is cleared).

    For what the business asks of us:
      error             answer with Meta's error `code` and do nothing
      http              answer with HTTP `status` and no Graph body
      drop              close the connection and do nothing
      accept_then_drop  do it, then close the connection without an answer
      slow              do it, then wait `seconds` before the answer
      late_error        accept it, then report `code` in a failed status
    For the webhooks that we send:
      lose              never send it
      duplicate         send it `copies` more times
      delay             send it `seconds` later
      reorder           hold `times` of them, then send them last one first
      batch             hold `times` of them, then send them in one POST: as `shape` entries,
                        changes of one entry, or items (messages and statuses of one value)
    `customer` (id or phone) and `event` ("message", "status", one status, "account" or the field
    of an account's webhook) narrow it down. With `lasting` it ends after so many seconds of real
    time, whatever is left of it.
    """

    model_config = ConfigDict(extra="forbid")

    kind: SendFault | HookFault
    times: int = Field(default=1, ge=0)
    operation: Operation = "send"
    code: int | None = None
    status: int = Field(default=500, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float = Field(default=1.0, ge=0)
    copies: int = Field(default=1, ge=1)
    shape: Literal["entries", "changes", "items"] = "entries"
    lasting: float | None = Field(default=None, gt=0)
    customer: str | None = None
    event: str | None = None

    @model_validator(mode="after")
    def _together(self) -> "Fault":
        if self.kind in NEEDS_CODE and self.code is None:
            raise ValueError("a code is needed")
        if self.kind in ("reorder", "batch") and self.times < 1:
            raise ValueError("times says how many are held")
        return self


@dataclass(slots=True)
class Armed:
    """A fault that waits for its occasion."""

    id: int
    fault: Fault
    left: int
    happened: int = 0
    until: float | None = None

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return self.until is not None and time.monotonic() >= self.until

    def view(self) -> dict[str, Any]:
        """The fault as JSON, with its name in the catalogue and how often it happened."""
        return {
            "id": self.id,
            "name": name_of(self.fault),
            "happened": self.happened,
            "left": self.left if self.fault.times else None,
            **self.fault.model_dump(exclude_none=True),
        }


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that a fault could spoil."""

    operation: Operation | Literal["webhook"]
    customer: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


class Faults:
    """All the trouble that was ordered."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._made = 0

    def add(self, fault: Fault) -> Armed:
        """Order trouble."""
        self._made += 1
        until = time.monotonic() + fault.lasting if fault.lasting is not None else None
        armed = Armed(id=self._made, fault=fault, left=fault.times, until=until)
        self._armed.append(armed)
        return armed

    def put_back(self, fault: Fault, *, left: int, happened: int) -> None:
        """Order trouble that was ordered before."""
        armed = self.add(fault)
        armed.left, armed.happened = left, happened

    def clear(self) -> None:
        """Call all of it off."""
        self._armed.clear()

    def remove(self, armed_id: int) -> Armed | None:
        """Call one off; None when it is over already."""
        for armed in self._armed:
            if armed.id == armed_id:
                self._armed.remove(armed)
                return armed
        return None

    def list(self) -> list[Armed]:
        """What still waits."""
        self._armed = [armed for armed in self._armed if not armed.over]
        return list(self._armed)

    def take(self, occasion: Occasion, kinds: frozenset[str]) -> Armed | None:
        """The first fault of these kinds that fits, used up by one."""
        for armed in self.list():
            if armed.fault.kind in kinds and fits(armed.fault, occasion):
                armed.happened += 1
                if armed.fault.times:
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                return armed
        return None


def fits(fault: Fault, occasion: Occasion) -> bool:
    """Whether a fault is meant for this occasion."""
    if fault.kind in SEND_KINDS and fault.operation != occasion.operation:
        return False
    if fault.kind not in SEND_KINDS and occasion.operation != "webhook":
        return False
    if fault.customer is not None and fault.customer not in occasion.customer:
        return False
    return fault.event is None or fault.event in occasion.events


Group = Literal["send", "webhook"]


def _entry(group: Group, name: str, title: str, note: str, **fault: Any) -> dict[str, Any]:
    return {
        "name": name,
        "group": group,
        "title": title,
        "note": note,
        "fault": Fault.model_validate(fault).model_dump(exclude_defaults=True),
    }


def _error(name: str, title: str, note: str, code: int, **more: Any) -> dict[str, Any]:
    return _entry("send", name, title, f"error {code}: {note}", kind="error", code=code, **more)


CATALOGUE: list[dict[str, Any]] = [
    _entry("send", "slow", "Answers are slow", "six seconds", kind="slow", seconds=6.0, times=0),
    _entry(
        "send", "timeout", "Time-out", "accepted, no answer for a minute", kind="slow", seconds=60.0
    ),
    _entry("send", "drop", "The connection drops", "nothing is accepted", kind="drop", times=0),
    _entry(
        "send", "doubt", "Accepted, then no answer", "was it sent or not?", kind="accept_then_drop"
    ),
    _error("unavailable", "Service unavailable", "nothing was accepted", 131016, times=0),
    _entry(
        "send",
        "http_500",
        "Server error 500",
        "was it accepted or not?",
        kind="http",
        status=500,
        times=0,
    ),
    _error("pair_rate", "Too fast for one customer", "pair rate", 131056, times=0),
    _error(
        "throttle",
        "Too fast altogether",
        "throughput, for ten seconds",
        130429,
        times=0,
        lasting=10.0,
    ),
    _error("window", "The window is closed", "though it is open, once", 131047),
    _error("token", "The token has expired", "until a new one works", 190, times=0),
    _error("payment", "Payment is missing", "nothing is sent", 131042, times=0),
    _error("upload", "A file cannot be uploaded", "the next one", 131053, operation="upload"),
    _entry(
        "send",
        "late",
        "Undeliverable, told later",
        "131026 in a status",
        kind="late_error",
        code=131026,
    ),
    _entry(
        "webhook",
        "duplicate",
        "Webhooks come twice",
        "and a third time",
        kind="duplicate",
        copies=2,
        times=0,
    ),
    _entry(
        "webhook",
        "delay",
        "Webhooks are late",
        "by five seconds",
        kind="delay",
        seconds=5.0,
        times=0,
    ),
    _entry(
        "webhook",
        "reorder",
        "In the wrong order",
        "the next four, last one first",
        kind="reorder",
        times=4,
    ),
    _entry(
        "webhook",
        "batch",
        "Several in one",
        "the next four in one value",
        kind="batch",
        times=4,
        shape="items",
    ),
    _entry(
        "webhook",
        "lost_statuses",
        "Statuses are lost",
        "no ticks reach the bot",
        kind="lose",
        event="status",
        times=0,
    ),
]
"""Kinds of trouble to offer, what the bot asks for before what it is told: each `fault` can be
ordered as it stands. Without a number of times it lasts until it is called off."""


def name_of(fault: Fault) -> str | None:
    """The name in the catalogue of what was ordered, however often; None when it has none."""
    asked = fault.model_dump(exclude={"times"})
    for entry in CATALOGUE:
        if Fault.model_validate(entry["fault"]).model_dump(exclude={"times"}) == asked:
            return str(entry["name"])
    return None
