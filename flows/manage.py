"""My visits: see them, move one, cancel one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from flows import wording as t
from flows.adding import add
from flows.asking import (
    NOTE,
    ROWS,
    TITLE,
    Asking,
    Idle,
    also,
    buttons,
    reply_of,
    sheet,
    shown,
    today,
    words,
)
from flows.cards import at, card, of_visit, visit_buttons, visit_time
from flows.draft import (
    NO_WISH,
    Before,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Order,
)
from flows.effects import CancelVisit, FindVisit, FindVisits, Record, Row, Say
from flows.events import Event, VisitCancelled, VisitFound, VisitGone, VisitsFound
from flows.formats import capitalised, fit, units
from flows.greeting import at_menu, help_buttons
from flows.lists import wish_text
from flows.machine import Context, Flow, Step
from flows.model import Visit, Wish
from flows.ordering import go_on, viewed
from flows.refusals import OPEN_STATUSES, refusal
from flows.replies import (
    AskToCancel,
    CancelForSure,
    ChangeVisit,
    DropBooking,
    ListVisits,
    OpenVisits,
    PickStaff,
    Reply,
    ShowVisit,
    StartBooking,
    TalkToUs,
    encode,
)
from flows.replies_visits import AddToVisit
from flows.replies_waitlist import ListPlaces
from flows.where import at_visit
from flows.which import Move, Named, by_another, meant, placed, shifted
from flows.wishes import Wished
from flows.wording_waitlist import WAITLIST

Intent = Literal["show", "change", "cancel", "drop", "add"]


class ChoosingVisit(Asking):
    """Which visit?"""

    step: Literal["manage.choosing_visit"] = "manage.choosing_visit"
    intent: Intent = "show"
    past: bool = False
    offset: int = 0
    wish: Wish = NO_WISH  # when a visit is to be instead
    from_day: date | None = None
    services: tuple[int, ...] = ()  # those of the visit that they mean
    shift: timedelta | None = None
    same_time: bool = False
    which: Named = Named()  # when the visit that they mean is now
    sure: bool = True  # else that may be when it is to be
    weekday: bool = False  # the wish is for a weekday: the one after the visit
    adding: tuple[int, ...] = ()  # what may be meant of that which is to be added
    by: int | None = None  # who is to do it; 0: somebody else


class ViewingVisit(Asking):
    """One visit is in front of them."""

    step: Literal["manage.viewing_visit"] = "manage.viewing_visit"
    booking_id: UUID
    intent: Intent = "show"
    wish: Wish = NO_WISH
    from_day: date | None = None
    shift: timedelta | None = None  # by how much it is to be later
    same_time: bool = False
    weekday: bool = False
    adding: tuple[int, ...] = ()
    by: int | None = None


class CancellingVisit(Asking):
    """Shall it really be cancelled?"""

    step: Literal["manage.cancelling_visit"] = "manage.cancelling_visit"
    booking_id: UUID


Managing: TypeAlias = ChoosingVisit | ViewingVisit | CancellingVisit | Idle
Moving: TypeAlias = ChoosingDay | ChoosingTime | ChoosingStaff | ChoosingService
"""Where a visit that is to be changed goes on: the questions of booking."""


def open_visits(
    intent: Intent = "show",
    *,
    past: bool = False,
    offset: int = 0,
    intro: str = "",
    wished: Wished | None = None,
    shift: timedelta | None = None,
    move: Move | None = None,
    adding: tuple[int, ...] = (),
) -> Step[ChoosingVisit]:
    """Look for the customer's visits; `wished` says which is meant, and when it is to be.

    Of a `move` that is said apart.
    """
    state = ChoosingVisit(intent=intent, past=past, offset=offset, intro=intro, shift=shift)
    state = state.model_copy(update={"adding": adding})
    if wished is not None:
        names = ("wish", "from_day", "services", "same_time")
        state = state.model_copy(update={name: getattr(wished, name) for name in names})
    if move is not None:
        state = state.model_copy(update=_said(move))
    return Step(state, ask=FindVisits(past=past))


def _said(move: Move) -> dict[str, object]:
    to = move.to or Wished()
    wish = to.wish if move.sure or move.to else move.which.wish
    known = {"which": move.which, "sure": move.sure, "services": move.services}
    when = {"wish": wish, "from_day": to.from_day, "same_time": to.same_time}
    return {**known, **when, "weekday": move.to_weekday}


def open_visit(
    booking_id: UUID, intent: Intent = "show", intro: str = "", adding: tuple[int, ...] = ()
) -> Step[ViewingVisit]:
    """Look for one visit, to show, change or cancel it, or to add something to it."""
    state = ViewingVisit(booking_id=booking_id, intent=intent, intro=intro, adding=adding)
    return Step(state, ask=FindVisit(booking_id))


def choosing_visit(
    state: ChoosingVisit, event: Event, ctx: Context
) -> Step[Managing | Moving] | None:
    """Show the list, or go straight on with the only one."""
    if not isinstance(event, VisitsFound):
        step = _tapped(event)
        if step is None or not isinstance(step.state, ViewingVisit):
            return step
        wanted = _wanted(state)
        if step.state.adding:
            del wanted["adding"]
        return Step(step.state.model_copy(update=wanted), step.effects, step.ask)
    found = event.past if state.past else event.upcoming
    if not found:
        return _none(ctx, state, waiting=event.waiting)
    state, found = _narrowed(state, found, ctx)
    listed = state.past or bool(state.intro) or (event.waiting and state.intent == "show")
    if len(found) == 1 and not listed:
        viewing = ViewingVisit(
            booking_id=found[0].id,
            intent=state.intent,
            intro=state.intro,
            misses=state.misses,
        ).model_copy(update=_wanted(state))
        return _view(ctx, viewing, found[0])
    return shown(state, _list(ctx, state, found, waiting=event.waiting), viewed("visits"))


def _narrowed(
    state: ChoosingVisit, found: tuple[Visit, ...], ctx: Context
) -> tuple[ChoosingVisit, tuple[Visit, ...]]:
    """Leave out the visits that are not meant; if none is, say so."""
    which = state.which if state.which.wish != NO_WISH else None
    of_service = tuple(visit for visit in found if visit.service_id in state.services)
    if which is not None:
        then = meant(of_service or found, which, ctx)
        if then:
            same = state.wish == which.wish or meant(then, Named(state.wish), ctx)
            return state.model_copy(update={"wish": NO_WISH}) if same else state, then
        if state.sure and not state.intro:
            when = capitalised(wish_text(ctx, which.wish))
            no_visit = words(ctx)(t.NO_VISIT_THEN, when=when)
            return state.model_copy(update={"intro": no_visit}), found
    then = of_service
    if not then and state.intent == "cancel" and state.wish.day is not None:
        then = meant(found, Named(Wish(state.wish.day)), ctx)
    return state, then if len(then) == 1 and state.intent != "show" else found


def _wanted(state: ChoosingVisit) -> dict[str, object]:
    """Return what is known of when a visit is to be instead."""
    names = ("wish", "from_day", "shift", "same_time", "weekday", "adding", "by")
    return {name: getattr(state, name) for name in names}


def viewing_visit(
    state: ViewingVisit, event: Event, ctx: Context
) -> Step[Managing | Moving] | None:
    """Show a visit, or do with it what was wanted."""
    match event:
        case VisitFound(visit):
            return _view(ctx, state, visit)
        case VisitCancelled(visit):
            return _cancelled(ctx, visit)
        case VisitGone():
            return at_menu(ctx, words(ctx)(t.VISIT_GONE))
        case _:
            return _tapped(event)


def cancelling_visit(
    state: CancellingVisit, event: Event, ctx: Context
) -> Step[ChoosingVisit | ViewingVisit] | None:
    """Cancel it on [Yes, cancel it]."""
    return _tapped(event)


def follow(reply: Reply) -> Step[ChoosingVisit | ViewingVisit] | None:
    """Do what a button or row about visits means, whatever is going on."""
    match reply:
        case OpenVisits():
            return open_visits()
        case ListVisits(past, offset):
            return open_visits(past=bool(past), offset=offset)
        case ShowVisit(booking_id):
            return open_visit(booking_id)
        case ChangeVisit(booking_id):
            return open_visit(booking_id, "change")
        case AddToVisit(booking_id, service_id):
            return open_visit(booking_id, "add", adding=(service_id,) if service_id else ())
        case AskToCancel(booking_id):
            return open_visit(booking_id, "cancel")
        case CancelForSure(booking_id):
            return open_visit(booking_id, "drop")
        case _:
            return None


def _tapped(event: Event) -> Step[ChoosingVisit | ViewingVisit] | None:
    reply = reply_of(event)
    return follow(reply) if reply is not None else None


def _view(ctx: Context, state: ViewingVisit, visit: Visit | None) -> Step[Managing | Moving]:
    if visit is None:
        return at_menu(ctx, words(ctx)(t.VISIT_GONE))
    if state.intent == "show":
        return shown(state, _one(ctx, visit), viewed("visit"))
    if state.intent == "add":
        return add(ctx, visit, state.adding)
    refused = refusal(ctx, visit)
    if refused is not None:
        return refused
    if state.intent == "change":
        return _change(ctx, state, visit)
    if state.intent == "drop":
        return Step(state, ask=CancelVisit(visit.id))
    w = words(ctx)
    question = w(t.REALLY_CANCEL, what=of_visit(ctx, visit), when=at(ctx, visit))
    pairs = (
        (t.YES_CANCEL, CancelForSure(visit.id)),
        (t.KEEP_IT, DropBooking(visit.id)),
        (t.CHANGE, ChangeVisit(visit.id)),
    )
    cancelling = CancellingVisit(booking_id=visit.id, intro=state.intro, misses=state.misses)
    return shown(cancelling, Say(question, buttons(w, *pairs)), viewed("cancel"))


def _change(ctx: Context, state: ViewingVisit, visit: Visit) -> Step[Moving | Idle]:
    """Ask for another day if none is known, by the same person if they are still there."""
    ctx, settled = at_visit(ctx, visit)
    catalog = ctx.catalog
    team = {person.id for person in catalog.staff_for(visit.service_id)}
    if visit.service_id not in catalog.service_by_id or not team:
        text = f"{of_visit(ctx, visit)}, {at(ctx, visit)}\n{words(ctx)(t.TALK_INSTEAD)}"
        return shown(Idle(), Say(text, help_buttons(ctx)))
    before = Before(visit.id, visit.start, visit.staff_id)
    known = Order(visit.service_id, who_known=True, also=visit.also)
    wish, now = state.wish, visit_time(ctx, visit, visit.start)
    if state.shift is not None:
        wish = shifted(now, state.shift)
    elif wish.day is None and wish.at is not None and state.from_day is None:  # "move it to 3 pm"
        wish = replace(wish, day=now.date())
    elif state.weekday:
        wish = placed(wish, visit, ctx)
    if state.same_time and wish.day is not None and wish.at is None:
        wish = replace(wish, at=now.time())
    known = replace(known, wish=wish, from_day=state.from_day)
    order = replace(known, moving=visit.id, before=before)
    effects = (*settled, Record("change_started", {"booking_id": str(visit.id)}))
    if state.by is not None:
        return also(by_another(ctx, order, state.by, now), *effects)
    if visit.staff_id in team:
        return also(go_on(ctx, replace(order, staff_id=visit.staff_id)), *effects)
    return also(go_on(ctx, order, intro=words(ctx)(t.STAFF_GONE)), *effects)


def _cancelled(ctx: Context, visit: Visit) -> Step[Idle]:
    text = words(ctx)(t.CANCELLED, what=of_visit(ctx, visit), when=at(ctx, visit))
    return at_menu(ctx, text, Record("visit_cancelled", {"booking_id": str(visit.id)}))


def _one(ctx: Context, visit: Visit) -> Say:
    """Describe a visit, with what can be done about it."""
    w = words(ctx)
    text = f"{card(ctx, visit)}\n{visit.code}"
    if visit.status == "cancelled":
        text = f"{w(t.VISIT_IS_CANCELLED)}\n{text}"
    if visit.status in OPEN_STATUSES and visit.start > ctx.now:
        past = buttons(w, (t.PAST_VISITS, ListVisits(1, 0)))
        return Say(text, visit_buttons(w, visit) + past)
    again = PickStaff(visit.service_id, visit.staff_id, also=visit.also)
    pairs = ((t.BOOK_AGAIN, again), (t.MY_VISITS, OpenVisits()), (t.TALK_TO_US, TalkToUs()))
    return Say(text, buttons(w, *pairs))


def _none(ctx: Context, state: ChoosingVisit, *, waiting: bool) -> Step[Idle]:
    w = words(ctx)
    if state.past:
        return at_menu(ctx, w(t.NO_PAST_VISITS))
    pairs = (
        (t.BOOK_A_VISIT, StartBooking()),
        (t.PAST_VISITS, ListVisits(1, 0)),
        (WAITLIST, ListPlaces()) if waiting else (t.TALK_TO_US, TalkToUs()),
    )
    return shown(Idle(intro=state.intro), Say(w(t.NO_VISITS), buttons(w, *pairs)))


_QUESTIONS = {
    "show": t.YOUR_VISITS,
    "change": t.WHICH_TO_CHANGE,
    "cancel": t.WHICH_TO_CANCEL,
    "drop": t.WHICH_TO_CANCEL,
    "add": t.WHICH_TO_ADD_TO,
}
_MEANINGS: Mapping[Intent, Callable[[UUID], Reply]] = {
    "show": ShowVisit,
    "change": ChangeVisit,
    "cancel": AskToCancel,
    "drop": AskToCancel,
    "add": lambda booking_id: AddToVisit(booking_id, None),
}


def _list(ctx: Context, state: ChoosingVisit, visits: tuple[Visit, ...], *, waiting: bool) -> Say:
    w = words(ctx)
    waiting = waiting and state.intent == "show" and not state.past
    room = ROWS - 2 - waiting
    page = visits[state.offset : state.offset + room] or visits[:room]
    rows = [
        Row(encode(_MEANINGS[state.intent](visit.id)), *_described(ctx, visit)) for visit in page
    ]
    if state.offset + room < len(visits):
        more = ListVisits(int(state.past), state.offset + room)
        rows.append(Row(encode(more), w(t.MORE_VISITS)))
    if not state.past:
        rows.append(Row(encode(ListVisits(1, 0)), w(t.PAST_VISITS)))
    if waiting:
        rows.append(Row(encode(ListPlaces()), w(WAITLIST)))
    question = t.YOUR_PAST_VISITS if state.past else _QUESTIONS[state.intent]
    return Say(w(question), sheet=sheet(w(t.VISITS), ("", rows)))


def _described(ctx: Context, visit: Visit) -> tuple[str, str]:
    """Return a row's title and note: when, and what; the time is in the note if it must be."""
    title, note = capitalised(at(ctx, visit)), of_visit(ctx, visit)
    if units(title) > TITLE:
        w, start = words(ctx), visit_time(ctx, visit, visit.start)
        title = fit(capitalised(w.day(start.date(), today(ctx))), TITLE)
        note = w(t.LIST_JOIN, first=w.time(start.time()), second=note)
    return title, fit(note, NOTE)


MANAGE = Flow(
    "manage",
    steps={
        ChoosingVisit: choosing_visit,
        ViewingVisit: viewing_visit,
        CancellingVisit: cancelling_visit,
    },
)
