"""Chatting in the terminal, and the transcripts that it records."""

import asyncio
import io
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from bot.simulator.terminal import ChatError, chat
from bot.simulator.transcript import as_transcript
from tests.support.business import Business, Client, message
from tests.support.graph import SALON, Graph

WELCOME = {
    "type": "button",
    "body": {"text": "Welcome to *Salon Lumi*."},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "b", "title": "Book a visit"}},
            {"type": "reply", "reply": {"id": "m", "title": "My visits"}},
        ]
    },
}
SERVICES = {
    "type": "list",
    "body": {"text": "What would\nyou like?"},
    "action": {
        "button": "Choose",
        "sections": [
            {
                "rows": [
                    {"id": "w", "title": "Women's cut", "description": "60 min, $82"},
                    {"id": "c", "title": "Colour"},
                ]
            }
        ],
    },
}
HOSTILE = "evil \x1b[2Jtext [red]not markup[/red]"


class Typist:
    """Types the lines of a test, each when the bot has answered the one before."""

    def __init__(self, graph: Graph, client: Client, *script: tuple[str, str, Any]) -> None:
        self._graph = graph
        self._client = client
        self._script = script

    async def __aiter__(self) -> AsyncIterator[str]:
        for typed, kind, answer in self._script:
            shown = self._shown()
            yield typed
            if answer is None:
                continue
            (ana,) = self._graph.simulator.world.customers.values()
            status, body = await self._client.send(message(ana.phone, kind, answer))
            assert status == 200, body
            await self._until_more_than(shown)
            await asyncio.sleep(0.05)

    def _shown(self) -> int:
        return sum(
            one.author == "business" and one.status == "read"
            for one in self._graph.simulator.world.messages.values()
        )

    async def _until_more_than(self, before: int) -> None:
        assert await self._graph.simulator.changes.until(lambda: self._shown() > before, 3)


async def play(
    graph: Graph,
    client: Client,
    record: Path | None,
    *script: tuple[str, str, Any],
    name: str = "Ana",
) -> str:
    screen = io.StringIO()
    typing: Awaitable[None] = chat(
        graph.simulator.base_url,
        customer_name=name,
        phone_number_id=SALON.phone_number_id,
        record=record,
        lines=aiter(Typist(graph, client, *script)),
        console=Console(file=screen, width=100),
    )
    await asyncio.wait_for(typing, 10)
    return screen.getvalue()


async def test_numbers_tap_and_the_chat_is_recorded_as_a_transcript(
    graph: Graph, client: Client, business: Business, tmp_path: Path
) -> None:
    record = tmp_path / "booking.txt"
    screen = await play(
        graph,
        client,
        record,
        ("hi", "interactive", WELCOME),
        ("1", "interactive", SERVICES),
        ("(Women's cut)", "text", {"body": "Booked."}),
        ("/quit", "", None),
    )
    assert without_title(record) == (
        "> hi\n"
        "< Welcome to *Salon Lumi*.\n"
        "  [Book a visit] [My visits]\n"
        "> [Book a visit]\n"
        "< What would\n"
        "  you like?\n"
        "  (Women's cut | 60 min, $82) (Colour)\n"
        "> (Women's cut)\n"
        "< Booked.\n"
    )
    assert "Salon Lumi: Welcome to Salon Lumi." in screen
    assert "   1  Women's cut  60 min, $82\n   2  Colour" in screen
    taps = [one["interactive"]["type"] for one in business.messages[1:]]
    assert taps == ["button_reply", "list_reply"]


async def test_a_recording_names_whoever_is_not_ana_and_tells_of_silence(
    graph: Graph, client: Client, tmp_path: Path
) -> None:
    record = tmp_path / "silent.txt"
    script = (("hi", "", None), ("hello?", "text", {"body": "Good morning."}))
    await play(graph, client, record, *script, name="Ben Okafor")
    assert without_title(record) == "Ben> hi\nBen< (silence)\nBen> hello?\nBen< Good morning.\n"


def without_title(record: Path) -> str:
    title, _, text = record.read_text().partition("\n\n")
    assert title.startswith("# With Salon Lumi, ")
    return text


async def test_what_is_recorded_is_what_the_page_saves(
    graph: Graph, client: Client, tmp_path: Path
) -> None:
    record = tmp_path / "again.txt"
    await play(graph, client, None, ("hi", "interactive", WELCOME))
    script = (("(My visits)", "interactive", WELCOME), ("/quit", "", None))
    await play(graph, client, record, *script)
    (ana,) = graph.simulator.world.customers
    url = f"{graph.simulator.base_url}/simulator/transcript"
    query = {"number": SALON.phone_number_id, "customer": ana}
    async with aiohttp.ClientSession() as http, http.get(url, params=query) as answer:
        page = await answer.text()
    assert record.read_text().partition("\n\n")[2] == page.partition("\n\n")[2]
    assert page.count("> hi\n") == 1, "what was said before is told, too, and once"


async def test_a_backslash_sends_a_number_as_text_and_commands_send_other_things(
    graph: Graph, client: Client, business: Business
) -> None:
    await play(
        graph,
        client,
        None,
        ("hi", "interactive", WELCOME),
        ("\\1", "", None),
        ("/voice", "", None),
        ("/help", "", None),
    )
    await business.until(lambda: len(business.messages) == 3)
    assert business.messages[1]["text"]["body"] == "1"
    assert business.messages[2]["type"] == "audio"


async def test_hostile_text_does_nothing_to_the_terminal(graph: Graph, client: Client) -> None:
    screen = await play(graph, client, None, ("hi", "text", {"body": HOSTILE}))
    assert "evil [2Jtext [red]not markup[/red]" in screen


async def test_narrow_spaces_stay_spaces(graph: Graph, client: Client) -> None:
    assert "at 6:15 PM" in await play(
        graph, client, None, ("hi", "text", {"body": "at 6:15\u202fPM"})
    )


async def test_the_same_name_takes_up_the_same_chat(graph: Graph, client: Client) -> None:
    await play(graph, client, None, ("hi", "text", {"body": "Hello"}))
    screen = await play(graph, client, None, ("again", "text", {"body": "Hello again"}))
    assert len(graph.simulator.world.customers) == 1
    assert screen.index("> hi") < screen.index("Hello again")


async def test_without_a_simulator_or_its_number_the_chat_says_so(graph: Graph) -> None:
    with pytest.raises(ChatError, match="cannot be reached"):
        await chat("http://127.0.0.1:9", customer_name="Ana", phone_number_id="1")
    with pytest.raises(ChatError, match=r"no number 404, only Salon Lumi"):
        await chat(graph.simulator.base_url, customer_name="Ana", phone_number_id="404")


def test_a_template_button_reads_like_a_button_in_a_transcript() -> None:
    assert as_transcript("customer", "button", {"text": "Confirm"}) == "> [Confirm]\n"


def more_than(before: int, count: Callable[[], int]) -> bool:
    return count() > before


async def test_lines_from_a_pipe_wait_for_their_answers_and_the_chat_ends_while_it_is_open(
    graph: Graph, client: Client
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "chat", "--name", "Pia", "--url", graph.simulator.base_url),
        *("--number", SALON.phone_number_id),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"hi\n1\n/quit\n")
    await process.stdin.drain()
    world = graph.simulator.world

    def written() -> int:
        return sum(one.author == "customer" for one in world.messages.values())

    for answer in (WELCOME, SERVICES):
        before = 0 if answer is WELCOME else 1
        assert await graph.simulator.changes.until(partial(more_than, before, written), 10)
        (pia,) = world.customers.values()
        await client.send(message(pia.phone, "interactive", answer))
    assert await asyncio.wait_for(process.wait(), 10) == 0  # its input was not closed
    assert b"> [Book a visit]" in await process.stdout.read()


async def test_a_chat_that_cannot_be_says_so_without_a_traceback() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "chat", "--url", "http://127.0.0.1:9"), stderr=PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert said == b"The simulator cannot be reached: is the demo running?\n"
