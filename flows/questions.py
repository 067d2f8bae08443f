"""What customers ask about the business itself: hours, prices, address, phone.

Answered whatever is going on, which stays open. Several questions in one message have one answer;
where the message also says what they would like to book, the answer opens the booking.
"""

from __future__ import annotations

from typing import Final

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows.asking import Asking, Idle, buttons, shown, words
from flows.draft import NO_WISH, ChoosingService, Draft, Order, order_of
from flows.effects import Say
from flows.formats import fit
from flows.lists import service_note
from flows.machine import Context, State, Step
from flows.menu import aside
from flows.model import Service
from flows.opening import hours_of, hours_text, works_on
from flows.ordering import ask_service
from flows.replies import MoreServices, OpenMenu, PickService, Reply
from flows.wishes import Wished, understand

_MOST_PRICES: Final = 10


def answer(bare: str, wished: Wished | None, state: State, ctx: Context) -> str:
    """Answer what a bare text asks about the business, in lines; empty where it asks nothing."""
    w, company = words(ctx), ctx.catalog.company
    lines = []
    if asks_open(bare, wished):
        lines.append(hours_text(ctx, wished.wish.day if wished else None))
    if k.WHERE.has(bare) and company.address:
        lines.append(w(t.OUR_ADDRESS, address=fit(company.address, t.ADDRESS)))
    if k.CALL.has(bare):
        phone = company.phone
        lines.append(w(t.PHONE_NUMBER, phone=phone) if phone else w(t.NO_PHONE))
    if k.TEAM.has(bare) and ctx.catalog.staff:
        team = ", ".join(person.name for person in ctx.catalog.staff)
        lines.append(w(t.OUR_TEAM, team=fit(team, t.ADDRESS)))
    busy = isinstance(state, Asking) and not isinstance(state, Idle | ChoosingService)
    if k.PRICE.has(bare) and (any(lines) or busy or asks_when(bare, wished)):
        lines += [_price(ctx, service) for service in _asked_about(wished, state, ctx)]
    return "\n".join(filter(None, lines))


def asks_when(bare: str, wished: Wished | None) -> bool:
    """Tell whether a question about the price also asks for a time."""
    if wished is None or len(wished.services) != 1:
        return False
    return wished.says_when or (asides.WHEN_FREE.has(bare) and not k.HOURS.has(bare))


def asks_open(bare: str, wished: Wished | None) -> bool:
    """Tell whether a text asks if the business is open: "u open sunday?"."""
    named = wished is not None and (wished.services or wished.staff_id or wished.wish.at)
    asked = k.HOURS.has(bare) or not asides.OPEN.whole.isdisjoint(bare.split())
    return asked and (not named or k.HOURS.has(bare)) and not asks_for_person(bare, wished)


def about_person(raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Say when somebody works, and offer what they do: "is kelly in on thursday?"."""
    wished = understand(raw, ctx)
    if wished is None or not asks_for_person(bare, wished):
        return None
    person, day = ctx.catalog.staff_by_id[wished.staff_id or 0], wished.wish.day
    hours = hours_of(ctx, person, day)
    off = day is not None and not works_on(ctx, person, day)
    wish = NO_WISH if off else wished.wish
    return ask_service(ctx, Order(None, person.id, who_known=True, wish=wish), intro=hours)


def asks_for_person(bare: str, wished: Wished | None) -> bool:
    """Tell whether a text asks when somebody works."""
    if wished is None or wished.staff_id is None or wished.services or wished.wish.at is not None:
        return False
    said = bare.split()
    works = not asides.WORKS.whole.isdisjoint(said)
    return works and bool(said) and (said[0] in asides.ASKING.whole or not k.BOOK.has(bare))


def told(state: State, ctx: Context, text: str) -> Step[State]:
    """Give an answer; what was going on stays open."""
    return aside(state, ctx, text)


def price(ctx: Context, service_id: int) -> Step[ChoosingService]:
    """Tell what one service costs, and offer to book it."""
    w, service = words(ctx), ctx.catalog.service_by_id[service_id]
    pairs: list[tuple[t.Message, Reply]] = [(t.BOOK_A_VISIT, PickService(service_id))]
    if len(ctx.catalog.bookable_services) > 1:
        pairs.append((t.OTHER_SERVICE, MoreServices(0)))
    pairs.append((t.MENU, OpenMenu()))
    state = ChoosingService(only=(service_id,))
    return shown(state, Say(_price(ctx, service), buttons(w, *pairs)))


def _price(ctx: Context, service: Service) -> str:
    w = words(ctx)
    name = fit(service.name_in(ctx.locale), t.NAME)
    return w(t.PRICE_OF, service=name, details=service_note(ctx, w, service))


def _asked_about(wished: Wished | None, state: State, ctx: Context) -> tuple[Service, ...]:
    """Return the services whose price is asked: named, or being booked, or all."""
    ids = set(wished.services if wished else ())
    if not ids and isinstance(state, Draft):
        order = order_of(state)
        ids = {id_ for id_ in (order.service_id, *order.also) if id_ is not None}
    offered = ctx.catalog.bookable_services
    return tuple(one for one in offered if one.id in ids) or offered[:_MOST_PRICES]
