"""Several services in one visit: back to back, by one person or by several, all or nothing."""

from __future__ import annotations

from datetime import timedelta

from flows.effects import FindNearest, FindVisits
from flows.events import SlotBooked, SlotTaken, VisitMoved
from flows.model import Wish
from storage import bookings
from storage.pool import Connection
from tests.support.shop import (
    MONDAY,
    NOW,
    OVERLAPS,
    Shop,
    add_service,
    column,
    held,
    open_shop,
)

_VISITS = FindVisits()
MORNING = [(1, "09:00", "12:00", "work")]


async def salon(conn: Connection) -> tuple[Shop, int, int]:
    """Becky cuts and colours, Kelly colours only; a cut takes an hour, a colour half of one."""
    shop = await open_shop(conn, staff=("Becky", "Kelly"), hours=MORNING, services=[{}])
    cut = shop.service_ids[0]
    colour = await add_service(
        conn, shop.company_id, name="Colour", minutes=30, price_minor=5000, buffer_after_minutes=15
    )
    await conn.execute(
        "INSERT INTO staff_services (company_id, staff_id, service_id)"
        " SELECT company_id, id, $1 FROM staff",
        colour,
    )
    await conn.execute(
        "DELETE FROM staff_services WHERE staff_id = $1 AND service_id = $2",
        shop.staff_ids[1],
        cut,
    )
    await shop.refresh(conn)
    return shop, cut, colour


async def test_two_services_make_one_visit_back_to_back(conn: Connection) -> None:
    shop, cut, colour = await salon(conn)
    becky, _ = shop.staff_ids
    guest = await shop.guest(conn)
    assert (await shop.times(conn, MONDAY, service_id=cut, also=(colour,)))[-1] == "10:30"
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"), service_id=cut, also=(colour,))
    assert [
        (piece.service_name, piece.staff_name, shop.wall(piece.start), shop.wall(piece.end))
        for piece in visit.pieces
    ] == [("Women's cut", "Becky", "10:00", "11:00"), ("Colour", "Becky", "11:00", "11:30")]
    assert (shop.wall(visit.end), visit.price_minor) == ("11:30", 13200)
    assert await shop.claims(conn) == [
        ("10:00", "11:30", "visit", "booking"),
        ("11:30", "11:45", "buffer", "booking"),
    ]
    (stored,) = (
        await bookings.visits(conn, shop.catalog, _VISITS, now=NOW, customer_id=guest.customer_id)
    ).upcoming
    assert stored.pieces == visit.pieces
    assert await shop.times(conn, MONDAY, staff_id=becky, service_id=cut) == ["09:00"]


async def test_the_second_service_goes_to_somebody_else_when_the_first_is_busy(
    conn: Connection,
) -> None:
    shop, cut, colour = await salon(conn)
    becky, kelly = shop.staff_ids
    await shop.booked(
        conn, await shop.guest(conn), shop.at(MONDAY, "10:00"), staff_id=becky, service_id=colour
    )
    guest = await shop.guest(conn)
    assert "09:00" in await shop.times(conn, MONDAY, service_id=cut, also=(colour,))
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "09:00"), service_id=cut, also=(colour,))
    assert [piece.staff_id for piece in visit.pieces] == [becky, kelly]
    assert await conn.fetchval(OVERLAPS) == 0
    third = await shop.guest(conn)
    start = shop.at(MONDAY, "10:00")
    assert await shop.hold(conn, third, start, staff_id=kelly, service_id=colour) == SlotTaken()


async def test_a_visit_of_two_services_moves_whole_and_frees_all_it_had(conn: Connection) -> None:
    shop, cut, colour = await salon(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "09:00"), service_id=cut, also=(colour,))
    new = held(
        await shop.hold(
            conn,
            guest,
            shop.at(MONDAY, "09:45"),
            service_id=cut,
            also=(colour,),
            moving=visit.id,
        )
    )
    moved = await shop.move(conn, guest, visit, new)
    assert isinstance(moved, VisitMoved)
    assert [shop.wall(piece.start) for piece in moved.visit.pieces] == ["09:45", "10:45"]
    walls = await column(conn, "SELECT starts_at FROM booking_services ORDER BY position")
    assert [shop.wall(at) for at in walls] == ["09:45", "10:45"]
    await shop.cancel(conn, guest, visit.id)
    assert await shop.claims(conn) == []


async def test_a_lapsed_hold_of_two_services_is_booked_whole_or_not_at_all(
    conn: Connection,
) -> None:
    shop, cut, colour = await salon(conn)
    becky, kelly = shop.staff_ids
    await shop.booked(
        conn, await shop.guest(conn), shop.at(MONDAY, "10:00"), staff_id=becky, service_id=colour
    )
    guest, other = await shop.guest(conn), await shop.guest(conn)
    mine = held(
        await shop.hold(conn, guest, shop.at(MONDAY, "09:00"), service_id=cut, also=(colour,))
    )
    later = NOW + timedelta(minutes=6)
    again = await shop.book(conn, guest, mine, now=later)
    assert isinstance(again, SlotBooked)
    await shop.cancel(conn, guest, again.visit.id)
    mine = held(
        await shop.hold(
            conn, guest, shop.at(MONDAY, "09:00"), service_id=cut, also=(colour,), now=later
        )
    )
    latest = later + timedelta(minutes=6)
    await shop.booked(
        conn, other, shop.at(MONDAY, "10:00"), staff_id=kelly, service_id=colour, now=latest
    )
    assert await shop.book(conn, guest, mine, now=latest) == SlotTaken()
    assert await conn.fetchval(OVERLAPS) == 0


async def test_a_wish_for_two_services_finds_the_nearest(conn: Connection) -> None:
    shop, cut, colour = await salon(conn)
    ask = FindNearest(cut, None, Wish(day=MONDAY), limit=3, also=(colour,))
    found = await shop.ask(conn, ask)
    assert len(found.slots) == 3
    assert all(len(slot.pieces) == 2 and slot.price_minor == 13200 for slot in found.slots)


async def test_a_service_is_added_to_a_visit_at_once_and_whole(conn: Connection) -> None:
    shop, cut, colour = await salon(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"), service_id=cut)
    new = held(
        await shop.hold(
            conn, guest, shop.at(MONDAY, "10:00"), moving=visit.id, service_id=cut, also=(colour,)
        )
    )
    added = await shop.move(conn, guest, visit, new)
    assert isinstance(added, VisitMoved)
    assert (added.visit.id, shop.wall(added.visit.end)) == (visit.id, "11:30")
    (stored,) = (
        await bookings.visits(conn, shop.catalog, _VISITS, now=NOW, customer_id=guest.customer_id)
    ).upcoming
    assert (stored.pieces, stored.price_minor) == (added.visit.pieces, 13200)
    assert [piece.service_id for piece in stored.pieces] == [cut, colour]
    assert await shop.claims(conn) == [
        ("10:00", "11:30", "visit", "booking"),
        ("11:30", "11:45", "buffer", "booking"),
    ]


async def test_nothing_is_added_where_the_time_after_a_visit_is_taken(conn: Connection) -> None:
    shop, cut, colour = await salon(conn)
    guest, start = await shop.guest(conn), shop.at(MONDAY, "10:00")
    visit = await shop.booked(conn, guest, start, service_id=cut)
    for staff_id in shop.staff_ids:
        other = await shop.guest(conn)
        at = shop.at(MONDAY, "11:00")
        await shop.booked(conn, other, at, staff_id=staff_id, service_id=colour)
    assert (
        await shop.hold(conn, guest, start, moving=visit.id, service_id=cut, also=(colour,))
        == SlotTaken()
    )
    assert len(await column(conn, "SELECT 1 FROM booking_services")) == 0
