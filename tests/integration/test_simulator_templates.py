"""The fake Graph API keeps templates as Meta does: created, reviewed, paused, edited, deleted."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator import Pace, Rules
from tests.support.business import Business, Client, graph_client, message
from tests.support.graph import SALON, Graph, running_graph
from tests.support.template_desk import FULL, Desk, body_text, filled


@pytest.fixture
def desk(graph: Graph, session: aiohttp.ClientSession) -> Desk:
    return Desk(graph, session)


def titles(business: Business) -> list[str]:
    """What was said about pauses, in order."""
    values = [one for one in business.values if "event" in one]
    return [one.get("other_info", {}).get("title", "") for one in values]


async def told_so_far(business: Business, expected: list[str]) -> None:
    await business.until(lambda: titles(business) == expected)


async def test_a_template_is_reviewed_and_the_business_is_told(
    desk: Desk, business: Business
) -> None:
    status, made = await desk.create(FULL)
    assert (status, made["status"], made["category"]) == (200, "PENDING", "UTILITY")
    await business.until(lambda: bool(business.values))
    (value,) = business.values
    assert value == {
        "event": "APPROVED",
        "message_template_id": int(made["id"]),
        "message_template_name": "visit_soon",
        "message_template_language": "en",
        "message_template_category": "UTILITY",
        "reason": "NONE",
    }
    (entry,) = business.bodies[0]["entry"]
    assert entry["id"] == SALON.waba_id
    assert isinstance(entry["time"], int)
    assert entry["changes"][0]["field"] == "message_template_status_update"


async def test_a_template_is_sent_with_every_part_filled(
    desk: Desk, graph: Graph, client: Client, business: Business
) -> None:
    await desk.approved()
    ana = graph.customer()
    status, _ = await client.send(message(ana.number, "template", filled("Ana", "Friday")))
    assert status == 200
    shown = (await ana.reply()).content["shown"]
    assert shown["header"] == "Your visit to Lumi"
    assert shown["body"] == "Hi Ana, we look forward to your visit on Friday. Do you come?"
    assert shown["links"] == [{"kind": "url", "title": "Open", "url": "https://example.com/abc"}]
    await ana.tap("I come")
    assert business.messages[-1]["button"] == {"text": "I come", "payload": "I come"}
    await business.until(lambda: any("pricing" in one for one in business.statuses))
    priced = next(one["pricing"] for one in business.statuses if "pricing" in one)
    assert (priced["category"], priced["type"]) == ("utility", "regular")


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (filled("Ana"), 132000),
        (filled("Ana", "Friday", code="de"), 132001),
        (filled("Ana", "Friday", name="unknown"), 132001),
        (filled("Ana\nBea", "Friday"), 132018),
        (filled("Ana", "x" * 1024), 132005),
        (filled("Ana", "Friday", components=[]), 132000),
        (filled("Ana", " "), 131008),
    ],
)
async def test_a_template_that_is_filled_wrongly_is_refused(
    desk: Desk, graph: Graph, client: Client, template: dict[str, Any], code: int
) -> None:
    await desk.approved()
    status, answer = await client.send(message(graph.customer().number, "template", template))
    assert answer["error"]["code"] == code, answer
    assert status == (404 if code == 132001 else 400)


async def test_a_url_button_needs_its_parameter(desk: Desk, graph: Graph, client: Client) -> None:
    await desk.approved()
    template = filled("Ana", "Friday")
    template["components"] = template["components"][:2]
    _, answer = await client.send(message(graph.customer().number, "template", template))
    assert answer["error"]["code"] == 131008
    assert "Button at index 2" in answer["error"]["error_data"]["details"]


async def test_a_name_is_taken_and_after_deletion_blocked_for_30_days(
    desk: Desk, graph: Graph
) -> None:
    await desk.approved()
    assert (await desk.create(FULL))[1]["error"]["error_subcode"] == 2388024
    path = f"{SALON.waba_id}/message_templates"
    assert (await desk.call("DELETE", path, params={"name": "visit_soon"}))[0] == 200
    assert (await desk.create(FULL))[1]["error"]["error_subcode"] == 2388023
    await graph.simulator.advance(timedelta(days=31))
    assert (await desk.create(FULL))[0] == 200


async def test_an_edit_is_reviewed_anew_and_allowed_once_a_day(
    desk: Desk, graph: Graph, business: Business
) -> None:
    made = await desk.approved()
    shorter = {"components": body_text("See you soon at our place")["components"]}
    status, answer = await desk.call("POST", made, json=shorter)
    assert (status, answer["success"]) == (200, True)
    known = graph.simulator.templates.known[made]
    assert await graph.simulator.changes.until(lambda: known.status == "APPROVED", 5)
    await business.until(
        lambda: any("message_template_element" in value for value in business.values)
    )
    assert (await desk.call("POST", made, json=shorter))[0] == 400
    await graph.simulator.advance(timedelta(days=1, seconds=1))
    assert (await desk.call("POST", made, json=shorter))[0] == 200
    wish = {"category": "MARKETING"}
    assert await graph.simulator.changes.until(lambda: known.status == "APPROVED", 5)
    assert (await desk.call("POST", made, json=wish))[0] == 400


async def test_a_paused_template_comes_back_and_the_third_pause_disables_it(
    desk: Desk, graph: Graph, client: Client, business: Business
) -> None:
    made = await desk.approved()
    ana = graph.customer()
    template = message(ana.number, "template", filled("Ana", "Friday"))
    told = ["", "FIRST_PAUSE", "UNPAUSE", "SECOND_PAUSE", "UNPAUSE"]
    for n, hours in ((2, 3), (4, 6)):
        await desk.control(f"templates/{made}", status="PAUSED")
        await told_so_far(business, told[:n])
        assert (await client.send(template))[1]["error"]["code"] == 132015
        await graph.simulator.advance(timedelta(hours=hours))
        await told_so_far(business, told[: n + 1])
        assert (await client.send(template))[0] == 200
    await desk.control(f"templates/{made}", status="PAUSED")
    assert (await client.send(template))[1]["error"]["code"] == 132016


async def test_rejection_quality_and_category_are_told(
    desk: Desk, graph: Graph, client: Client, business: Business
) -> None:
    made = await desk.approved()
    await desk.control(f"templates/{made}", quality="YELLOW")
    await desk.control(f"templates/{made}", category="MARKETING")
    await desk.control(f"templates/{made}", status="REJECTED", reason="PROMOTIONAL")
    await business.until(lambda: len(business.values) == 4)
    by_field = {
        change["field"]: change["value"]
        for body in business.bodies
        for entry in body["entry"]
        for change in entry["changes"]
    }
    quality = by_field["message_template_quality_update"]
    assert (quality["previous_quality_score"], quality["new_quality_score"]) == (
        "UNKNOWN",
        "YELLOW",
    )
    assert by_field["template_category_update"]["new_category"] == "MARKETING"
    assert by_field["message_template_status_update"]["rejection_info"]["reason"]
    ana = graph.customer()
    refused = await client.send(message(ana.number, "template", filled("Ana", "Friday")))
    assert refused[1]["error"]["code"] == 132001


async def test_templates_are_listed_in_pages_and_filtered(desk: Desk) -> None:
    for n in range(5):
        body = body_text("See you soon at our place") | {"name": f"visit_{n}"}
        await desk.approved(body)
    path = f"{SALON.waba_id}/message_templates"
    names: list[str] = []
    after: dict[str, str] = {}
    while True:
        _, found = await desk.call("GET", path, params={"limit": "2", "fields": "name", **after})
        names += [one["name"] for one in found["data"]]
        assert all(set(one) == {"name", "id"} for one in found["data"])
        if "next" not in found["paging"]:
            break
        after = {"after": found["paging"]["cursors"]["after"]}
    assert sorted(names) == [f"visit_{n}" for n in range(5)]
    _, some = await desk.call("GET", path, params={"name": "visit_3", "status": "APPROVED"})
    assert [one["name"] for one in some["data"]] == ["visit_3"]
    assert (await desk.call("GET", path, params={"sort": "name"}))[0] == 501


async def test_named_parameters_and_media_headers() -> None:
    named = {
        **FULL,
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "HEADER",
                "format": "IMAGE",
                "example": {"header_handle": ["4::aW"]},
            },
            {
                "type": "BODY",
                "text": "Hi {{name}}, we look forward to your visit.",
                "example": {"body_text_named_params": [{"param_name": "name", "example": "Ana"}]},
            },
        ],
    }
    async with (
        running_graph() as graph,
        aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
        graph_client(graph) as client,
    ):
        await Desk(graph, session).approved(named)
        ana = graph.customer()
        picture = {"type": "image", "image": {"link": "https://example.com/a.jpg"}}
        value = {"type": "text", "parameter_name": "name", "text": "Ana"}

        async def code(header: list[Any], *values: dict[str, Any]) -> int:
            components = [{"type": "header", "parameters": header}] if header else []
            components.append({"type": "body", "parameters": list(values)})
            template = filled("", components=components)
            _, answer = await client.send(message(ana.number, "template", template))
            return int(answer.get("error", {}).get("code", 0))

        assert await code([picture], value) == 0
        assert await code([], value) == 132012
        assert await code([picture], {"type": "text", "text": "Ana"}) == 132012
        assert await code([picture], {**value, "parameter_name": "nome"}) == 132012


async def test_codes_to_sign_in_cannot_go_to_a_user_id(desk: Desk, client: Client) -> None:
    otp = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}
    body = {
        "name": "code",
        "language": "en",
        "category": "AUTHENTICATION",
        "components": [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [otp]},
        ],
    }
    await desk.approved(body)
    value = [{"type": "text", "text": "123456"}]
    components = [
        {"type": "body", "parameters": value},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": value},
    ]
    template = {"name": "code", "language": {"code": "en"}, "components": components}
    ana = desk.graph.customer()
    by_phone = message(ana.number, "template", template)
    assert (await client.send(by_phone))[0] == 200
    by_id = {key: one for key, one in by_phone.items() if key != "to"}
    _, answer = await client.send(by_id | {"recipient": ana.user_id})
    assert answer["error"]["code"] == 131062


async def test_reviews_can_be_held_and_end_in_rejection() -> None:
    for verdict, expected in (("hold", "PENDING"), ("reject", "REJECTED")):
        rules = Rules(template_review=verdict)  # type: ignore[arg-type]
        async with (
            running_graph(rules=rules, pace=Pace.instant()) as graph,
            aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
        ):
            _, made = await Desk(graph, session).create(FULL)
            known = graph.simulator.templates.known[made["id"]]
            for _ in range(20):
                await asyncio.sleep(0.01)
            assert known.status == expected
