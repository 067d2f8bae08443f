"""The demo businesses, and data to measure with."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from flows.effects import FindDays, FindEarliest, FindTimes
from flows.events import SlotBooked, SlotHeld
from flows.model import Catalog
from storage import queries, seeds, slots
from storage.catalog import load
from storage.pool import Connection
from tests.support.database import clean
from tests.support.shop import DOUBLE, NOW, OVERLAPS, Shop

LUMI, GARAGE, BENCH = (f"10000000000000{n}" for n in (1, 2, 3))
SUNDAY_NIGHT = datetime.fromisoformat("2026-11-23T04:30:00+00:00")
EVERYTHING = (
    "companies",
    "customers",
    "services",
    "staff",
    "staff_hours",
    "bookings",
    "slot_claims",
)


async def catalog_of(conn: Connection, phone_number_id: str) -> Catalog:
    company_id = await conn.fetchval(
        "SELECT id FROM companies WHERE phone_number_id = $1", phone_number_id
    )
    return await load(conn, company_id=company_id)


async def counts(conn: Connection) -> dict[str, int]:
    return {
        table: await conn.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        for table in EVERYTHING
    }


async def fill(conn: Connection, **numbers: int) -> list[tuple[str, int, int]]:
    told: list[tuple[str, int, int]] = []
    asked = {"companies": 3, "bookings": 400, "messages": 900, "conversations": 50} | numbers
    await seeds.load(
        conn, now=NOW, progress=lambda what, done, total: told.append((what, done, total)), **asked
    )
    return told


async def test_the_demo_is_made_once_and_then_left_alone(conn: Connection) -> None:
    await seeds.demo(conn, now=NOW)
    before = await counts(conn)
    version = (await catalog_of(conn, LUMI)).version
    await conn.execute("UPDATE services SET name = 'Fringe trim' WHERE name = 'Blow-dry'")
    await seeds.demo(conn, now=NOW + timedelta(days=3))
    assert await counts(conn) == before
    changed = await catalog_of(conn, LUMI)
    assert "Fringe trim" in {service.name for service in changed.services}
    assert changed.version == version + 1


@pytest.mark.parametrize("now", [NOW, SUNDAY_NIGHT])
async def test_a_newcomer_finds_a_salon_with_times_to_choose_from(
    conn: Connection, now: datetime
) -> None:
    await seeds.demo(conn, now=now)
    lumi = await catalog_of(conn, LUMI)
    assert (lumi.company.name, lumi.company.vertical) == ("Salon Lumi", "salon")
    assert len({service.category for service in lumi.services}) == 3
    assert lumi.bookable_services == lumi.services
    cut = lumi.services[0]
    assert (cut.name, cut.minutes, cut.price_minor) == ("Women's cut", 60, 8200)
    assert all(service.name_in("ru") != service.name for service in lumi.services)
    for service in lumi.services:
        days: Any = await slots.answer(
            slots.sight(conn),
            lumi,
            FindDays(service.id, None, now.date()),
            now=now,
            conversation_id=None,
        )
        assert len(days.days) == 9
    earliest: Any = await slots.answer(
        slots.sight(conn), lumi, FindEarliest(cut.id), now=now, conversation_id=None
    )
    assert len(earliest.slots) == len(lumi.staff_for(cut.id)) > 1


async def test_popular_times_of_the_demo_carry_a_star(conn: Connection) -> None:
    await seeds.demo(conn, now=NOW)
    lumi = await catalog_of(conn, LUMI)
    starred = []
    for ahead in range(1, 6):
        ask = FindTimes(lumi.services[0].id, None, NOW.date() + timedelta(ahead))
        found: Any = await slots.answer(slots.sight(conn), lumi, ask, now=NOW, conversation_id=None)
        starred += [slot.popular for slot in found.slots]
    assert any(starred)
    assert not all(starred)


async def test_the_visits_of_the_demo_could_have_happened(conn: Connection) -> None:
    await seeds.demo(conn, now=NOW)
    assert await conn.fetchval(DOUBLE) == 0
    assert await conn.fetchval(OVERLAPS) == 0
    ahead, unguarded, wrong, behind = await one(
        conn,
        """
        SELECT
            count(*) FILTER (WHERE b.ends_at > $1),
            count(*) FILTER (WHERE b.ends_at > $1 AND NOT EXISTS (
                SELECT FROM slot_claims AS c WHERE c.booking_id = b.id AND c.part = 'visit'
                    AND c.during = tstzrange(b.starts_at, b.ends_at))),
            count(*) FILTER (WHERE b.created_at > least(b.starts_at, $1)
                OR (b.status = 'confirmed') <> (b.ends_at > $1)),
            count(*) FILTER (WHERE b.ends_at < $1 - interval '80 days')
        FROM bookings AS b
        """,
        NOW,
    )
    assert ahead > 50
    assert behind > 50
    assert (unguarded, wrong) == (0, 0)


async def test_the_garage_comes_to_its_areas(conn: Connection) -> None:
    await seeds.demo(conn, now=NOW)
    garage = await catalog_of(conn, GARAGE)
    assert (garage.company.name, garage.company.vertical) == ("A1 Garage Doors", "garage")
    assert len(garage.bookable_services) == 5
    zones = await conn.fetch("SELECT DISTINCT timezone FROM service_areas WHERE active")
    assert len(zones) == 3
    assert [area.city for area in garage.areas if area.timezone != garage.company.timezone] == [
        "Goshen",
        "South Bend",
        "Niles",
    ]


async def test_loading_makes_exactly_what_was_asked_for(conn: Connection) -> None:
    told = await fill(conn)
    assert await one(
        conn,
        """
        SELECT (SELECT count(*) FROM companies), (SELECT count(*) FROM bookings),
            (SELECT count(*) FROM booking_codes), (SELECT count(*) FROM messages),
            (SELECT count(*) FROM dialog_contexts)
        """,
    ) == (4, 400, 400, 900, 50)
    assert await conn.fetchval(OVERLAPS) == 0
    seen = "SELECT min(reltuples) FROM pg_class WHERE relname IN ('services', 'customers', 'staff')"
    assert await conn.fetchval(seen) >= 4, "the planner knows what was loaded"
    for what, number in (
        ("companies", 3),
        ("bookings", 400),
        ("messages", 900),
        ("conversations", 50),
    ):
        assert (what, number, number) in told
    before = await counts(conn)
    await fill(conn)
    assert await counts(conn) == before


async def test_the_same_numbers_make_the_same_data(conn: Connection) -> None:
    async def look() -> Any:
        return await one(
            conn,
            """
            SELECT
                (SELECT md5(string_agg(concat_ws(' ', id, code, starts_at, ends_at, status), ','
                    ORDER BY id, code)) FROM bookings),
                (SELECT md5(string_agg(concat_ws(' ', wamid, created_at, direction, body), ','
                    ORDER BY wamid)) FROM messages),
                (SELECT md5(string_agg(during::text, ',' ORDER BY during)) FROM slot_claims)
            """,
        )

    await fill(conn)
    first = await look()
    await clean(conn)
    await fill(conn)
    assert await look() == first


@pytest.mark.parametrize("numbers", [{"companies": 0}, {"bookings": 0, "messages": 0}])
async def test_nothing_is_a_number_too(conn: Connection, numbers: dict[str, int]) -> None:
    await fill(conn, **numbers)
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 0


async def test_old_bookings_have_partitions(conn: Connection) -> None:
    await fill(conn, companies=1, bookings=9_000)
    oldest = await conn.fetchval("SELECT min(starts_at)::date FROM bookings")
    assert oldest < date(2026, 6, 1)
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 9_000


async def test_the_bench_company_is_always_open(conn: Connection) -> None:
    await fill(conn, companies=0)
    bench = await catalog_of(conn, BENCH)
    assert len(bench.services) >= 10
    assert len(bench.staff) >= 10
    assert all(len(person.offers) == len(bench.services) for person in bench.staff)
    policy = bench.company.policy
    assert (policy.lead_minutes, policy.horizon_days) == (0, 365)
    assert (policy.grid_minutes, policy.messages_per_second) == (15, 10_000)
    shop = Shop(
        bench.company.id,
        tuple(service.id for service in bench.services),
        tuple(person.id for person in bench.staff),
        bench,
    )
    guest = await shop.guest(conn)
    tomorrow = NOW.date() + timedelta(days=1)
    assert len(await shop.times(conn, tomorrow, staff_id=shop.staff_ids[5])) == 96
    held = await shop.hold(conn, guest, shop.at(tomorrow, "03:45"))
    assert isinstance(held, SlotHeld)
    assert isinstance(await shop.book(conn, guest, held.hold), SlotBooked)


async def one(conn: Connection, query: str, *args: object) -> tuple[Any, ...]:
    row = await conn.fetchrow(query, *args)
    assert row is not None
    return tuple(row)


async def test_what_refers_to_nothing_would_be_found_at_the_end_of_a_load(conn: Connection) -> None:
    await fill(conn)
    companies = [row["id"] for row in await conn.fetch("SELECT id FROM companies")]
    strangers = queries.of("seeds")["strangers"]
    assert await strangers.value(conn, companies=companies) == 0
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("DELETE FROM customers WHERE id IN (SELECT customer_id FROM bookings)")
    assert await strangers.value(conn, companies=companies) > 0
