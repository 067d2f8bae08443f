"""Holding and booking: one time belongs to one customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.effects import BookSlot, FindVisit, FindVisits
from flows.events import (
    SlotBooked,
    SlotHeld,
    SlotTaken,
    VisitFound,
)
from storage import bookings
from storage.clock import uuid7
from storage.errors import ConstraintViolated, translated
from storage.pool import Connection, RoundTrips, connection, open_pool
from tests.support.shop import (
    MONDAY,
    NOW,
    OVERLAPS,
    Guest,
    column,
    held,
    open_shop,
    row,
)


async def test_a_hold_keeps_others_away_until_it_is_booked_and_after(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    ten = shop.at(MONDAY, "10:00")
    hold = held(await shop.hold(conn, guest, ten))
    assert (hold.slot.start, hold.slot.end) == (ten, ten + timedelta(hours=1))
    assert hold.slot.price_minor == 8200
    assert await shop.hold(conn, other, shop.at(MONDAY, "10:30")) == SlotTaken()
    made = await shop.book(conn, guest, hold)
    assert isinstance(made, SlotBooked)
    assert (made.visit.status, made.visit.staff_name) == ("confirmed", "Becky")
    assert await shop.hold(conn, other, shop.at(MONDAY, "09:30")) == SlotTaken()
    assert await shop.claims(conn) == [("10:00", "11:00", "visit", "booking")]


async def test_a_booking_says_all_that_the_table_has_room_for(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    stored = await row(conn, "SELECT * FROM bookings")
    code = await row(conn, "SELECT * FROM booking_codes")
    assert stored["id"] == visit.id == code["booking_id"]
    assert stored["code"] == visit.code == code["code"]
    assert (stored["customer_id"], stored["source"]) == (guest.customer_id, "quick")
    assert (stored["timezone"], stored["currency"]) == ("Europe/Berlin", "USD")
    assert (stored["created_at"], stored["status"], stored["moves"]) == (NOW, "confirmed", 0)


async def test_only_what_is_offered_can_be_held(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "12:00", "work")])
    guest = await shop.guest(conn)
    for start in (
        shop.at(MONDAY, "08:45"),
        shop.at(MONDAY, "11:15"),
        shop.at(MONDAY, "10:05"),
        shop.at(MONDAY, "10:00") + timedelta(microseconds=1),
        shop.at(MONDAY + timedelta(1), "10:00"),
        shop.at(MONDAY - timedelta(7), "10:00"),
        shop.at(MONDAY + timedelta(70), "10:00"),
    ):
        assert await shop.hold(conn, guest, start) == SlotTaken()
        assert await shop.hold(conn, guest, start, staff_id=shop.staff_ids[0]) == SlotTaken()
    assert await shop.hold(conn, guest, shop.at(MONDAY, "10:00"), staff_id=987_654) == SlotTaken()
    assert await shop.claims(conn) == []


async def test_a_conversation_holds_one_time_and_can_let_go_of_it(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    await shop.hold(conn, guest, shop.at(MONDAY, "10:00"))
    await shop.hold(conn, guest, shop.at(MONDAY, "10:15"))
    assert await shop.claims(conn) == [("10:15", "11:15", "visit", "hold")]
    await shop.hold(conn, guest, shop.at(MONDAY, "23:00"))
    assert await shop.claims(conn) == []
    await shop.hold(conn, guest, shop.at(MONDAY, "10:15"))
    await bookings.release(conn, company_id=shop.company_id, conversation_id=guest.conversation_id)
    assert await shop.claims(conn) == []


async def test_38_a_second_tap_finds_the_booking_of_the_first(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))
    first, second = await shop.book(conn, guest, hold), await shop.book(conn, guest, hold)
    assert first == second
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 1


async def test_34_a_lapsed_hold_blocks_nobody_and_its_owner_is_told(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))
    later = NOW + timedelta(minutes=5)
    assert isinstance(await shop.hold(conn, other, shop.at(MONDAY, "10:30"), now=later), SlotHeld)
    assert await shop.book(conn, guest, hold, now=later) == SlotTaken()
    assert await shop.claims(conn) == [("10:30", "11:30", "visit", "hold")]


@pytest.mark.parametrize("swept", [False, True], ids=["still there", "swept away"])
async def test_34_a_lapsed_hold_can_be_booked_while_its_time_is_free(
    conn: Connection, swept: bool
) -> None:
    shop = await open_shop(conn, services=[{"buffer_after_minutes": 15}])
    guest = await shop.guest(conn)
    hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))
    later = NOW + timedelta(hours=2)
    if swept:
        assert await bookings.forget_past(conn, now=later) == 2
    assert isinstance(await shop.book(conn, guest, hold, now=later), SlotBooked)
    assert await shop.claims(conn) == [
        ("10:00", "11:00", "visit", "booking"),
        ("11:00", "11:15", "buffer", "booking"),
    ]


async def test_a_hold_that_is_gone_is_not_booked_when_the_time_is_not_offered_any_more(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))
    later = NOW + timedelta(hours=2)
    await bookings.forget_past(conn, now=later)
    past = shop.at(MONDAY, "10:30").astimezone(UTC)
    assert await shop.book(conn, guest, hold, now=past) == SlotTaken()
    await conn.execute("UPDATE services SET minutes = 90")
    await shop.refresh(conn)
    assert await shop.book(conn, guest, hold, now=later) == SlotTaken()
    await conn.execute("UPDATE services SET minutes = 60")
    await conn.execute("DELETE FROM staff_hours")
    await shop.refresh(conn)
    assert await shop.book(conn, guest, hold, now=later) == SlotTaken()
    await conn.execute("UPDATE staff SET active = false")
    await shop.refresh(conn)
    assert await shop.book(conn, guest, hold, now=later) == SlotTaken()


async def test_nobody_books_what_somebody_else_holds(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, thief = await shop.guest(conn), await shop.guest(conn)
    hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))
    assert await shop.book(conn, thief, hold) == SlotTaken()
    await shop.book(conn, guest, hold)
    assert await shop.book(conn, thief, hold) == SlotTaken()
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 1


async def test_a_code_in_use_is_replaced(conn: Connection) -> None:
    shop = await open_shop(conn)
    codes = set()
    for wall in ("10:00", "11:00", "12:00"):
        guest = await shop.guest(conn)
        made = await bookings.book(
            conn,
            shop.catalog,
            BookSlot(held(await shop.hold(conn, guest, shop.at(MONDAY, wall)))),
            now=NOW,
            customer_id=guest.customer_id,
            conversation_id=guest.conversation_id,
            new_id=uuid7(NOW),
            code="ABCDE",
        )
        assert isinstance(made, SlotBooked)
        stored = await conn.fetchval("SELECT code FROM bookings WHERE id = $1", made.visit.id)
        assert stored == made.visit.code
        codes.add(stored)
    assert "ABCDE" in codes
    assert codes == set(await column(conn, "SELECT code FROM booking_codes"))


def test_codes_are_readable() -> None:
    codes = {bookings.new_code() for _ in range(500)}
    assert len(codes) > 490
    assert not set("".join(codes)) & set("IO01")
    assert {len(code) for code in codes} == {5}


async def test_29_anyone_goes_to_the_next_when_the_first_is_taken(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    ten = shop.at(MONDAY, "10:00")
    got = [held(await shop.hold(conn, await shop.guest(conn), ten)).slot.staff_id for _ in range(2)]
    assert got == list(shop.staff_ids)
    assert await shop.hold(conn, await shop.guest(conn), ten) == SlotTaken()


async def test_22_only_the_larger_of_two_buffers_lies_between_visits(conn: Connection) -> None:
    shop = await open_shop(
        conn,
        services=[
            {"buffer_after_minutes": 15},
            {"name": "Colour", "buffer_before_minutes": 30},
        ],
    )
    cut, colour = shop.service_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"), service_id=cut)
    guest = await shop.guest(conn)
    early = await shop.hold(conn, guest, shop.at(MONDAY, "10:15"), service_id=colour)
    assert early == SlotTaken()
    await shop.booked(conn, guest, shop.at(MONDAY, "10:30"), service_id=colour)
    assert await shop.claims(conn) == [
        ("09:00", "10:00", "visit", "booking"),
        ("10:00", "10:15", "buffer", "booking"),
        ("10:00", "10:30", "buffer", "booking"),
        ("10:30", "11:30", "visit", "booking"),
    ]
    assert await conn.fetchval(OVERLAPS) == 0


async def test_a_customer_sees_their_own_visits_only(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    guest, other = await shop.guest(conn), await shop.guest(conn)
    walls = ("14:00", "10:00", "12:00")
    made = [await shop.booked(conn, guest, shop.at(MONDAY, wall)) for wall in walls]
    await shop.booked(conn, other, shop.at(MONDAY, "16:00"))
    await shop.cancel(conn, guest, made[2].id)

    async def seen(past: bool, now: datetime = NOW) -> tuple[list[str], list[str]]:
        found = await bookings.visits(
            conn, shop.catalog, FindVisits(past), now=now, customer_id=guest.customer_id
        )
        upcoming, behind = found.upcoming, found.past
        return [shop.wall(v.start) for v in upcoming], [shop.wall(v.start) for v in behind]

    assert await seen(past=True) == (["10:00", "14:00"], [])
    noon = shop.at(MONDAY, "12:00").astimezone(UTC)
    assert await seen(past=True, now=noon) == (["14:00"], ["10:00"])
    assert await seen(past=False, now=noon) == (["14:00"], [])
    assert await seen(past=True, now=noon + timedelta(days=1)) == ([], ["14:00", "10:00"])

    async def one(who: Guest) -> VisitFound:
        ask = FindVisit(made[0].id)
        return await bookings.visit(conn, shop.catalog, ask, customer_id=who.customer_id)

    assert (await one(guest)).visit == made[0]
    assert await one(other) == VisitFound(None)


async def test_holding_and_booking_take_a_statement_each(database_url: str) -> None:
    trips = RoundTrips()
    pool = await open_pool(database_url, size=1, on_statement=trips)
    try:
        async with connection(pool) as conn:
            shop = await open_shop(conn, staff=("Becky", "Kelly"))
            guest = await shop.guest(conn)
            taken: list[int] = []
            # Once a connection, asyncpg asks what types are made of.
            await shop.booked(conn, guest, shop.at(MONDAY, "17:00"))
            await trips.taken()
            hold = held(
                await shop.hold(conn, guest, shop.at(MONDAY, "10:00"), staff_id=shop.staff_ids[0])
            )
            taken.append(len(await trips.taken()))
            await shop.hold(conn, guest, hold.slot.start)
            taken.append(len(await trips.taken()))
            hold = held(await shop.hold(conn, guest, hold.slot.start))
            await trips.taken()
            visit = await shop.book(conn, guest, hold)
            taken.append(len(await trips.taken()))
            assert isinstance(visit, SlotBooked)
            await shop.cancel(conn, guest, visit.visit.id)
            taken.append(len(await trips.taken()))
            assert taken == [1, 2, 1, 1]
    finally:
        await pool.close()


async def test_a_company_goes_with_all_its_bookings(conn: Connection) -> None:
    shop, other = await open_shop(conn), await open_shop(conn)
    for place in (shop, other):
        await place.booked(conn, await place.guest(conn), place.at(MONDAY, "10:00"))
    await conn.execute("DELETE FROM companies WHERE id = $1", shop.company_id)
    for table in ("bookings", "booking_codes", "slot_claims", "customers", "services", "staff"):
        left = await column(conn, f"SELECT DISTINCT company_id FROM {table}")  # noqa: S608
        assert left == [other.company_id]


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("services", "bookings_service_fkey"),
        ("staff", "bookings_staff_fkey"),
        ("customers", "bookings_customer_fkey"),
    ],
)
async def test_what_a_booking_refers_to_stays(conn: Connection, table: str, rule: str) -> None:
    shop = await open_shop(conn)
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    with pytest.raises(ConstraintViolated) as refused, translated():
        await conn.execute(f"DELETE FROM {table}")  # noqa: S608
    assert refused.value.constraint == rule


async def test_claims_that_are_over_are_forgotten(conn: Connection) -> None:
    shop = await open_shop(conn)
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "12:00"))
    assert await bookings.forget_past(conn, now=NOW + timedelta(minutes=30)) == 0
    assert await bookings.forget_past(conn, now=NOW + timedelta(hours=2)) == 1
    assert await bookings.forget_past(conn, now=NOW + timedelta(days=4)) == 0
    assert await bookings.forget_past(conn, now=NOW + timedelta(days=6)) == 1
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 1


async def test_partitions_are_made_ahead(conn: Connection) -> None:
    far = NOW.date() + timedelta(days=365)
    await bookings.maintain_partitions(conn, far)
    await bookings.maintain_partitions(conn, far)
    names = await column(
        conn,
        "SELECT relname::text FROM pg_class WHERE relname LIKE 'bookings_20%' AND relkind = 'r'",
    )
    assert {"bookings_2027_10", "bookings_2028_05"} <= set(names)
    await bookings.maintain_partitions(conn, NOW.date())
