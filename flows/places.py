"""Where the waitlist's conversations stand, and how places on it are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from flows.asking import Asking, Idle, words
from flows.formats import fit, ordinal
from flows.hours import calendar_of, moment
from flows.lists import what
from flows.machine import Context, State, dump_state, state_named
from flows.matching import starts_of
from flows.model import Slot
from flows.model_waitlist import Place, Wanted
from flows.wanted import wanted_text

LONGEST_WISHES: Final = 150
"""How much of somebody's wishes a sentence shows, in UTF-16 units."""


class Joining(Asking):
    """Which service, which days, what time of day? What is known is set."""

    step: Literal["waitlist.joining"] = "waitlist.joining"
    service_id: int | None = None
    staff_id: int | None = None
    not_by: int | None = None
    first: date | None = None
    last: date | None = None
    part: int | None = None
    from_day: date | None = None  # a day is being picked, from here on
    offset: int = 0


class Places(Asking):
    """What they wait for is in front of them."""

    step: Literal["waitlist.places"] = "waitlist.places"
    intent: Literal["show", "leave", "join"] = "show"
    waitlist_id: int | None = None


class Offered(Asking):
    """A time is on offer to them."""

    step: Literal["waitlist.offered"] = "waitlist.offered"
    waitlist_id: int
    offer_id: UUID
    slot: Slot
    until: datetime | None = None  # None: of an old button
    shared: bool = False


class Noticing(Asking):
    """Something about their place is being looked up, in the middle of whatever went on before."""

    step: Literal["waitlist.noticing"] = "waitlist.noticing"
    before: Mapping[str, Any]
    quietly: bool = False  # nothing is said of it


def noticing(state: State, *, quietly: bool = False) -> Noticing:
    """Look something up without forgetting where the conversation stands."""
    return Noticing(before=dump_state(state), quietly=quietly)


def resumed(state: Noticing) -> Asking:
    """Return to where the conversation stood."""
    kind = state_named(str(state.before.get("step")))
    if kind is None or not issubclass(kind, Asking) or issubclass(kind, Offered):
        return Idle()
    return kind.model_validate(state.before)


def ends(ctx: Context, wanted: Wanted) -> datetime:
    """Return when the last moment at which the visit may start has passed."""
    calendar = calendar_of(ctx.catalog)
    return moment(max(high for _, high in starts_of(wanted, calendar)))


def place_values(ctx: Context, place: Place) -> dict[str, str]:
    """Return what sentences say of a place: `place` in line, for `what`, and `when`."""
    who = {wanted.staff_id for wanted in place.wanted}
    one = who.pop() if len(who) == 1 else None
    whens = [wanted_text(ctx, wanted, staff=one is None) for wanted in place.wanted]
    return {
        "place": ordinal(words(ctx).tag, place.position),
        "what": what(ctx, place.service_id, one),
        "when": fit("; ".join(whens), LONGEST_WISHES),
    }
