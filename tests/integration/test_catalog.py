"""The catalogue: what conversations read of a business, and when it is read again."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest
from structlog.testing import capture_logs

from flows.model import DatedShift, Policy, Shift, Span, StaffOffer
from storage.catalog import CatalogCache, load
from storage.errors import Corrupt
from storage.pool import Connection, Pool, RoundTrips, connection, open_pool
from tests.support.shop import MONDAY, NOW, Shop, add_service, open_shop


async def version(conn: Connection, shop: Shop) -> int:
    found: int = await conn.fetchval(
        "SELECT catalog_version FROM companies WHERE id = $1", shop.company_id
    )
    return found


async def unchecked(conn: Connection, statement: str, *args: object) -> None:
    """Write what the schema's triggers would refuse: a row from before they were there."""
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(statement, *args)


async def test_everything_that_conversations_need_is_there(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky",), hours=[(1, "09:00", "18:00", "work")])
    (becky,) = shop.staff_ids
    await conn.execute(
        """
        INSERT INTO staff_schedules (company_id, staff_id, day, kind, starts, ends)
        VALUES ($1, $2, $3, 'replace', NULL, NULL), ($1, $2, $3, 'add', '10:00', '24:00')
        """,
        shop.company_id,
        becky,
        MONDAY,
    )
    await conn.execute(
        "INSERT INTO time_off (company_id, staff_id, starts_at, ends_at) VALUES ($1, $2, $3, $4)",
        shop.company_id,
        becky,
        NOW,
        NOW + timedelta(hours=1, microseconds=5),
    )
    await conn.execute(
        "INSERT INTO holidays (company_id, day, name) VALUES ($1, $2, 'Christmas')",
        shop.company_id,
        date(2026, 12, 25),
    )
    await conn.execute(
        "INSERT INTO feature_flags (company_id, key, enabled) VALUES ($1, 'waitlist', true)",
        shop.company_id,
    )
    catalog = await load(conn, company_id=shop.company_id)
    (person,) = catalog.staff
    assert person.shifts == (Shift(1, time(9), time(18)),)
    assert set(person.dated_shifts) == {
        DatedShift(MONDAY, "replace"),
        DatedShift(MONDAY, "add", time(10), time(0)),
    }
    assert person.time_off == (Span(NOW, NOW + timedelta(hours=1, microseconds=5)),)
    assert person.offers == {shop.service_ids[0]: StaffOffer(60, 8200)}
    assert catalog.holidays == {date(2026, 12, 25)}
    assert catalog.flags == {"waitlist": True}
    assert catalog.version == await version(conn, shop)
    assert (catalog.company.name, catalog.company.timezone) == ("Salon Lumi", "Europe/Berlin")


async def test_services_come_by_category_and_place_with_their_names(conn: Connection) -> None:
    shop = await open_shop(conn, services=[{"name": "First", "position": 5}])
    category = await conn.fetchval(
        "INSERT INTO service_categories (company_id, name) VALUES ($1, 'Hair') RETURNING id",
        shop.company_id,
    )
    russian = {"ru": {"name": "Стрижка"}, "de": {"name": " "}, "fr": "Coupe", "es": {"name": 5}}
    for name, position in (("Second", 2), ("Cut", 1)):
        await add_service(
            conn,
            shop.company_id,
            name=name,
            position=position,
            category_id=category,
            translations=russian,
            lead_minutes=30,
        )
    await add_service(conn, shop.company_id, name="Gone", active=False)
    catalog = await shop.refresh(conn)
    assert [service.name for service in catalog.services] == ["Cut", "Second", "First"]
    cut = catalog.services[0]
    assert (cut.category, cut.lead_minutes, cut.grid_minutes) == ("Hair", 30, None)
    assert cut.names == {"ru": "Стрижка"}
    assert [service.name for service in catalog.bookable_services] == ["First"]


async def test_people_may_have_their_own_price_and_length_and_may_leave(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    becky, kelly = shop.staff_ids
    await conn.execute("UPDATE staff_services SET minutes = 45 WHERE staff_id = $1", becky)
    await conn.execute("UPDATE staff SET active = false WHERE id = $1", kelly)
    catalog = await shop.refresh(conn)
    assert [person.id for person in catalog.staff] == [becky]
    assert catalog.staff[0].offers == {shop.service_ids[0]: StaffOffer(45, 8200)}


async def test_a_setting_that_makes_no_sense_is_logged_and_has_its_default(
    conn: Connection,
) -> None:
    settings = {"person_minutes": 0, "quiet_from": "soon", "horizon_days": 60, "more": 1}
    with capture_logs() as logs:
        shop = await open_shop(conn, settings=settings)
    assert shop.catalog.company.policy == Policy(horizon_days=60)
    assert [(line["event"], line["field"], line["company_id"]) for line in logs] == [
        ("catalog.setting_refused", "person_minutes", shop.company_id),
        ("catalog.setting_refused", "quiet_from", shop.company_id),
    ]
    assert "soon" not in str(logs)


async def test_without_a_known_time_zone_there_is_no_catalogue(conn: Connection) -> None:
    shop = await open_shop(conn)
    for zone in ("Europe/Atlantis", "../etc/passwd", "America", ""):
        await unchecked(conn, "UPDATE companies SET timezone = $1", zone)
        with pytest.raises(Corrupt):
            await shop.refresh(conn)
    with pytest.raises(Corrupt):
        await load(conn, company_id=987_654)


async def test_somebody_in_an_unknown_time_zone_is_left_out(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    await unchecked(conn, "UPDATE staff SET timezone = 'Nowhere' WHERE id = $1", shop.staff_ids[0])
    with capture_logs() as logs:
        catalog = await shop.refresh(conn)
    assert [person.id for person in catalog.staff] == [shop.staff_ids[1]]
    assert [line["event"] for line in logs] == ["catalog.staff_refused"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE companies SET settings = '{\"grid_minutes\": 30}'",
        "UPDATE services SET name = 'Colour'",
        "DELETE FROM staff_services",
        "INSERT INTO holidays (company_id, day, name) SELECT id, '2026-12-25', 'x' FROM companies",
        "UPDATE staff_hours SET ends = '17:00'",
        "INSERT INTO time_off (company_id, staff_id, starts_at, ends_at)"
        " SELECT company_id, id, '2026-12-01', '2026-12-02' FROM staff",
    ],
)
async def test_the_catalogue_is_read_again_when_it_has_changed(
    conn: Connection, change: str
) -> None:
    shop, cache = await open_shop(conn), CatalogCache()
    first = await cache.get(conn, shop.company_id, await version(conn, shop))
    assert await cache.get(conn, shop.company_id, await version(conn, shop)) is first
    await conn.execute(change)
    second = await cache.get(conn, shop.company_id, await version(conn, shop))
    assert second is not first
    assert second.version == await version(conn, shop)
    assert await cache.get(conn, shop.company_id, first.version) is second


async def test_what_bookings_do_leaves_the_catalogue_alone(conn: Connection) -> None:
    shop = await open_shop(conn)
    before = await version(conn, shop)
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    assert await version(conn, shop) == before


async def test_conversations_that_come_at_once_share_one_read(database_url: str) -> None:
    trips = RoundTrips()
    pool = await open_pool(database_url, size=8, on_statement=trips)
    try:
        async with connection(pool) as conn:
            shop = await open_shop(conn)
        cache, wanted = CatalogCache(), shop.catalog.version
        await trips.taken()

        async def read() -> object:
            async with connection(pool) as conn:
                return await cache.get(conn, shop.company_id, wanted)

        found = await asyncio.gather(*(read() for _ in range(8)))
        assert len({id(catalog) for catalog in found}) == 1
        reads = [statement for statement in await trips.taken() if "catalog.load" in statement]
        assert len(reads) == 1
    finally:
        await pool.close()


async def test_companies_used_longest_ago_are_forgotten_first(pool: Pool) -> None:
    async with connection(pool) as conn:
        shops = [await open_shop(conn) for _ in range(3)]
        cache = CatalogCache(size=2)

        async def get(shop: Shop) -> object:
            return await cache.get(conn, shop.company_id, shop.catalog.version)

        first, second = await get(shops[0]), await get(shops[1])
        assert await get(shops[0]) is first
        await get(shops[2])
        assert await get(shops[0]) is first
        assert await get(shops[1]) is not second
