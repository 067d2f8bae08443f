"""Moving and cancelling: the old time is theirs until the new one is."""

from __future__ import annotations

from datetime import UTC, timedelta

from flows.events import (
    SlotHeld,
    SlotTaken,
    VisitCancelled,
    VisitGone,
    VisitMoved,
)
from storage import bookings
from storage.clock import uuid7
from storage.pool import Connection
from tests.support.shop import (
    MONDAY,
    NOW,
    column,
    held,
    open_shop,
    row,
)


async def test_35_a_visit_moves_and_its_old_time_is_free(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"), staff_id=shop.staff_ids[0])
    new = held(
        await shop.hold(
            conn, guest, shop.at(MONDAY, "14:00"), staff_id=shop.staff_ids[1], moving=visit.id
        )
    )
    assert len(await shop.claims(conn)) == 2  # both are theirs until it is decided
    moved = await shop.move(conn, guest, visit, new)
    assert isinstance(moved, VisitMoved)
    assert (moved.visit.id, moved.visit.code, moved.visit.moves) == (visit.id, visit.code, 1)
    assert (moved.visit.start, moved.visit.staff_name) == (shop.at(MONDAY, "14:00"), "Kelly")
    assert await shop.claims(conn) == [("14:00", "15:00", "visit", "booking")]


async def test_35_a_visit_moves_across_its_own_time(conn: Connection) -> None:
    shop = await open_shop(
        conn, services=[{"buffer_before_minutes": 15, "buffer_after_minutes": 15}]
    )
    guest, other = await shop.guest(conn), await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    for wall in ("10:30", "10:15", "11:00", "10:00"):
        start = shop.at(MONDAY, wall)
        new = held(await shop.hold(conn, guest, start, moving=visit.id))
        for near in ("09:45", "10:45", "11:15"):
            assert await shop.hold(conn, other, shop.at(MONDAY, near)) == SlotTaken()
        moved = await shop.move(conn, guest, visit, new)
        assert isinstance(moved, VisitMoved)
        assert await column(conn, "SELECT part FROM slot_claims ORDER BY during") == [
            "buffer",
            "visit",
            "buffer",
        ]
        low = await conn.fetchval("SELECT lower(during) FROM slot_claims WHERE part = 'visit'")
        assert low == start == moved.visit.start


async def test_a_move_that_is_too_late_changes_nothing(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    new = held(await shop.hold(conn, guest, shop.at(MONDAY, "14:00"), moving=visit.id))
    later = NOW + timedelta(minutes=10)
    await shop.booked(conn, other, shop.at(MONDAY, "13:30"), now=later)
    assert await shop.move(conn, guest, visit, new, later) == SlotTaken()
    assert [claim[0] for claim in await shop.claims(conn)] == ["10:00", "13:30"]
    stored = await row(conn, "SELECT * FROM bookings WHERE id = $1", visit.id)
    assert (stored["starts_at"], stored["moves"]) == (visit.start, 0)


async def test_a_lapsed_hold_still_moves_a_visit_while_the_time_is_free(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    new = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:45"), moving=visit.id))
    later = NOW + timedelta(hours=2)
    await bookings.forget_past(conn, now=later)
    assert isinstance(await shop.move(conn, guest, visit, new, later), VisitMoved)
    assert await shop.claims(conn) == [("10:45", "11:45", "visit", "booking")]


async def test_what_cannot_be_changed_any_more_is_gone(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, stranger = await shop.guest(conn), await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    theirs = held(await shop.hold(conn, stranger, shop.at(MONDAY, "14:00"), moving=visit.id))
    assert await shop.move(conn, stranger, visit, theirs) == VisitGone()
    assert await shop.cancel(conn, stranger, visit.id) == VisitGone()
    assert await shop.cancel(conn, guest, uuid7(NOW)) == VisitGone()
    began = shop.at(MONDAY, "10:00").astimezone(UTC)
    assert await shop.cancel(conn, guest, visit.id, began) == VisitGone()
    assert isinstance(await shop.cancel(conn, guest, visit.id), VisitCancelled)
    assert await shop.cancel(conn, guest, visit.id) == VisitGone()
    mine = held(await shop.hold(conn, guest, shop.at(MONDAY, "12:00")))
    assert await shop.move(conn, guest, visit, mine) == VisitGone()


async def test_36_a_cancelled_visit_frees_its_time(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    answer = await shop.cancel(conn, guest, visit.id)
    assert (answer.visit.id, answer.visit.status) == (visit.id, "cancelled")
    stored = await row(conn, "SELECT * FROM bookings")
    assert (stored["cancelled_at"], stored["cancelled_by"], stored["cancel_reason"]) == (
        NOW,
        "customer",
        "ill",
    )
    assert isinstance(await shop.hold(conn, guest, shop.at(MONDAY, "10:15")), SlotHeld)
