"""Many customers at the same moment: nobody gets what somebody has, nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from flows.events import (
    SlotBooked,
    SlotHeld,
    SlotTaken,
    VisitMoved,
)
from storage import bookings
from storage.errors import Conflict
from storage.pool import Connection, Pool, connection, transaction
from tests.support.shop import (
    DOUBLE,
    MONDAY,
    NOW,
    OVERLAPS,
    Guest,
    Shop,
    add_resource,
    held,
    open_shop,
)


async def at_once(number: int, do: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Run something many times at the same time, and none of it may fail."""
    return await asyncio.gather(*(do(i) for i in range(number)))


async def guests(conn: Connection, shop: Shop, number: int) -> list[Guest]:
    return [await shop.guest(conn) for _ in range(number)]


async def attempt(
    pool: Pool, shop: Shop, guest: Guest, start: datetime, **options: Any
) -> SlotHeld | SlotTaken | SlotBooked:
    """A customer holds and, in another turn, books."""
    async with transaction(pool) as conn:
        answer = await shop.hold(conn, guest, start, **options)
    if isinstance(answer, SlotTaken):
        return answer
    await asyncio.sleep(0)
    async with transaction(pool) as conn:
        return await shop.book(conn, guest, answer.hold)


async def test_38_two_taps_at_once_make_one_booking(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(conn)
        guest = await shop.guest(conn)
        hold = held(await shop.hold(conn, guest, shop.at(MONDAY, "10:00")))

    async def tap(_: int) -> Any:
        async with transaction(pool) as conn:
            return await shop.book(conn, guest, hold)

    made = await at_once(8, tap)
    assert len({answer.visit.id for answer in made}) == 1
    async with connection(pool) as conn:
        assert await conn.fetchval("SELECT count(*) FROM bookings") == 1


async def test_31_forty_customers_want_one_time_and_one_gets_it(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(conn)
        people = await guests(conn, shop, 40)
    start = shop.at(MONDAY, "10:00")
    answers = await at_once(40, lambda i: attempt(pool, shop, people[i], start))
    assert sorted(type(answer).__name__ for answer in answers) == (
        ["SlotBooked"] + ["SlotTaken"] * 39
    )


@pytest.mark.parametrize("staff", [1, 3])
@pytest.mark.parametrize("buffers", [0, 15])
@pytest.mark.parametrize("over_midnight", [False, True])
async def test_32_overlapping_times_wanted_at_once_never_overlap(
    pool: Pool, staff: int, buffers: int, over_midnight: bool
) -> None:
    hours = [(day, "18:00", "03:00", "work") for day in range(1, 8)]
    async with connection(pool) as conn:
        shop = await open_shop(
            conn,
            staff=("Becky", "Kelly", "Ana")[:staff],
            services=[{"buffer_before_minutes": buffers, "buffer_after_minutes": buffers}],
            hours=hours if over_midnight else [(1, "09:00", "18:00", "work")],
        )
        people = await guests(conn, shop, 40)
    rng = Random(staff * 100 + buffers)  # noqa: S311
    base = shop.at(MONDAY, "23:00" if over_midnight else "10:00")
    starts = [base + timedelta(minutes=15 * rng.randint(0, 7)) for _ in people]
    named = [rng.choice([None, *shop.staff_ids]) for _ in people]
    answers = await at_once(
        40, lambda i: attempt(pool, shop, people[i], starts[i], staff_id=named[i])
    )
    booked = [answer for answer in answers if isinstance(answer, SlotBooked)]
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        assert await conn.fetchval(DOUBLE) == 0
        assert await conn.fetchval("SELECT count(*) FROM bookings") == len(booked) >= staff
        assert await conn.fetchval("SELECT count(*) FROM slot_claims WHERE kind = 'hold'") == 0


@pytest.mark.parametrize("units", [1, 2])
async def test_32_rooms_wanted_at_once_have_one_visit_each(pool: Pool, units: int) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(
            conn, staff=("Becky", "Kelly", "Ana"), services=[{"buffer_after_minutes": 15}]
        )
        await add_resource(conn, shop, "Room", units, shop.service_ids)
        people = await guests(conn, shop, 40)
    rng = Random(units)  # noqa: S311
    starts = [shop.at(MONDAY, "10:00") + timedelta(minutes=15 * rng.randint(0, 7)) for _ in people]
    named = [rng.choice([None, *shop.staff_ids]) for _ in people]
    answers = await at_once(
        40, lambda i: attempt(pool, shop, people[i], starts[i], staff_id=named[i])
    )
    booked = [answer for answer in answers if isinstance(answer, SlotBooked)]
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        assert await conn.fetchval("SELECT count(*) FROM bookings") == len(booked) >= units
        assert await conn.fetchval("SELECT count(*) FROM slot_claims WHERE kind = 'hold'") == 0


async def test_40_forty_customers_want_three_places(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(conn, services=[{"capacity": 3, "grid_minutes": 30}, {}])
        people = await guests(conn, shop, 40)
    start, near = shop.at(MONDAY, "10:00"), shop.at(MONDAY, "10:30")

    def want(i: int) -> Awaitable[Any]:
        service = shop.service_ids[i % 10 == 9]
        return attempt(pool, shop, people[i], near if i % 4 == 3 else start, service_id=service)

    answers = await at_once(40, want)
    visits = [answer.visit for answer in answers if isinstance(answer, SlotBooked)]
    assert len({(visit.start, visit.service_id) for visit in visits}) == 1
    assert len(visits) == (3 if visits[0].service_id == shop.service_ids[0] else 1)
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        seats = await conn.fetch("SELECT unit FROM slot_claims WHERE part = 'seat'")
        assert len({row["unit"] for row in seats}) == len(seats)


async def test_a_day_s_limit_holds_when_many_come_at_once(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(conn)
        await conn.execute("UPDATE staff SET most_visits_a_day = 2")
        await shop.refresh(conn)
        people = await guests(conn, shop, 8)
    answers = await at_once(
        8, lambda i: attempt(pool, shop, people[i], shop.at(MONDAY, f"{9 + i:02}:00"))
    )
    assert sum(isinstance(answer, SlotBooked) for answer in answers) == 2


async def test_32_visits_of_two_services_wanted_at_once_never_overlap(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(
            conn, staff=("Becky", "Kelly"), services=[{"buffer_after_minutes": 10}, {"minutes": 30}]
        )
        people = await guests(conn, shop, 40)
    cut, colour = shop.service_ids
    rng = Random(2)  # noqa: S311

    def want(i: int) -> Awaitable[Any]:
        start = shop.at(MONDAY, "10:00") + timedelta(minutes=15 * rng.randint(0, 9))
        both = {"service_id": cut, "also": (colour,)} if i % 2 else {"service_id": colour}
        return attempt(
            pool, shop, people[i], start, staff_id=rng.choice([None, *shop.staff_ids]), **both
        )

    answers = await at_once(40, want)
    assert sum(isinstance(answer, SlotBooked) for answer in answers) >= 2
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        assert await conn.fetchval("SELECT count(*) FROM slot_claims WHERE kind = 'hold'") == 0


async def test_35_two_visits_moved_to_one_time_at_once(pool: Pool) -> None:
    async with connection(pool) as conn:
        shop = await open_shop(conn, staff=("Becky", "Kelly"))
        people = await guests(conn, shop, 8)
        walls = ["09:00", "10:00", "11:00", "12:00"]
        visits = [
            await shop.booked(
                conn,
                people[i],
                shop.at(MONDAY, walls[i % 4]),
                staff_id=shop.staff_ids[i // 4],
            )
            for i in range(8)
        ]

    async def change(i: int) -> Any:
        async with transaction(pool) as conn:
            answer = await shop.hold(
                conn,
                people[i],
                shop.at(MONDAY, "15:00"),
                staff_id=shop.staff_ids[0],
                moving=visits[i].id,
            )
        if isinstance(answer, SlotTaken):
            return answer
        async with transaction(pool) as conn:
            return await shop.move(conn, people[i], visits[i], answer.hold)

    answers = await at_once(8, change)
    assert sum(isinstance(answer, VisitMoved) for answer in answers) == 1
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        assert await conn.fetchval("SELECT count(*) FROM slot_claims") == 8


async def test_moves_with_lapsed_holds_at_once_never_overlap(pool: Pool) -> None:
    """Nobody holds anything any more; whoever meets in the same moment tries again, as turns do."""
    async with connection(pool) as conn:
        shop = await open_shop(conn, services=[{"buffer_after_minutes": 15}])
        people = await guests(conn, shop, 6)
        visits = [
            await shop.booked(
                conn, person, shop.at(MONDAY, f"{9 + i:02}:00") + timedelta(minutes=15 * i)
            )
            for i, person in enumerate(people)
        ]
        holds = []
        for person, visit in zip(people, visits, strict=True):
            start = visit.start + timedelta(minutes=15)
            answer = await shop.hold(conn, person, start, moving=visit.id)
            if isinstance(answer, SlotHeld):
                holds.append((person, visit, answer.hold))
        later = NOW + timedelta(hours=2)
        await bookings.forget_past(conn, now=later)

    async def change(i: int) -> Any:
        person, visit, hold = holds[i]
        for _ in range(5):
            try:
                async with transaction(pool) as conn:
                    return await shop.move(conn, person, visit, hold, later)
            except Conflict:
                continue
        raise AssertionError("never got through")

    await at_once(len(holds), change)
    async with connection(pool) as conn:
        assert await conn.fetchval(OVERLAPS) == 0
        assert await conn.fetchval(DOUBLE) == 0
