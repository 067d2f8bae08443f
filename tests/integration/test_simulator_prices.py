"""What messages cost: the pricing object of the statuses, by day, category and window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator import Template
from bot.simulator.prices import FREE_SERVICE_MESSAGES
from storage.clock import ShiftedClock
from tests.support.business import Business, graph_client, message
from tests.support.graph import Graph, running_graph

BEFORE, SINCE = datetime(2026, 9, 15, 12, tzinfo=UTC), datetime(2026, 10, 15, 12, tzinfo=UTC)
TEMPLATES = [Template("soon", "See you soon at our place", category="utility")]
TEMPLATES += [Template("offer", "Come back to our place soon", category="marketing")]


def clock_at(moment: datetime) -> ShiftedClock:
    return ShiftedClock(lambda: moment)


async def price(graph: Graph, business: Business, kind: str, content: Any, to: str) -> Any:
    """What the next message costs."""
    async with graph_client(graph) as client:
        status, answer = await client.send(message(to, kind, content))
        assert status == 200, answer
    wamid = answer["messages"][0]["id"]
    await business.until(lambda: len(business.steps(wamid)) == 3)
    told = [one for one in business.statuses if one["id"] == wamid]
    found = [one["pricing"] for one in told if "pricing" in one]
    assert found[0] == found[-1], "sent and delivered say the same"
    assert found[0]["billable"] == (found[0]["type"] == "regular")
    return found[0]["category"], found[0]["type"]


def template(name: str) -> dict[str, Any]:
    return {"name": name, "language": {"code": "en"}}


@pytest.mark.parametrize(
    ("now", "utility_within"), [(BEFORE, "free_customer_service"), (SINCE, "regular")]
)
async def test_what_a_message_costs_follows_day_category_and_window(
    business: Business, now: datetime, utility_within: str
) -> None:
    clock = clock_at(now)
    async with running_graph(business.url, clock=clock, templates=TEMPLATES) as graph:
        ana = graph.customer()
        assert await price(graph, business, "template", template("soon"), ana.number) == (
            "utility",
            "regular",
        ), "there is no window"
        await ana.say("hi")
        for kind, content, expected in (
            ("text", {"body": "Hello"}, ("service", "free_customer_service")),
            ("template", template("soon"), ("utility", utility_within)),
            ("template", template("offer"), ("marketing", "regular")),
        ):
            assert await price(graph, business, kind, content, ana.number) == expected
        clock.advance(timedelta(hours=25))
        outside = await price(graph, business, "template", template("soon"), ana.number)
        assert outside == ("utility", "regular")


async def test_a_thousand_free_messages_are_free_in_a_month(business: Business) -> None:
    clock = clock_at(SINCE)
    async with running_graph(business.url, clock=clock) as graph:
        ana = graph.customer()
        await ana.say("hi")
        prices = graph.simulator.exchange.prices
        said = {"body": "Hello"}
        assert await price(graph, business, "text", said, ana.number) == (
            "service",
            "free_customer_service",
        )
        for _ in range(FREE_SERVICE_MESSAGES):
            prices.delivered(ana.talk, ana.talk.messages[-1])
        assert await price(graph, business, "text", said, ana.number) == ("service", "regular")
        clock.advance(timedelta(days=20))
        await ana.say("hi again")
        assert await price(graph, business, "text", said, ana.number) == (
            "service",
            "free_customer_service",
        ), "another month"


async def test_marketing_of_the_other_endpoint_has_a_category_of_its_own(
    business: Business,
) -> None:
    async with running_graph(business.url, clock=clock_at(SINCE), templates=TEMPLATES) as graph:
        ana = graph.customer()
        url = f"{graph.url}/{graph.number.phone_number_id}/marketing_messages"
        headers = {"Authorization": "Bearer x"}
        body = message(ana.number, "template", template("offer"))
        async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=body) as one:
            assert one.status == 200, await one.text()
        await business.until(lambda: any("pricing" in one for one in business.statuses))
        priced = next(one["pricing"] for one in business.statuses if "pricing" in one)
        assert (priced["category"], priced["type"]) == ("marketing_lite", "regular")
