"""What the buttons and rows of a booking mean: on the list of now, and on one of last week."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from flows import wording as t
from flows.asking import Idle, also, local, today, words
from flows.draft import ChoosingTime, Confirming, Order
from flows.effects import BookSlot, FindVisit, ReleaseHolds
from flows.formats import capitalised
from flows.greeting import at_menu
from flows.machine import Context, Step
from flows.model import Hold, Piece, Slot, Wish
from flows.ordering import (
    Choosing,
    ask_nearest,
    ask_service,
    ask_staff,
    completed,
    go_on,
    hold,
    is_offered,
)
from flows.replies import (
    BookIt,
    DropBooking,
    MoreDays,
    MoreServices,
    MoreStaff,
    MoreTimes,
    PickDay,
    PickService,
    PickSlot,
    PickStaff,
    Reply,
)

NOTHING = Order()
"""What is known beside an old button."""
Drafting: TypeAlias = Choosing | Confirming
"""Where a booking can stand."""


def follow(reply: Reply, ctx: Context) -> Step[Drafting] | None:
    """Do what a button or row of a booking means, whatever is going on."""
    match reply:
        case PickService(service_id):
            return also(go_on(ctx, Order(service_id)), completed("service"))
        case MoreServices(offset):
            return ask_service(ctx, Order(), offset=offset)
        case PickStaff() | MoreStaff():
            return pick_staff(ctx, reply)
        case PickDay() | MoreDays():
            return pick_day(ctx, reply)
        case MoreTimes():
            return pick_times(ctx, reply)
        case PickSlot():
            return pick_slot(ctx, reply)
        case BookIt():
            return book_it(ctx, reply)
        case DropBooking(moving):
            return drop(ctx, moving)
        case _:
            return None


def pick_staff(
    ctx: Context, reply: PickStaff | MoreStaff, known: Order = NOTHING
) -> Step[Choosing]:
    """Go on with somebody, or with the list of people."""
    order = _kept(Order(reply.service_id, moving=reply.moving, also=reply.also), known)
    if isinstance(reply, PickStaff):
        order = replace(order, staff_id=reply.staff_id, who_known=True)
        return also(go_on(ctx, order), completed("staff"))
    if ctx.catalog.staff_for(reply.service_id):
        return ask_staff(ctx, order, offset=reply.offset)
    return go_on(ctx, order)


def pick_day(ctx: Context, reply: PickDay | MoreDays, known: Order = NOTHING) -> Step[Choosing]:
    """Go on with a day, or with later days."""
    if isinstance(reply, MoreDays):
        return go_on(ctx, replace(_order(reply, known), from_day=reply.from_day))
    order = replace(_order(reply, known), wish=Wish(reply.day))
    return also(go_on(ctx, order), completed("day"))


def pick_times(ctx: Context, reply: MoreTimes, known: Order = NOTHING) -> Step[Choosing]:
    """Go on with further times of a day; with its first ones, let go of what was held."""
    step = go_on(ctx, replace(_order(reply, known), wish=Wish(reply.day)))
    if isinstance(step.state, ChoosingTime):
        step = Step(step.state.model_copy(update={"page": reply.page}), step.effects, step.ask)
    return step if reply.page else also(step, ReleaseHolds())


def pick_slot(ctx: Context, reply: PickSlot, known: Order = NOTHING) -> Step[Choosing]:
    """Keep the time they picked; of a visit that is moved, look first whether it still can be."""
    at = local(ctx, reply.start)
    order = replace(_order(reply, known), wish=Wish(at.date(), at.time()))
    team = {person.id for person in ctx.catalog.staff_for(reply.service_id)}
    if not team or (reply.staff_id is not None and reply.staff_id not in team):
        return go_on(ctx, order)
    if reply.start <= ctx.now:
        w = words(ctx)
        over = w(t.IS_OVER, when=capitalised(w.when(at, today(ctx))))
        return ask_nearest(ctx, replace(order, wish=Wish(at=at.time())), intro=over)
    state = ChoosingTime(
        service_id=reply.service_id,
        also=reply.also,
        staff_id=reply.staff_id,
        moving=order.moving,
        before=order.before,
        day=at.date(),
        wish=order.wish,
        start=reply.start,
        who=reply.who if reply.who in team else None,
        tapped=True,
        not_by=order.not_by,
    )
    if order.moving is not None and order.before is None:
        return Step(state, ask=FindVisit(order.moving))
    return also(hold(ctx, state, reply.start), completed("time"))


def book_it(ctx: Context, reply: BookIt, state: Confirming | None = None) -> Step[Drafting]:
    """Book or move what was held; of an old button, what it held then."""
    doers = zip((reply.service_id, *reply.also), (reply.who, *reply.then), strict=False)
    if not all(is_offered(ctx, *one) for one in doers) or len(reply.also) != len(reply.then):
        return go_on(ctx, _order(reply, NOTHING), intro=words(ctx)(t.STAFF_GONE))
    if state is None or state.hold.id != reply.hold_id:
        kept = _hold_of(ctx, reply)
        state = Confirming(staff_id=reply.staff_id, moving=reply.moving, hold=kept)
    if state.moving is not None:
        return Step(state, ask=FindVisit(state.moving))
    return Step(state, ask=BookSlot(state.hold))


def drop(ctx: Context, moving: UUID | None) -> Step[Idle]:
    """Forget what was held."""
    text = words(ctx)(t.NOT_BOOKED if moving is None else t.KEPT)
    return at_menu(ctx, text, ReleaseHolds())


def _order(reply: PickDay | MoreDays | MoreTimes | PickSlot | BookIt, known: Order) -> Order:
    who = (reply.service_id, reply.staff_id)
    order = Order(*who, who_known=True, moving=reply.moving, also=reply.also)
    return _kept(order, known)


def _kept(order: Order, known: Order) -> Order:
    """Return an order with what no button carries, as far as it is of the same visit."""
    before = known.before
    if before is not None and before.booking_id == order.moving:
        order = replace(order, before=before)
    return replace(order, not_by=None if order.staff_id == known.not_by else known.not_by)


def _hold_of(ctx: Context, reply: BookIt) -> Hold:
    """Make the hold that an old button was about; it has long run out."""
    pieces, at = [], reply.start
    doers = zip((reply.service_id, *reply.also), (reply.who, *reply.then), strict=True)
    for service_id, staff_id in doers:
        offer = ctx.catalog.staff_by_id[staff_id].offers[service_id]
        end = at + timedelta(minutes=offer.minutes)
        pieces.append(Piece(service_id, staff_id, at, end, offer.price_minor))
        at = end
    slot = Slot(
        reply.service_id,
        reply.who,
        reply.start,
        at,
        sum(piece.price_minor for piece in pieces),
        pieces=tuple(pieces) if reply.also else (),
    )
    return Hold(reply.hold_id, slot, until=ctx.now)
