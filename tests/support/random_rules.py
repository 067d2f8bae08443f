"""Random businesses: rules that people could enter, near the hours at which clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from flows.areas import Area, seen_from
from flows.hours import offset_at
from flows.model import Catalog, Company, DatedShift, Shift, Span, Staff
from tests.support.oracle import Question

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Chisinau",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Gaza",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)


def changes(zone: str, at_most: int = 10) -> list[date]:
    """Days on which the clocks of a zone changed, the latest ones."""
    tz = ZoneInfo(zone)
    found: list[date] = []
    day = date(2026, 12, 31)
    while len(found) < at_most and day.year > 2005:
        noon = int(datetime.combine(day, time(12), UTC).timestamp())
        if offset_at(noon, tz) != offset_at(noon - 86_400, tz):
            found.append(day)
        day -= timedelta(1)
    return found


def business(rng: Random, zone: str, day: date) -> Catalog:
    """One person with random rules around a day; now and then in another zone than the company."""
    person_zone = rng.choice([None, None, None, rng.choice(ZONES)])
    shifts: dict[tuple[int, time, str], Shift] = {}
    for weekday in range(1, 8):
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            made = Shift(weekday, *_times(rng), rng.choice(["work", "work", "work", "break"]))
            shifts[weekday, made.starts, made.kind] = made
    rows = [
        DatedShift(day + timedelta(rng.randint(-1, 1)), kind, *_times(rng))
        for kind in rng.sample(["replace", "add", "break", "break"], rng.choice([0, 0, 1, 2]))
    ]
    if rng.random() < 0.1:
        rows.append(DatedShift(day, "replace"))
    holidays = frozenset({day} if rng.random() < 0.1 else ())
    midnight = datetime.combine(day, time(), UTC)
    since = midnight + timedelta(minutes=rng.randint(-600, 1200))
    away = (Span(since, since + timedelta(minutes=rng.randint(1, 300))),)
    person = Staff(
        7,
        "Becky",
        person_zone,
        shifts=tuple(shifts.values()),
        dated_shifts=tuple(rows),
        time_off=away if rng.random() < 0.3 else (),
    )
    company = Company(1, "Salon", "salon", zone, "en", "USD", "US", "1")
    return Catalog(company, (), (person,), holidays)


def from_afar(rng: Random, zone: str, day: date) -> Catalog:
    """The same seen from an area with the clock of that zone; the company has any other."""
    company = business(rng, rng.choice([other for other in ZONES if other != zone]), day)
    area = Area(1, "60608", "Chicago", "IL", zone)
    return seen_from(replace(company, areas=(area,)), area.id)


def _times(rng: Random) -> tuple[time, time]:
    """Two wall times, near the hours at which clocks change more often than not."""
    while True:
        low = rng.choice([rng.randint(0, 5), rng.randint(0, 23), 22, 23])
        high = rng.choice([rng.randint(0, 5), rng.randint(0, 23), 18, 23])
        starts = time(low, rng.choice([0, 0, 15, 30, 45, 7]))
        ends = time(high, rng.choice([0, 0, 15, 30, 59]))
        if starts != ends and (starts, ends) != (time(0), time(23, 59)):
            return starts, ends


def question(rng: Random, low: int, high: int) -> Question:
    spots = [rng.randint(low, high) for _ in range(rng.randint(0, 6))]
    return Question(
        minutes=rng.choice([5, 15, 20, 45, 60, 90, 240]),
        before=rng.choice([0, 0, 10, 30]),
        after=rng.choice([0, 0, 5, 25]),
        grid=rng.choice([5, 10, 15, 15, 20, 30, 60, 7]),
        visits=[(at, at + rng.randint(1, 120)) for at in spots],
        buffers=[(at - rng.randint(1, 30), at) for at in spots if rng.random() < 0.5],
    )
