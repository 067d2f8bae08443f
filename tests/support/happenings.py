"""What happens around a conversation, as sentences of a transcript: `* 6 minutes pass`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.simulator.transcript import NEXT_MORNING
from flows import effects as fx
from flows import events as ev
from flows.areas import Area
from flows.model import Service, Shift, StaffOffer
from flows.reminding import remind
from tests.support.lumi import SERVICES, person
from tests.support.salon import Salon

if TYPE_CHECKING:
    from tests.support.chat import Chat

Happening = Callable[[Salon, "Chat", re.Match[str]], None]


def happen(salon: Salon, sentence: str, chat: Chat) -> None:
    """Let something happen; `chat` is the conversation of the one customer."""
    for pattern, happening in HAPPENINGS.items():
        found = re.fullmatch(pattern, sentence)
        if found:
            happening(salon, chat, found)
            return
    raise AssertionError(f"nobody knows how this happens: {sentence}")


def _moment(salon: Salon, text: str) -> datetime:
    """Read a moment such as `Sat 21 Nov 11:30`, this year or next."""
    for year in (salon.now.year, salon.now.year + 1):
        wall = datetime.strptime(f"{year} {text}", "%Y %a %d %b %H:%M").replace(tzinfo=salon.zone)
        if f"{wall:%a}" == text[:3]:
            return wall.astimezone(UTC)
    raise AssertionError(f"there is no {text}")


def _pass(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.now += timedelta(**{f"{found[2]}s": int(found[1])})


def _it_is(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    wall = datetime.strptime(found[1], "%a %d %b %Y, %H:%M").replace(tzinfo=salon.zone)
    salon.now = wall.astimezone(UTC)


def _next_morning(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    tomorrow = salon.now.astimezone(salon.zone).date() + timedelta(days=1)
    salon.now = datetime.combine(tomorrow, time(9), salon.zone).astimezone(UTC)


def _nothing(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    pass


def _staff_id(salon: Salon, name: str) -> int:
    return next(someone.id for someone in salon.staff if someone.name == name)


def _service(salon: Salon, name: str) -> Service:
    return next(service for service in salon.services if service.name == name)


def _others(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    start = _moment(salon, found[2])
    salon.taken.append((_staff_id(salon, found[1]), start, start + timedelta(minutes=60)))


def _full(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    day = _moment(salon, f"{found[2]} 00:00")
    names = [someone.name for someone in salon.staff] if found[1] == "Everybody" else [found[1]]
    span = (day, day + timedelta(days=1))
    salon.taken += [(_staff_id(salon, name), *span) for name in names]


def _full_for_long(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    names = [someone.name for someone in salon.staff] if found[1] == "Everybody" else [found[1]]
    span = (salon.now, salon.now + timedelta(days=60))
    salon.taken += [(_staff_id(salon, name), *span) for name in names]


def _cancelled(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    """Cut a time out of what others have."""
    staff_id, start = _staff_id(salon, found[1]), _moment(salon, found[2])
    end = start + timedelta(minutes=int(found[3] or 60))
    left = []
    for id_, low, high in salon.taken:
        if id_ != staff_id or high <= start or low >= end:
            left.append((id_, low, high))
            continue
        left += [(id_, low, start)] if low < start else []
        left += [(id_, end, high)] if end < high else []
    salon.taken = left


def _sold(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    staff_id, start = _staff_id(salon, found[1]), _moment(salon, found[2])
    salon.queue.sell(staff_id, start)
    salon.taken.append((staff_id, start, start + timedelta(minutes=60)))


def _policy(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    name = found[1].replace(" ", "_")
    policy = salon.company.policy.model_copy(update={"waitlist_policy": name})
    salon.change(company=replace(salon.company, policy=policy))


def _no_show_rule(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    rules = {"no_show_rule": found[1], "no_show_minutes": 60 * int(found[2])}
    policy = salon.company.policy.model_copy(update=rules)
    salon.change(company=replace(salon.company, policy=policy))


def _picked(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    (entry,) = [one.id for one in salon.queue.waiting if one.who == chat.number]
    chat.told.append(fx.Tell(None, ev.OfferPicked(entry), f"picked:{entry}"))


def _closes(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    weekday = {"Saturdays": 6, "Fridays": 5}[found[1]]
    staff = tuple(
        replace(someone, shifts=tuple(s for s in someone.shifts if s.weekday != weekday))
        for someone in salon.staff
    )
    salon.change(staff=staff)


def _leaves(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(staff=tuple(someone for someone in salon.staff if someone.name != found[1]))


def _ends(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    gone = _service(salon, found[1])
    salon.change(services=tuple(service for service in salon.services if service != gone))


def _visit(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    start = _moment(salon, found[3])
    service = _service(salon, found[1])
    salon.book(chat.number, service.id, _staff_id(salon, found[2]), start)


def _booked(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    """Give the customer a visit as a booking in the chat would: with its reminders."""
    start = _moment(salon, found[3])
    service = _service(salon, found[1])
    visit = salon.book(chat.number, service.id, _staff_id(salon, found[2]), start)
    for effect in remind(salon.company, visit, salon.now):
        chat.apply(effect)


def _was_there(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    wall = datetime.strptime(f"2026 {found[3]}", "%Y %a %d %b %H:%M").replace(tzinfo=salon.zone)
    service = _service(salon, found[1])
    start = wall.astimezone(UTC)
    visit = salon.book(chat.number, service.id, _staff_id(salon, found[2]), start)
    salon.visits[visit.id] = (chat.number, replace(visit, status="completed"))


def _named(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    chat.name = found[1]


def _moved_by_hand(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    """Move the visit behind the bot's back: nobody plans its reminders anew."""
    (one,) = [visit for owner, visit in salon.visits.values() if owner == chat.number]
    start = _moment(salon, found[1])
    moved = replace(one, start=start, end=start + (one.end - one.start), moves=one.moves + 1)
    salon.visits[one.id] = (chat.number, moved)


def _ended_as(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    status = {"stays away": "no_show", "is cancelled by the salon": "cancelled"}[found[1]]
    for id_, (owner, visit) in salon.visits.items():
        if owner == chat.number and visit.status == "confirmed":
            salon.visits[id_] = (owner, replace(visit, status=status))


def _only_service(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(services=(_service(salon, found[1]),))


def _only_person(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(staff=tuple(someone for someone in salon.staff if someone.name == found[1]))


def _no_phone(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(company=replace(salon.company, phone=None))


def _russian(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    names = {"Becky": "Бекки", "Kelly": "Келли", "Maria": "Мария"}
    moscow = replace(
        salon.company,
        name="Салон Люми",
        timezone="Europe/Moscow",
        locale="ru_RU",
        currency="RUB",
        country_code="RU",
        phone="+7 495 555-01-23",
        address="Главная улица, 12",
    )
    staff = tuple(replace(someone, name=names[someone.name]) for someone in salon.staff)
    services = tuple(
        replace(service, price_minor=service.price_minor * 40) for service in salon.services
    )
    offers = {s.id: StaffOffer(s.minutes, s.price_minor) for s in services}
    staff = tuple(replace(one, offers={id_: offers[id_] for id_ in one.offers}) for one in staff)
    salon.change(company=moscow, staff=staff, services=services)
    salon.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)  # 10:00 in Moscow


def _comes(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    """Have the salon come to another place, on the clock of that place."""
    area = Area(len(salon.areas) + 1, found[2], found[1], "", found[3])
    salon.change(areas=(*salon.areas, area))


def _no_longer(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(areas=tuple(area for area in salon.areas if area.city != found[1]))


def _grid(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    policy = salon.company.policy.model_copy(update={"grid_minutes": int(found[1])})
    salon.change(company=replace(salon.company, policy=policy))


def _popular(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.popular = frozenset(time.fromisoformat(at) for at in found[1].split(", "))


def _large(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    services = tuple(
        Service(n, f"Treatment {n}", 30 + 15 * (n % 3), 3000 + 500 * n) for n in range(1, 13)
    )
    offers = {s.id: StaffOffer(s.minutes, s.price_minor) for s in services}
    names = "Ada Bea Cleo Dora Edith Fay Gina Hope Iris Joy Kim Lu"
    shifts = tuple(Shift(day, time(9), time(18)) for day in range(1, 7))
    staff = tuple(
        replace(person(n, name, (), range(0), 0, 0), offers=offers, shifts=shifts)
        for n, name in enumerate(names.split(), 1)
    )
    salon.change(services=services, staff=staff)


def _long_names(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    names = (
        "Women's cut and blow-dry, long hair",
        "Women's cut and blow-dry, short hair",
        "Kératine smoothing treatment with aftercare",
        "Manicure",
        "Manicure",
    )
    salon.change(
        services=tuple(
            replace(service, name=name, names={})
            for service, name in zip(SERVICES, names, strict=True)
        )
    )


def _endless_names(salon: Salon, chat: Chat, found: re.Match[str]) -> None:
    salon.change(
        company=replace(salon.company, name="Salon " * 60, address="Long Street " * 60),
        services=tuple(replace(s, name=f"{s.name} " * 40, names={}) for s in salon.services),
        staff=tuple(replace(one, name=f"{one.name} " * 40) for one in salon.staff),
    )


HAPPENINGS: dict[str, Happening] = {
    r"(\d+) (second|minute|hour|day|week)s? pass(?:es)?": _pass,
    r"it is (\w+ \d+ \w+ \d+, \d+:\d+)": _it_is,
    NEXT_MORNING: _next_morning,
    r"(\w+) hides the number": _nothing,  # no flow knows a number
    r"somebody else books (\w+) on (\w+ \d+ \w+ \d+:\d+)": _others,
    r"(\w+) is booked up on (\w+ \d+ \w+)": _full,
    r"(\w+) is booked up for weeks": _full_for_long,
    r"(\w+) has a cancellation on (\w+ \d+ \w+ \d+:\d+)(?: for (\d+) minutes)?": _cancelled,
    r"the business gives (\w+)'s (\w+ \d+ \w+ \d+:\d+) to somebody else": _sold,
    r"the waitlist's policy is (.+)": _policy,
    r"who is (unconfirmed|unattended) (\d+) hours after a visit stayed away": _no_show_rule,
    r"the staff choose them": _picked,
    r"the business closes on (\w+)": _closes,
    r"(\w+) leaves": _leaves,
    r"(.+) is no longer offered": _ends,
    r"the customer has a visit: (.+) with (\w+) on (\w+ \d+ \w+ \d+:\d+)": _visit,
    r"the customer booked earlier: (.+) with (\w+) on (\w+ \d+ \w+ \d+:\d+)": _booked,
    r"the customer was there: (.+) with (\w+) on (\w+ \d+ \w+ \d+:\d+)": _was_there,
    r"the customer is called (\w+)": _named,
    r"the salon moves the visit by hand to (\w+ \d+ \w+ \d+:\d+)": _moved_by_hand,
    r"the customer (stays away)": _ended_as,
    r"the visit (is cancelled by the salon)": _ended_as,
    r"the salon offers one service, (.+)": _only_service,
    r"one person works there, (\w+)": _only_person,
    r"the salon has no phone": _no_phone,
    r"the salon is in Moscow": _russian,
    r"the salon comes to (.+) \((\w+)\) on the clock of (\S+)": _comes,
    r"the salon no longer comes to (.+)": _no_longer,
    r"times are offered every (\d+) minutes": _grid,
    r"popular times are (.+)": _popular,
    r"the salon has 12 services and 12 people": _large,
    r"the services have long names": _long_names,
    r"all names are endless": _endless_names,
}
