"""The simulator's phones survive a restart: with what was said, and what was on its way."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.simulator import Number, Pace
from bot.simulator.memory import clock_moved
from storage.clock import ShiftedClock
from tests.support.business import graph_client, running_business
from tests.support.graph import running_graph

EMPTY = (
    b'{"customers":[],"messages":[],"media":[],"untold":[],"templates":[],"gone":[],'
    b'"clock_moves":[],"told":[],"faults":[],"talks":[],'
)


async def test_phones_messages_and_files_are_there_after_a_restart(tmp_path: Path) -> None:
    memory = tmp_path / "deep" / "phones.json"
    async with running_business() as business:
        async with (
            running_graph(business.url, memory=memory) as graph,
            graph_client(graph) as client,
        ):
            ana = graph.customer("Ana", hides_phone=True, username="ana")
            await ana.send("voice")
            said = await ana.say("hi 🙂")
            await client.text(ana.number, "Hello", biz_opaque_callback_data="row-1")
            hello = await ana.reply()
            await ana.react("👍", hello)
            before = graph.simulator.world
        async with (
            running_graph(business.url, memory=memory) as graph,
            graph_client(graph) as again,
        ):
            world = graph.simulator.world
            assert world.customers == before.customers
            assert world.messages.keys() == before.messages.keys()
            assert world.messages[said.id].content == before.messages[said.id].content
            assert world.messages[hello.id].reactions == {"customer": "👍"}
            assert list(world.media.values()) == list(before.media.values())
            await again.text(ana.number, "the window is still open")
            assert graph.customer("Ben").number != ana.number
        assert [one["type"] for one in business.messages] == ["audio", "text", "reaction"]


async def test_what_was_on_its_way_goes_on(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    async with running_graph(None, memory=memory) as graph, graph_client(graph) as client:
        ana = graph.customer("Ana")
        said = await ana.say("is anybody there?", wait=False)
        wamid = await client.text(ana.number, "Hello", biz_opaque_callback_data="row-1")
    async with running_business() as business, running_graph(business.url, memory=memory):
        await business.until(lambda: len(business.messages) == 1 and len(business.statuses) == 3)
        assert business.messages[0]["id"] == said.id
        assert sorted(business.steps(wamid)) == ["delivered", "read", "sent"]
        assert {one["biz_opaque_callback_data"] for one in business.statuses} == {"row-1"}


async def test_a_file_that_cannot_be_understood_is_put_aside(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    memory.write_text("{not json")
    async with running_graph(None, memory=memory) as graph:
        assert graph.simulator.world.customers == {}
    assert (tmp_path / "phones.unreadable").read_text() == "{not json"
    assert memory.read_bytes().startswith(EMPTY)


async def test_chats_with_numbers_that_are_gone_stay_away(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    async with running_graph(None, memory=memory) as graph:
        await graph.customer("Ana").say("hi", wait=False)
    other = Number("1", "Other", "+1 555 010 0009")
    async with running_graph(None, memory=memory, numbers=[other]) as graph:
        assert [one.name for one in graph.simulator.world.customers.values()] == ["Ana"]
        assert graph.simulator.world.messages == {}


async def test_templates_and_their_reviews_go_on(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    part = {"type": "BODY", "text": "See you soon at our place"}
    body = {"name": "soon", "language": "en", "category": "UTILITY", "components": [part]}
    slow = Pace(review=60.0)
    async with running_graph(None, memory=memory, pace=slow) as graph:
        url = f"{graph.url}/{graph.number.waba_id}/message_templates"
        headers = {"Authorization": "Bearer x"}
        async with aiohttp.ClientSession(headers=headers) as session:
            assert (await session.post(url, json=body)).status == 200
    async with running_business() as business, running_graph(business.url, memory=memory):
        await business.until(lambda: bool(business.values))
        assert business.values[0]["event"] == "APPROVED"


async def test_how_everybody_stands_is_remembered(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    async with running_business() as business:
        async with (
            running_graph(business.url, memory=memory) as graph,
            aiohttp.ClientSession(graph.simulator.base_url) as http,
        ):
            ana = graph.customer("Ana")
            await ana.say("hi")
            number, waba = graph.number.phone_number_id, graph.number.waba_id
            talk = f"/simulator/conversations/{ana.customer.id}/{number}"
            for path, body in (
                (f"{talk}/marketing", {"value": "stop"}),
                (f"{talk}/block", {"blocked": True}),
                (f"/simulator/numbers/{number}", {"quality": "RED"}),
                (f"/simulator/accounts/{waba}", {"standing": "RESTRICTED", "limit": 250}),
                ("/simulator/faults", {"kind": "error", "code": 131016, "times": 3}),
                ("/simulator/faults", {"kind": "error", "code": 130429, "lasting": 10}),
            ):
                assert (await http.post(path, json=body)).ok, path
            told = await webhooks(http)
        async with (
            running_graph(business.url, memory=memory) as graph,
            aiohttp.ClientSession(graph.simulator.base_url) as http,
        ):
            simulator = graph.simulator
            again = simulator.world.conversation(simulator.world.customers["c1"], graph.number)
            assert (again.no_marketing, again.blocked) == (True, True)
            assert simulator.accounts.line(graph.number).quality == "RED"
            account = simulator.accounts.of(graph.number)
            assert (account.standing, account.limit) == ("RESTRICTED", 250)
            (armed,) = simulator.faults.list()
            assert (armed.fault.code, armed.left) == (131016, 3)
            assert await webhooks(http) == told
            assert (await http.post("/simulator/webhooks/1/again")).ok


async def test_the_clock_stays_where_it_was_moved(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    assert clock_moved(memory) == timedelta()
    clock = ShiftedClock()
    async with (
        running_graph(None, clock=clock, advance=clock_mover(clock), memory=memory) as graph,
        aiohttp.ClientSession(graph.simulator.base_url) as http,
    ):
        for seconds in (900, 86_400):
            await http.post("/simulator/clock", json={"advance_seconds": seconds})
    assert clock_moved(memory) == timedelta(days=1, minutes=15) == clock.offset


def clock_mover(clock: ShiftedClock) -> Callable[[timedelta], None]:
    def move(by: timedelta) -> None:
        clock.advance(by)

    return move


async def webhooks(http: aiohttp.ClientSession) -> Any:
    return (await (await http.get("/simulator/webhooks")).json())["webhooks"]
