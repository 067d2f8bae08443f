"""Where to come: a business that comes to its customers asks each of them once, then knows.

Days and times mean nothing before it is known by which clock (flows.areas). So whoever has no area
yet is asked for the postal code before storage is asked for times, whatever led there, and goes on
from where they were. A wish that they wrote before stays what they wrote: its day and time
are read on the clock of the place. What they tapped stays the moment that was shown.

Who has a place on the waitlist from before there were areas takes what is offered as it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from flows import keywords as k
from flows import wording_areas as t
from flows.areas import Area, area_named, looks_like_a_code, seen_from
from flows.asking import Asking, Idle, also, local, shown, words
from flows.cards import place
from flows.draft import (
    ChoosingArea,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Order,
    order_of,
)
from flows.effects import (
    BookSlot,
    Effect,
    FindDays,
    FindEarliest,
    FindNearest,
    FindTimes,
    HoldSlot,
    JoinWaitlist,
    Record,
    Say,
    SetLocale,
    SettleIn,
)
from flows.events import Event, TextReceived
from flows.formats import fit
from flows.greeting import at_menu, help_buttons
from flows.machine import Context, Flow, Handler, State, Step, dump_state
from flows.model import Visit, Wish
from flows.ordering import Choosing, completed, go_on, viewed
from flows.places import Joining, Places
from flows.usual import BookingUsual
from flows.waitlist import wait
from flows.wording import BUTTON, NAME, keywords

Asked: TypeAlias = ChoosingArea | Choosing | Joining | Places
"""Where the answer to "where to?" leads."""

PLACE_WORDS: Final = keywords(
    "postal code|postcode|post code|zip code|zip|another address|different address|other address"
    "|new address|another place|different place|we moved house|somewhere else"
)
_PLACE: Final = k.lexicon(PLACE_WORDS, within=1)
_OF_TIMES: Final = (
    FindEarliest,
    FindDays,
    FindTimes,
    FindNearest,
    HoldSlot,
    BookSlot,
    JoinWaitlist,
)
_CERTAIN: Final = 5
"""A text of so many letters and digits that looks like a postal code is no time of day."""


def unsettled(ctx: Context) -> bool:
    """Tell whether the business comes to its customers, and nobody knows where this one is."""
    return bool(ctx.catalog.areas) and ctx.catalog.area is None


def question(ctx: Context) -> Say:
    """Ask where to come."""
    code = fit(ctx.catalog.areas[0].postal_code, BUTTON) if ctx.catalog.areas else ""
    return Say(words(ctx)(t.WHERE_TO, code=code), help_buttons(ctx))


def start(ctx: Context) -> Step[ChoosingArea | Choosing]:
    """Ask the first question of a booking: where to, where that matters, or else what."""
    if unsettled(ctx):
        return _ask(ctx, ChoosingArea())
    area = ctx.catalog.area
    w = words(ctx)
    return go_on(ctx, Order(), w(t.FOR_PLACE, place=place(w, area)) if area else "")


def choosing_area(state: ChoosingArea, event: Event, ctx: Context) -> Step[Asked] | None:
    """Take a postal code, and go on with what they wanted."""
    if not isinstance(event, TextReceived):
        return None
    area = area_named(event.text, ctx.catalog)
    if area is not None:
        return _settle(ctx, state, area)
    return _not_yet(ctx, state, event.text) if _is_a_code(state, event.text, ctx) else None


def heard(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Take a postal code that is written at any time, or ask for another one when told so."""
    if not ctx.catalog.areas:
        return None
    asks = _PLACE.has(bare)
    if not asks and not _is_a_code(state, raw, ctx):
        return None
    area = area_named(raw, ctx.catalog)
    known = state if isinstance(state, ChoosingArea) else _instead_of(state, ctx)
    if isinstance(state, ChoosingService):
        known = ChoosingArea(order=order_of(state))
    if area is not None and known is not None:
        return _settle(ctx, known, area)
    if area is not None:
        text = words(ctx)(t.WE_COME, place=place(words(ctx), area))
        return at_menu(ctx, text, SettleIn(area.id))
    known = known or ChoosingArea()
    return _ask(ctx, known) if asks else _not_yet(ctx, known, raw)


def at_visit(ctx: Context, visit: Visit) -> tuple[Context, tuple[Effect, ...]]:
    """Speak by the clock of the place where a visit is that is to be changed, from now on."""
    catalog = seen_from(ctx.catalog, visit.area_id)
    if visit.area_id is None or catalog.area is None or catalog is ctx.catalog:
        return ctx, ()
    return replace(ctx, catalog=catalog), (SettleIn(catalog.area.id),)


def first(step_of: Handler) -> Handler:
    """Have a step ask where to come before it speaks of times."""

    def asking(state: State, event: Event, ctx: Context) -> Step[State] | None:
        step = step_of(state, event, ctx)
        if step is None or not unsettled(ctx):
            return step
        begins = isinstance(step.state, Joining) and not isinstance(state, Joining)
        if not begins and not isinstance(step.ask, _OF_TIMES):
            return step
        if any(isinstance(effect, SettleIn) for effect in step.effects):
            return step
        known = _instead_of(step.state, ctx)
        return step if known is None else _diverted(step, known, ctx)

    return asking


def _diverted(step: Step[State], known: ChoosingArea, ctx: Context) -> Step[State]:
    """Keep what a step does besides speaking of times."""
    kept = [
        effect
        for effect in step.effects
        if not isinstance(effect, Say)
        and not (isinstance(effect, Record) and effect.event_type == "step_viewed")
    ]
    for effect in kept:
        if isinstance(effect, SetLocale):
            ctx = replace(ctx, locale=effect.locale)
    if isinstance(step.state, Asking):  # what is yet to be said, and to be booked
        intro = "" if step.ask is None else step.state.intro
        known = known.model_copy(update={"intro": intro, "then": step.state.then})
    return also(_ask(ctx, known), *kept)


def _instead_of(state: State, ctx: Context) -> ChoosingArea | None:
    """Return the question with what a state knows of a visit, if it does."""
    match state:
        case Joining():
            return ChoosingArea(waiting=dump_state(state))
        case BookingUsual(service_id=service_id, staff_id=staff_id, wish=wish):
            order = Order(service_id, staff_id, who_known=True)
            return ChoosingArea(order=order, tapped=_moment(ctx, wish))
        case ChoosingTime(tapped=True, start=moment) if moment is not None:
            return ChoosingArea(order=order_of(state), tapped=moment)
        case Confirming(hold=hold):
            return ChoosingArea(order=order_of(state), tapped=hold.slot.start)
        case ChoosingStaff() | ChoosingDay() | ChoosingTime():
            return ChoosingArea(order=order_of(state))
        case _:
            return None


def _moment(ctx: Context, wish: Wish) -> datetime | None:
    if wish.day is None or wish.at is None:
        return None
    return datetime.combine(wish.day, wish.at, ctx.catalog.zone)


def _ask(ctx: Context, known: ChoosingArea) -> Step[ChoosingArea]:
    return shown(known, question(ctx), viewed("area"))


def _settle(ctx: Context, known: ChoosingArea, area: Area) -> Step[Asked]:
    """Go on with what they wanted, on the clock of the place."""
    ctx = replace(ctx, catalog=seen_from(ctx.catalog, area.id))
    intro, settled = words(ctx)(t.WE_COME, place=place(words(ctx), area)), SettleIn(area.id)
    if known.waiting is not None:
        joining = Joining.model_validate(known.waiting)
        return also(wait(ctx, joining, intro=intro), settled, completed("area"))
    order = known.order
    if known.tapped is not None:
        at = local(ctx, known.tapped)
        order = replace(order, wish=Wish(at.date(), at.time()))
    return also(go_on(ctx, order, intro), settled, completed("area"))


def _not_yet(ctx: Context, known: ChoosingArea, raw: str) -> Step[ChoosingArea]:
    """Say that we do not come there: a person or another place may help."""
    text = words(ctx)(t.NOT_YET, code=fit(raw.upper(), NAME))
    return shown(known, Say(text, help_buttons(ctx)), Record("area_not_served"))


def _is_a_code(state: State, raw: str, ctx: Context) -> bool:
    if not looks_like_a_code(raw, ctx.catalog):
        return False
    return isinstance(state, ChoosingArea | Idle) or sum(map(str.isalnum, raw)) >= _CERTAIN


WHERE = Flow("where", steps={ChoosingArea: choosing_area})
