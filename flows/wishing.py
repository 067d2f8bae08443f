"""Bookings that were typed: as far as a wish determines them, and no further than it goes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from flows import asides
from flows import keywords as k
from flows import questions as questions_
from flows import wording as t
from flows.adding import asks_for_more, asks_to_add, fits_in
from flows.asking import also, local, words
from flows.draft import (
    NO_WISH,
    ChoosingDay,
    ChoosingService,
    ChoosingTime,
    Confirming,
    Draft,
    Order,
    order_of,
)
from flows.effects import Record
from flows.formats import fit
from flows.machine import Context, State, Step
from flows.model import Wish
from flows.ordering import Choosing, ask_service, go_on
from flows.plain import plain
from flows.several import for_people, in_turn, one_of_each, parted
from flows.wishes import Wished, understand

_MOST_SERVICES: Final = 3
"""How many services one visit may have."""
_MOST_NAMES: Final = 8
_HOUR: Final = re.compile(r"(?<![\w:.$])(\d{1,2})(?![\w:.%])")


def wish(state: State, raw: str, bare: str, ctx: Context, intro: str = "") -> Step[State] | None:
    """Go as far into a booking as a wish determines it; an open one keeps what was not named."""
    order = order_of(state, held_wish(ctx, state)) if isinstance(state, Draft) else Order()
    bookings = parted(raw, ctx) if order.moving is None else []
    if len(bookings) > 1:
        first, *others = bookings
        text = words(ctx)(t.ONE_AFTER_OTHER, next=others[0].text(ctx))
        step = _one(state, first.said, k.bare(first.said), ctx, text, order)
        return None if step is None else in_turn(step, others)
    step = _one(state, raw, bare, ctx, intro, order)
    if step is None or order.moving is not None:
        return step
    return in_turn(step, for_people(raw, ctx))


def _one(
    state: State, raw: str, bare: str, ctx: Context, intro: str, order: Order
) -> Step[State] | None:
    wished = understand(_number_meant(state, raw, ctx), ctx) or _asked_last(raw, ctx)
    if wished is None:
        return _anytime(ctx, order, raw) if k.ANYTIME.has(k.spelt(plain(raw))) else None
    more = _more(raw, order, wished, ctx)
    if more is not None:
        return also(more, _heard(state, wished))
    if order.moving is not None:  # another service would be another visit
        wished = replace(wished, services=(), several=False, in_turn=False)
    if wished.services and k.PRICE.has(bare) and not intro:
        if len(wished.services) == 1:
            return questions_.price(ctx, wished.services[0])
        return ask_service(ctx, order, only=wished.services)
    order = merged(order, wished, ctx)
    if wished.stranger:
        intro = _nobody(ctx, wished)
    elif k.SEVERAL_PEOPLE.has(plain(raw)) and not intro:
        intro = words(ctx)(t.ONE_PERSON)
    only = state.only if isinstance(state, ChoosingService) else ()
    if only and order.service_id is None and not wished.services:  # yet to say which of these
        return ask_service(ctx, order, intro=intro, only=only)
    apart = _apart(ctx, order, wished, intro)
    if apart is not None:
        return apart
    return _as_wished(state, raw, ctx, intro, order, wished)


def _asked_last(raw: str, ctx: Context) -> Wished | None:
    """Read what is asked for at the end of a text that says much else: "… can I come friday"."""
    said = raw.split()
    plains = [plain(word) for word in said]
    for at in range(len(said) - 1, 0, -1):
        begins = any(" ".join(plains[at : at + n]) in asides.WISHES.whole for n in (1, 2))
        wished = understand(" ".join(said[at:]), ctx) if begins else None
        if wished is not None:
            return wished
    return None


def _more(raw: str, order: Order, wished: Wished, ctx: Context) -> Step[Choosing] | None:
    """Have a service follow those that are being booked: "also a pedicure"."""
    have = () if order.service_id is None else (order.service_id, *order.also)
    if not have or len(wished.services) != 1 or wished.says_when or wished.staff_id is not None:
        return None
    if not (asks_to_add(raw) or asks_for_more(raw)) or not fits_in(ctx, (*have, *wished.services)):
        return None
    return go_on(ctx, replace(order, also=(*order.also, *wished.services)))


def _apart(ctx: Context, order: Order, wished: Wished, intro: str) -> Step[State] | None:
    """Ask which of several is meant first, and keep the others that were named for later."""
    which, others = one_of_each(wished, order.wish)
    if not which or order.moving is not None or _is_one_visit(wished, ctx):
        return None
    intro = intro or words(ctx)(t.ONE_AFTER_OTHER, next=others[0].text(ctx))
    undecided = replace(order, service_id=None, also=())
    return in_turn(ask_service(ctx, undecided, intro=intro, only=which), others)


def _as_wished(
    state: State, raw: str, ctx: Context, intro: str, order: Order, wished: Wished
) -> Step[State]:
    if not wished.says_when and k.ANYTIME.has(plain(raw)):
        soonest = k.SOONEST.has(plain(raw))
        order = replace(order, wish=NO_WISH, from_day=None, anytime=True, soonest=soonest)
        if _is_one_visit(wished, ctx):
            return also(_anytime(ctx, order, raw), _heard(state, wished))
    return also(_wished(order, wished, ctx, intro), _heard(state, wished))


def held_wish(ctx: Context, state: Draft) -> Wish:
    """Return the local time that is being held, as a wish."""
    if not isinstance(state, Confirming):
        return NO_WISH
    start = local(ctx, state.hold.slot.start)
    return Wish(start.date(), start.time())


def _anytime(ctx: Context, order: Order, raw: str) -> Step[Choosing]:
    """Show some good times, by anyone unless somebody was named."""
    soonest = k.SOONEST.has(plain(raw))
    order = replace(order, who_known=True, wish=NO_WISH, from_day=None)
    return go_on(ctx, replace(order, anytime=True, soonest=soonest))


def merged(order: Order, wished: Wished, ctx: Context) -> Order:
    """Return the order with what was named now; of the rest, what still fits."""
    if _is_one_visit(wished, ctx):
        first, *others = wished.services
        order = replace(order, service_id=first, also=tuple(others))
        if wished.staff_id is None and order.staff_id is not None:
            team = ctx.catalog.staff_for(wished.services[0])
            if all(person.id != order.staff_id for person in team):
                order = replace(order, staff_id=None, who_known=False)
    if wished.staff_id is not None or wished.anyone:
        order = replace(order, staff_id=wished.staff_id, who_known=True)
    elif wished.stranger or (wished.not_by is not None and wished.not_by == order.staff_id):
        order = replace(order, staff_id=None, who_known=False)
    if wished.not_by is not None or wished.staff_id == order.not_by:
        order = replace(order, not_by=wished.not_by)
    if not wished.says_when:
        return order
    new, old = wished.wish, order.wish
    if wished.from_day is not None:
        return replace(order, wish=replace(new, day=None), from_day=wished.from_day)
    at = old.at if wished.same_time and new.at is None else new.at
    part = new.part or (old.part if at is None else None)
    merged = Wish(new.day or old.day, at, part)
    return replace(order, wish=merged, from_day=None)


def _nobody(ctx: Context, wished: Wished) -> str:
    """Say that nobody here has the name that was written, and who there is."""
    offered = ctx.catalog.staff
    able = tuple(one for one in offered if any(id_ in one.offers for id_ in wished.services))
    team = ", ".join(one.name for one in (able or offered)[:_MOST_NAMES])
    name = fit(wished.stranger or "", t.NAME)
    return words(ctx)(t.NOBODY_CALLED, name=name, team=fit(team, t.ADDRESS))


def _is_one_visit(wished: Wished, ctx: Context) -> bool:
    """Tell whether a text names services that can be one visit: one, or several in turn."""
    if len(wished.services) < 2:
        return bool(wished.services)
    services = [ctx.catalog.service_by_id[id_] for id_ in wished.services]
    alone = any(service.capacity > 1 for service in services)  # a group begins when it begins
    return wished.in_turn and len(services) <= _MOST_SERVICES and not alone


def _wished(order: Order, wished: Wished, ctx: Context, intro: str) -> Step[Choosing]:
    if len(wished.services) > 1 and not _is_one_visit(wished, ctx):
        intro = intro or (words(ctx)(t.ONE_AT_A_TIME) if wished.several else "")
        order = replace(order, service_id=None, also=())
        return ask_service(ctx, order, intro=intro, only=wished.services)
    return go_on(ctx, order, intro)


def _heard(state: State, wished: Wished) -> Record:
    return Record(
        "wish_typed",
        {
            "step": state.step,
            "service": bool(wished.services),
            "staff": wished.staff_id is not None or wished.anyone,
            "when": wished.says_when,
        },
    )


def _number_meant(state: State, raw: str, ctx: Context) -> str:
    """Return what a number alone, which no row has, means where hours or days are asked for."""
    said = [word for word in plain(raw).split() if word not in asides.LEAD.whole]
    if len(said) != 1 or not said[0].isdecimal():
        timed = isinstance(state, ChoosingTime | Confirming) and understand(raw, ctx) is None
        return _HOUR.sub(r"at \1", raw) if timed else raw  # "do you have 10", "2 or 3"
    number = said[0]
    if isinstance(state, ChoosingTime | Confirming):
        return f"{number[:-2]}:{number[-2:]}" if len(number) in (3, 4) else f"at {number}"
    return f"{number}th" if isinstance(state, ChoosingDay) and len(number) < 3 else raw
