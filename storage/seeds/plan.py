"""A company on paper, and how it gets into the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("seeds")

Hours = tuple[int, str, str, str]
"""ISO weekday, from, to, "work" or "break"."""


@valueclass(frozen=True, slots=True)
class ServicePlan:
    """A service; prices in cents."""

    name: str
    minutes: int
    price_minor: int
    category: str | None = None
    description: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # by language
    buffer_before: int = 0
    buffer_after: int = 0


@valueclass(frozen=True, slots=True)
class StaffPlan:
    """Somebody who does these services, perhaps with other minutes and prices than usual."""

    name: str
    hours: Sequence[Hours]
    services: Sequence[str]
    offers: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@valueclass(frozen=True, slots=True)
class CompanyPlan:
    """A company with what it offers."""

    name: str
    phone_number_id: str
    timezone: str
    services: Sequence[ServicePlan]
    staff: Sequence[StaffPlan]
    vertical: str = "salon"
    waba_id: str | None = None
    phone: str | None = None
    address: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    areas: Sequence[tuple[str, str, str, str]] = ()  # postal code, city, state, time zone


def on(weekdays: Sequence[int], *spans: tuple[str, str] | tuple[str, str, str]) -> list[Hours]:
    """The same hours on several weekdays."""
    return [
        (weekday, span[0], span[1], span[2] if len(span) == 3 else "work")
        for weekday in weekdays
        for span in spans
    ]


async def create(conn: Connection, plan: CompanyPlan) -> int | None:
    """Make a company with its catalogue; None when its number has a company already."""
    company_id: int | None = await _Q["company"].value(
        conn,
        name=plan.name,
        vertical=plan.vertical,
        timezone=plan.timezone,
        locale="en",
        currency="USD",
        country_code="US",
        phone_number_id=plan.phone_number_id,
        waba_id=plan.waba_id,
        phone=plan.phone,
        address=plan.address,
        settings=plan.settings,
    )
    if company_id is None:
        return None
    await _Q["catalogue"].exec(conn, company_id=company_id, **_catalogue(plan))
    if plan.areas:
        codes, cities, states, zones = (list(column) for column in zip(*plan.areas, strict=True))
        await _Q["areas"].exec(
            conn,
            company_id=company_id,
            postal_codes=codes,
            cities=cities,
            states=states,
            timezones=zones,
        )
    return company_id


def _catalogue(plan: CompanyPlan) -> dict[str, Any]:
    return {
        "categories": list(dict.fromkeys(s.category for s in plan.services if s.category)),
        "services": [
            {
                "category": service.category,
                "name": service.name,
                "description": service.description,
                "translations": {tag: {"name": name} for tag, name in service.names.items()},
                "minutes": service.minutes,
                "price_minor": service.price_minor,
                "buffer_before": service.buffer_before,
                "buffer_after": service.buffer_after,
                "position": position,
            }
            for position, service in enumerate(plan.services)
        ],
        "staff": [person.name for person in plan.staff],
        "offers": [
            {
                "staff": person.name,
                "service": service,
                "minutes": person.offers.get(service, (None, None))[0],
                "price_minor": person.offers.get(service, (None, None))[1],
            }
            for person in plan.staff
            for service in person.services
        ],
        "hours": [
            {"staff": person.name, "weekday": day, "starts": starts, "ends": ends, "kind": kind}
            for person in plan.staff
            for day, starts, ends, kind in person.hours
        ],
    }
