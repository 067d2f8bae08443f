"""What turns did, kept for whoever watches a running bot: the chat page's panel shows it.

The engine offers a report of each committed turn to one watcher, where there is one. `LatestTurns`
is such a watcher: it keeps the last ones, in a file too if it has one, so that they can still be
looked at after a restart. Reports hold what customers wrote: the demo watches, `usual serve` does
not.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from flows.effects import Ask, Effect
from flows.events import Answer, Event
from flows.machine import Turn
from flows.values import valueclass
from storage.dialogs import Dialog, TurnRecord

KEPT: Final = 1000


@valueclass(frozen=True, slots=True)
class TurnReport:
    """A committed turn: the stored state before and after, and all that happened in between."""

    company_id: int
    conversation_id: int
    inbox_id: int
    turn: int
    at: datetime
    event: Event
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    asked: Sequence[tuple[Ask, Answer]]
    effects: Sequence[Effect]
    seconds: float


Watcher: TypeAlias = Callable[[TurnReport], None]
"""Is called after the commit, must not raise and has to be quick: the next turn waits."""


def report_of(
    dialog: Dialog,
    record: TurnRecord,
    event: Event,
    turn: Turn,
    asked: Sequence[tuple[Ask, Answer]],
    seconds: float,
) -> TurnReport:
    """Say what a turn did, from what it read and what it wrote."""
    return TurnReport(
        company_id=dialog.company_id,
        conversation_id=dialog.id,
        inbox_id=dialog.pending.id,
        turn=dialog.turn + 1,
        at=record.now,
        event=event,
        before=dialog.state,
        after=record.state,
        asked=asked,
        effects=turn.effects,
        seconds=seconds,
    )


class LatestTurns:
    """Remembers the last turns by the event that each of them handled."""

    def __init__(self, path: Path | None = None, *, most: int = KEPT) -> None:
        self._most = most
        self._turns: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._file = None
        if path is not None:
            self._load(path)
            # Written anew, so that the file holds what is remembered and not all there ever was.
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".new")
            unfinished.write_bytes(self.lines())
            os.replace(unfinished, path)
            self._file = path.open("ab", buffering=0)

    def __call__(self, report: TurnReport) -> None:
        """Take in a turn; never fails, for the turn is committed and must not be failed by this."""
        line = _written(_view(report))
        self._keep((report.company_id, report.inbox_id), line)
        if self._file is not None:
            with suppress(OSError):  # a full disk
                self._file.write(line + b"\n")

    def of_event(self, company_id: int, inbox_id: int) -> dict[str, Any] | None:
        """The turn that handled an event, as JSON, or None when it is not remembered."""
        line = self._turns.get((company_id, inbox_id))
        turn: dict[str, Any] | None = orjson.loads(line) if line else None
        return turn

    def lines(self) -> bytes:
        """All that is remembered, as the file has it."""
        return b"".join(line + b"\n" for line in self._turns.values())

    def forget(self) -> None:
        """Remember none of them any more; the file stays."""
        self._turns.clear()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, key: tuple[int, int], line: bytes) -> None:
        self._turns[key] = line
        while len(self._turns) > self._most:
            self._turns.popitem(last=False)

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            try:
                turn = orjson.loads(line)
                self._keep((turn["company_id"], turn["inbox_id"]), line)
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue  # the line that was being written when the process was killed


def _view(report: TurnReport) -> dict[str, Any]:
    return {
        "company_id": report.company_id,
        "conversation_id": report.conversation_id,
        "inbox_id": report.inbox_id,
        "turn": report.turn,
        "at": report.at,
        "event": _named(report.event),
        "before": report.before,
        "after": report.after,
        "asked": [{"ask": _named(ask), "answer": _named(said)} for ask, said in report.asked],
        "effects": [_named(effect) for effect in report.effects],
        "ms": round(report.seconds * 1000, 2),
    }


def _written(view: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(view, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character, as customers may send it
        return json.dumps(view, default=str, ensure_ascii=False).encode(errors="replace")


def _named(thing: Any) -> dict[str, Any]:
    """A dataclass under the name of its class; what is inside it needs no names."""
    return {"name": type(thing).__name__} | {
        one.name: getattr(thing, one.name) for one in fields(thing)
    }
