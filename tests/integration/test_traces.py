"""What the panel of the chat page is told: rows of one message, and the turn that it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.tracing import Tracer
from bot.turns import LatestTurns
from storage import traces
from storage.pool import Pool, connection
from tests.support.bot import Scene, running_scene
from tests.support.graph import SALON


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """A bot with nobody talking to it yet."""
    async with running_scene(database_url, redis_url) as scene:
        yield scene


async def trace(scene: Scene, message_id: str) -> dict[str, Any]:
    """What the page would be told, once the bot knows the message."""
    told: dict[str, Any] = {"bot": None}
    async with (
        asyncio.timeout(5),
        aiohttp.ClientSession(scene.graph.simulator.base_url) as session,
    ):
        while told["bot"] is None:  # an answer can be read before the bot has its id
            async with session.get("/simulator/trace", params={"message": message_id}) as answer:
                assert answer.status == 200
                told = await answer.json()
    return told


async def test_a_customers_message_tells_of_its_webhook_turn_and_answers(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    heard = await ana.say("women's cut with becky")
    reply = await ana.reply()
    told = await trace(scene, heard.id)
    (webhook,) = told["webhooks"]
    assert webhook["value"]["messages"][0]["id"] == heard.id
    bot = told["bot"]
    assert bot["event"]["event"]["message"]["id"] == heard.id
    assert bot["event"]["status"] == "done"
    assert bot["outbox"] is None
    (said,) = bot["said"]
    assert said["message"]["body"]["type"] == reply.kind
    assert said["outbox"]["id"] == said["message"]["id"]
    assert {one["event_type"] for one in bot["records"]} >= {"wish_typed"}
    assert bot["conversation"]["step"] == "booking.choosing_day"


async def test_the_turn_tells_its_state_before_and_after_its_asks_and_effects(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    heard = await ana.say("women's cut with becky")
    await ana.reply()
    turn = (await trace(scene, heard.id))["bot"]["turn"]
    assert (turn["before"]["step"], turn["after"]["step"]) == ("menu.idle", "booking.choosing_day")
    assert turn["event"] == {"name": "TextReceived", "text": "women's cut with becky"}
    assert [(one["ask"]["name"], one["answer"]["name"]) for one in turn["asked"]] == [
        ("FindDays", "DaysFound")
    ]
    assert "Say" in [one["name"] for one in turn["effects"]]
    assert turn["ms"] > 0


async def test_an_answer_tells_what_it_answers_and_how_far_it_got(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    heard = await ana.say("hi")
    reply = await ana.reply()
    await scene.graph.simulator.changes.until(lambda: reply.message.status == "read", 5)
    for delivery in scene.graph.deliveries:
        await delivery.settled.wait()
    told = await trace(scene, reply.id)
    bot = told["bot"]
    assert bot["event"]["event"]["message"]["id"] == heard.id
    assert bot["turn"]["turn"] == 1
    assert bot["outbox"]["wamid"] == bot["message"]["wamid"] == reply.id
    heard_of = [one["event"]["status"]["status"] for one in bot["statuses"]]
    assert sorted(heard_of) == ["delivered", "read", "sent"]
    assert list(told["times"]) == ["sent", "delivered", "read"]
    (request,) = told["requests"]
    assert request["body"]["type"] == "interactive"


async def test_two_customers_and_two_turns_are_kept_apart(scene: Scene) -> None:
    ana, ben = scene.graph.customer("Ana"), scene.graph.customer("Ben")
    for person in (ana, ben):
        await person.say("hi")
        await person.reply()
    second = await ana.say("women's cut with becky")
    await ana.reply()
    bot = (await trace(scene, second.id))["bot"]
    assert bot["turn"]["turn"] == 2
    assert len(bot["said"]) == 1
    assert bot["conversation"]["id"] == bot["event"]["conversation_id"]


async def test_nothing_is_told_of_another_business_or_of_no_message(
    scene: Scene, pool: Pool
) -> None:
    ana = scene.graph.customer("Ana")
    heard = await ana.say("hi")
    await ana.reply()
    async with connection(pool) as conn:
        for number, wamid in (("100000000000002", heard.id), (SALON.phone_number_id, "wamid.none")):
            assert await traces.find(conn, number, wamid, now=scene.clock()) is None
    async with (
        aiohttp.ClientSession(scene.graph.simulator.base_url) as session,
        session.get("/simulator/trace", params={"message": "wamid.none"}) as answer,
    ):
        assert answer.status == 404


async def test_turns_outlive_the_process_in_their_file(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    reply = await ana.reply()
    told = (await trace(scene, reply.id))["bot"]
    path.write_bytes(scene.turns.lines() + b'{"company_id": 1, "inb')  # killed while writing
    later = LatestTurns(path)
    again = Tracer(scene.runtime.pool, later, scene.clock)
    found = await again(SALON.phone_number_id, reply.id)
    later.close()
    assert found is not None
    assert found["turn"] == told["turn"]
    assert path.read_bytes() == scene.turns.lines()
