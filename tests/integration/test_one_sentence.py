"""A sentence that names two services, through the whole bot: one visit of both."""

from __future__ import annotations

from storage.pool import Pool, connection
from tests.support.bot import running_scene

MOST_SECONDS = 20


async def test_two_services_in_one_sentence_become_one_visit(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    async with running_scene(database_url, redis_url) as scene:
        ana = scene.graph.customer("Ana")
        await ana.say("manicure and pedicure with ines")
        days = await ana.reply(seconds=MOST_SECONDS)
        assert "Manicure and Pedicure with Ines" in days.text
        await ana.tap(days.rows[2])
        times = await ana.reply(seconds=MOST_SECONDS)
        await ana.tap(times.rows[0])
        held = await ana.reply(seconds=MOST_SECONDS)
        assert "105 min, $93" in held.text
        await ana.tap("Book it")
        booked = await ana.reply(seconds=MOST_SECONDS)
        assert "Manicure and Pedicure with Ines" in booked.text
        await ana.tap("Change")
        other_days = await ana.reply(seconds=MOST_SECONDS)
        await ana.tap(other_days.rows[4])
        other_times = await ana.reply(seconds=MOST_SECONDS)
        await ana.tap(other_times.rows[0])
        await ana.reply(seconds=MOST_SECONDS)
        await ana.tap("Move it")
        moved = await ana.reply(seconds=MOST_SECONDS)
        assert "Moved" in moved.text
    async with connection(pool) as conn:
        pieces = await conn.fetch(
            """
            SELECT l.starts_at, l.ends_at, b.starts_at AS begins, b.ends_at AS over, b.price_minor
            FROM booking_services AS l
            JOIN bookings AS b ON b.company_id = l.company_id AND b.id = l.booking_id
            ORDER BY l.position
            """
        )
        claims = await conn.fetch(
            """
            SELECT lower(c.during) AS low, upper(c.during) AS high FROM slot_claims AS c
            JOIN booking_services AS l ON l.company_id = c.company_id
                AND l.booking_id = c.booking_id AND l.position = 1
            """
        )
    first, second = pieces
    assert (first["starts_at"], second["ends_at"]) == (first["begins"], first["over"])
    assert first["ends_at"] == second["starts_at"]
    assert first["price_minor"] == 3800 + 5500
    assert [(claim["low"], claim["high"]) for claim in claims] == [(first["begins"], first["over"])]


async def test_a_newcomer_s_visit_is_known_when_they_type_of_it(
    database_url: str, redis_url: str
) -> None:
    async with running_scene(database_url, redis_url) as scene:
        bea = scene.graph.customer("Bea")
        await bea.say("manicure with ines")
        days = await bea.reply(seconds=MOST_SECONDS)
        await bea.tap(days.rows[3])
        times = await bea.reply(seconds=MOST_SECONDS)
        await bea.tap(times.rows[0])
        await bea.reply(seconds=MOST_SECONDS)
        await bea.tap("Book it")
        assert "Booked" in (await bea.reply(seconds=MOST_SECONDS)).text
        await bea.say("menu")
        await bea.reply(seconds=MOST_SECONDS)
        await bea.say("can I add a pedicure to my visit")
        added = await bea.reply(seconds=MOST_SECONDS)  # whether there is room or not
        assert "All in one visit: Manicure and Ped" in added.text or "right after" in added.text
