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
        """The fault as JSON, with how often it happened."""
        return {
            "id": self.id,
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


TEN_SECONDS = {"times": 0, "lasting": 10.0}


def _entry(name: str, title: str, note: str, **fault: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "note": note,
        "fault": Fault.model_validate(fault).model_dump(exclude_defaults=True),
    }


CATALOGUE: list[dict[str, Any]] = [
    _entry("throttle", "Throttle", "130429 for 10 s", kind="error", code=130429, **TEN_SECONDS),
    _entry("pair_rate", "Too fast for one", "131056 once", kind="error", code=131056),
    _entry("window", "Window closed", "131047 though it is open", kind="error", code=131047),
    _entry("unavailable", "Meta is down", "131016 three times", kind="error", code=131016, times=3),
    _entry("http_500", "5xx", "HTTP 500 without a Graph body", kind="http", status=500),
    _entry("timeout", "Time-out", "accepted, no answer for 60 s", kind="slow", seconds=60.0),
    _entry("drop", "Connection drops", "before anything is done", kind="drop"),
    _entry("doubt", "Drops after accepting", "nobody knows", kind="accept_then_drop"),
    _entry("late", "Fails later", "131026 in a status", kind="late_error", code=131026),
    _entry("duplicate", "Duplicate webhooks", "the next three", kind="duplicate", times=3),
    _entry("reorder", "Reordered webhooks", "three, last one first", kind="reorder", times=3),
    _entry("delay", "Delayed webhook", "by ten seconds", kind="delay", seconds=10.0),
    _entry("batch", "Batched webhooks", "three in one value", kind="batch", times=3, shape="items"),
    _entry("lost_statuses", "Lost statuses", "until cleared", kind="lose", times=0, event="status"),
    _entry("upload", "Upload fails", "131053 once", kind="error", code=131053, operation="upload"),
]
"""Kinds of trouble to offer: each `fault` can be ordered as it stands."""
