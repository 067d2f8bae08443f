"""Salon Lumi as the tests of flows know it: three people, five services."""

from __future__ import annotations

from datetime import time

from flows.model import Company, Policy, Service, Shift, Staff, StaffOffer

LUMI = Company(
    id=1,
    name="Salon Lumi",
    vertical="salon",
    timezone="America/New_York",
    locale="en_US",
    currency="USD",
    country_code="US",
    phone_number_id="100000000000001",
    phone="+1 212 555 0123",
    address="12 Main Street",
    policy=Policy(grid_minutes=30),
)
SERVICES = (
    Service(1, "Women's cut", 60, 8200, names={"ru": "Женская стрижка"}),
    Service(2, "Men's cut", 30, 4000, names={"ru": "Мужская стрижка"}),
    Service(3, "Colour", 90, 12000, names={"ru": "Окрашивание"}),
    Service(4, "Manicure", 45, 3800, names={"ru": "Маникюр"}),
    Service(5, "Pedicure", 60, 5200, names={"ru": "Педикюр"}),
)
HAIR, NAILS = (1, 2, 3), (4, 5)


def person(
    id_: int, name: str, does: tuple[int, ...], days: range, opens: int, closes: int
) -> Staff:
    """Somebody who does these services on these ISO weekdays between two full hours."""
    offers = {
        service.id: StaffOffer(service.minutes, service.price_minor)
        for service in SERVICES
        if service.id in does
    }
    shifts = tuple(Shift(day, time(opens), time(closes)) for day in days)
    return Staff(id_, name, offers=offers, shifts=shifts)


STAFF = (
    person(1, "Becky", HAIR, range(2, 7), 9, 18),
    person(2, "Kelly", HAIR, range(1, 7), 10, 19),
    person(3, "Maria", NAILS, range(1, 6), 10, 18),
)
