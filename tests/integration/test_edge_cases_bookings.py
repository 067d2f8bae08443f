"""The known ways to get slots wrong, each by its number: lengths, buffers, staff, state.

37, that reminders of moved or cancelled visits die, is shown where reminders are; 39 cannot arise:
there are no series of visits, of which one could clash and half stay booked.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from flows.asking import Idle
from flows.effects import CancelVisit, FindTimes
from flows.events import SlotBooked, SlotHeld, SlotTaken, VisitCancelled, VisitMoved
from flows.machine import Context
from flows.model import Customer
from flows.refusals import refusal
from storage import bookings, claims
from storage.clock import uuid7
from storage.pool import Connection, Pool, connection, transaction
from tests.support.shop import (
    DOUBLE,
    MONDAY,
    NOW,
    OVERLAPS,
    Guest,
    Shop,
    column,
    held,
    open_shop,
)

MORNING = [(1, "09:00", "14:00", "work")]


async def morning(conn: Connection, *services: dict[str, object], **options: Any) -> Shop:
    return await open_shop(conn, hours=MORNING, services=services or [{}], **options)


async def test_case_20_a_long_service_on_a_short_grid(conn: Connection) -> None:
    shop = await morning(conn, {"minutes": 60, "grid_minutes": 15}, {"minutes": 180})
    cut, long = shop.service_ids
    guest = await shop.guest(conn)
    await shop.booked(conn, guest, shop.at(MONDAY, "09:30"), service_id=long)
    times = await shop.times(conn, MONDAY, service_id=cut)
    assert times == ["12:30", "12:45", "13:00"]  # not 9:00, and none that runs over closing


async def test_case_21_a_buffer_of_a_booking_outside_the_range_reaches_into_it(
    conn: Connection,
) -> None:
    shop = await open_shop(
        conn,
        services=[{"buffer_after_minutes": 60}],
        hours=[(7, "20:00", "00:00", "work"), (1, "00:00", "04:00", "work")],
    )
    sunday = MONDAY - timedelta(1)
    await shop.booked(conn, await shop.guest(conn), shop.at(sunday, "23:00"))
    times = await shop.times(conn, MONDAY)
    assert times[0] == "01:00"
    guest = await shop.guest(conn)
    assert await shop.hold(conn, guest, shop.at(MONDAY, "00:45")) == SlotTaken()
    assert isinstance(await shop.hold(conn, guest, shop.at(MONDAY, "01:00")), SlotHeld)


async def test_case_22_of_two_buffers_the_larger_counts(conn: Connection) -> None:
    shop = await morning(
        conn,
        {"minutes": 60, "buffer_after_minutes": 20, "grid_minutes": 5},
        {"minutes": 60, "buffer_before_minutes": 30, "grid_minutes": 5},
    )
    after, before = shop.service_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"), service_id=after)
    assert (await shop.times(conn, MONDAY, service_id=after))[0] == "10:20"
    assert (await shop.times(conn, MONDAY, service_id=before))[0] == "10:30"
    guest = await shop.guest(conn)
    start = shop.at(MONDAY, "10:30")
    assert isinstance(await shop.hold(conn, guest, start, service_id=before), SlotHeld)


async def test_case_23_buffers_count_for_every_service_and_not_at_closing(
    conn: Connection,
) -> None:
    shop = await morning(conn, {"buffer_after_minutes": 30}, {"minutes": 30})
    colour, cut = shop.service_ids
    assert (await shop.times(conn, MONDAY, service_id=colour))[-1] == "13:00"
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"), service_id=colour)
    assert (await shop.times(conn, MONDAY, service_id=cut))[0] == "10:30"


async def test_case_24_a_stale_button_inside_a_buffer_books_nothing(conn: Connection) -> None:
    shop = await morning(conn, {"buffer_after_minutes": 15})
    slow, quick = await shop.guest(conn), await shop.guest(conn)
    stale = held(await shop.hold(conn, slow, shop.at(MONDAY, "10:00")))
    later = NOW + timedelta(minutes=6)
    await shop.booked(conn, quick, shop.at(MONDAY, "11:15"), now=later)
    assert isinstance(await shop.book(conn, slow, stale, now=later), SlotBooked)
    other = await shop.guest(conn)
    assert await shop.hold(conn, other, shop.at(MONDAY, "12:15"), now=later) == SlotTaken()


async def test_case_25_twenty_minutes_and_a_buffer_of_five_on_a_grid_of_twenty(
    conn: Connection,
) -> None:
    shop = await morning(conn, {"minutes": 20, "buffer_after_minutes": 5, "grid_minutes": 20})
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"))
    assert (await shop.times(conn, MONDAY))[:2] == ["09:40", "10:00"]


async def test_case_26_five_busy_minutes_do_not_shift_the_grid(conn: Connection) -> None:
    shop = await morning(conn, {"minutes": 30, "grid_minutes": 30})
    await shop.block(conn, shop.at(MONDAY, "09:00"), shop.at(MONDAY, "09:05"))
    assert (await shop.times(conn, MONDAY))[:3] == ["09:30", "10:00", "10:30"]


async def test_case_27_two_half_free_people_are_nobody(conn: Connection) -> None:
    shop = await morning(conn, {"grid_minutes": 30}, staff=("Becky", "Kelly"))
    becky, kelly = shop.staff_ids
    for staff_id, walls in ((becky, ("10:00", "11:00", "12:00", "13:00")), (kelly, ("09:00",))):
        for wall in walls:
            await shop.booked(
                conn, await shop.guest(conn), shop.at(MONDAY, wall), staff_id=staff_id
            )
    times = await shop.times(conn, MONDAY)
    assert times[:2] == ["09:00", "10:00"]
    assert await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "09:30")) == SlotTaken()


async def test_case_28_anyone_is_free_for_all_of_the_visit_and_not_closed_that_day(
    conn: Connection,
) -> None:
    shop = await morning(conn, {"minutes": 120}, staff=("Becky", "Kelly", "Ana"))
    becky, kelly, ana = shop.staff_ids
    await shop.block(conn, shop.at(MONDAY, "10:30"), shop.at(MONDAY, "11:00"))  # Becky's
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day) VALUES ($1, $2, $3)",
        shop.company_id,
        kelly,
        MONDAY,
    )
    await shop.refresh(conn)
    visit = await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"))
    assert visit.staff_id == ana != becky


async def test_case_29_a_tie_goes_round_and_never_doubles(conn: Connection) -> None:
    shop = await morning(conn, staff=("Becky", "Kelly", "Ana"))
    for wall in ("09:00", "10:00", "11:00"):
        for _ in range(3):
            await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, wall))
        assert wall not in await shop.times(conn, MONDAY)
    counts = await column(conn, "SELECT count(*) FROM bookings GROUP BY staff_id")
    assert counts == [3, 3, 3]
    assert await conn.fetchval(DOUBLE) == 0


async def test_case_30_people_of_other_companies_are_other_people(conn: Connection) -> None:
    """Whoever works for two keeps the other calendar as claims of kind 'external'."""
    ours, theirs = await morning(conn), await morning(conn)
    ten = ours.at(MONDAY, "10:00")
    await theirs.booked(conn, await theirs.guest(conn), ten)
    assert isinstance(await ours.hold(conn, await ours.guest(conn), ten), SlotHeld)
    await ours.block(conn, ours.at(MONDAY, "12:00"), ours.at(MONDAY, "13:00"))
    assert "12:00" not in await ours.times(conn, MONDAY)


async def at_once(pool: Pool, shop: Shop, walls: list[str], want: int) -> list[Any]:
    """So many customers hold and book at the same time, each one of these times."""
    async with connection(pool) as conn:
        guests = [await shop.guest(conn) for _ in range(want)]

    async def attempt(i: int) -> Any:
        async with transaction(pool) as conn:
            answer = await shop.hold(conn, guests[i], shop.at(MONDAY, walls[i % len(walls)]))
        if isinstance(answer, SlotTaken):
            return answer
        async with transaction(pool) as conn:
            return await shop.book(conn, guests[i], answer.hold)

    return await asyncio.gather(*(attempt(i) for i in range(want)))


async def test_case_31_two_customers_confirm_one_slot(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await morning(conn)
    answers = await at_once(pool, shop, ["10:00"], 12)
    assert sum(isinstance(answer, SlotBooked) for answer in answers) == 1


async def test_case_32_overlapping_but_unequal_times_at_once(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await morning(conn)
    answers = await at_once(pool, shop, ["10:00", "10:15", "10:30", "10:45"], 40)
    assert sum(isinstance(answer, SlotBooked) for answer in answers) == 1
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0


async def test_case_33_a_pending_booking_blocks_like_a_confirmed_one(conn: Connection) -> None:
    shop = await morning(conn)
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    await conn.execute("UPDATE bookings SET status = 'pending'")
    assert "10:00" not in await shop.times(conn, MONDAY)
    assert await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "10:15")) == SlotTaken()


async def test_case_34_holds_expire_by_themselves_and_are_nobody_else_s(conn: Connection) -> None:
    shop = await morning(conn)
    mine, other = await shop.guest(conn), await shop.guest(conn)
    ten = shop.at(MONDAY, "10:00")
    first = held(await shop.hold(conn, mine, ten))
    assert await shop.hold(conn, other, ten) == SlotTaken()
    assert await shop.book(conn, other, first) == SlotTaken()
    assert isinstance(await shop.hold(conn, mine, ten), SlotHeld)  # one's own is no obstacle
    later = NOW + timedelta(minutes=5)
    assert "10:00" in await shop.times(conn, MONDAY, guest=other, now=later)
    stolen = held(await shop.hold(conn, other, ten, now=later))
    assert await shop.book(conn, mine, first, now=later) == SlotTaken()
    assert isinstance(await shop.book(conn, other, stolen, now=later), SlotBooked)


async def test_case_35_moving_frees_the_old_time_and_may_overlap_it(conn: Connection) -> None:
    shop = await morning(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    new = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:30"), moving=visit.id))
    assert isinstance(await shop.move(conn, guest, visit, new), VisitMoved)
    assert isinstance(await shop.hold(conn, other, shop.at(MONDAY, "09:30")), SlotHeld)
    assert await shop.hold(conn, other, shop.at(MONDAY, "11:15"), moving=visit.id) == SlotTaken()


async def test_case_36_cancelled_visits_do_not_block(conn: Connection) -> None:
    shop = await morning(conn)
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    await shop.cancel(conn, guest, visit.id)
    assert len(await shop.times(conn, MONDAY)) == 17


async def test_case_38_a_double_tap_makes_one_booking(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await morning(conn)
        guest = await shop.guest(conn)
        hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))

    async def tap() -> Any:
        async with transaction(pool) as conn:
            return await shop.book(conn, guest, hold)

    made = await asyncio.gather(*(tap() for _ in range(6)))
    assert len({answer.visit.id for answer in made}) == 1


async def test_case_40_the_last_seat_is_taken_once(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await morning(conn, {"capacity": 4, "grid_minutes": 60})
    answers = await at_once(pool, shop, ["10:00"], 12)
    assert sum(isinstance(answer, SlotBooked) for answer in answers) == 4
    async with connection(pool) as conn:
        assert await column(
            conn, "SELECT unit FROM slot_claims WHERE part = 'seat' ORDER BY unit"
        ) == [1, 2, 3, 4]
        assert "10:00" not in await shop.times(conn, MONDAY)


async def offered(conn: Connection, shop: Shop, guest: Guest) -> bool:
    """Ten o'clock is offered to somebody who waits, for a quarter of an hour."""
    ten = int(shop.at(MONDAY, "10:00").timestamp())
    return await claims.claim(
        conn,
        company_id=shop.company_id,
        staff_id=shop.staff_ids[0],
        parts=[(ten, ten + 3600, "visit")],
        claim_id=uuid7(NOW),
        conversation_id=guest.conversation_id,
        until=NOW + timedelta(minutes=15),
        now=NOW,
        kind="offer",
    )


async def test_case_41_what_is_on_offer_is_nobody_else_s_until_it_lapses(conn: Connection) -> None:
    shop = await morning(conn)
    waiting, walk_in = await shop.guest(conn), await shop.guest(conn)
    assert await offered(conn, shop, waiting)
    ten = shop.at(MONDAY, "10:00")
    assert await shop.hold(conn, walk_in, ten) == SlotTaken()
    assert "10:00" not in await shop.times(conn, MONDAY, guest=walk_in)
    assert not await offered(conn, shop, walk_in)
    later = NOW + timedelta(minutes=15)
    assert isinstance(await shop.hold(conn, walk_in, ten, now=later), SlotHeld)


async def test_case_42_notice_is_for_customers_and_not_for_operators(conn: Connection) -> None:
    shop = await morning(conn, settings={"cancel_notice_minutes": 7 * 24 * 60})
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "10:00"))
    ctx = Context(NOW, shop.catalog, Customer(guest.customer_id), "en")
    refused = refusal(ctx, visit)
    assert refused is not None
    assert isinstance(refused.state, Idle)
    answer = await bookings.cancel(
        conn,
        shop.catalog,
        CancelVisit(visit.id),
        now=NOW,
        customer_id=guest.customer_id,
        cancelled_by="operator",
    )
    assert isinstance(answer, VisitCancelled)


@pytest.mark.parametrize("seed", range(6))
async def test_case_43_all_that_is_listed_can_be_booked_and_nothing_else(
    conn: Connection, seed: int
) -> None:
    rng = Random(seed)  # noqa: S311
    shop = await morning(
        conn,
        {"minutes": rng.choice([30, 45, 60]), "grid_minutes": rng.choice([10, 15, 30])},
        staff=("Becky", "Kelly")[: rng.randint(1, 2)],
    )
    for _ in range(4):
        start = shop.at(MONDAY, "09:00") + timedelta(minutes=5 * rng.randint(0, 50))
        await shop.hold(conn, await shop.guest(conn), start)
    listed = await shop.ask(conn, FindTimes(shop.service_ids[0], None, MONDAY))
    starts = {slot.start for slot in listed.slots}
    for step in range(0, 6 * 60, 5):
        start = shop.at(MONDAY, "08:30") + timedelta(minutes=step)
        guest = await shop.guest(conn)
        answer = await shop.hold(conn, guest, start)
        if isinstance(answer, SlotTaken):
            assert start not in starts
            continue
        assert start in starts
        made = held(answer)
        assert isinstance(await shop.book(conn, guest, made), SlotBooked)
        await conn.execute("DELETE FROM slot_claims WHERE claim_id = $1", made.id)
