"""Booking a visit, or moving one: service, who, day, time, held, confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from flows import wording as t
from flows.adding import no_room
from flows.asking import Idle, also, buttons, local, reply_of, shown, today, words
from flows.cards import booked, held
from flows.draft import (
    Before,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Order,
    order_of,
)
from flows.effects import MoveVisit, Record, ReleaseHolds, Say
from flows.events import (
    DaysFound,
    EarliestFound,
    Event,
    NearestFound,
    SlotBooked,
    SlotHeld,
    SlotTaken,
    TimesFound,
    VisitFound,
    VisitGone,
    VisitMoved,
)
from flows.formats import capitalised
from flows.greeting import at_menu
from flows.lists import days, nearest, staff, times, what
from flows.machine import Context, Flow, Step
from flows.model import Hold, Slot, Visit, Wish, part_of
from flows.ordering import (
    Choosing,
    after,
    ask_day,
    ask_nearest,
    ask_service,
    completed,
    days_of,
    go_on,
    hold,
    is_offered,
    viewed,
)
from flows.person import has_it
from flows.picking import (
    book_it,
    drop,
    pick_day,
    pick_slot,
    pick_staff,
    pick_times,
)
from flows.refusals import ended, refusal
from flows.replies import (
    BookIt,
    CallUs,
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
    TalkToUs,
)
from flows.waitlist import also_waiting
from flows.wanted import waiting_for
from flows.wording_waitlist import JOIN_WAITLIST


def choosing_service(state: ChoosingService, event: Event, ctx: Context) -> Step[Choosing] | None:
    """Take a service."""
    match reply_of(event):
        case PickService(service_id):
            order = replace(order_of(state), service_id=service_id)
            return also(go_on(ctx, order), completed("service"))
        case MoreServices(offset):
            return ask_service(ctx, order_of(state), only=state.only, offset=offset)
        case _:
            return None


def choosing_staff(state: ChoosingStaff, event: Event, ctx: Context) -> Step[Choosing] | None:
    """Show who is free when, and take somebody or anyone."""
    if isinstance(event, EarliestFound):
        if not event.slots:
            return nothing_free(ctx, replace(order_of(state), who_known=True))
        return shown(state, staff(ctx, state, event.slots), viewed("staff"))
    match reply_of(event):
        case PickStaff() | MoreStaff() as reply:
            return pick_staff(ctx, reply, order_of(state))
        case _:
            return None


def choosing_day(state: ChoosingDay, event: Event, ctx: Context) -> Step[Choosing] | None:
    """Show the days with free times, and take one."""
    if isinstance(event, DaysFound):
        return _show_days(ctx, state, event)
    match reply_of(event):
        case PickDay() | MoreDays() as reply:
            return pick_day(ctx, reply, order_of(state))
        case MoreStaff() | PickStaff() as reply:
            return pick_staff(ctx, reply, order_of(state))
        case _:
            return None


def choosing_time(
    state: ChoosingTime, event: Event, ctx: Context
) -> Step[ChoosingTime | ChoosingDay | ChoosingStaff | ChoosingService | Confirming | Idle] | None:
    """Show the free times, take one, and keep it while they make up their mind."""
    match event:
        case TimesFound():
            return _show_times(ctx, state, event)
        case NearestFound(slots):
            others = _other_than_now(state, slots)
            if not others:
                return nothing_free(ctx, order_of(state), intro=state.intro)
            return shown(state, nearest(ctx, state, others), viewed("time"))
        case VisitFound(visit):
            return _hold_instead(ctx, state, visit)
        case SlotHeld(kept):
            return confirm(ctx, state, kept)
        case SlotTaken():
            lost = no_room(ctx, state)
            return lost or _lost(ctx, order_of(state), tapped=state.tapped, intro=state.intro)
        case _:
            pass
    match reply_of(event):
        case PickSlot() as reply:
            return pick_slot(ctx, reply, order_of(state))
        case MoreTimes() as reply:
            return pick_times(ctx, reply, order_of(state))
        case MoreDays() as reply:
            return pick_day(ctx, reply, order_of(state))
        case _:
            return None


def confirming(
    state: Confirming, event: Event, ctx: Context
) -> Step[Confirming | ChoosingTime | ChoosingDay | ChoosingStaff | ChoosingService | Idle] | None:
    """Book or move on [Book it]; look for another time, or forget it."""
    match event:
        case SlotBooked(visit, waiting):
            step = _done(ctx, state, visit)
            if waiting is None or visit.start <= ctx.now:
                return step
            return also_waiting(ctx, step, waiting, visit.service_id)
        case SlotTaken():
            return _gone(ctx, state)
        case VisitFound(visit):
            return _move(ctx, state, visit)
        case VisitMoved(visit):
            moved = Record("visit_moved", {"booking_id": str(visit.id)})
            adds = state.before is not None and state.before.ends is not None
            head = t.ADDED if adds else t.MOVED
            return shown(Idle(), booked(ctx, visit, head), completed("confirm"), moved)
        case VisitGone():
            return at_menu(ctx, words(ctx)(t.VISIT_GONE), ReleaseHolds())
        case _:
            pass
    match reply_of(event):
        case BookIt() as reply:
            return book_it(ctx, reply, state)
        case MoreTimes() as reply:
            return pick_times(ctx, reply, order_of(state))
        case DropBooking(moving):
            return drop(ctx, moving)
        case _:
            return None


def confirm(ctx: Context, state: ChoosingTime, kept: Hold) -> Step[Confirming]:
    """Ask whether what is kept shall be booked."""
    asked = Confirming(
        staff_id=state.staff_id,
        moving=state.moving,
        before=state.before,
        hold=kept,
        intro=state.intro,
        not_by=state.not_by,
    )
    return shown(asked, held(ctx, asked), viewed("confirm"))


def nothing_free(ctx: Context, order: Order, *, intro: str = "") -> Step[ChoosingDay | Idle]:
    """Say that there is no time at all, and what can be done: somebody else, call, talk."""
    if order.service_id is None:
        return at_menu(ctx, words(ctx)(t.NOTHING_TO_BOOK))
    w, phone = words(ctx), ctx.catalog.company.phone
    way_out = w(t.CALL_OR_TALK, phone=phone) if phone else w(t.TALK_INSTEAD)
    nothing = w(t.NOTHING_FREE, what=what(ctx, order.service_id, order.staff_id, order.also))
    pairs: list[tuple[t.Message, Reply]] = []
    if not order.also:  # places are waited for one service at a time
        waiting = waiting_for(order.service_id, order.staff_id, order.wish, order.not_by)
        pairs.append((JOIN_WAITLIST, waiting))
    if order.staff_id is not None and len(ctx.catalog.staff_for(order.service_id)) > 1:
        other = MoreStaff(order.service_id, 0, order.moving, order.also)
        pairs.append((t.OTHER_PERSON, other))
    elif order.moving is None and len(ctx.catalog.bookable_services) > 1:
        pairs.append((t.OTHER_SERVICE, MoreServices(0)))
    pairs += [(t.CALL_US, CallUs())] if phone else []
    pairs.append((t.TALK_TO_US, TalkToUs()))
    state = ChoosingDay(
        service_id=order.service_id,
        also=order.also,
        staff_id=order.staff_id,
        moving=order.moving,
        before=order.before,
        from_day=today(ctx),
        intro=intro,
        not_by=order.not_by,
    )
    say = Say(f"{nothing}\n{way_out}", buttons(w, *pairs))
    return shown(state, say, Record("nothing_free", {"service_id": order.service_id}))


def _show_days(ctx: Context, state: ChoosingDay, found: DaysFound) -> Step[ChoosingDay | Idle]:
    if found.days:
        return shown(state, days(ctx, state, found.days, more=found.more), viewed("day"))
    if state.from_day <= today(ctx):
        return nothing_free(ctx, order_of(state))
    # Nothing further on: what is free before.
    state = state.model_copy(update={"from_day": today(ctx)})
    return Step(state, ask=days_of(state))


def _show_times(
    ctx: Context, state: ChoosingTime, found: TimesFound
) -> Step[ChoosingTime | ChoosingDay]:
    w, part = words(ctx), state.wish.part
    slots = _other_than_now(state, found.slots)
    day = capitalised(w.day(found.day, today(ctx)))
    if not slots:
        full = after(state.intro, w(t.DAY_IS_FULL, day=day))
        order = replace(order_of(state), wish=Wish())
        missed = replace(state.wish, day=found.day)
        return ask_day(
            ctx, order, from_day=found.day + timedelta(days=1), intro=full, missed=missed
        )
    if part and all(part_of(local(ctx, slot.start).time()) != part for slot in slots):
        intro = after(state.intro, w(t.PART_IS_FULL[part], day=day))
        missed = Wish(found.day, part=part)
        state = state.model_copy(update={"wish": Wish(), "intro": intro, "missed": missed})
    return shown(state, times(ctx, state, found.day, slots), viewed("time"))


def _other_than_now(state: ChoosingTime, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Leave out the time at which a visit that is being moved is now, or one beside it is."""
    if state.engaged is not None:
        begins, ends = state.engaged
        return tuple(one for one in slots if one.start >= ends or one.end <= begins) or slots
    if state.before is None or state.before.ends is not None:
        return slots
    now = (state.before.start, state.before.staff_id)
    return tuple(slot for slot in slots if (slot.start, slot.staff_id) != now)


def _hold_instead(
    ctx: Context, state: ChoosingTime, visit: Visit | None
) -> Step[ChoosingTime | Idle]:
    """Keep a time that a visit shall be moved to, if it may be moved."""
    refused = refusal(ctx, visit)
    if visit is None or state.start is None or refused is not None:
        return refused or at_menu(ctx, words(ctx)(t.VISIT_GONE))
    before = Before(visit.id, visit.start, visit.staff_id)
    return hold(ctx, state.model_copy(update={"before": before}), state.start)


def _lost(ctx: Context, order: Order, *, tapped: bool, intro: str = "") -> Step[Choosing]:
    """Say that a time is not free, and ask for those near it."""
    w, wish = words(ctx), order.wish
    if order.service_id is None or not is_offered(ctx, order.service_id, order.staff_id):
        return go_on(ctx, replace(order, wish=Wish()))
    if wish.day is None or wish.at is None:
        return ask_nearest(ctx, order)
    when = capitalised(w.when(datetime.combine(wish.day, wish.at), today(ctx)))
    gone = w(t.JUST_GONE if tapped else t.NOT_FREE, when=when)
    return ask_nearest(ctx, order, intro=after(intro, gone))


def _gone(ctx: Context, state: Confirming) -> Step[Choosing]:
    """Somebody else has the time that was to be booked."""
    start = local(ctx, state.hold.slot.start)
    if not has_it(ctx):
        return _lost(ctx, order_of(state, Wish(start.date(), start.time())), tapped=True)
    w = words(ctx)
    gone = w(t.JUST_GONE, when=capitalised(w.when(start, today(ctx))))
    return shown(Idle(), Say(f"{gone} {w(t.PERSON_CAN_HELP)}"))


def _done(ctx: Context, state: Confirming, visit: Visit) -> Step[Idle]:
    """Tell what was booked: now, or by an earlier tap on the same button."""
    over = ended(ctx, visit)
    if over is not None:
        return over
    submitted = Record(
        "booking_submitted",
        {
            "booking_id": str(visit.id),
            "service_id": visit.service_id,
            "staff_id": visit.staff_id,
            "anyone": state.staff_id is None,
        },
    )
    return shown(Idle(), booked(ctx, visit, t.BOOKED), completed("confirm"), submitted)


def _move(ctx: Context, state: Confirming, visit: Visit | None) -> Step[Confirming | Idle]:
    """Move a visit, unless it cannot be moved any more or is moved already."""
    refused, slot = refusal(ctx, visit), state.hold.slot
    if visit is None or refused is not None:
        return refused or at_menu(ctx, words(ctx)(t.VISIT_GONE))
    before = (visit.start, visit.staff_id, visit.also)
    if before == (slot.start, slot.staff_id, slot.also):
        return shown(Idle(), booked(ctx, visit, t.MOVED))
    return Step(state, ask=MoveVisit(visit.id, state.hold))


BOOKING = Flow(
    "booking",
    steps={
        ChoosingService: choosing_service,
        ChoosingStaff: choosing_staff,
        ChoosingDay: choosing_day,
        ChoosingTime: choosing_time,
        Confirming: confirming,
    },
)
