"""Somebody will be late: noted on their visit, where the business finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, Literal

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows import wording_unasked as unasked
from flows.asking import Asking, Back, Idle, buttons, shown, words
from flows.cards import at, of_visit
from flows.effects import NoteLate, Record, Say
from flows.events import Event, LateNoted
from flows.machine import Context, Flow, Step
from flows.replies import OpenVisits, Reply, TalkToUs
from flows.when_shift import amount
from flows.when_tokens import Token, read

_MOST: Final = timedelta(hours=4)
"""Whoever says more than this does not say by how much they are late."""
_MOST_MINUTES: Final = 90
"""A number alone is so many minutes at most."""


class NotingLate(Asking):
    """Their next visit is being looked for, to note on it that they will be late."""

    step: Literal["late.noting"] = "late.noting"


def is_late(bare: str, raw: str, ctx: Context) -> bool:
    """Tell whether somebody says that they will be late, and does not ask for another time."""
    if asides.WHAT_IF.has(bare):
        return False
    if k.CHANGE_VISIT.has(bare) or k.CANCEL_VISIT.has(bare) or k.MOVE_IT.has(bare):
        return False
    if k.LATE.has(bare):
        return True
    return not asides.LATE_SIGNS.whole.isdisjoint(bare.split()) and _by(raw, ctx) is not None


def note_late(raw: str, day: date | None, ctx: Context) -> Step[NotingLate]:
    """Have it noted on the next visit, or on that of a day which was named."""
    by = _by(raw, ctx)
    minutes = None if by is None else by // timedelta(minutes=1)
    return Step(NotingLate(), ask=NoteLate(minutes, day))


def noting(state: NotingLate, event: Event, ctx: Context) -> Step[Back | Idle] | None:
    """Tell what was noted, and what they can do to be sure."""
    if not isinstance(event, LateNoted):
        return None
    w, phone, visit = words(ctx), ctx.catalog.company.phone, event.visit
    if visit is None:
        noted = w(unasked.LATE_FOR_NOTHING)
    else:
        known = {"what": of_visit(ctx, visit), "when": at(ctx, visit)}
        if event.minutes is None:
            noted = w(unasked.LATE, **known)
        else:
            noted = w.count(unasked.LATE_BY, event.minutes, **known)
        noted = f"{noted}\n{w(unasked.LATE_SEEN)}"
    way_out = w(t.CALL_OR_TALK, phone=phone) if phone else w(t.TALK_INSTEAD)
    pairs: tuple[tuple[t.Message, Reply], ...] = (
        (t.TALK_TO_US, TalkToUs()),
        (t.MY_VISITS, OpenVisits()),
    )
    told = Record("running_late", {"noted": visit is not None, "minutes": event.minutes})
    return shown(Back(), Say(f"{noted}\n{way_out}", buttons(w, *pairs)), told)


def _by(raw: str, ctx: Context) -> timedelta | None:
    """Read by how much they are late: so many minutes, an hour, or a number alone."""
    tokens = read(raw, words(ctx).language)
    spans = [span for n in range(len(tokens)) if (span := amount(tokens, n)) is not None]
    found = spans[0] if spans else _number(tokens)
    return found if found is not None and timedelta() < found <= _MOST else None


def _number(tokens: Sequence[Token]) -> timedelta | None:
    numbers = [token.number for token in tokens if token.kind == "number"]
    if len(numbers) == 1 and numbers[0] <= _MOST_MINUTES:
        return timedelta(minutes=numbers[0])
    return None


LATE = Flow("late", steps={NotingLate: noting})
