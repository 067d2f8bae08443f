"""The fake Graph API accepts every valid message body that others have published."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.simulator import Rules
from bot.simulator.model import StoredMedia
from storage.clock import system_clock
from tests.support.business import Client
from tests.support.graph import SALON, Graph, running_graph
from tests.support.payloads import CORPUS

ANA = "12125550101"
SAMPLES = CORPUS / "payloads_send" / "messages"
# Files of the collection that are no valid messages, and why.
NOT_MESSAGES = {
    "none--bindambc--expectedmessage18.json": "a two-step PIN for another endpoint",
    "none-opaque--gokapso--l38.json": "a call for another endpoint",
    "none-reply--meta-openapi--send-reply-to-list-message.json": "has no type, which means text",
    "mark-read--meta-postman--l54.json": "an excerpt without the message id",
    "typing-indicator--wa-api-js--l1892.json": "an excerpt without the message id",
    "interactive-order-details--meta-postman--send-order-details-message.json": "the beta's shape",
}


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with running_graph(rules=Rules(pair_rate=False)) as running:
        yield running


def filled_in(name: str, graph: Graph) -> dict[str, Any]:
    """A sample with its placeholders replaced, in a world where what it refers to exists."""
    body: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    text = json.dumps(body)
    for placeholder, value in {
        "<http(s)://": "https://",
        "http(s)://": "https://",
        "<LOCATION_LATITUDE>": "37.7",
        "<LOCATION_LONGITUDE>": "-122.4",
        "<HEADER_TYPE>": "text",
        "<EMOJI>": "👍",
    }.items():
        text = text.replace(placeholder, value)
    body = json.loads(text)
    if "to" in body:
        body["to"] = ANA
    if "recipient" in body:
        body["recipient"] = next(iter(graph.simulator.world.customers.values())).user_id(SALON)
    return body


def provide(graph: Graph, value: Any, message_id: str) -> None:
    """Upload the media that a body refers to, and point it at a message that exists."""
    world = graph.simulator.world
    if isinstance(value, list):
        for one in value:
            provide(graph, one, message_id)
    if not isinstance(value, dict):
        return
    types = {"image": "image/png", "sticker": "image/webp", "audio": "audio/ogg"}
    types |= {"video": "video/mp4", "document": "application/pdf"}
    for key, one in value.items():
        if key in types and isinstance(one, dict) and "id" in one:
            world.media[one["id"]] = StoredMedia(one["id"], types[key], b"x", system_clock())
        if key == "message_id":
            value[key] = message_id
        else:
            provide(graph, one, message_id)


def samples() -> list[str]:
    return sorted(path.name for path in SAMPLES.glob("*.json")) or ["no collection"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no collection of payloads at {SAMPLES}")
@pytest.mark.parametrize("name", samples())
async def test_every_valid_sample_body_is_accepted_and_the_others_are_refused(
    graph: Graph, client: Client, name: str
) -> None:
    ana = graph.customer("Ana", phone=ANA)
    known = await ana.say("hi", wait=False)
    body = filled_in(name, graph)
    asked = copy.deepcopy(body)
    provide(graph, body, known.id)
    status, answer = await client.send(body)
    if name in NOT_MESSAGES:
        assert status == 400, NOT_MESSAGES[name]
    else:
        assert status == 200, (asked, answer)
        assert answer == {"success": True} or answer["messages"][0]["id"].startswith("wamid.")
