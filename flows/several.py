"""Several bookings in one sentence: the first now, the others offered one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Final, TypeVar

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows.agreeing import refuses
from flows.asking import ROWS, Asking, Idle, local, shown, words
from flows.draft import NO_WISH, Confirming, Draft, Order, order_of
from flows.effects import Button, CallPerson, OptOut, Record, ReleaseHolds, Row, Say
from flows.formats import fit
from flows.greeting import at_menu
from flows.lists import what, wish_text
from flows.machine import Context, State, Step
from flows.manage import ChoosingVisit, ViewingVisit
from flows.model import PARTS, Wish
from flows.ordering import Choosing, go_on
from flows.places import Joining, Places
from flows.plain import plain
from flows.replies import BookNext, Reply, StartBooking, decode, encode
from flows.values import valueclass
from flows.wishes import Wished, understand

_BREAK: Final = re.compile(r"[,;\n]+|[.!?]+(?=\s)")
_MOST_CLAUSES: Final = 8
NAME: Final = 13
"""How much of a service's name a button shows, in UTF-16 units."""
_BUTTONS: Final = 2
"""So many buttons of a message have room beside one more."""
_ENDS: Final = ("booking_submitted", "waitlist_joined")
_DROPPED: Final = "next_dropped"
_KEPT: Final = timedelta(hours=24)
_ELSEWHERE: Final = (Idle, ChoosingVisit, ViewingVisit, Places)
"""Where somebody may go in the middle of a booking; what else happens does not end it."""

S = TypeVar("S", bound=State)


@valueclass(frozen=True, slots=True)
class Next:
    """A booking that was asked for in the same sentence as others, and the words that ask."""

    said: str
    service_id: int | None
    staff_id: int | None
    wish: Wish = NO_WISH

    def text(self, ctx: Context) -> str:
        """Say what it is: `Manicure, Fri, Nov 27`."""
        w, when = words(ctx), wish_text(ctx, self.wish)
        if self.service_id is None:
            return when or w(t.THE_NEXT_ONE)
        name = what(ctx, self.service_id, self.staff_id)
        return w(t.LIST_JOIN, first=name, second=when) if when else name

    @property
    def reply(self) -> BookNext:
        """What the button means that goes on with it."""
        wish = self.wish
        day = 0 if wish.day is None else wish.day.toordinal()
        at = 0 if wish.at is None else wish.at.hour * 60 + wish.at.minute + 1
        part = 0 if wish.part is None else PARTS.index(wish.part) + 1
        return BookNext(self.service_id, self.staff_id, day, at, part)


def parted(raw: str, ctx: Context) -> list[Next]:
    """Return the bookings of a sentence that asks for several, each with its own day or time."""
    clauses = list(_clauses(raw))
    if not 2 <= len(clauses) <= _MOST_CLAUSES:
        return []
    for at in range(1, len(clauses)):
        texts = ". ".join(clauses[:at]), ". ".join(clauses[at:])
        first, second = (understand(text, ctx) for text in texts)
        if first is None or second is None or not _are_two(first, second, texts[1]):
            continue
        one = _next(texts[0], first, None)
        others = parted(texts[1], ctx) or [_next(texts[1], second, one)]
        return [one, *others]
    return []


def for_people(raw: str, ctx: Context) -> list[Next]:
    """Return the bookings that follow where a sentence asks for several people: the same again."""
    if not k.SEVERAL_PEOPLE.has(plain(raw)):
        return []
    wished = understand(raw, ctx)
    again = _next(raw, wished or Wished(), None)
    return [again] * (2 if asides.THREE_PEOPLE.has(plain(raw)) else 1)


def booked_after(raw: str, ctx: Context) -> tuple[str, list[Next]]:
    """Return what a sentence asks for first, and what it asks to book then: "… and book …"."""
    clauses = list(_clauses(raw))
    for at in range(1, min(len(clauses), _MOST_CLAUSES)):
        text = ". ".join(clauses[at:])
        wished = understand(text, ctx)
        if wished is not None and k.BOOK.has(plain(text)) and (wished.services or wished.says_when):
            return ". ".join(clauses[:at]), [_next(text, wished, None)]
    return raw, []


def one_of_each(wished: Wished, wish: Wish) -> tuple[tuple[int, ...], list[Next]]:
    """Return which services may be meant first, and those that are clear, to be booked then.

    Nothing where more than one is open: "haircut and manicure" leaves one, which is asked first.
    """
    doubtful = [group for group in wished.groups if len(group) > 1]
    clear = [group[0] for group in wished.groups if len(group) == 1]
    if len(doubtful) != 1 or not clear:
        return (), []
    return doubtful[0], [Next("", id_, None, replace(wish, at=None)) for id_ in clear]


def in_turn(step: Step[S], others: Sequence[Next]) -> Step[S]:
    """Keep what is to be booked after this in the state."""
    if not others or not isinstance(step.state, Asking):
        return step
    then = tuple(encode(one.reply) for one in others)
    return replace(step, state=step.state.model_copy(update={"then": then}))


def follow(reply: Reply, ctx: Context) -> Step[Choosing] | None:
    """Go on with the next booking."""
    if not isinstance(reply, BookNext):
        return None
    found = _read(reply)
    order = Order(found.service_id, found.staff_id, found.staff_id is not None, found.wish)
    return go_on(ctx, order)


def handed_on(before: State, step: Step[State], ctx: Context) -> Step[State]:
    """Return a step that has not forgotten what is to be booked next.

    What they leave in the middle is to be booked before it; what they begin is that no longer.
    """
    state = step.state
    if not (isinstance(before, Asking) and isinstance(state, Asking)) or state.then:
        return step
    then = before.then
    if not then or _is_dropped(step):
        return step
    if isinstance(before, Draft) and isinstance(state, _ELSEWHERE) and not _is_over(step):
        then = _left(before, then, ctx)
    elif isinstance(state, Draft) and not isinstance(before, Draft):
        then = _without(then, order_of(state))
    kept = {"then": then, "then_until": before.then_until}
    return replace(step, state=state.model_copy(update=kept))


def offer_next(began: State, step: Step[State], ctx: Context) -> Step[State]:
    """Offer what is to be booked next when this is booked or given up, or left for something else.

    It is offered with every menu until they take it, do not want it, or a day has gone by.
    """
    state = step.state
    if not isinstance(state, Asking) or not state.then:
        return step
    until = state.then_until or ctx.now + _KEPT
    gone = any(isinstance(effect, OptOut) for effect in step.effects) or until <= ctx.now
    if gone:
        return replace(step, state=state.model_copy(update={"then": (), "then_until": None}))
    state = state.model_copy(update={"then_until": until})
    step = replace(step, state=state)
    reply = _as_before(decode(state.then[0]), step)
    says = [effect for effect in step.effects if isinstance(effect, Say)]
    if isinstance(state, Draft | Joining) or not isinstance(reply, BookNext) or not says:
        return step
    over, last = _is_over(step), says[-1]
    if not (over or isinstance(began, Draft) or _is_menu(last)) or _is_persons(step):
        return step
    message = t.GO_ON_WITH if over else t.STILL_TO_BOOK
    said = _with_next(last, reply, message, ctx)
    effects = tuple(said if effect is last else effect for effect in step.effects)
    state = state.model_copy(update={"then": (encode(reply), *state.then[1:])})
    return replace(step, state=shown(state, said).state, effects=effects)


def dropped(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Forget what is to be booked next, of whoever says no to it."""
    if not isinstance(state, Idle) or not state.then:
        return None
    offered = any(isinstance(decode(id_), BookNext) for id_, _ in state.offered)
    if not offered or not (refuses(raw) or k.NEVER_MIND.has(bare)):
        return None
    return at_menu(ctx, words(ctx)(t.NO_MATTER), Record(_DROPPED))


def _left(before: Draft, then: tuple[str, ...], ctx: Context) -> tuple[str, ...]:
    """Return what is to be booked, with what they were booking when they left."""
    held = before.hold.slot.start if isinstance(before, Confirming) else None
    wall = local(ctx, held) if held is not None else None
    order = order_of(before, Wish(wall.date(), wall.time()) if wall else NO_WISH)
    if order.service_id is None or order.moving is not None:
        return then
    return (encode(Next("", order.service_id, order.staff_id, order.wish).reply), *then)


def _without(then: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """Return what is left to be booked once a booking is begun: of the same service, it is that."""
    if order.moving is not None:
        return then
    for at, id_ in enumerate(then):
        reply = decode(id_)
        if isinstance(reply, BookNext) and reply.service_id in (None, order.service_id):
            return (*then[:at], *then[at + 1 :])
    return then


def _with_next(say: Say, reply: BookNext, message: t.Message, ctx: Context) -> Say:
    """Say what comes next, with the button or the row that goes on with it."""
    found, title = _read(reply), _title(ctx, _read(reply))
    text = f"{say.text}\n{words(ctx)(message, next=found.text(ctx))}"
    if say.sheet is None:
        button = Button(encode(reply), title)
        return replace(say, text=text, buttons=(*say.buttons[:_BUTTONS], button))
    *others, last = say.sheet.sections
    if sum(len(one.rows) for one in say.sheet.sections) >= ROWS:
        return replace(say, text=text)
    last = replace(last, rows=(*last.rows, Row(encode(reply), title)))
    return replace(say, text=text, sheet=replace(say.sheet, sections=(*others, last)))


def _is_menu(say: Say) -> bool:
    return any(isinstance(decode(button.id), StartBooking) for button in say.buttons)


def _is_dropped(step: Step[State]) -> bool:
    return any(isinstance(one, Record) and one.event_type == _DROPPED for one in step.effects)


def _is_persons(step: Step[State]) -> bool:
    return any(isinstance(effect, CallPerson) for effect in step.effects)


def _is_over(step: Step[State]) -> bool:
    """Tell whether a booking was made, given up, or waits."""
    if any(isinstance(effect, CallPerson | OptOut) for effect in step.effects):
        return False
    return any(
        isinstance(effect, ReleaseHolds)
        or (isinstance(effect, Record) and effect.event_type in _ENDS)
        for effect in step.effects
    )


def _as_before(reply: Reply | None, step: Step[State]) -> Reply | None:
    """Return what is booked for the next person: what the first one has, if nothing was named."""
    for effect in step.effects:
        if isinstance(effect, Record) and isinstance(reply, BookNext) and not reply.service_id:
            service_id = effect.data.get("service_id")
            reply = replace(reply, service_id=service_id if isinstance(service_id, int) else None)
    return reply


def _title(ctx: Context, found: Next) -> str:
    w, service = words(ctx), ctx.catalog.service_by_id.get(found.service_id or 0)
    if service is None:
        return w(t.BOOK_THE_NEXT)
    return w(t.NEXT_ONE, short=fit(service.name_in(ctx.locale), NAME))


def _clauses(raw: str) -> Iterator[str]:
    """Cut a text where it goes on with "and", or where a comma or a full stop stands."""
    for chunk in _BREAK.split(raw):
        said: list[str] = []
        for word in chunk.split():
            if plain(word) in k.AND.whole and said:
                yield " ".join(said)
                said = []
            else:
                said.append(word)
        if said:
            yield " ".join(said)


def _are_two(first: Wished, second: Wished, text: str) -> bool:
    """Tell two bookings from two services at one time: each has a day or time of its own."""
    if not (first.services and first.says_when and second.says_when):
        return False
    if (first.wish, first.from_day) == (second.wish, second.from_day):
        return False
    return bool(second.services) or asides.RELATIVES.has(plain(text))


def _next(said: str, wished: Wished, before: Next | None) -> Next:
    service_id = wished.services[0] if len(wished.services) == 1 else None
    wish = wished.wish
    if before is not None:
        if not wished.services:
            service_id = before.service_id
        if wish.day is None:
            wish = replace(wish, day=before.wish.day)
    return Next(said, service_id, wished.staff_id, wish)


def _read(reply: BookNext) -> Next:
    """Return what a button goes on with; nonsense in it is no wish."""
    day = date.fromordinal(reply.day) if 0 < reply.day <= date.max.toordinal() else None
    at = divmod(reply.at - 1, 60)
    known = 0 < reply.at <= 24 * 60
    part = PARTS[reply.part - 1] if 0 < reply.part <= len(PARTS) else None
    return Next("", reply.service_id, reply.staff_id, Wish(day, time(*at) if known else None, part))
