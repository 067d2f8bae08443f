"""One more service: in the visit that somebody has, where there is room, or right after it."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Final, TypeAlias

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows.asking import ROWS, TITLE, Idle, also, buttons, local, sheet, shown, words
from flows.cards import at, of_visit, visit_time
from flows.draft import Before, ChoosingDay, ChoosingService, ChoosingStaff, ChoosingTime, Order
from flows.effects import Record, ReleaseHolds, Row, Say
from flows.formats import fit, told_apart
from flows.greeting import at_menu
from flows.lists import service_note
from flows.machine import Context, Step
from flows.model import Visit, Wish
from flows.ordering import go_on
from flows.plain import plain
from flows.refusals import ended, refusal
from flows.replies import ChangeVisit, TalkToUs, encode
from flows.replies_visits import AddToVisit
from flows.where import at_visit

MOST_SERVICES: Final = 3
"""How many services one visit may have."""

Adding: TypeAlias = ChoosingDay | ChoosingTime | ChoosingStaff | ChoosingService | Idle
"""Where a visit that is to have one more service goes on."""


def asks_to_add(raw: str) -> bool:
    """Tell whether a text asks for something to be added: "can I add …", "добавьте …"."""
    return not asides.ADDS.whole.isdisjoint(plain(raw).split())


def asks_for_more(raw: str) -> bool:
    """Tell whether a text asks for something beside what was spoken of: "also …", "… too"."""
    said = plain(raw)
    if asides.MORE.has(said) or not asides.MORE.whole.isdisjoint(said.split()):
        return True
    lead = list(takewhile(lambda word: word in asides.LEAD.whole, said.split()))
    return not k.AND.whole.isdisjoint(lead)  # "ok, and a manicure"


def fits_in(ctx: Context, services: tuple[int, ...]) -> bool:
    """Tell whether services can be one visit: not too many, and no group among them."""
    known = [ctx.catalog.service_by_id.get(id_) for id_ in services]
    whole = len(services) <= MOST_SERVICES and len(set(services)) == len(services)
    return whole and all(one is not None and one.capacity == 1 for one in known)


def add(ctx: Context, visit: Visit, services: tuple[int, ...]) -> Step[Adding]:
    """Add a service to a visit, or ask which; what cannot be added is offered after it."""
    over = ended(ctx, visit)
    if over is not None:
        return over
    if len(services) != 1:
        return _which(ctx, visit, services)
    ctx, settled = at_visit(ctx, visit)
    service_id, now = services[0], visit_time(ctx, visit, visit.start)
    have = (visit.service_id, *visit.also)
    if service_id in have:
        text = words(ctx)(t.HAS_IT_ALREADY, what=of_visit(ctx, visit), when=at(ctx, visit))
        pairs = ((t.CHANGE, ChangeVisit(visit.id)), (t.TALK_TO_US, TalkToUs()))
        return shown(Idle(), Say(text, buttons(words(ctx), *pairs)))
    team = {person.id for person in ctx.catalog.staff_for(visit.service_id)}
    whole = visit.staff_id in team and fits_in(ctx, (*have, service_id))
    if not whole or refusal(ctx, visit) is not None:
        return also(after_it(ctx, service_id, visit.start, visit.end), *settled)
    order = Order(
        visit.service_id,
        visit.staff_id,
        who_known=True,
        wish=Wish(now.date(), now.time()),
        moving=visit.id,
        before=Before(visit.id, visit.start, visit.staff_id, ends=visit.end),
        also=(*visit.also, service_id),
    )
    started = Record("change_started", {"booking_id": str(visit.id)})
    return also(go_on(ctx, order), *settled, started)


def no_room(ctx: Context, state: ChoosingTime) -> Step[Adding] | None:
    """Offer what there is no room for in a visit right after it; None where nothing is added."""
    if state.before is None or state.before.ends is None or state.start != state.before.start:
        return None
    apart = after_it(ctx, state.also[-1], state.before.start, state.before.ends)
    return also(apart, ReleaseHolds())


def after_it(ctx: Context, service_id: int, start: datetime, ends: datetime) -> Step[Adding]:
    """Offer a service as a visit of its own, at the end of another or as near to it as can be."""
    service = ctx.catalog.service_by_id.get(service_id)
    if service is None:
        return at_menu(ctx, words(ctx)(t.SERVICE_GONE))
    end = local(ctx, ends)
    intro = words(ctx)(t.AFTER_IT, what=fit(service.name_in(ctx.locale), t.NAME))
    wish = Wish(end.date(), end.time().replace(second=0, microsecond=0))
    order = Order(service_id, who_known=True, wish=wish, engaged=(start, ends))
    return go_on(ctx, order, intro=intro)


def _which(ctx: Context, visit: Visit, only: tuple[int, ...]) -> Step[Idle]:
    """Ask which service is to be added."""
    have = (visit.service_id, *visit.also)
    offered = [one for one in ctx.catalog.bookable_services if one.id not in have]
    meant = [one for one in offered if one.id in only] or offered
    w = words(ctx)
    if not meant:
        return at_menu(ctx, w(t.NOTHING_TO_BOOK))
    names = told_apart([one.name_in(ctx.locale) for one in meant[: ROWS - 1]], TITLE)
    rows = [
        Row(encode(AddToVisit(visit.id, one.id)), name, service_note(ctx, w, one))
        for one, name in zip(meant, names, strict=False)
    ]
    rows.append(Row(encode(TalkToUs()), w(t.TALK_TO_US)))
    question = w(t.ADD_WHAT, what=of_visit(ctx, visit), when=at(ctx, visit))
    return shown(Idle(), Say(question, sheet=sheet(w(t.SERVICES), ("", rows))))
