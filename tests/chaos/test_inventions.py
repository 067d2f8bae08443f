"""Webhooks that nobody has seen yet, to a real process: all is kept, answered and kept quiet."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest

from bot.simulator import Rules
from bot.whatsapp.signature import HEADER, sign
from tests.chaos.conftest import World, seed
from tests.chaos.harness import Bot, free_port, rows
from tests.support.graph import APP_SECRET, SALON, running_graph
from tests.support.inventions import NUMBERS, Inventor

POSTS = int(os.environ.get("INVENTED_POSTS", "60"))
PENDING = "SELECT kind, status FROM inbox WHERE status = 'pending' AND kind <> 'status'"
UNSENT = "SELECT id FROM outbox WHERE status NOT IN ('sent', 'failed')"
SILENT = """
SELECT d.id FROM dialog_contexts AS d
WHERE EXISTS (
    SELECT FROM messages AS m
    WHERE m.company_id = d.company_id AND m.conversation_id = d.id AND m.direction = 'in'
      AND m.type = 'text'
)
AND NOT EXISTS (
    SELECT FROM messages AS m
    WHERE m.company_id = d.company_id AND m.conversation_id = d.id AND m.direction = 'out'
)
"""
BAD = "SELECT kind, last_error FROM inbox WHERE status = 'dead' OR last_error IS NOT NULL"


@pytest.mark.timeout(120 + POSTS)
async def test_whatever_meta_may_post_is_kept_whole_and_nothing_of_it_is_logged(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    seed_ = random.randrange(10_000)  # noqa: S311
    print(f"seed {seed_}")  # noqa: T201 - shown when the test fails
    made = Inventor(seed_)
    await seed(fresh_database_url)
    rules = Rules(adopt_strangers=True, pair_rate=False, number_rate=False)
    both = (SALON, replace(SALON, phone_number_id=NUMBERS[1]))
    async with running_graph(rules=rules, numbers=both) as graph:
        world = World(graph, fresh_database_url, redis_url, free_port())
        async with world.serving(tmp_path) as bot:
            bodies = [made.body() for _ in range(POSTS)] + [made.body(most=120)]
            twice = [*bodies, *made.chance.sample(bodies, POSTS // 3)]
            made.chance.shuffle(twice)
            await _post(world.port, [orjson.dumps(one) for one in twice])
            await _at_rest(fresh_database_url)
            assert await rows(fresh_database_url, BAD) == []
            assert await rows(fresh_database_url, SILENT) == []
            await _all_kept(fresh_database_url, made)
            _quiet(bot, made)
        heard = {(one.phone_number_id, one.to) for one in graph.sent}
        assert made.asked - heard == set(), "somebody was not answered"


async def _post(port: int, raws: list[bytes]) -> None:
    url, at_once = f"http://127.0.0.1:{port}/webhook", asyncio.Semaphore(8)

    async def post(session: aiohttp.ClientSession, raw: bytes) -> int:
        headers = {HEADER: sign(raw, APP_SECRET.encode())}
        async with at_once, session.post(url, data=raw, headers=headers) as answer:
            return answer.status

    async with aiohttp.ClientSession() as session:
        statuses = await asyncio.gather(*(post(session, raw) for raw in raws))
    assert set(statuses) == {200}


async def _at_rest(database_url: str) -> None:
    for _ in range(600):
        if not await rows(database_url, PENDING) and not await rows(database_url, UNSENT):
            return
        await asyncio.sleep(0.1)
    left = [*await rows(database_url, PENDING), *await rows(database_url, UNSENT)]
    raise AssertionError(f"it does not come to rest: {left[:20]}")


async def _all_kept(database_url: str, made: Inventor) -> None:
    kept = [
        *(row["dedup_key"] for row in await rows(database_url, "SELECT dedup_key FROM inbox")),
        *(row["dedup_key"] for row in await rows(database_url, "SELECT dedup_key FROM strays")),
    ]
    assert set(made.expected) - set(kept) == set(), "lost"
    assert len(made.expected) == len(set(made.expected))


def _quiet(bot: Bot, made: Inventor) -> None:
    said = bot.said
    assert [one for one in made.private if one in said] == []
    # Whose number is hidden is not known to the Graph API here: what is sent to them fails.
    lines = [line for line in map(orjson.loads, said.splitlines()) if line["level"] == "error"]
    assert [
        line for line in lines if (line["event"], line.get("code")) != ("send.failed", 100)
    ] == []
    assert not bot.ended
