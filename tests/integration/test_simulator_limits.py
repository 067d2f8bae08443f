"""The fake Graph API holds senders to Meta's limits."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator import Number, Rules
from storage.clock import ShiftedClock
from tests.support.business import Client, graph_client, message
from tests.support.graph import SALON, Graph, running_graph

GRINNING = "😀"


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with running_graph(rules=Rules(pair_rate=False)) as running:
        yield running


@pytest.fixture
async def ana(graph: Graph) -> str:
    phone = graph.customer("Ana", phone="12125550101")
    phone.open_window()
    return phone.number


def button(title: str, id: str = "") -> dict[str, Any]:  # noqa: A002  # Meta's own word
    return {"type": "reply", "reply": {"id": id or title, "title": title}}


def buttons(*made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "button", "body": {"text": "b"}, "action": {"buttons": list(made)}, **more}


def rows(*sections: dict[str, Any], label: str = "Choose", **more: Any) -> dict[str, Any]:
    action = {"button": label, "sections": list(sections)}
    return {"type": "list", "body": {"text": "b"}, "action": action, **more}


def section(count: int, *, title: str | None = None, first: int = 0, **more: str) -> dict[str, Any]:
    made = [{"id": f"r{n}", "title": f"Row {n}", **more} for n in range(first, first + count)]
    return {"title": title, "rows": made} if title else {"rows": made}


def link(label: str, url: str = "https://example.com") -> dict[str, Any]:
    parameters = {"display_text": label, "url": url}
    return {
        "type": "cta_url",
        "body": {"text": "b"},
        "action": {"name": "cta_url", "parameters": parameters},
    }


def form(**more: Any) -> dict[str, Any]:
    parameters = {"flow_message_version": "3", "flow_cta": "Open", "flow_id": "1", **more}
    return {
        "type": "flow",
        "body": {"text": "b"},
        "action": {"name": "flow", "parameters": parameters},
    }


def card(n: int, text: str = "Cut", **more: Any) -> dict[str, Any]:
    picture = {"type": "image", "image": {"link": "https://example.com/a.jpg"}}
    made = {"card_index": n, "type": "cta_url", "header": picture, "body": {"text": text}}
    return {**made, "action": link("Open")["action"], **more}


def carousel(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "carousel", "body": {"text": "b"}, "action": {"cards": list(cards)}, **more}


JUST_FITS = {
    "text of 4096": ("text", {"body": "x" * 4096}),
    "three buttons": ("interactive", buttons(button("a"), button("b"), button("c"))),
    "button title of 20": ("interactive", buttons(button("x" * 20))),
    "button title of 10 emoji": ("interactive", buttons(button(GRINNING * 10))),
    "button id of 256": ("interactive", buttons(button("a", "x" * 256))),
    "button body of 1024": ("interactive", buttons(button("a"), body={"text": "x" * 1024})),
    "header and footer of 60": (
        "interactive",
        buttons(
            button("a"),
            header={"type": "text", "text": "x" * 60},
            footer={"text": "x" * 60},
        ),
    ),
    "ten rows": ("interactive", rows(section(10))),
    "ten rows in two sections": (
        "interactive",
        rows(section(5, title="Morning"), section(5, title="Evening", first=5)),
    ),
    "row description of 72": ("interactive", rows(section(1, description="x" * 72))),
    "list button of 20": ("interactive", rows(section(1), label="x" * 20)),
    "link label of 20": ("interactive", link("x" * 20)),
    "form": ("interactive", form()),
    "location request": (
        "interactive",
        {
            "type": "location_request_message",
            "body": {"text": "Where?"},
            "action": {"name": "send_location"},
        },
    ),
    "question for the number": (
        "interactive",
        {
            "type": "request_contact_info",
            "body": {"text": "May we call you?"},
            "action": {"name": "request_contact_info"},
        },
    ),
    "ten cards": ("interactive", carousel(*[card(n, "x" * 160) for n in range(10)])),
    "location": ("location", {"latitude": 40.7, "longitude": -74, "name": "Lumi"}),
    "image by link": ("image", {"link": "https://example.com/a.jpg", "caption": "x" * 1024}),
    "contact": ("contacts", [{"name": {"formatted_name": "Kim", "first_name": "Kim"}}]),
}

TOO_MUCH = {
    "text of 4097": ("text", {"body": "x" * 4097}, 100),
    "empty text": ("text", {"body": "  "}, 100),
    "text without body": ("text", {}, 131008),
    "unknown key": ("text", {"body": "x", "bold": True}, 100),
    "unknown kind": ("carrier_pigeon", {}, 131009),
    "four buttons": ("interactive", buttons(*[button(t) for t in "abcd"]), 131009),
    "no buttons": ("interactive", buttons(), 131009),
    "button title of 21": ("interactive", buttons(button("x" * 21)), 131009),
    "button title of 11 emoji": ("interactive", buttons(button(GRINNING * 11)), 131009),
    "empty button title": ("interactive", buttons(button("", "id")), 131009),
    "same button title twice": ("interactive", buttons(button("a", "1"), button("a", "2")), 131009),
    "same button id twice": ("interactive", buttons(button("a", "1"), button("b", "1")), 131009),
    "button id of 257": ("interactive", buttons(button("a", "x" * 257)), 131009),
    "button id with a space at the end": ("interactive", buttons(button("a", "x ")), 131009),
    "button body of 1025": (
        "interactive",
        buttons(button("a"), body={"text": "x" * 1025}),
        131009,
    ),
    "header of 61": (
        "interactive",
        buttons(button("a"), header={"type": "text", "text": "x" * 61}),
        131009,
    ),
    "footer of 61": ("interactive", buttons(button("a"), footer={"text": "x" * 61}), 131009),
    "list with an image header": (
        "interactive",
        rows(section(1), header={"type": "image", "image": {"link": "https://e.com/a.png"}}),
        131009,
    ),
    "eleven rows": ("interactive", rows(section(11)), 131009),
    "eleven rows in two sections": (
        "interactive",
        rows(section(6, title="Morning"), section(5, title="Evening", first=6)),
        131009,
    ),
    "two sections without titles": ("interactive", rows(section(1), section(1, first=1)), 131009),
    "section title of 25": ("interactive", rows(section(1, title="x" * 25)), 131009),
    "row title of 25": (
        "interactive",
        rows({"rows": [{"id": "1", "title": "x" * 25}]}),
        131009,
    ),
    "row description of 73": ("interactive", rows(section(1, description="x" * 73)), 131009),
    "row id of 201": ("interactive", rows({"rows": [{"id": "x" * 201, "title": "a"}]}), 131009),
    "same row id twice": (
        "interactive",
        rows({"rows": [{"id": "1", "title": "a"}, {"id": "1", "title": "b"}]}),
        131009,
    ),
    "same row title twice": (
        "interactive",
        rows({"rows": [{"id": "1", "title": "a"}, {"id": "2", "title": "a"}]}),
        131009,
    ),
    "list button of 21": ("interactive", rows(section(1), label="x" * 21), 131009),
    "list body of 1025": ("interactive", rows(section(1), body={"text": "x" * 1025}), 131009),
    "link label of 21": ("interactive", link("x" * 21), 131009),
    "link to a file": ("interactive", link("a", "file:///etc/passwd"), 131009),
    "form button of 31": ("interactive", form(flow_cta="x" * 31), 131009),
    "form with two names": ("interactive", form(flow_name="visit"), 131009),
    "one card": ("interactive", carousel(card(0)), 131009),
    "eleven cards": ("interactive", carousel(*[card(n) for n in range(11)]), 131009),
    "card of 161": ("interactive", carousel(card(0), card(1, "x" * 161)), 131009),
    "card of four lines": ("interactive", carousel(card(0), card(1, "a\nb\nc\nd")), 131009),
    "cards that do not count": ("interactive", carousel(card(0), card(2)), 131009),
    "carousel with a footer": (
        "interactive",
        carousel(card(0), card(1), footer={"text": "f"}),
        131009,
    ),
    "interactive without type": ("interactive", {"body": {"text": "b"}}, 131008),
    "interactive without body": (
        "interactive",
        {"type": "button", "action": {"buttons": [button("a")]}},
        131008,
    ),
    "latitude of 91": ("location", {"latitude": 91, "longitude": 0}, 131009),
    "caption of 1025": (
        "image",
        {"link": "https://example.com/a.jpg", "caption": "x" * 1025},
        131009,
    ),
    "caption on a sound": ("audio", {"link": "https://example.com/a.ogg", "caption": "x"}, 100),
    "media with id and link": ("image", {"id": "1", "link": "https://e.com/a.jpg"}, 131009),
    "media that was never uploaded": ("image", {"id": "1"}, 131009),
    "six contacts": ("contacts", [{"name": {"formatted_name": "Kim"}}] * 6, 131009),
    "reaction to nothing": ("reaction", {"message_id": "wamid.x", "emoji": "👍"}, 131009),
}


@pytest.mark.parametrize("case", JUST_FITS)
async def test_what_just_fits_is_accepted(client: Client, ana: str, case: str) -> None:
    kind, content = JUST_FITS[case]
    status, answer = await client.send(message(ana, kind, content))
    assert status == 200, answer


@pytest.mark.parametrize("case", TOO_MUCH)
async def test_what_is_too_much_is_refused_in_metas_shape(
    graph: Graph, client: Client, ana: str, case: str
) -> None:
    kind, content, code = TOO_MUCH[case]
    status, answer = await client.send(message(ana, kind, content))
    error = answer["error"]
    assert (status, error["code"]) == (400, code), answer
    assert error["message"].startswith(f"(#{code}) ")
    assert {"type", "fbtrace_id"} < error.keys()
    assert ("error_data" in error) == (code >= 130000)
    assert graph.sent == []


async def test_the_callback_data_may_have_512_characters(client: Client, ana: str) -> None:
    await client.text(ana, "hi", biz_opaque_callback_data="x" * 512)
    body = message(ana, "text", {"body": "hi"}, biz_opaque_callback_data="x" * 513)
    status, answer = await client.send(body)
    assert (status, answer["error"]["code"]) == (400, 131009)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_product": "signal"}, 131009),
        ({"messaging_product": None}, 131009),
        ({"to": None}, 100),
        ({"to": "123"}, 131009),
        ({"to": SALON.display_phone}, 131021),
        ({"to": None, "recipient": "US.404"}, 100),
        ({"to": "12125550177"}, 131026),
        ({"colour": "green"}, 100),
    ],
)
async def test_a_wrong_envelope_is_refused(
    client: Client, ana: str, change: dict[str, Any], code: int
) -> None:
    status, answer = await client.send(message(ana, "text", {"body": "hi"}) | change)
    assert (status, answer["error"]["code"]) == (400, code), answer


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"a":"\\ud800"}', b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(graph: Graph, raw: bytes) -> None:
    url = f"{graph.url}/{SALON.phone_number_id}/messages"
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=raw, headers=headers) as answer,
    ):
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 100)


async def test_what_is_not_simulated_is_refused_loudly(client: Client, ana: str) -> None:
    call = {"type": "voice_call", "body": {"text": "b"}, "action": {"name": "voice_call"}}
    status, answer = await client.send(message(ana, "interactive", call))
    assert status == 501
    assert "voice_call" in answer["error"]["message"]
    group = message(ana, "text", {"body": "hi"}) | {"recipient_type": "group"}
    assert (await client.send(group))[0] == 501


async def test_paths_that_are_not_simulated_are_refused_loudly(graph: Graph) -> None:
    headers = {"Authorization": "Bearer x"}
    url = f"{graph.url}/{SALON.phone_number_id}/official_business_account"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url) as answer,
    ):
        assert answer.status == 501
        assert "official_business_account" in (await answer.json())["error"]["message"]


async def test_a_token_is_needed_and_an_expected_one_is_checked() -> None:
    async with running_graph(rules=Rules(token="right")) as graph, graph_client(graph) as client:  # noqa: S106
        ana = graph.customer()
        ana.open_window()
        body = message(ana.number, "text", {"body": "hi"})
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}):
            client.headers = headers
            status, answer = await client.send(body)
            assert (status, answer["error"]["code"]) == (401, 190)
        client.headers = {"Authorization": "Bearer right"}
        assert (await client.send(body))[0] == 200


async def test_an_unknown_number_is_no_object(client: Client, ana: str) -> None:
    status, answer = await client.send(message(ana, "text", {"body": "hi"}), number="404")
    assert (status, answer["error"]["error_subcode"]) == (400, 33)
    assert answer["error"]["type"] == "GraphMethodException"


async def test_a_number_may_send_so_many_a_second() -> None:
    slow = Number("1", "Slow", "+1 555 010 0001", messages_per_second=3)
    async with running_graph(numbers=[slow]) as graph, graph_client(graph) as client:
        ana = graph.customer()
        ana.open_window()
        body = message(ana.number, "text", {"body": "hi"})
        answers = [await client.send(body) for _ in range(4)]
        assert [status for status, _ in answers] == [200, 200, 200, 400]
        assert answers[3][1]["error"]["code"] == 130429


async def test_one_customer_gets_a_burst_and_then_one_message_in_six_seconds() -> None:
    async with running_graph(rules=Rules(pair_burst=3)) as graph, graph_client(graph) as client:
        ana, bea = graph.customer("Ana"), graph.customer("Bea")
        ana.open_window()
        bea.open_window()
        answers = [await client.send(message(ana.number, "text", {"body": "hi"})) for _ in range(4)]
        assert [status for status, _ in answers] == [200, 200, 200, 400]
        assert answers[3][1]["error"]["code"] == 131056
        await client.text(bea.number, "hi")


async def test_the_pair_rate_recovers_as_the_clock_is_moved() -> None:
    clock = ShiftedClock()
    async with (
        running_graph(clock=clock, advance=clock.advance, rules=Rules(pair_burst=1)) as graph,
        graph_client(graph) as client,
    ):
        ana = graph.customer()
        ana.open_window()
        await client.text(ana.number, "one")
        assert (await client.send(message(ana.number, "text", {"body": "two"})))[0] == 400
        await graph.simulator.advance(timedelta(seconds=6))
        await client.text(ana.number, "two")


async def test_a_number_can_be_looked_up(graph: Graph, client: Client) -> None:
    async with aiohttp.ClientSession(headers=client.headers) as session:
        url = f"{graph.url}/{SALON.phone_number_id}"
        known = await (await session.get(url)).json()
        assert (known["verified_name"], known["quality_rating"]) == ("Salon Lumi", "GREEN")
        some = await (await session.get(url, params={"fields": "verified_name"})).json()
        assert some == {"verified_name": "Salon Lumi", "id": SALON.phone_number_id}
        assert (await session.get(url, params={"fields": "shoe_size"})).status == 501
        assert (await session.get(f"{graph.url}/404")).status == 400
