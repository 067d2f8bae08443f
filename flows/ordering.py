"""How a booking goes on: from what is known, to the question that is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from flows import wording as t
from flows.asking import Idle, local, shown, today, words
from flows.draft import (
    NO_WISH,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Order,
)
from flows.effects import (
    FindDays,
    FindEarliest,
    FindNearest,
    FindTimes,
    FindVisit,
    HoldSlot,
    Record,
    Say,
)
from flows.formats import capitalised, fit
from flows.greeting import at_menu, help_buttons
from flows.lists import services
from flows.machine import Context, Step
from flows.model import AFTERNOON, EVENING, Wish

Choosing: TypeAlias = ChoosingService | ChoosingStaff | ChoosingDay | ChoosingTime | Idle
"""Where a booking can stand before a time is held."""

NEAREST = 8
"""How many times near to a wish are asked for."""
_PART_BEGINS = {AFTERNOON: time(12), EVENING: time(17)}


def viewed(step: str) -> Record:
    """Return the record of a question that was asked."""
    return Record("step_viewed", {"step": step})


def completed(step: str) -> Record:
    """Return the record of a question that was answered."""
    return Record("step_completed", {"step": step})


def go_on(ctx: Context, order: Order, intro: str = "") -> Step[Choosing]:
    """Ask the next question, or look for the time where all is known."""
    catalog = ctx.catalog
    offered = catalog.bookable_services
    if order.service_id is None and len(offered) == 1 and order.moving is None:
        order = replace(order, service_id=offered[0].id)
    service_id = order.service_id
    if service_id is None:
        return ask_service(ctx, order, intro=intro)
    team = catalog.staff_for(service_id)
    offered_all = all(is_offered(ctx, id_, None) for id_ in (service_id, *order.also))
    if not offered_all:
        if order.moving is not None:
            return shown(Idle(), Say(words(ctx)(t.SERVICE_GONE), help_buttons(ctx)))
        gone = words(ctx)(t.SERVICE_GONE)
        return ask_service(ctx, replace(order, service_id=None, also=()), intro=gone)
    if order.staff_id is not None and all(person.id != order.staff_id for person in team):
        intro = _not_by_them(ctx, service_id, order.staff_id)
        order = replace(order, staff_id=None, who_known=False, wish=NO_WISH)
    left = [person for person in team if person.id != order.not_by]
    if not left:
        intro = after(intro, _nobody_else(ctx, service_id, team[0].name))
        order, left = replace(order, not_by=None), [*team]
    if len(left) == 1 and (not order.who_known or order.not_by is not None):
        order = replace(order, staff_id=left[0].id, who_known=True)
    whenever = order.wish == NO_WISH and order.from_day is None and not order.anytime
    if not order.who_known and whenever:
        return ask_staff(ctx, order, intro=intro)
    return _ask_when(ctx, order, service_id, intro)


def is_offered(ctx: Context, service_id: int, staff_id: int | None) -> bool:
    """Tell whether a service can still be booked, by this person if one is named."""
    if service_id not in ctx.catalog.service_by_id:
        return False
    team = [person.id for person in ctx.catalog.staff_for(service_id)]
    return bool(team) if staff_id is None else staff_id in team


def ask_service(
    ctx: Context, order: Order, *, intro: str = "", only: tuple[int, ...] = (), offset: int = 0
) -> Step[Choosing]:
    """Ask what they would like; `only` are the services that they may have meant."""
    if not ctx.catalog.bookable_services:
        return at_menu(ctx, words(ctx)(t.NOTHING_TO_BOOK))
    if order.staff_id is not None and not only:
        only = _done_by(ctx, order.staff_id)
    if len(only) == 1 and is_offered(ctx, only[0], order.staff_id):  # that is no choice
        return go_on(ctx, replace(order, service_id=only[0]), intro)
    state = ChoosingService(
        staff_id=order.staff_id,
        who_known=order.who_known,
        wish=order.wish,
        from_day=order.from_day,
        only=only,
        offset=offset,
        intro=intro,
        anytime=order.anytime,
        soonest=order.soonest,
        not_by=order.not_by,
    )
    return shown(state, services(ctx, state), viewed("service"))


def ask_staff(
    ctx: Context, order: Order, *, intro: str = "", offset: int = 0
) -> Step[ChoosingStaff]:
    """Ask by whom, once storage has said who is free when."""
    if order.service_id is None:
        raise ValueError("nobody can be chosen before a service")
    state = ChoosingStaff(
        service_id=order.service_id,
        moving=order.moving,
        before=order.before,
        also=order.also,
        offset=offset,
        intro=intro,
        not_by=order.not_by,
    )
    return Step(state, ask=FindEarliest(order.service_id, order.also, order.not_by))


def ask_day(
    ctx: Context,
    order: Order,
    *,
    from_day: date | None = None,
    intro: str = "",
    missed: Wish = NO_WISH,
) -> Step[ChoosingDay]:
    """Ask for a day, once storage has said which have free times; `missed` could not be had."""
    if order.service_id is None:
        raise ValueError("no day can be chosen before a service")
    first = max(from_day or order.from_day or today(ctx), today(ctx))
    state = ChoosingDay(
        service_id=order.service_id,
        staff_id=order.staff_id,
        moving=order.moving,
        before=order.before,
        also=order.also,
        from_day=first,
        intro=intro,
        missed=missed,
        not_by=order.not_by,
    )
    return Step(state, ask=days_of(state))


def days_of(state: ChoosingDay) -> FindDays:
    """Return what asks for the days of a state."""
    first, moving, but = state.from_day, state.moving, state.not_by
    return FindDays(
        state.service_id, state.staff_id, first, moving=moving, also=state.also, but=but
    )


def ask_time(
    ctx: Context, order: Order, day: date, *, page: int = 0, intro: str = ""
) -> Step[ChoosingTime]:
    """Ask for a time of a day, once storage has said which are free."""
    state = _choosing_time(order, day=day, page=page, intro=intro)
    return Step(state, ask=times_of(state, soonest=order.soonest))


def times_of(state: ChoosingTime, *, soonest: bool = False) -> FindTimes | FindNearest:
    """Return what asks for the times of a state: those of its day, or the nearest ones."""
    who, moving, also = (state.service_id, state.staff_id), state.moving, state.also
    if state.day is not None:
        return FindTimes(*who, state.day, moving, also, state.not_by)
    return FindNearest(*who, state.wish, NEAREST, moving, also, soonest, state.not_by)


def ask_nearest(ctx: Context, order: Order, *, intro: str = "") -> Step[ChoosingTime]:
    """Offer the times nearest to a wish, or some good ones if there is no wish."""
    wish = order.wish if order.wish == NO_WISH else _placed(ctx, order.wish)
    state = _choosing_time(replace(order, wish=wish), intro=intro)
    return Step(state, ask=times_of(state, soonest=order.soonest))


def hold(ctx: Context, state: ChoosingTime, start: datetime) -> Step[ChoosingTime]:
    """Keep a time for them while they look at it, if it is still free."""
    until = ctx.now + timedelta(minutes=ctx.catalog.company.policy.hold_minutes)
    staff_id = state.who or state.staff_id
    what = (state.service_id, staff_id, start, until)
    return Step(state, ask=HoldSlot(*what, state.moving, state.also, state.not_by))


def _choosing_time(
    order: Order, *, day: date | None = None, page: int = 0, intro: str = ""
) -> ChoosingTime:
    if order.service_id is None:
        raise ValueError("no time can be chosen before a service")
    return ChoosingTime(
        service_id=order.service_id,
        staff_id=order.staff_id,
        moving=order.moving,
        before=order.before,
        also=order.also,
        day=day,
        wish=order.wish,
        page=page,
        intro=intro,
        not_by=order.not_by,
        engaged=order.engaged,
    )


def _ask_when(ctx: Context, order: Order, service_id: int, intro: str) -> Step[Choosing]:
    wish, w = order.wish, words(ctx)
    if order.anytime and wish == NO_WISH and order.from_day is None:
        return ask_nearest(ctx, order, intro=intro)
    last = last_day(ctx, service_id)
    if wish.day is not None and wish.day > last:
        far = w(t.TOO_FAR, day=w.day(last, today(ctx)))
        return ask_day(ctx, replace(order, wish=NO_WISH), intro=far)
    if order.from_day is not None and order.from_day > last:
        far = w(t.TOO_FAR, day=w.day(last, today(ctx)))
        return ask_day(ctx, replace(order, from_day=None), intro=after(intro, far))
    if wish.day is not None and wish.day < today(ctx):
        past = w(t.IS_OVER, when=capitalised(w.day(wish.day, today(ctx))))
        return ask_day(ctx, replace(order, wish=NO_WISH, from_day=None), intro=past)
    if wish.day is not None and wish.at is not None:
        return _try_exactly(ctx, order, wish.day, wish.at, intro)
    if wish.day is not None:
        return ask_time(ctx, order, wish.day, intro=intro)
    if wish.at is not None or wish.part is not None:
        near = replace(wish, day=order.from_day)
        return ask_nearest(ctx, replace(order, wish=near), intro=intro)
    return ask_day(ctx, order, intro=intro)


def _try_exactly(ctx: Context, order: Order, day: date, at: time, intro: str) -> Step[ChoosingTime]:
    start = instant(ctx, day, at)
    if start is None or start <= ctx.now:
        w = words(ctx)
        when = capitalised(w.when(datetime.combine(day, at), today(ctx)))
        message = t.NOT_FREE if start is None else t.IS_OVER
        return ask_nearest(ctx, order, intro=w(message, when=when))
    state = _choosing_time(order, day=day, intro=intro).model_copy(update={"start": start})
    if order.moving is not None and order.before is None:
        return Step(state, ask=FindVisit(order.moving))
    return hold(ctx, state, start)


def instant(ctx: Context, day: date, at: time) -> datetime | None:
    """Return the moment of a local wall time; None when the clocks skip it."""
    wall = datetime.combine(day, at, tzinfo=ctx.catalog.zone)
    moment = wall.astimezone(UTC)
    return moment if moment.astimezone(ctx.catalog.zone).time() == at else None


def last_day(ctx: Context, service_id: int) -> date:
    """Return the last date that can be booked."""
    service = ctx.catalog.service_by_id.get(service_id)
    days = service.horizon_days if service and service.horizon_days else None
    return today(ctx) + timedelta(days=days or ctx.catalog.company.policy.horizon_days)


def _placed(ctx: Context, wish: Wish) -> Wish:
    """Give a wish without a day the next one on which it can be meant."""
    if wish.day is not None:
        return wish
    now = local(ctx, ctx.now)
    latest = wish.at or (time.max if wish.part != "morning" else time(12))
    day = now.date() if latest > now.time() else now.date() + timedelta(days=1)
    return replace(wish, day=day)


def _done_by(ctx: Context, staff_id: int) -> tuple[int, ...]:
    """Return what somebody does, where that is not all there is."""
    offered = ctx.catalog.bookable_services
    person = ctx.catalog.staff_by_id.get(staff_id)
    theirs = [service.id for service in offered if person and service.id in person.offers]
    return tuple(theirs) if len(theirs) < len(offered) else ()


def after(intro: str, text: str) -> str:
    """Return what was to be said first, and then this."""
    return f"{intro}\n{text}" if intro else text


def _nobody_else(ctx: Context, service_id: int, staff: str) -> str:
    name = fit(ctx.catalog.service_by_id[service_id].name_in(ctx.locale), t.NAME)
    return words(ctx)(t.NOBODY_ELSE, staff=fit(staff, t.NAME), service=name)


def _not_by_them(ctx: Context, service_id: int, staff_id: int) -> str:
    w, catalog = words(ctx), ctx.catalog
    person, service = catalog.staff_by_id.get(staff_id), catalog.service_by_id[service_id]
    if person is None:
        return w(t.STAFF_GONE)
    name = fit(service.name_in(ctx.locale), t.NAME)
    return w(t.DOES_NOT_DO_IT, staff=fit(person.name, t.NAME), service=name)
