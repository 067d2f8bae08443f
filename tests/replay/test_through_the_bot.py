"""Webhooks of many projects through the whole bot: all are answered, all turns are taken."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import orjson
import pytest

from bot.operators import replay
from bot.operators.replay import Outcome, Plan
from bot.simulator import Rules
from storage.pool import Pool, connection
from tests.support.bot import running_scene
from tests.support.graph import SALON
from tests.support.payloads import CORPUS, corpus

pytestmark = pytest.mark.skipif(
    not (CORPUS / "INDEX.md").exists(),
    reason="there is no corpus of webhooks here: WHATSAPP_CORPUS says where one is",
)
UNSETTLED = """
SELECT (SELECT count(*) FROM inbox WHERE status = 'pending' AND conversation_id IS NOT NULL)
     + (SELECT count(*) FROM outbox WHERE status NOT IN ('sent', 'failed', 'held'))
"""
PATIENCE = 60.0


async def test_the_whole_corpus_makes_turns_and_none_of_them_fails(
    database_url: str, redis_url: str, pool: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(b"\n".join(orjson.dumps(one.body) for one in corpus()))
    rules = Rules(adopt_strangers=True, pair_rate=False, number_rate=False)
    told: list[Outcome] = []
    async with running_scene(database_url, redis_url, rules=rules) as scene:
        stored = list(replay.webhooks(file, number=SALON.phone_number_id))
        plan = Plan(f"{scene.url}/webhook")
        await replay.play(scene.runtime.settings, stored, plan, pool=pool, tell=told.append)
        assert {one.http for one in told} == {200}
        assert {one.fate for one in told} <= {"accepted", "duplicate", "kept", "answered"}
        assert sum(one.fate == "accepted" for one in told) > 80
        until = time.monotonic() + PATIENCE
        async with connection(pool) as conn:
            while await conn.fetchval(UNSETTLED) and time.monotonic() < until:
                await asyncio.sleep(0.05)
            assert await conn.fetchval(UNSETTLED) == 0
            failed = await conn.fetch(
                "SELECT id, kind, last_error FROM inbox WHERE status = 'dead' OR last_error <> ''"
            )
            assert failed == []
            assert await conn.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") > 30
