"""What can never be booked is refused where it is entered, or found afterwards and explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from storage import checks
from storage.errors import ConstraintViolated, translate
from storage.pool import Connection
from storage.sentences import SENTENCES, sentence
from tests.support.shop import MONDAY, NOW, Shop, add_resource, add_service, open_shop

CATALOGUE = (
    "companies",
    "staff",
    "service_areas",
    "service_categories",
    "services",
    "staff_services",
    "staff_hours",
    "staff_schedules",
    "time_off",
    "resources",
    "feature_flags",
)


async def refused(conn: Connection, statement: str, *args: object) -> str:
    """The rule that a statement breaks; what it is refused with is a sentence of ours."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await conn.execute(statement, *args)
    error = translate(caught.value)
    assert isinstance(error, ConstraintViolated)
    assert sentence(error) == SENTENCES[error.constraint]
    return error.constraint


async def test_every_rule_of_the_catalogue_has_a_sentence(conn: Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT c.conname AS name FROM pg_constraint AS c
        WHERE c.conrelid = ANY ($1::text[]::regclass[]) AND c.contype IN ('c', 'x', 'u')
        """,
        list(CATALOGUE),
    )
    names = {row["name"] for row in rows}
    assert len(names) > 30
    assert names <= SENTENCES.keys()
    for said in SENTENCES.values():
        assert said[0].isupper()
        assert said.endswith(".")


IMPOSSIBLE = {
    "UPDATE services SET grid_minutes = 0": "services_grid_divides_time",
    "UPDATE services SET grid_minutes = 15, grid_offset_minutes = 15": (
        "services_grid_offset_is_below_the_grid"
    ),
    "UPDATE services SET minutes = 0": "services_take_between_a_minute_and_a_day",
    "UPDATE services SET buffer_after_minutes = -5": "services_buffers_are_within_a_day",
    "UPDATE services SET capacity = 0": "services_capacity_is_at_least_one",
    "UPDATE services SET processing_from_minutes = 30, processing_minutes = 30": (
        "services_processing_lies_inside"
    ),
    "UPDATE services SET processing_minutes = 5": "services_processing_lies_inside",
    "UPDATE services SET lead_minutes = 3000, horizon_days = 1": (
        "services_lead_ends_before_the_horizon"
    ),
    "UPDATE services SET minutes = 600": "staff_services_fit_a_shift",
    "UPDATE staff_services SET minutes = 541": "staff_services_fit_a_shift",
    "UPDATE staff_hours SET ends = '09:30'": "staff_services_fit_a_shift",
    "UPDATE staff_hours SET ends = starts": "staff_hours_are_not_empty",
    "UPDATE staff_hours SET weekday = 8": "staff_hours_weekday_is_iso",
    "UPDATE staff SET timezone = 'Europe/Atlantis'": "staff_timezone_is_known",
    "UPDATE staff SET timezone = 'CEST'": "staff_timezone_is_known",
    "UPDATE companies SET timezone = 'Nowhere+3'": "companies_timezone_is_known",
    "UPDATE staff SET most_visits_a_day = 0": "staff_may_have_a_visit_a_day",
    "UPDATE staff SET weight = 0": "staff_weight_is_positive",
    "UPDATE companies SET settings = '{\"grid_minutes\": 0}'": "companies_grid_is_possible",
    "UPDATE companies SET settings = '{\"horizon_days\": 0.5}'": "companies_horizon_is_possible",
    'UPDATE companies SET settings = \'{"lead_minutes": "soon"}\'': "companies_lead_is_possible",
    "INSERT INTO time_off (company_id, staff_id, starts_at, ends_at)"
    " SELECT company_id, id, '2026-12-02', '2026-12-01' FROM staff": (
        "time_off_ends_after_it_starts"
    ),
    "INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends)"
    " SELECT company_id, id, 1, '17:00', '20:00' FROM staff": "staff_hours_shifts_do_not_overlap",
    "INSERT INTO staff_schedules (company_id, staff_id, day, kind, starts)"
    " SELECT company_id, id, '2026-12-01', 'add', '10:00' FROM staff": (
        "staff_schedules_have_both_times_or_none"
    ),
    "INSERT INTO resources (company_id, name, units) SELECT id, 'Room', 0 FROM companies": (
        "resources_have_units"
    ),
}


@pytest.mark.parametrize(("statement", "rule"), IMPOSSIBLE.items(), ids=IMPOSSIBLE.values())
async def test_what_is_impossible_is_refused_where_it_is_entered(
    conn: Connection, statement: str, rule: str
) -> None:
    await open_shop(conn)
    assert await refused(conn, statement) == rule


@pytest.mark.parametrize(
    "hours",
    [
        [(7, "22:00", "02:00", "work"), (1, "01:00", "05:00", "work")],
        [(1, "22:00", "02:00", "work"), (2, "01:30", "09:00", "work")],
        [(3, "09:00", "12:00", "work"), (3, "11:00", "15:00", "work")],
    ],
)
async def test_shifts_that_overlap_over_midnight_or_the_week_are_refused(
    conn: Connection, hours: Sequence[tuple[int, str, str, str]]
) -> None:
    with pytest.raises(asyncpg.ExclusionViolationError) as caught:
        await open_shop(conn, hours=hours)
    assert caught.value.constraint_name == "staff_hours_shifts_do_not_overlap"


async def test_shifts_may_touch_and_run_over_the_end_of_the_week(conn: Connection) -> None:
    await open_shop(
        conn,
        hours=[
            (7, "22:00", "02:00", "work"),
            (1, "02:00", "05:00", "work"),
            (1, "05:00", "23:59", "work"),
            (1, "12:00", "12:30", "break"),
        ],
    )


async def test_a_shift_of_two_halves_is_as_long_as_both(conn: Connection) -> None:
    hours = [(1, "12:00", "00:00", "work"), (2, "00:00", "06:00", "work")]
    shop = await open_shop(conn, hours=hours, services=[{"minutes": 18 * 60}])
    assert await shop.times(conn, MONDAY) == ["12:00"]
    assert await refused(conn, "UPDATE services SET minutes = 18 * 60 + 1") == (
        "staff_services_fit_a_shift"
    )
    week = [(7, "12:00", "00:00", "work"), (1, "00:00", "06:00", "work")]
    await open_shop(conn, hours=week, services=[{"minutes": 18 * 60}])


async def test_dates_with_hours_of_their_own_may_have_long_services(conn: Connection) -> None:
    shop = await open_shop(conn)
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day, starts, ends)"
        " VALUES ($1, $2, $3, '08:00', '22:00')",
        shop.company_id,
        shop.staff_ids[0],
        MONDAY,
    )
    await conn.execute("UPDATE services SET minutes = 840")
    await shop.refresh(conn)
    assert await shop.times(conn, MONDAY) == ["08:00"]


async def test_hours_and_services_may_be_changed_together(conn: Connection) -> None:
    await open_shop(conn)
    async with conn.transaction():
        await conn.execute("UPDATE services SET minutes = 600")
        await conn.execute("UPDATE staff_hours SET ends = '19:00'")


async def found(conn: Connection, shop: Shop) -> list[tuple[str, int | None, int | None]]:
    findings = await checks.catalogs(conn, company_id=shop.company_id, now=NOW)
    assert all(finding.text.endswith(".") for finding in findings)
    return [(finding.rule, finding.service_id, finding.staff_id) for finding in findings]


async def test_where_everything_can_be_booked_nothing_is_found(conn: Connection) -> None:
    assert await found(conn, await open_shop(conn)) == []


async def test_everything_that_can_never_be_booked_is_found(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly", "Ana"))
    (cut,), (becky, kelly, ana) = shop.service_ids, shop.staff_ids
    await conn.execute("DELETE FROM staff_hours WHERE staff_id = $1", kelly)
    await conn.execute("DELETE FROM staff_services WHERE staff_id = $1", ana)
    nobody = await add_service(conn, shop.company_id, name="Nobody's")
    roomless, early, rare = [
        await add_service(conn, shop.company_id, name=name, position=position, **columns)
        for position, (name, columns) in enumerate(
            [
                ("Massage", {}),
                ("Far", {"lead_minutes": 32 * 24 * 60}),
                ("Rare", {"minutes": 510, "grid_minutes": 60, "grid_offset_minutes": 45}),
            ],
            start=1,
        )
    ]
    await conn.execute(
        "INSERT INTO staff_services (company_id, staff_id, service_id)"
        " SELECT $1, $2, unnest($3::bigint[])",
        shop.company_id,
        becky,
        [roomless, early, rare],
    )
    await add_resource(conn, shop, "Room", 1, [roomless])
    await conn.execute("UPDATE resources SET active = false")
    assert set(await found(conn, shop)) == {
        ("no_hours", None, kelly),
        ("does_nothing", None, ana),
        ("nobody_does_it", nobody, None),
        ("resource_is_not_active", roomless, None),
        ("lead_beyond_horizon", early, None),
        ("no_start", rare, becky),
    }
    assert cut not in {service for _, service, _ in await found(conn, shop)}


async def test_breaks_and_dates_may_leave_too_little(conn: Connection) -> None:
    shop = await open_shop(conn, services=[{"minutes": 300}])
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(
            "INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends, kind)"
            " SELECT $1, $2, n, '13:00', '14:00', 'break' FROM generate_series(1, 7) AS n",
            shop.company_id,
            shop.staff_ids[0],
        )
    assert await found(conn, shop) == [
        ("longer_than_any_shift", shop.service_ids[0], shop.staff_ids[0])
    ]


async def test_clocks_and_settings_from_before_the_rules_are_found(conn: Connection) -> None:
    shop = await open_shop(conn)
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("UPDATE staff SET timezone = 'Nowhere'")
    await conn.execute('UPDATE companies SET settings = \'{"quiet_from": "late"}\'')
    assert ("setting_refused", None, None) in await found(conn, shop)
    assert ("unknown_zone", None, shop.staff_ids[0]) in await found(conn, shop)
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("UPDATE companies SET timezone = 'Nowhere'")
    assert (await found(conn, shop))[0] == ("unknown_zone", None, None)


async def test_11_visits_whose_wall_time_changed_with_the_zone_s_rules_are_found(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    other = await shop.booked(conn, guest, shop.at(MONDAY, "12:00"))
    assert await checks.times(conn, company_id=None, now=NOW) == []
    # As if Berlin had been two hours ahead of UTC in winter when it was booked.
    changed = "UPDATE bookings SET utc_offset_seconds = 7200 WHERE id = $1"
    await conn.execute(changed, visit.id)
    (moved,) = await checks.times(conn, company_id=shop.company_id, now=NOW)
    assert (moved.booking_id, moved.code) == (visit.id, visit.code)
    assert (f"{moved.told:%H:%M}", f"{moved.now:%H:%M}") == ("11:00", "10:00")
    assert await checks.times(conn, company_id=shop.company_id, now=NOW + timedelta(9)) == []
    await shop.cancel(conn, guest, visit.id)
    assert await checks.times(conn, company_id=None, now=NOW) == []
    assert other.status == "confirmed"


async def test_11_whoever_writes_a_booking_without_its_offset_gets_the_one_of_now(
    conn: Connection,
) -> None:
    shop = await open_shop(conn, timezone="America/New_York")
    visit = await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    await conn.execute(
        """
        INSERT INTO bookings (company_id, id, code, customer_id, service_id, staff_id, starts_at,
            ends_at, timezone, price_minor, currency, source, created_at)
        SELECT company_id, uuidv7(), 'A', customer_id, service_id, staff_id, starts_at, ends_at,
            timezone, price_minor, currency, source, created_at FROM bookings WHERE id = $1
        """,
        visit.id,
    )
    offsets = await conn.fetch("SELECT DISTINCT utc_offset_seconds FROM bookings")
    assert [row[0] for row in offsets] == [-5 * 3600]
