"""Rules that businesses have beyond hours: processing, limits, rooms, groups, several services."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from structlog.testing import capture_logs

from flows.effects import FindNearest, FindTimes, FindVisits
from flows.events import SlotHeld, SlotTaken, VisitMoved
from flows.model import Wish
from storage import bookings
from storage.pool import Connection
from tests.support.shop import (
    MONDAY,
    NOW,
    OVERLAPS,
    Shop,
    add_resource,
    column,
    held,
    open_shop,
)

_VISITS = FindVisits()
MORNING = [(1, "09:00", "12:00", "work")]


async def test_somebody_is_free_while_the_colour_of_another_sets(conn: Connection) -> None:
    colour = {"minutes": 90, "processing_from_minutes": 30, "processing_minutes": 30}
    shop = await open_shop(
        conn, hours=MORNING, services=[colour, {"minutes": 30, "grid_minutes": 30}]
    )
    guest, other = await shop.guest(conn), await shop.guest(conn)
    await shop.booked(conn, guest, shop.at(MONDAY, "09:00"))
    assert await shop.claims(conn) == [
        ("09:00", "09:30", "visit", "booking"),
        ("10:00", "10:30", "visit", "booking"),
    ]
    cut = shop.service_ids[1]
    assert await shop.times(conn, MONDAY, service_id=cut) == ["09:30", "10:30", "11:00", "11:30"]
    await shop.booked(conn, other, shop.at(MONDAY, "09:30"), service_id=cut)
    assert await conn.fetchval(OVERLAPS) == 0


async def test_a_service_may_have_a_grid_with_an_offset(conn: Connection) -> None:
    shop = await open_shop(
        conn, hours=MORNING, services=[{"grid_minutes": 60, "grid_offset_minutes": 20}]
    )
    assert await shop.times(conn, MONDAY) == ["09:20", "10:20"]
    guest = await shop.guest(conn)
    assert await shop.hold(conn, guest, shop.at(MONDAY, "10:00")) == SlotTaken()
    assert isinstance(await shop.hold(conn, guest, shop.at(MONDAY, "10:20")), SlotHeld)


async def test_nobody_gets_more_visits_a_day_than_they_may_have(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    becky, kelly = shop.staff_ids
    await conn.execute("UPDATE staff SET most_visits_a_day = 2 WHERE id = $1", becky)
    await shop.refresh(conn)
    guest = await shop.guest(conn)
    for wall in ("09:00", "13:00"):
        await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, wall), staff_id=becky)
    assert await shop.times(conn, MONDAY, staff_id=becky) == []
    start = shop.at(MONDAY, "16:00")
    assert await shop.hold(conn, guest, start, staff_id=becky) == SlotTaken()
    tuesday = MONDAY + timedelta(1)
    assert await shop.times(conn, tuesday, staff_id=becky)
    anyone = held(await shop.hold(conn, guest, start))
    assert anyone.slot.staff_id == kelly


async def test_a_visit_that_moves_within_its_day_does_not_count_against_its_limit(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    await conn.execute("UPDATE staff SET most_visits_a_day = 1")
    await shop.refresh(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "09:00"))
    new = held(await shop.hold(conn, guest, shop.at(MONDAY, "15:00"), moving=visit.id))
    assert isinstance(await shop.move(conn, guest, visit, new), VisitMoved)
    assert await shop.times(conn, MONDAY) == []


async def rooms(conn: Connection, units: int, **columns: object) -> Shop:
    """Two people who share rooms."""
    shop = await open_shop(conn, staff=("Becky", "Kelly"), hours=MORNING, services=[columns])
    await add_resource(conn, shop, "Room", units, shop.service_ids)
    return shop


async def test_two_people_and_one_room_make_one_visit_at_a_time(conn: Connection) -> None:
    shop = await rooms(conn, 1, grid_minutes=60)
    becky, kelly = shop.staff_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"), staff_id=becky)
    for staff_id in (None, becky, kelly):
        assert await shop.times(conn, MONDAY, staff_id=staff_id) == ["09:00", "11:00"]
    guest = await shop.guest(conn)
    assert await shop.hold(conn, guest, shop.at(MONDAY, "10:00"), staff_id=kelly) == SlotTaken()
    assert isinstance(await shop.hold(conn, guest, shop.at(MONDAY, "11:00")), SlotHeld)


async def test_each_visit_has_a_unit_of_its_own_and_gives_it_back(conn: Connection) -> None:
    shop = await rooms(conn, 2, buffer_after_minutes=30)
    guests = [await shop.guest(conn) for _ in range(3)]
    visits = [await shop.booked(conn, guest, shop.at(MONDAY, "10:00")) for guest in guests[:2]]
    units = "SELECT unit FROM slot_claims WHERE unit IS NOT NULL ORDER BY unit"
    assert await column(conn, units) == [1, 1, 2, 2]  # each with the buffer after it
    await shop.cancel(conn, guests[0], visits[0].id)
    assert await column(conn, units) == [2, 2]
    assert isinstance(await shop.hold(conn, guests[2], shop.at(MONDAY, "10:00")), SlotHeld)
    assert await column(conn, units) == [1, 1, 2, 2]


async def test_a_room_is_taken_while_the_colour_sets(conn: Connection) -> None:
    shop = await rooms(
        conn,
        1,
        minutes=90,
        processing_from_minutes=30,
        processing_minutes=30,
        grid_minutes=30,
    )
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"))
    assert await shop.times(conn, MONDAY) == ["10:30"]


async def test_a_visit_in_a_room_moves_across_its_own_time(conn: Connection) -> None:
    shop = await rooms(conn, 1)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"), staff_id=shop.staff_ids[0])
    new = held(
        await shop.hold(
            conn,
            guest,
            shop.at(MONDAY, "10:30"),
            staff_id=shop.staff_ids[1],
            moving=visit.id,
        )
    )
    assert isinstance(await shop.move(conn, guest, visit, new), VisitMoved)
    assert await shop.claims(conn) == [("10:30", "11:30", "visit", "booking")] * 2


async def test_without_an_active_room_there_are_no_times(conn: Connection) -> None:
    shop = await rooms(conn, 1)
    await conn.execute("UPDATE resources SET active = false")
    await shop.refresh(conn)
    assert await shop.times(conn, MONDAY) == []


async def test_a_lapsed_hold_on_a_room_blocks_nobody_and_is_not_half_booked(
    conn: Connection,
) -> None:
    shop = await rooms(conn, 1)
    becky, kelly = shop.staff_ids
    slow, quick = await shop.guest(conn), await shop.guest(conn)
    mine = held(await shop.hold(conn, slow, shop.at(MONDAY, "10:00"), staff_id=becky))
    later = NOW + timedelta(minutes=6)
    await shop.booked(conn, quick, shop.at(MONDAY, "10:00"), staff_id=kelly, now=later)
    assert await shop.book(conn, slow, mine, now=later) == SlotTaken()
    assert await conn.fetchval(OVERLAPS) == 0


async def group(conn: Connection, capacity: int = 2) -> Shop:
    """Somebody with a class of which up to so many are part, and a cut for one."""
    return await open_shop(
        conn, hours=MORNING, services=[{"capacity": capacity, "grid_minutes": 30}, {}]
    )


async def test_40_a_group_has_as_many_places_as_it_has_and_one_time(conn: Connection) -> None:
    shop = await group(conn)
    ten = shop.at(MONDAY, "10:00")
    guests = [await shop.guest(conn) for _ in range(3)]
    assert await shop.times(conn, MONDAY) == ["09:00", "09:30", "10:00", "10:30", "11:00"]
    await shop.booked(conn, guests[0], ten)
    assert await shop.times(conn, MONDAY) == ["09:00", "10:00", "11:00"]
    assert await shop.times(conn, MONDAY, service_id=shop.service_ids[1]) == ["09:00", "11:00"]
    assert isinstance(await shop.hold(conn, guests[1], ten), SlotHeld)
    assert await shop.times(conn, MONDAY, guest=guests[2]) == ["09:00", "11:00"]
    assert await shop.hold(conn, guests[2], ten) == SlotTaken()
    assert await shop.times(conn, MONDAY, guest=guests[1]) == ["09:00", "10:00", "11:00"]


async def test_40_a_place_that_lapsed_or_was_given_back_is_free(conn: Connection) -> None:
    shop = await group(conn)
    ten = shop.at(MONDAY, "10:00")
    guests = [await shop.guest(conn) for _ in range(3)]
    visit = await shop.booked(conn, guests[0], ten)
    await shop.hold(conn, guests[1], ten)
    later = NOW + timedelta(minutes=6)
    assert isinstance(await shop.hold(conn, guests[2], ten, now=later), SlotHeld)
    await shop.cancel(conn, guests[0], visit.id)
    assert isinstance(await shop.hold(conn, guests[1], ten, now=later), SlotHeld)


async def test_40_with_its_last_place_a_group_gives_its_time_back(conn: Connection) -> None:
    shop = await group(conn)
    guests = [await shop.guest(conn) for _ in range(2)]
    visits = [await shop.booked(conn, guest, shop.at(MONDAY, "10:00")) for guest in guests]
    await shop.cancel(conn, guests[0], visits[0].id)
    assert await shop.times(conn, MONDAY) == ["09:00", "10:00", "11:00"]
    await shop.cancel(conn, guests[1], visits[1].id)
    assert await conn.fetchval("SELECT count(*) FROM slot_claims") == 0
    assert len(await shop.times(conn, MONDAY)) == 5


async def test_40_whoever_holds_a_place_alone_may_look_at_other_times(conn: Connection) -> None:
    shop = await group(conn)
    guest = await shop.guest(conn)
    await shop.hold(conn, guest, shop.at(MONDAY, "10:00"))
    assert len(await shop.times(conn, MONDAY, guest=guest)) == 5
    assert isinstance(await shop.hold(conn, guest, shop.at(MONDAY, "10:30")), SlotHeld)
    walls = [claim[0] for claim in await shop.claims(conn)]
    assert walls == ["10:30", "10:30"]  # the group and the seat in it


async def test_40_a_group_that_only_lapsed_holds_sit_in_blocks_nobody(conn: Connection) -> None:
    shop = await group(conn)
    for _ in range(2):
        await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    later = NOW + timedelta(minutes=6)
    assert len(await shop.times(conn, MONDAY, now=later)) == 5
    await shop.booked(
        conn,
        await shop.guest(conn),
        shop.at(MONDAY, "10:15"),
        service_id=shop.service_ids[1],
        now=later,
    )
    assert await shop.claims(conn) == [("10:15", "11:15", "visit", "booking")]


async def test_40_a_place_in_a_group_can_be_moved(conn: Connection) -> None:
    shop = await group(conn)
    guests = [await shop.guest(conn) for _ in range(3)]
    visits = [await shop.booked(conn, guest, shop.at(MONDAY, "09:00")) for guest in guests[:2]]
    await shop.booked(conn, guests[2], shop.at(MONDAY, "11:00"))
    new = held(await shop.hold(conn, guests[0], shop.at(MONDAY, "11:00"), moving=visits[0].id))
    moved = await shop.move(conn, guests[0], visits[0], new)
    assert isinstance(moved, VisitMoved)
    assert moved.visit.start == shop.at(MONDAY, "11:00")
    assert await shop.times(conn, MONDAY) == ["09:00", "10:00"]
    alone = held(await shop.hold(conn, guests[1], shop.at(MONDAY, "10:00"), moving=visits[1].id))
    assert isinstance(await shop.move(conn, guests[1], visits[1], alone), VisitMoved)
    assert await shop.times(conn, MONDAY) == ["09:00", "10:00"]
    later = NOW + timedelta(hours=1)
    assert await bookings.forget_past(conn, now=later) == 0


async def test_a_group_takes_one_room_for_all_of_it(conn: Connection) -> None:
    shop = await group(conn, 3)
    await add_resource(conn, shop, "Studio", 1, shop.service_ids)
    for _ in range(3):
        await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    assert await conn.fetchval("SELECT count(*) FROM slot_claims WHERE resource_id > 0") == 1
    assert await shop.times(conn, MONDAY) == ["09:00", "11:00"]


async def test_whoever_has_twice_the_weight_gets_twice_the_visits(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    becky, _ = shop.staff_ids
    await conn.execute("UPDATE staff SET weight = 2 WHERE id = $1", becky)
    await shop.refresh(conn)
    visits = [
        await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, f"{9 + hour:02}:00"))
        for hour in range(6)
    ]
    assert sum(visit.staff_id == becky for visit in visits) == 4


async def test_29_the_log_says_who_got_a_visit_for_anyone_and_why(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    becky, kelly = shop.staff_ids
    with capture_logs() as logs:
        for _ in range(3):
            await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    said = [line for line in logs if line["event"] == "slot.assigned"]
    assert [(line["staff_id"], line["reason"], line["candidates"]) for line in said] == [
        (becky, "first_in_order", 2),
        (kelly, "only_one_free", 1),
    ]
    with capture_logs() as logs:
        await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "12:00"), staff_id=becky)
        await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "14:00"))
    assert [(line["staff_id"], line["reason"], line["visits"]) for line in logs] == [
        (kelly, "least_booked", 1)
    ]


@pytest.mark.parametrize("gap_free", [False, True])
async def test_times_that_leave_no_gap_are_known_where_the_business_cares(
    conn: Connection, gap_free: bool
) -> None:
    shop = await open_shop(
        conn, settings={"gap_free": gap_free}, hours=[(1, "09:00", "15:00", "work")]
    )
    ask = FindTimes(shop.service_ids[0], None, MONDAY)
    assert all(slot.snug for slot in (await shop.ask(conn, ask)).slots)
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "11:00"))
    tight = [shop.wall(slot.start) for slot in (await shop.ask(conn, ask)).slots if slot.snug]
    expected = ["09:00", "10:00", "12:00", "14:00"]
    assert tight == expected if gap_free else len(tight) > len(expected)
    wish = FindNearest(shop.service_ids[0], None, Wish(MONDAY, time(11)))
    near = (await shop.ask(conn, wish)).slots[:3]
    assert [shop.wall(slot.start) for slot in near] == (
        ["10:00", "12:00", "09:00"] if gap_free else ["10:00", "12:00", "09:45"]
    )
