"""What a business offers and can never be booked: each with the rule that stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from flows.hours import Calendar, calendar_of
from flows.model import Catalog, Service, Staff
from flows.slots import FREE, free_starts, need_of, offered_between


class Finding(NamedTuple):
    """Something that cannot be booked; who or what it is about, as far as that is known."""

    rule: str
    text: str
    service_id: int | None = None
    staff_id: int | None = None


def never_bookable(catalog: Catalog, now: datetime) -> Iterator[Finding]:
    """Look at every service and at everybody who does it, as if nothing were booked."""
    calendar = calendar_of(catalog)
    idle = {person.id for person in catalog.staff if not _works(calendar, catalog, person, now)}
    for person in catalog.staff:
        if not any(service.id in person.offers for service in catalog.services):
            yield Finding("does_nothing", f"{person.name} does no service.", None, person.id)
        elif person.id in idle:
            yield Finding(
                "no_hours",
                f"{person.name} has no working time ahead: no hours are entered, or breaks, "
                "holidays and closed dates leave none.",
                None,
                person.id,
            )
    for service in catalog.services:
        yield from _service(catalog, calendar, service, idle, now)


def _service(
    catalog: Catalog, calendar: Calendar, service: Service, idle: set[int], now: datetime
) -> Iterator[Finding]:
    missing = [id_ for id_ in service.resources if id_ not in catalog.resource_by_id]
    low, high = offered_between(service, catalog.company.policy, calendar, now)
    team = catalog.staff_for(service.id)
    if not team:
        yield Finding("nobody_does_it", f"Nobody does {service.name}.", service.id)
    elif missing:
        text = f"{service.name} needs a room, chair or bay that is not active."
        yield Finding("resource_is_not_active", text, service.id)
    elif low > high:
        text = f"{service.name} has a lead time that ends after its horizon."
        yield Finding("lead_beyond_horizon", text, service.id)
    else:
        for person in team:
            if person.id not in idle:
                yield from _offer(catalog, calendar, service, person, (low, high))


def _offer(
    catalog: Catalog, calendar: Calendar, service: Service, person: Staff, when: tuple[int, int]
) -> Iterator[Finding]:
    need = need_of(service, person.offers[service.id], catalog.company.policy)
    stretches = calendar.stretches(person.id, *when)
    longest = max((one.end - one.start for one in stretches), default=0)
    if free_starts(calendar, person.id, need, FREE, *when):
        return
    minutes = need.length // 60
    if need.length > longest:
        yield Finding(
            "longer_than_any_shift",
            f"{service.name} takes {minutes} minutes with {person.name}, "
            f"whose longest time without a break is {longest // 60} minutes.",
            service.id,
            person.id,
        )
        return
    yield Finding(
        "no_start",
        f"{service.name} has no start with {person.name} before its horizon: "
        f"its grid of {need.grid // 60} minutes, their time off and the hours leave none.",
        service.id,
        person.id,
    )


def _works(calendar: Calendar, catalog: Catalog, person: Staff, now: datetime) -> bool:
    furthest = max(
        (service.horizon_days or 0 for service in catalog.services),
        default=0,
    )
    days = max(furthest, catalog.company.policy.horizon_days)
    today = calendar.day_of(int(now.timestamp()))
    low, high = calendar.bounds(today).start, calendar.bounds(today + days).end
    return any(
        one.start < high and one.end > low for one in calendar.stretches(person.id, low, high)
    )
