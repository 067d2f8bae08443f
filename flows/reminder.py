"""Reminders of a visit, and how it was: asked when the timer says so, answered by one tap.

A reminder of a booked visit is a service message: the customer made the visit, and Meta counts it
as utility. So it goes also to those who want no marketing. It does not go to those who wrote STOP:
they were promised to hear nothing unless they write first, and they can look the visit up.

Whatever a customer is in the middle of is left open when a reminder comes, unless they left it
before: then the reminder is the open question, and a "yes" is an answer to it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows import wording_unasked as unasked
from flows.agreeing import agrees, refuses
from flows.asking import Asking, Back, Idle, buttons, shown, words
from flows.cards import at, of_visit, where_it_is
from flows.effects import (
    CompleteVisit,
    ConfirmVisit,
    Effect,
    FindVisit,
    NoteReminder,
    RateVisit,
    Record,
    Say,
)
from flows.events import (
    Event,
    ReactionReceived,
    TextReceived,
    TimerFired,
    VisitCompleted,
    VisitConfirmed,
    VisitFound,
    VisitGone,
    VisitRated,
)
from flows.formats import fit
from flows.greeting import at_menu
from flows.machine import Context, Flow, State, Step
from flows.manage import ViewingVisit, open_visit
from flows.model import Usual, Visit
from flows.plain import plain
from flows.refusals import OPEN_STATUSES
from flows.reminding import (
    ATTENDANCE,
    BEFORE,
    FIRST,
    REBOOK,
    REVIEW,
    TIMER,
    is_for_nothing,
    plan,
    remind,
    zone_of,
)
from flows.replies import (
    AskToCancel,
    CarryOn,
    ChangeVisit,
    OpenMenu,
    PickStaff,
    Reply,
    ShowVisit,
    TalkToUs,
)
from flows.replies_unasked import ConfirmComing, Rate
from flows.templates import PERSON, VISIT_RATING, VISIT_REMINDER, VISIT_SOON, use
from flows.usual import Suggesting, suggest
from flows.wording import Message

LEFT: Final = timedelta(minutes=30)
"""After so long without a word from the customer an open question is not what they think of."""
ASKED_WITHIN: Final = timedelta(days=3)
"""How late a customer may still be asked how a visit was."""
_THUMBS: Final = frozenset("👍👌✅❤♥🙏🙂😊💪")
GOOD, FAIR, BAD = 5, 3, 1
_GIVEN: Final = re.compile(r"(10|[1-5])(?: ?/ ?(?:5|10)| ?[^\W\d]+)?[ .!]*").fullmatch


class Reminding(Asking):
    """Which visit is it that is to be remembered?"""

    step: Literal["reminder.reminding"] = "reminder.reminding"
    booking_id: UUID
    kind: str
    start: datetime  # when it was when the timer was armed
    busy: bool = False  # the customer is in the middle of something


class Reminded(Asking):
    """Will they come?"""

    step: Literal["reminder.reminded"] = "reminder.reminded"
    booking_id: UUID
    kind: str = FIRST
    start: datetime | None = None  # when it was when it was asked


class Rating(Asking):
    """How was it?"""

    step: Literal["reminder.rating"] = "reminder.rating"
    booking_id: UUID


def on_timer(
    state: State, event: Event, ctx: Context
) -> Step[Reminding | Suggesting | Back] | None:
    """Look at the visit that a timer is about, wherever the conversation stands."""
    if not isinstance(event, TimerFired) or event.name != TIMER:
        return None
    booking_id = UUID(str(event.payload.get("booking")))
    kind = str(event.payload.get("kind"))
    busy = is_busy(state, ctx)
    start = datetime.fromisoformat(str(event.payload.get("start")))
    if kind == REBOOK:
        return suggest(ctx, booking_id, start, busy=busy)
    looking = Reminding(booking_id=booking_id, kind=kind, start=start, busy=busy)
    over = kind in (REVIEW, ATTENDANCE)
    return Step(looking, ask=CompleteVisit(booking_id) if over else FindVisit(booking_id))


def is_busy(state: State, ctx: Context) -> bool:
    """Tell whether the customer is in the middle of something now."""
    if isinstance(state, Idle | Reminded | Rating):
        return False
    return ctx.heard_at is not None and ctx.now - ctx.heard_at < LEFT


def reminding(
    state: Reminding, event: Event, ctx: Context
) -> Step[Back | Reminded | Rating] | None:
    """Remind of the visit or ask how it was, if there is still reason to."""
    match event:
        case VisitFound(visit):
            return _remind(state, visit, ctx)
        case VisitCompleted() if state.kind == ATTENDANCE:
            return Step(Back())  # it is closed; how it was is asked at a better time
        case VisitCompleted(visit, usual):
            return _review(state, visit, usual, ctx)
        case VisitGone():
            return Step(Back())
        case _:
            return None


def reminded(
    state: Reminded, event: Event, ctx: Context
) -> Step[Reminded | ViewingVisit | Idle | Back] | None:
    """Take a tap, a yes or a thumb for a confirmation."""
    match event:
        case VisitConfirmed(visit):
            return _see_you(state, visit, ctx)
        case VisitGone():
            return at_menu(ctx, words(ctx)(t.VISIT_GONE))
        case ReactionReceived(emoji) if emoji and emoji[0] in _THUMBS:
            return _confirm(state)
        case TextReceived() if state.start is not None and state.start <= ctx.now:
            return None  # they speak of something else by now
        case TextReceived(text) if _comes(text):
            return _confirm(state)
        case TextReceived(text) if refuses(text):
            return open_visit(state.booking_id, "cancel")
        case _:
            return None


def _comes(text: str) -> bool:
    """Tell whether a text says that they will come: "yes, see you then"."""
    bare = k.bare(text)
    if agrees(text) or k.COMING.has(bare) or k.SEE_YOU.has(bare):
        return True
    lead, _, rest = bare.partition(" ")
    return lead in k.YES.whole and (k.COMING.has(rest) or k.SEE_YOU.has(rest))


def rating(state: Rating, event: Event, ctx: Context) -> Step[Rating | Idle | Back] | None:
    """Take a tap, or a number of 1 to 5, for what they thought of it."""
    match event:
        case VisitRated(visit, given):
            return _thank(visit, given, ctx)
        case VisitGone():
            return Step(Back())
        case TextReceived(text) if stars(text) is not None:
            return Step(state, ask=RateVisit(state.booking_id, stars(text) or FAIR))
        case _:
            return None


def follow(reply: Reply) -> Step[Reminded | Rating] | None:
    """Do what a button of a reminder means, whatever is going on."""
    match reply:
        case ConfirmComing(booking_id, second):
            kind = BEFORE[1] if second else BEFORE[0]
            return _confirm(Reminded(booking_id=booking_id, kind=kind))
        case Rate(booking_id, given) if 1 <= given <= 5:
            return Step(Rating(booking_id=booking_id), ask=RateVisit(booking_id, given))
        case _:
            return None


def stars(text: str) -> int | None:
    """Read how many of five stars were given: as a number, drawn, or in words."""
    bare = text.strip()
    drawn = bare.replace("\ufe0f", "")
    if drawn and set(drawn) <= {"⭐", "🌟", "★"}:
        return min(len(drawn), 5)
    given = _GIVEN(bare)
    if given:
        return min(int(given[1]), GOOD)
    said = plain(text)
    if asides.BLAME.has(said) and not asides.PRAISE.whole & {said}:
        return BAD
    liked = asides.PRAISE.has(said) or agrees(text) or k.THANKS.is_all_of(said, asides.MILD)
    return GOOD if liked else None


def question(ctx: Context, visit: Visit, kind: str) -> Say:
    """Ask whether they will come; `kind` is which reminder it is."""
    w, second = words(ctx), kind == BEFORE[1]
    company = ctx.catalog.company
    name = fit(company.name, t.NAME)
    values = {"company": name, "what": of_visit(ctx, visit), "when": at(ctx, visit)}
    replies: tuple[Reply, ...] = (
        ConfirmComing(visit.id, int(second)),
        ChangeVisit(visit.id),
        AskToCancel(visit.id),
    )
    text = w(unasked.VISIT_SOON if second else unasked.VISIT_REMINDER, **values)
    where = "" if second else where_it_is(ctx, visit)
    text = f"{text}\n{where}" if where else text
    titles = (unasked.CONFIRM, t.CHANGE, t.CANCEL_VISIT)
    # Where the template is paused, one that only says that there is something opens the chat.
    spare = use(w, PERSON, {"company": name}, ShowVisit(visit.id))
    template = VISIT_SOON if second else VISIT_REMINDER
    return Say(
        text,
        buttons(w, *zip(titles, replies, strict=True)),
        template=use(w, template, values, *replies, instead=spare),
        until=visit.start,
    )


def _remind(state: Reminding, visit: Visit | None, ctx: Context) -> Step[Back | Reminded]:
    if visit is None or visit.status not in OPEN_STATUSES or visit.start <= ctx.now:
        return Step(Back())
    if visit.start != state.start:
        # It was moved by somebody who planned nothing: late is better than a wrong time.
        return Step(Back(), remind(ctx.catalog.company, visit, ctx.now))
    policy = ctx.catalog.company.policy
    if ctx.customer.opted_out or is_for_nothing(visit, state.kind, policy, ctx.now):
        return Step(Back())
    if visit.confirmed and state.kind == BEFORE[1]:
        say = _soon(ctx, visit)
    else:
        say = question(ctx, visit, state.kind)
    effects: tuple[Effect, ...] = (
        NoteReminder(visit.id, state.kind),
        Record("reminder_sent", {"booking_id": str(visit.id), "kind": state.kind}),
    )
    if state.busy:
        return Step(Back(), (say, *effects))
    reminded_ = Reminded(booking_id=visit.id, kind=state.kind, start=visit.start)
    return shown(reminded_, say, *effects)


def _soon(ctx: Context, visit: Visit) -> Say:
    """Remind of a visit that they have said they will come to: nothing to confirm any more."""
    say = question(ctx, visit, BEFORE[1])
    text = words(ctx)(unasked.SEE_YOU_SOON, what=of_visit(ctx, visit), when=at(ctx, visit))
    return Say(text, say.buttons[1:], template=say.template, until=say.until)


def _confirm(state: Reminded) -> Step[Reminded]:
    return Step(state, ask=ConfirmVisit(state.booking_id))


def _see_you(state: Reminded, visit: Visit, ctx: Context) -> Step[Back]:
    w = words(ctx)
    text = w(unasked.SEE_YOU, when=at(ctx, visit))
    pairs = ((t.CHANGE, ChangeVisit(visit.id)), (t.CANCEL_VISIT, AskToCancel(visit.id)))
    return shown(
        Back(),
        Say(text, buttons(w, *pairs)),
        NoteReminder(visit.id, state.kind, "confirmed"),
        Record("visit_confirmed", {"booking_id": str(visit.id)}),
    )


def _review(
    state: Reminding, visit: Visit, usual: Usual | None, ctx: Context
) -> Step[Back | Rating]:
    policy = ctx.catalog.company.policy
    effects = list(_suggest_later(ctx, visit, usual))
    over = ctx.now - visit.end
    if not policy.ask_rating or ctx.customer.opted_out or visit.rating or over > ASKED_WITHIN:
        return Step(Back(), tuple(effects))
    if visit.status != "completed" or over < timedelta():
        return Step(Back(), tuple(effects))
    w, name = words(ctx), fit(ctx.catalog.company.name, t.NAME)
    values = {"company": name, "what": of_visit(ctx, visit), "when": at(ctx, visit)}
    replies = tuple(Rate(visit.id, given) for given in (GOOD, FAIR, BAD))
    titles = (unasked.RATED_GOOD, unasked.RATED_FAIR, unasked.RATED_BAD)
    say = Say(
        w(unasked.VISIT_RATING, **values),
        buttons(w, *zip(titles, replies, strict=True)),
        template=use(w, VISIT_RATING, values, *replies),
        until=visit.end + ASKED_WITHIN,
    )
    effects.append(NoteReminder(visit.id, REVIEW))
    if state.busy:
        return Step(Back(), (say, *effects))
    return shown(Rating(booking_id=visit.id), say, *effects)


def _suggest_later(ctx: Context, visit: Visit, usual: Usual | None) -> tuple[Effect, ...]:
    """Plan to suggest the next visit when it will be time for it, after the latest one."""
    if usual is None or usual.next_on is None or usual.last_visit != visit.start:
        return ()
    if not ctx.catalog.company.policy.suggest_usual or visit.status != "completed":
        return ()
    zone = zone_of(visit, ctx.catalog.company)
    due = datetime.combine(usual.next_on, time(11, 0), zone).astimezone(UTC)
    return plan(visit, REBOOK, due) if due > ctx.now else ()


def _thank(visit: Visit, given: int, ctx: Context) -> Step[Back]:
    w = words(ctx)
    noted = (
        NoteReminder(visit.id, REVIEW, str(given)),
        Record("visit_rated", {"booking_id": str(visit.id), "rating": given}),
    )
    thanks: Message = unasked.THANKS_GOOD
    pairs: tuple[tuple[Message, Reply], ...] = (
        (t.BOOK_AGAIN, PickStaff(visit.service_id, visit.staff_id)),
        (t.MENU, OpenMenu()),
    )
    if given <= FAIR:
        thanks = unasked.THANKS_FAIR if given == FAIR else unasked.THANKS_BAD
        pairs = ((t.TALK_TO_US, TalkToUs()), (unasked.NO_THANKS, CarryOn()))
    return shown(Back(), Say(w(thanks), buttons(w, *pairs)), *noted)


REMINDER = Flow("reminder", steps={Reminding: reminding, Reminded: reminded, Rating: rating})
