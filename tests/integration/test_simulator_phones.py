"""What phones of the simulator send, and under which numbers they are found."""

from datetime import timedelta

import aiohttp
import pytest

from tests.support.business import Business, Client, message
from tests.support.graph import Graph


async def test_brazilian_mexican_and_argentine_numbers_are_found_in_both_spellings(
    graph: Graph, client: Client
) -> None:
    spelled = {
        "551187654321": "5511987654321",
        "5215512345678": "525512345678",
        "5491123456789": "541123456789",
    }
    for known, written in spelled.items():
        phone = graph.customer(known, phone=known)
        phone.open_window()
        _, answer = await client.send(message(f"+{written}", "text", {"body": "oi"}))
        assert answer["contacts"] == [{"input": f"+{written}", "wa_id": known}]


@pytest.mark.parametrize("kind", ["video", "sound", "photo", "order", "own_number"])
async def test_the_other_things_that_phones_send(
    graph: Graph, business: Business, session: aiohttp.ClientSession, kind: str
) -> None:
    ana = graph.customer()
    await ana.send(kind, forwarded=True)
    (sent,) = business.messages
    assert sent["context"] == {"forwarded": True}
    content = sent[sent["type"]]
    if kind in ("video", "sound", "photo"):
        async with session.get(content["url"]) as answer:
            assert answer.status == 200
        media = graph.simulator.world.media[content["id"]]
        await graph.simulator.advance(timedelta(days=8))
        assert graph.simulator.world.media_with(media.id) is None
    if kind == "own_number":
        assert content[0]["origin"] == "contact_request"
        assert content[0]["phones"][0]["wa_id"] == ana.number


async def test_edits_and_deletions_name_the_message(graph: Graph, business: Business) -> None:
    ana = graph.customer()
    said = await ana.say("tomorow")
    await ana.send("edit", message_id=said.id, text="tomorrow")
    await ana.send("delete", message_id=said.id)
    edit, revoke = business.messages[1:]
    assert edit["edit"]["original_message_id"] == revoke["revoke"]["original_message_id"] == said.id
    assert edit["edit"]["message"]["text"]["body"] == "tomorrow"
