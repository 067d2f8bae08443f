"""The waitlist: join it, see what one waits for, leave it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeAlias

from flows import wording as base
from flows import wording_unasked as unasked
from flows import wording_waitlist as t
from flows.asking import (
    NOTE,
    ROWS,
    TITLE,
    Idle,
    also,
    buttons,
    local,
    reply_of,
    sheet,
    shown,
    today,
    words,
)
from flows.effects import (
    ArmTimer,
    CancelTimer,
    FindPlaces,
    JoinWaitlist,
    LeaveWaitlist,
    Record,
    ReleaseHolds,
    Row,
    Say,
)
from flows.events import Event, PlacesFound, TimesStillFree, WaitlistJoined, WaitlistLeft
from flows.formats import capitalised, fit, told_apart
from flows.greeting import at_menu
from flows.lists import what
from flows.machine import Context, Flow, Step
from flows.model import Slot, Wish
from flows.model_waitlist import Place, Wanted
from flows.ordering import is_offered, last_day, viewed
from flows.places import Joining, Places, ends, place_values
from flows.replies import OpenMenu, PickSlot, Reply, StartBooking, encode
from flows.replies_waitlist import (
    LeaveList,
    ListPlaces,
    MoreWaitServices,
    PickWaitDay,
    ShowPlace,
    StartWaiting,
    WaitAnyway,
    WaitFor,
    WaitOn,
    part_named,
    part_number,
)
from flows.wanted import days_text, next_week, stretch_from, this_week, wanted_text
from flows.wishes import Wished

Waiting: TypeAlias = Joining | Places | Idle
"""Where joining, seeing and leaving can stand."""

SUNDAY = 6
TIMES_SHOWN = 8


def timer_key(waitlist_id: int) -> str:
    """Return the key of the timer that ends a place when its days have gone by."""
    return f"waitlist:{waitlist_id}:over"


# --- joining ---


def joining(state: Joining, event: Event, ctx: Context) -> Step[Waiting] | None:
    """Take days and time of day, and join once all is known."""
    match event:
        case WaitlistJoined(place, news):
            return _joined(ctx, place, news)
        case TimesStillFree(slots):
            return shown(state, _still_free(ctx, state, slots), viewed("waitlist_times"))
        case _:
            reply = reply_of(event)
            return follow(reply, ctx, state) if reply is not None else None


def follow(reply: Reply, ctx: Context, state: Joining | None = None) -> Step[Waiting] | None:
    """Do what a button or row of the waitlist means, whatever is going on."""
    match reply:
        case StartWaiting(service_id, staff_id, but):
            known = state or Joining()
            who = {"staff_id": staff_id or known.staff_id, "not_by": but or known.not_by}
            return wait(ctx, known.model_copy(update={"service_id": service_id, **who}))
        case MoreWaitServices(offset):
            return wait(ctx, (state or Joining()).model_copy(update={"offset": offset}))
        case PickWaitDay(service_id, staff_id, from_day, but):
            known = _known(state, service_id, staff_id, but)
            return wait(ctx, known.model_copy(update={"from_day": from_day}))
        case WaitOn(service_id, staff_id, first, last, but):
            known = _known(state, service_id, staff_id, but)
            return wait(ctx, known.model_copy(update={"first": first, "last": last}))
        case WaitFor() | WaitAnyway():
            known = Joining(
                service_id=reply.service_id,
                staff_id=reply.staff_id,
                not_by=reply.but,
                first=reply.first,
                last=reply.last,
                part=reply.part,
            )
            return wait(ctx, known, anyway=isinstance(reply, WaitAnyway))
        case ListPlaces():
            return Step(Places(), ask=FindPlaces())
        case ShowPlace(waitlist_id):
            return Step(Places(waitlist_id=waitlist_id), ask=FindPlaces())
        case LeaveList(waitlist_id):
            return Step(Places(), ask=LeaveWaitlist(waitlist_id))
        case _:
            return None


def _known(
    state: Joining | None, service_id: int, staff_id: int | None, but: int | None
) -> Joining:
    """Return what is known already, if it is of the same visit."""
    part = state.part if state is not None and state.service_id == service_id else None
    return Joining(service_id=service_id, staff_id=staff_id, not_by=but, part=part)


def wait(
    ctx: Context, state: Joining, *, intro: str = "", anyway: bool = False, misses: int = 0
) -> Step[Waiting]:
    """Ask the next question, or join."""
    state = state.model_copy(update={"misses": misses})
    offered = ctx.catalog.bookable_services
    if not offered:
        return at_menu(ctx, words(ctx)(base.NOTHING_TO_BOOK))
    service_id = state.service_id
    if service_id is None and len(offered) == 1:
        service_id = offered[0].id
    if service_id is None or not is_offered(ctx, service_id, None):
        gone = words(ctx)(base.SERVICE_GONE) if service_id is not None else ""
        state = state.model_copy(update={"service_id": None, "intro": intro or gone})
        return shown(state, _services(ctx, state), viewed("waitlist_service"))
    staff_id = state.staff_id if is_offered(ctx, service_id, state.staff_id) else None
    known = {"service_id": service_id, "staff_id": staff_id, "intro": intro}
    state = state.model_copy(update=known)
    first, last = _in_time(ctx, service_id, state.first, state.last)
    if first is None or last is None:
        state = state.model_copy(update={"first": None, "last": None})
        say = _day_list(ctx, state) if state.from_day else _which_days(ctx, state)
        return shown(state, say, viewed("waitlist_days"))
    state = state.model_copy(update={"first": first, "last": last, "from_day": None})
    if state.part is None:
        return shown(state, _what_time(ctx, state), viewed("waitlist_part"))
    but = state.not_by if staff_id is None and _is_there_another(ctx, state) else None
    wanted = Wanted(first, last, part_named(state.part), staff_id, but)
    if ends(ctx, wanted) <= ctx.now:
        when = capitalised(wanted_text(ctx, wanted))
        over = words(ctx)(base.IS_OVER, when=when)
        again = state.model_copy(update={"first": None, "last": None, "part": None})
        return wait(ctx, again, intro=over)
    return Step(state, ask=JoinWaitlist(service_id, wanted, ends(ctx, wanted), anyway))


def _is_there_another(ctx: Context, state: Joining) -> bool:
    """Tell whether anybody does it but whom they do not want."""
    team = ctx.catalog.staff_for(state.service_id or 0)
    return any(person.id != state.not_by for person in team)


def heard(ctx: Context, state: Joining, wished: Wished) -> Step[Waiting]:
    """Go on with what was typed: it says more, or something else, than was known."""
    update: dict[str, object] = {}
    if len(wished.services) == 1:
        update["service_id"] = wished.services[0]
    if wished.staff_id is not None or wished.anyone:
        update |= {"staff_id": wished.staff_id, "not_by": None}
    if wished.not_by is not None:
        update |= {"staff_id": None, "not_by": wished.not_by}
    if wished.wish.day is None and wished.from_day is not None:
        first, last = stretch_from(wished.from_day, today(ctx))
        update |= {"first": first, "last": last}
    return wait(ctx, with_wish(state.model_copy(update=update), wished.wish))


def with_wish(state: Joining, wish: Wish) -> Joining:
    """Add what a wish says of day and time of day."""
    update: dict[str, object] = {}
    if wish.day is not None:
        update |= {"first": wish.day, "last": wish.day}
    if wish.part_of_day is not None:
        update["part"] = part_number(wish.part_of_day)
    return state.model_copy(update=update)


def anytime(ctx: Context, state: Joining) -> Step[Waiting]:
    """Take "any": any day where days are asked for, any time of it otherwise."""
    if state.service_id is None:
        return wait(ctx, state)
    if state.first is None:
        days = {"first": today(ctx), "last": last_day(ctx, state.service_id)}
        return wait(ctx, state.model_copy(update=days))
    return wait(ctx, state.model_copy(update={"part": 0}))


def _in_time(
    ctx: Context, service_id: int, first: date | None, last: date | None
) -> tuple[date | None, date | None]:
    """Return of wished days those that can be booked; None when there are none."""
    if first is None or last is None:
        return None, None
    first, last = max(first, today(ctx)), min(last, last_day(ctx, service_id))
    return (first, last) if first <= last else (None, None)


def _services(ctx: Context, state: Joining) -> Say:
    w, offered = words(ctx), ctx.catalog.bookable_services
    room = ROWS if len(offered) <= ROWS else ROWS - 1
    page = offered[state.offset : state.offset + room] or offered[:room]
    names = told_apart([service.name_in(ctx.locale) for service in page], TITLE)
    rows = [
        Row(encode(StartWaiting(service.id, state.staff_id)), name)
        for service, name in zip(page, names, strict=True)
    ]
    if state.offset + room < len(offered):
        rows.append(Row(encode(MoreWaitServices(state.offset + room)), w(base.MORE_SERVICES)))
    return Say(w(t.WAIT_FOR_WHAT), sheet=sheet(w(base.SERVICES), ("", rows)))


def _which_days(ctx: Context, state: Joining) -> Say:
    w, now = words(ctx), today(ctx)
    choice, but = (state.service_id or 0, state.staff_id), state.not_by
    pairs: list[tuple[base.Message, Reply]] = []
    if now.weekday() < SUNDAY:
        pairs.append((t.THIS_WEEK, WaitOn(*choice, *this_week(now), but)))
    pairs.append((t.NEXT_WEEK, WaitOn(*choice, *next_week(now), but)))
    if len(pairs) < 2:
        pairs.append((t.ANY_DAY, WaitOn(*choice, now, last_day(ctx, choice[0]), but)))
    pairs.append((t.PICK_A_DAY, PickWaitDay(*choice, now, but)))
    return Say(w(t.WHICH_DAYS, what=what(ctx, *choice)), buttons(w, *pairs))


def _day_list(ctx: Context, state: Joining) -> Say:
    """Offer days, full ones above all."""
    w, now = words(ctx), today(ctx)
    service_id, staff_id = state.service_id or 0, state.staff_id
    last = last_day(ctx, service_id)
    first = max(state.from_day or now, now)
    if first > last:
        first = now
    days = [first + timedelta(days=n) for n in range(ROWS - 1) if first + timedelta(days=n) <= last]
    rows = [
        Row(
            encode(WaitOn(service_id, staff_id, day, day, state.not_by)),
            capitalised(w.day(day, now)),
        )
        for day in days
    ]
    following = days[-1] + timedelta(days=1)
    if following <= last:
        later_days = PickWaitDay(service_id, staff_id, following, state.not_by)
        rows.append(Row(encode(later_days), w(base.LATER_DATES)))
    question = w(t.WHICH_DAYS, what=what(ctx, service_id, staff_id))
    return Say(question, sheet=sheet(w(base.DAYS), ("", rows)))


def _what_time(ctx: Context, state: Joining) -> Say:
    w = words(ctx)
    first, last = state.first or today(ctx), state.last or today(ctx)
    known = (state.service_id or 0, state.staff_id, first, last)
    but = state.not_by
    pairs = (
        (t.ANY_TIME, WaitFor(*known, part_number(None), but)),
        (t.IN_THE_MORNING, WaitFor(*known, part_number("morning"), but)),
        (t.IN_THE_EVENING, WaitFor(*known, part_number("evening"), but)),
    )
    values = {"what": what(ctx, known[0], known[1]), "days": days_text(ctx, first, last)}
    return Say(w(t.WHAT_TIME_OF_DAY, **values), buttons(w, *pairs))


def _still_free(ctx: Context, state: Joining, slots: tuple[Slot, ...]) -> Say:
    """Offer what is free, and to wait all the same."""
    w, now, service_id = words(ctx), today(ctx), state.service_id or 0
    rows = []
    for slot in slots[:TIMES_SHOWN]:
        picked = PickSlot(service_id, state.staff_id, slot.start, slot.staff_id)
        at = capitalised(w.when(local(ctx, slot.start), now))
        person = ctx.catalog.staff_by_id[slot.staff_id]
        note = "" if slot.staff_id == state.staff_id else fit(person.name, NOTE)
        rows.append(Row(encode(picked), fit(at, TITLE), note))
    known = (state.first or now, state.last or now, state.part or 0)
    anyway = WaitAnyway(service_id, state.staff_id, *known, state.not_by)
    rows.append(Row(encode(anyway), w(t.NONE_SUITS), w(t.JOIN_WAITLIST)))
    text = w(t.STILL_FREE, what=what(ctx, service_id, state.staff_id))
    return Say(text, sheet=sheet(w(base.TIMES), ("", rows)))


def _joined(ctx: Context, place: Place, news: str) -> Step[Idle]:
    w = words(ctx)
    message = {"joined": t.JOINED, "added": t.WISH_ADDED}.get(news, t.ALREADY_JOINED)
    values = place_values(ctx, place)
    if news == "added":
        values["when"] = wanted_text(ctx, place.wanted[-1], staff=True)
    leave, menu = LeaveList(place.id), OpenMenu()
    say = Say(w(message, **values), buttons(w, (unasked.LEAVE_LIST, leave), (base.MENU, menu)))
    record = Record(
        "waitlist_joined",
        {"waitlist_id": place.id, "service_id": place.service_id, "news": news},
    )
    over = ArmTimer(timer_key(place.id), "waitlist_over", place.ends, {"waitlist_id": place.id})
    return shown(Idle(), say, over, ReleaseHolds(), record)


# --- what they wait for ---


def places(state: Places, event: Event, ctx: Context) -> Step[Waiting] | None:
    """Show what they wait for, and let them leave."""
    match event:
        case PlacesFound(found):
            return _show(ctx, state, found)
        case WaitlistLeft(place):
            return left(ctx, place)
        case _:
            reply = reply_of(event)
            return follow(reply, ctx) if reply is not None else None


def left(ctx: Context, place: Place | None) -> Step[Idle]:
    """Say that they wait no longer."""
    w = words(ctx)
    if place is None:
        return at_menu(ctx, w(t.NOT_WAITING))
    record = Record("waitlist_left", {"waitlist_id": place.id})
    text = w(t.LEFT, what=what(ctx, place.service_id, None))
    timers = (CancelTimer(timer_key(place.id)), CancelTimer(f"offer:{place.id}"))
    return at_menu(ctx, text, *timers, record)


def _show(ctx: Context, state: Places, found: tuple[Place, ...]) -> Step[Waiting]:
    w = words(ctx)
    if not found:
        if state.intent == "join":
            return wait(ctx, Joining())
        pairs = ((t.JOIN_WAITLIST, StartWaiting(None, None)), (base.BOOK_A_VISIT, StartBooking()))
        say = Say(w(t.NOT_WAITING), buttons(w, *pairs, (base.MENU, OpenMenu())))
        return shown(Idle(), say)
    if len(found) == 1 and state.intent == "leave":
        return Step(state, ask=LeaveWaitlist(found[0].id))
    one = next((place for place in found if place.id == state.waitlist_id), None)
    if len(found) == 1 and state.waitlist_id is None:
        one = found[0]
    if one is not None:
        text = w(t.YOUR_PLACE, **place_values(ctx, one))
        more = (t.JOIN_WAITLIST, StartWaiting(None, None))
        leave = (unasked.LEAVE_LIST, LeaveList(one.id))
        return shown(state, Say(text, buttons(w, leave, more, (base.MENU, OpenMenu()))))
    rows = [_row(ctx, state, place) for place in found[: ROWS - 1]]
    if state.intent != "leave":
        rows.append(Row(encode(StartWaiting(None, None)), w(t.JOIN_WAITLIST)))
    question = w(t.WHICH_TO_LEAVE if state.intent == "leave" else t.YOUR_PLACES)
    return shown(state, Say(question, sheet=sheet(w(t.WAITLIST), ("", rows))), viewed("waitlist"))


def _row(ctx: Context, state: Places, place: Place) -> Row:
    w, values = words(ctx), place_values(ctx, place)
    meant = LeaveList(place.id) if state.intent == "leave" else ShowPlace(place.id)
    note = w(t.PLACE_IN_LINE, place=values["place"], when=values["when"])
    return Row(encode(meant), fit(values["what"], TITLE), fit(note, NOTE))


def list_places(*, leave: bool = False, join: bool = False) -> Step[Places]:
    """Look for what they wait for, to show it, to leave it, or to join if it is nothing."""
    state = Places(intent="leave") if leave else Places(intent="join" if join else "show")
    return Step(state, ask=FindPlaces())


def also_waiting(ctx: Context, step: Step[Idle], waitlist_id: int, service_id: int) -> Step[Idle]:
    """Remind whoever booked otherwise that they still wait, and let them leave."""
    say = next(effect for effect in step.effects if isinstance(effect, Say))
    w = words(ctx)
    still = w(t.STILL_WAITING, what=what(ctx, service_id, None))
    leave = buttons(w, (unasked.LEAVE_LIST, LeaveList(waitlist_id)))
    asked = Say(f"{say.text}\n{still}", leave + say.buttons[:2], attachment=say.attachment)
    others = tuple(effect for effect in step.effects if effect is not say)
    return also(shown(Idle(), asked), *others)


WAITLIST = Flow("waitlist", steps={Joining: joining, Places: places})
