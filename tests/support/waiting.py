"""Salon Lumi, booked up for weeks, where customers wait for a place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.pool import Pool, connection
from tests.support.bot import Scene, running_scene
from tests.support.graph import Bubble, Phone
from tests.support.shop import row

ZONE = ZoneInfo("America/New_York")
EVENTUALLY = 20.0
"""Seconds after which what should happen has not happened."""

_FILL = """
INSERT INTO slot_claims (company_id, claim_id, staff_id, during, kind, created_at)
SELECT
    s.company_id, gen_random_uuid(), s.id, tstzrange(g.at, g.at + interval '1 hour'), 'external', $2
FROM staff AS s
CROSS JOIN generate_series(
    $2::timestamptz, $2::timestamptz + interval '40 days', interval '1 hour'
) AS g (at)
WHERE s.company_id = $1
"""
_FREE = """
DELETE FROM slot_claims
WHERE company_id = $1 AND kind = 'external' AND staff_id = $2 AND during && tstzrange($3, $4)
"""


@dataclass(frozen=True)
class Lumi:
    """The salon at ten in the morning of a Tuesday; `day` is a Tuesday, too, a week later."""

    scene: Scene
    pool: Pool
    company_id: int
    becky: int
    day: date

    def customer(self, name: str) -> Phone:
        """Somebody new."""
        return self.scene.graph.customer(name)

    def at(self, hour: int) -> datetime:
        """An hour of that day."""
        return datetime.combine(self.day, time(hour), ZONE).astimezone(UTC)

    async def free(self, hour: int, hours: int = 1) -> None:
        """Some of Becky's time comes free on that day."""
        args = (self.becky, self.at(hour), self.at(hour + hours))
        async with connection(self.pool) as conn:
            await conn.execute(_FREE, self.company_id, *args)

    async def run(self, query: str, *args: object) -> None:
        """Change the database behind the bot's back."""
        async with connection(self.pool) as conn:
            await conn.execute(query, *args)

    async def value(self, query: str, *args: object) -> object:
        """Ask the database."""
        async with connection(self.pool) as conn:
            return await conn.fetchval(query, *args)


@asynccontextmanager
async def booked_up(database_url: str, redis_url: str, pool: Pool) -> AsyncIterator[Lumi]:
    """Run the bot for the salon, with nothing free."""
    async with running_scene(database_url, redis_url) as scene:
        now = scene.clock().astimezone(ZONE)
        days = (2 - now.isoweekday()) % 7 or 7
        morning = datetime.combine(now.date() + timedelta(days=days), time(10), ZONE)
        scene.pass_time(morning.astimezone(UTC) - scene.clock())
        async with connection(pool) as conn:
            becky = await row(conn, "SELECT company_id, id FROM staff WHERE name = 'Becky'")
            await conn.execute("DELETE FROM slot_claims")
            await conn.execute("DELETE FROM bookings WHERE starts_at > $1", morning)
            await conn.execute(_FILL, becky["company_id"], morning)
        day = morning.date() + timedelta(days=7)
        yield Lumi(scene, pool, becky["company_id"], becky["id"], day)


async def join(phone: Phone, text: str) -> Bubble:
    """Join the waitlist by typing, for any time of the day unless it says more."""
    await phone.say(text)
    reply = await phone.reply(seconds=EVENTUALLY)
    if "Any" in reply.buttons:
        await phone.tap("Any")
        reply = await phone.reply(seconds=EVENTUALLY)
    assert "in line" in reply.text, reply
    return reply


async def offer_to(phone: Phone) -> Bubble:
    """Wait for an offer."""
    offer = await phone.reply(seconds=EVENTUALLY)
    assert "A place came free" in offer.text, offer
    assert offer.buttons == ["Take it", "Pass"]
    return offer
