"""A business that comes to its customers, from the first message to what is stored of the visit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storage import checks
from storage.pool import Pool, connection
from tests.support.bot import Scene, running_scene
from tests.support.graph import Bubble, Phone


@pytest.fixture
async def scene(database_url: str, redis_url: str, pool: Pool) -> AsyncIterator[Scene]:
    """A bot whose business comes to two places, one of them on another clock."""
    async with running_scene(database_url, redis_url) as scene:
        async with connection(pool) as conn:
            await conn.execute(
                """
                INSERT INTO service_areas (company_id, postal_code, city, state, timezone)
                SELECT c.id, a.* FROM companies AS c, (
                    VALUES ('10001', 'New York', 'NY', 'America/New_York'),
                        ('47708', 'Evansville', 'IN', 'America/Chicago')
                ) AS a WHERE c.name = 'Salon Lumi'
                """
            )
        yield scene


async def said(phone: Phone, text: str) -> Bubble:
    await phone.say(text)
    return await phone.reply(seconds=15)


async def tapped(phone: Phone, title: str) -> Bubble:
    await phone.tap(title)
    return await phone.reply(seconds=15)


async def test_a_visit_is_booked_on_the_clock_of_its_place_and_found_when_that_changes(
    scene: Scene, pool: Pool
) -> None:
    ana = scene.graph.customer("Ana")
    await said(ana, "hi")
    asked = await tapped(ana, "Book a visit")
    assert asked.text.startswith("Where shall we come?")
    nowhere = await said(ana, "99501")
    assert nowhere.text.startswith("I'm sorry, we don't come to 99501 yet.")
    what = await said(ana, "47708")
    assert what.text.startswith("We come to Evansville (47708).")
    await tapped(ana, "Men's cut")
    days = await tapped(ana, "Anyone")
    times = await tapped(ana, days.rows[2])
    held = await tapped(ana, times.rows[0])
    assert "(Chicago time)" in held.text
    assert "Evansville (47708)" in held.text
    booked = await tapped(ana, "Book it")
    assert "Salon Lumi comes to you: Evansville (47708)" in booked.text
    async with connection(pool) as conn:
        row = await conn.fetchrow(
            """
            SELECT a.postal_code, b.area_id = c.area_id AS same, b.timezone, b.company_id, b.code,
                b.utc_offset_seconds - date_part('epoch', b.starts_at AT TIME ZONE 'America/Chicago'
                    - b.starts_at AT TIME ZONE 'UTC') AS off,
                to_char(b.starts_at AT TIME ZONE 'America/Chicago', 'FMHH12:MI AM') AS wall
            FROM bookings AS b
            JOIN customers AS c ON c.company_id = b.company_id AND c.id = b.customer_id
            JOIN service_areas AS a ON a.company_id = b.company_id AND a.id = b.area_id
            WHERE c.phone = $1
            """,
            ana.number,
        )
        assert row is not None
        assert (row["postal_code"], row["same"], row["off"]) == ("47708", True, 0)
        assert row["timezone"] == "America/Chicago"
        assert row["wall"] in " ".join(held.text.split())
        await conn.execute(
            "UPDATE bookings SET utc_offset_seconds = utc_offset_seconds + 3600 WHERE code = $1",
            row["code"],
        )
        found = await checks.times(conn, company_id=row["company_id"], now=scene.clock())
        (changed,) = [one for one in found if one.code == row["code"]]
        assert changed.told - changed.now == timedelta(hours=1)


async def test_the_place_is_remembered_and_may_be_another_one(scene: Scene, pool: Pool) -> None:
    ana = scene.graph.customer("Ana")
    await said(ana, "men's cut with anyone tomorrow")
    await said(ana, "47708")
    await said(ana, "menu")
    again = await said(ana, "book")
    assert again.text.startswith("For Evansville (47708).")
    again = await said(ana, "10001")
    assert again.text.startswith("We come to New York (10001).\nWhat would you like?")
    await said(ana, "menu")
    again = await said(ana, "book")
    assert again.text.startswith("For New York (10001).")
    await said(ana, "menu")
    async with connection(pool) as conn:
        await conn.execute("UPDATE service_areas SET active = false WHERE postal_code = '10001'")
    forgotten = await said(ana, "book")
    assert forgotten.text.startswith("Where shall we come?")
    async with connection(pool) as conn:
        await conn.execute("DELETE FROM service_areas")
        assert await conn.fetchval("SELECT count(area_id) FROM customers") == 0
    await said(ana, "menu")
    assert (await said(ana, "book")).text.startswith("What would you like?")
