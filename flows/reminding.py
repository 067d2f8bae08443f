"""When a customer is reminded of a visit, and asked about it afterwards.

Planned in one place, from the visit alone, so that whoever books, moves or cancels one gets it
right: a conversation by the consequences of the answer (`after`), others by `planned`.

Hours before a visit are counted on the clock of the visit's zone as far as they are whole days: a
visit at 10:00 is remembered at 10:00 the day before, whatever the clocks did that night. What would
fall into the quiet hours comes before them, never after: the evening before an early visit. There
it is worth a message only to those who have not answered the one before: whoever has confirmed, or
has booked just now, is left in peace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flows.effects import ArmTimer, CancelTimer, DropReminder, Effect, NoteReminder, PlanReminder
from flows.events import Event, OfferTaken, SlotBooked, VisitCancelled, VisitMoved
from flows.machine import Context
from flows.model import Company, Policy, Visit

FIRST: Final = "24h"
SECOND: Final = "2h"
REVIEW: Final = "review"
REBOOK: Final = "rebook"
ATTENDANCE: Final = "attendance"
"""Not a reminder: when the company's rule says whether anybody came."""
BEFORE: Final = (FIRST, SECOND)
"""The kinds that ask whether the customer will come."""
TIMER: Final = "reminder"
"""The name of the timers."""

REVIEW_AT: Final = time(11, 0)
"""When a customer is asked how it was, the day after."""
_BEFORE_QUIET: Final = timedelta(hours=1)
_APART: Final = timedelta(hours=1)
_CLOSE: Final = timedelta(hours=4)
"""So soon after they booked or were asked nobody needs what the quiet hours have put forward."""
_DAY: Final = 24 * 60


def after(event: Event, ctx: Context) -> Sequence[Effect]:
    """Return what follows for reminders from what has become of a visit."""
    match event:
        case SlotBooked(visit) | VisitMoved(visit) | OfferTaken(visit) if visit.status in (
            "pending",
            "confirmed",
        ):
            return remind(ctx.catalog.company, visit, ctx.now)
        case VisitCancelled(visit):
            return forget(ctx.catalog.company, visit)
        case _:
            return ()


def remind(company: Company, visit: Visit, now: datetime) -> tuple[Effect, ...]:
    """Plan the reminders of a visit; of one that was moved, those of its old time go."""
    dues = planned(company, visit, now)
    effects: list[Effect] = []
    for kind, due in dues.items():
        effects += plan(visit, kind, due)
    if visit.moves:
        for kind in (FIRST, SECOND, REVIEW):
            effects += drop(visit, kind) if kind not in dues else ()
        # Whoever moved it has said that they will come, whatever they were asked before.
        effects += [NoteReminder(visit.id, kind, "moved") for kind in BEFORE if kind not in dues]
    known = _attendance(company.policy, visit)
    if known is not None:
        effects.append(_timer(visit, ATTENDANCE, known))
    return tuple(effects)


def forget(company: Company, visit: Visit) -> tuple[Effect, ...]:
    """Take back all that was planned for a visit."""
    effects: list[Effect] = []
    for kind in (FIRST, SECOND, REVIEW):
        effects += drop(visit, kind)
    if _attendance(company.policy, visit) is not None:
        effects.append(CancelTimer(key_of(visit.id, ATTENDANCE)))
    for kind in BEFORE:
        effects.append(NoteReminder(visit.id, kind, "cancelled"))
    return tuple(effects)


def plan(visit: Visit, kind: str, due: datetime) -> tuple[Effect, ...]:
    """Plan one reminder."""
    return _timer(visit, kind, due), PlanReminder(visit.id, kind, due)


def _timer(visit: Visit, kind: str, due: datetime) -> ArmTimer:
    payload = {"booking": str(visit.id), "kind": kind, "start": visit.start.isoformat()}
    return ArmTimer(key_of(visit.id, kind), TIMER, due, payload)


def drop(visit: Visit, kind: str) -> tuple[Effect, ...]:
    """Take one reminder back."""
    return CancelTimer(key_of(visit.id, kind)), DropReminder(visit.id, kind)


def key_of(booking_id: UUID, kind: str) -> str:
    """Return the key of a reminder's timer."""
    return f"reminder:{booking_id}:{kind}"


def planned(company: Company, visit: Visit, now: datetime) -> Mapping[str, datetime]:
    """Return when which reminder of a visit is due; what would have been due already is not."""
    policy, zone = company.policy, zone_of(visit, company)
    dues: dict[str, datetime] = {}
    early = False
    for kind, minutes in (
        (FIRST, policy.first_reminder_minutes),
        (SECOND, policy.second_reminder_minutes),
    ):
        wished = _before(visit.start, minutes, zone)
        due = awake(wished, zone, policy)
        early = early or due < wished
        if minutes and due - now > (_CLOSE if kind == SECOND and due < wished else timedelta()):
            dues[kind] = due
    if len(dues) == len(BEFORE) and dues[SECOND] - dues[FIRST] < (_CLOSE if early else _APART):
        del dues[FIRST]  # the quiet hours have put both into one evening
    if policy.ask_rating or policy.suggest_usual:
        dues[REVIEW] = _review_at(visit, zone, _attendance(policy, visit))
    return dues


def _review_at(visit: Visit, zone: ZoneInfo, known: datetime | None) -> datetime:
    """Return when to ask how it was: the day after, and not before it is known who came."""
    day = visit.end.astimezone(zone).date() + timedelta(days=1)
    due = datetime.combine(day, REVIEW_AT, zone).astimezone(UTC)
    while known is not None and due < known:
        day += timedelta(days=1)
        due = datetime.combine(day, REVIEW_AT, zone).astimezone(UTC)
    return due


def _attendance(policy: Policy, visit: Visit) -> datetime | None:
    """Return when the company's rule says whether anybody came; None without a rule."""
    if policy.no_show_rule == "off":
        return None
    return visit.end + timedelta(minutes=policy.no_show_minutes)


def is_for_nothing(visit: Visit, kind: str, policy: Policy, now: datetime) -> bool:
    """Tell of a reminder whether it only says again, and long before, what was confirmed."""
    soon = timedelta(minutes=policy.second_reminder_minutes) + _APART
    return visit.confirmed and kind == SECOND and visit.start - now > soon


def awake(due: datetime, zone: ZoneInfo, policy: Policy) -> datetime:
    """Return the moment, or one before the quiet hours if it falls into them."""
    quiet_from, quiet_until = policy.quiet_from, policy.quiet_until
    local = due.astimezone(zone)
    at, day = local.time(), local.date()
    if quiet_from <= quiet_until:
        if not quiet_from <= at < quiet_until:
            return due
    elif at < quiet_until:
        day -= timedelta(days=1)
    elif at < quiet_from:
        return due
    evening = datetime.combine(day, quiet_from) - _BEFORE_QUIET
    return evening.replace(tzinfo=zone).astimezone(UTC)


def zone_of(visit: Visit, company: Company) -> ZoneInfo:
    """Return the zone by whose clock the customer was told when the visit is."""
    try:
        return ZoneInfo(visit.timezone)
    except (ValueError, ZoneInfoNotFoundError):
        return company.zone


def _before(start: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    days, rest = divmod(minutes, _DAY)
    wall = start.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    return wall.replace(tzinfo=zone).astimezone(UTC) - timedelta(minutes=rest)
