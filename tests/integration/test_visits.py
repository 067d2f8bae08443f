"""Visits are closed by rule, nobody's absence is counted twice, and what is usual is learned."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from flows.effects import CompleteVisit, ConfirmVisit, RateVisit
from flows.events import (
    SlotBooked,
    VisitCompleted,
    VisitConfirmed,
    VisitGone,
    VisitRated,
)
from flows.model import Visit
from storage import preferences, visits
from storage.pool import Connection, RoundTrips, connection, open_pool
from tests.support.shop import MONDAY, NOW, Guest, Shop, held, open_shop, row

LATER = NOW + timedelta(days=10)
TWO_HOURS = timedelta(hours=2)


async def booked(conn: Connection, shop: Shop, guest: Guest, wall: str = "10:00") -> Visit:
    return await shop.booked(conn, guest, shop.at(MONDAY, wall))


async def status(conn: Connection, visit: Visit) -> str:
    return str((await row(conn, "SELECT status FROM bookings WHERE id = $1", visit.id))[0])


async def test_a_visit_is_confirmed_by_its_customer_alone_and_not_when_it_is_over(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    visit = await booked(conn, shop, guest)

    async def confirm(who: Guest, now: datetime) -> VisitConfirmed | VisitGone:
        ask = ConfirmVisit(visit.id)
        return await visits.confirm(conn, shop.catalog, ask, now=now, customer_id=who.customer_id)

    assert await confirm(other, NOW) == VisitGone()
    first = await confirm(guest, NOW)
    assert isinstance(first, VisitConfirmed)
    assert first.visit.confirmed
    await confirm(guest, NOW + timedelta(minutes=1))
    found = await row(conn, "SELECT confirmed_at FROM bookings WHERE id = $1", visit.id)
    assert found["confirmed_at"] == NOW
    assert await confirm(guest, LATER) == VisitGone()


async def test_what_ended_a_while_ago_is_completed_and_learned_from(conn: Connection) -> None:
    shop, empty = await open_shop(conn), await open_shop(conn)
    guest, other = await shop.guest(conn), await empty.guest(conn)
    visit = await booked(conn, shop, guest)
    gone = await booked(conn, shop, guest, "14:00")
    await shop.cancel(conn, guest, gone.id)
    await booked(conn, empty, other, "16:00")
    assert await visits.complete_due(conn, now=visit.end + TWO_HOURS - timedelta(minutes=1)) == 0
    assert await visits.complete_due(conn, now=visit.end + TWO_HOURS) == 1
    assert await visits.complete_due(conn, now=visit.end + TWO_HOURS) == 0
    assert [await status(conn, one) for one in (visit, gone)] == ["completed", "cancelled"]
    usual = await preferences.usual(conn, shop.company_id, guest.customer_id)
    assert usual is not None
    assert (usual.service_id, usual.staff_id, usual.visits) == (
        visit.service_id,
        visit.staff_id,
        1,
    )


async def test_more_than_a_batch_is_completed_in_one_go(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await booked(conn, shop, guest)
    await conn.execute(
        """
        INSERT INTO bookings (
            company_id, id, code, customer_id, service_id, staff_id, starts_at, ends_at, timezone,
            price_minor, currency, source, created_at
        )
        SELECT
            company_id, uuidv7(), 'X' || n, customer_id, service_id, staff_id,
            starts_at + n * interval '1 minute', ends_at + n * interval '1 minute', timezone,
            price_minor, currency, source, created_at
        FROM bookings, generate_series(1, 1200) AS n
        WHERE id = $1
        """,
        visit.id,
    )
    assert await visits.complete_due(conn, now=LATER) == 1201


async def test_completing_one_says_what_is_usual_with_it(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await booked(conn, shop, guest)
    ask = CompleteVisit(visit.id)
    early = await visits.complete(
        conn, shop.catalog, ask, now=visit.start, customer_id=guest.customer_id
    )
    assert isinstance(early, VisitCompleted)
    assert (early.visit.status, early.usual) == ("confirmed", None)
    done = await visits.complete(
        conn, shop.catalog, ask, now=visit.end, customer_id=guest.customer_id
    )
    assert isinstance(done, VisitCompleted)
    assert done.visit.status == "completed"
    assert done.usual is not None
    assert done.usual.last_visit == visit.start
    other = await shop.guest(conn)
    assert (
        await visits.complete(conn, shop.catalog, ask, now=visit.end, customer_id=other.customer_id)
        == VisitGone()
    )


async def test_a_rating_is_from_one_to_five_and_the_latest_counts(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await booked(conn, shop, guest)

    async def rate(given: int, now: datetime = LATER) -> VisitRated | VisitGone:
        ask = RateVisit(visit.id, given)
        who = guest.customer_id
        return await visits.rate(conn, shop.catalog, ask, now=now, customer_id=who)

    assert await rate(5, NOW) == VisitGone()
    await rate(2)
    latest = await rate(4)
    assert isinstance(latest, VisitRated)
    assert (latest.rating, latest.visit.rating) == (4, 4)


@pytest.mark.parametrize("closed", [False, True])
async def test_an_absence_is_counted_once_and_can_be_taken_back(
    conn: Connection, closed: bool
) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    visit = await booked(conn, shop, guest)
    if closed:
        await visits.complete_due(conn, now=LATER)
    known = await visits.by_code(conn, shop.company_id, f" {visit.code.lower()} ")
    assert known is not None

    async def mark(stayed_away: bool, now: datetime = LATER) -> int | None:
        return await visits.mark_no_show(
            conn, shop.company_id, known, stayed_away=stayed_away, now=now
        )

    if not closed:
        assert await mark(True, NOW) is None
    assert await mark(True) == 1
    assert await mark(True) is None
    assert await status(conn, visit) == "no_show"
    assert await preferences.usual(conn, shop.company_id, guest.customer_id) is None
    assert await mark(False) == 0
    assert await mark(False) is None
    assert await status(conn, visit) == "completed"
    assert await preferences.usual(conn, shop.company_id, guest.customer_id) is not None


async def test_a_code_of_another_company_is_not_found(conn: Connection) -> None:
    shop, other = await open_shop(conn), await open_shop(conn)
    visit = await booked(conn, shop, await shop.guest(conn))
    assert await visits.by_code(conn, other.company_id, visit.code) is None


async def test_a_favourite_who_leaves_takes_nothing_else_along(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    await booked(conn, shop, guest)
    await visits.complete_due(conn, now=LATER)
    await conn.execute("DELETE FROM slot_claims")
    await conn.execute("UPDATE customer_preferences SET favorite_staff_id = NULL")
    assert await preferences.usual(conn, shop.company_id, guest.customer_id) is None
    kept = await row(conn, "SELECT * FROM customer_preferences")
    assert kept["favorite_service_id"] is not None
    assert len(kept) == 14


async def test_the_usual_is_held_and_booked_with_a_statement_each(database_url: str) -> None:
    """With loading, BEGIN, saving and COMMIT that makes six round trips for the one tap."""
    trips = RoundTrips()
    pool = await open_pool(database_url, size=1, on_statement=trips)
    try:
        async with connection(pool) as conn:
            shop = await open_shop(conn)
            guest = await shop.guest(conn)
            await booked(conn, shop, guest, "17:00")
            await trips.taken()
            kept = held(
                await shop.hold(conn, guest, shop.at(MONDAY, "10:00"), staff_id=shop.staff_ids[0])
            )
            visit = await shop.book(conn, guest, kept)
            assert isinstance(visit, SlotBooked)
            assert len(await trips.taken()) == 2
    finally:
        await pool.close()
