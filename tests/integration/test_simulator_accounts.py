"""The fake Graph API's accounts and numbers, and what the control API makes happen to them."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.simulator import Number, Rules
from bot.simulator.accounts import APP
from bot.simulator.faults import CATALOGUE
from tests.support.business import Business, Client, graph_client, message
from tests.support.graph import APP_SECRET, SALON, Graph, running_graph

NUMBER = SALON.phone_number_id


class Calls:
    """The Graph API and the control API of a simulator."""

    def __init__(self, graph: Graph, session: aiohttp.ClientSession) -> None:
        self._graph, self._session = graph, session

    async def graph(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self._session.request(method, f"{self._graph.url}/{path}", **more) as answer:
            return answer.status, await answer.json()

    async def control(self, path: str, **wish: Any) -> Any:
        url = f"{self._graph.simulator.base_url}/simulator/{path}"
        async with self._session.post(url, json=wish) as answer:
            assert answer.status in (200, 201), await answer.text()
            return await answer.json()


@pytest.fixture
async def calls(graph: Graph, session: aiohttp.ClientSession) -> Calls:
    return Calls(graph, session)


async def code(client: Client, to: str, kind: str = "text") -> int:
    """What a send is refused with, 0 if it is not."""
    content = {"body": "hi"} if kind == "text" else {"name": "any", "language": {"code": "en"}}
    _, answer = await client.send(message(to, kind, content))
    return int(answer.get("error", {}).get("code", 0))


async def told(business: Business, field: str) -> dict[str, Any]:
    """The value of the first webhook of this field."""

    def found() -> list[dict[str, Any]]:
        changes = [one for body in business.bodies for e in body["entry"] for one in e["changes"]]
        return [one["value"] for one in changes if one["field"] == field]

    await business.until(lambda: bool(found()))
    return found()[-1]


async def test_an_expired_token_is_refused_until_it_works_again(
    graph: Graph, client: Client, calls: Calls
) -> None:
    ana = graph.customer()
    ana.open_window()
    await calls.control("token", state="expired")
    status, answer = await client.send(message(ana.number, "text", {"body": "hi"}))
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (401, 190, 463)
    await calls.control("token", state="valid")
    assert await code(client, ana.number) == 0


async def test_a_disabled_account_sends_nothing_and_a_restricted_one_no_templates(
    graph: Graph, client: Client, calls: Calls, business: Business
) -> None:
    ana = graph.customer()
    ana.open_window()
    await calls.control(f"accounts/{SALON.waba_id}", standing="RESTRICTED")
    assert (await told(business, "account_update"))["event"] == "ACCOUNT_RESTRICTION"
    assert (await code(client, ana.number), await code(client, ana.number, "template")) == (0, 368)
    await calls.control(f"accounts/{SALON.waba_id}", standing="DISABLED")
    assert await code(client, ana.number) == 131031
    await calls.control(f"accounts/{SALON.waba_id}", standing="OK")
    assert await code(client, ana.number) == 0


async def test_so_many_customers_are_written_to_first_in_a_day(
    graph: Graph, client: Client, calls: Calls, business: Business
) -> None:
    await calls.control(f"accounts/{SALON.waba_id}", limit=2)
    value = await told(business, "business_capability_update")
    assert value["max_daily_conversation_per_phone"] == 2
    phones = [graph.customer(name).number for name in ("Ana", "Bea", "Cem")]
    assert [await code(client, one, "template") for one in phones] == [0, 0, 131064]
    assert await code(client, phones[0], "template") == 0
    await graph.simulator.advance(timedelta(hours=25))
    assert await code(client, phones[2], "template") == 0


async def test_who_wrote_first_does_not_count(graph: Graph, client: Client, calls: Calls) -> None:
    await calls.control(f"accounts/{SALON.waba_id}", limit=1)
    for name in ("Ana", "Bea"):
        phone = graph.customer(name)
        phone.open_window()
        assert await code(client, phone.number, "template") == 0


async def test_a_number_is_flagged_upgraded_and_registered(
    graph: Graph, client: Client, calls: Calls, business: Business
) -> None:
    ana = graph.customer()
    ana.open_window()
    await calls.control(f"numbers/{NUMBER}", quality="RED")
    assert (await told(business, "phone_number_quality_update"))["event"] == "FLAGGED"
    _, known = await calls.graph("GET", NUMBER)
    assert known["quality_rating"] == "RED"
    await calls.control(f"numbers/{NUMBER}", upgrade=True)
    assert await code(client, ana.number) == 131057
    await graph.simulator.advance(timedelta(minutes=1))
    assert await code(client, ana.number) == 0
    assert (await calls.graph("POST", f"{NUMBER}/deregister"))[0] == 200
    assert await code(client, ana.number) == 133010
    pin = {"messaging_product": "whatsapp", "pin": "123456"}
    assert (await calls.graph("POST", f"{NUMBER}/register", json=pin))[0] == 200
    assert await code(client, ana.number) == 0
    wrong = await calls.graph("POST", f"{NUMBER}/register", json={**pin, "pin": "654321"})
    assert wrong[1]["error"]["code"] == 133005


async def test_a_display_name_is_decided_about(calls: Calls, business: Business) -> None:
    new = {"new_display_name": "Lumi & Co", "messaging_product": "whatsapp"}
    assert (await calls.graph("POST", NUMBER, json=new))[0] == 200
    await calls.control(f"numbers/{NUMBER}", name="APPROVED")
    value = await told(business, "phone_number_name_update")
    assert (value["decision"], value["requested_verified_name"]) == ("APPROVED", "Lumi & Co")
    assert (await calls.graph("GET", NUMBER))[1]["verified_name"] == "Lumi & Co"


async def test_a_customer_stops_marketing_blocks_and_gets_another_user_id(
    graph: Graph, client: Client, calls: Calls, business: Business
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    talk = f"conversations/{ana.customer.id}/{NUMBER}"
    await calls.control(f"{talk}/marketing", value="stop")
    (wish,) = (await told(business, "user_preferences"))["user_preferences"]
    assert (wish["value"], wish["category"]) == ("stop", "marketing_messages")
    await calls.control(f"{talk}/block", blocked=True)
    assert await code(client, ana.number) == 131026
    await calls.control(f"{talk}/block", blocked=False)
    before = ana.user_id
    await calls.control(f"customers/{ana.customer.id}/new-user-id")
    await business.until(lambda: business.messages[-1]["type"] == "system")
    news = business.messages[-1]
    assert news["system"]["type"] == "user_changed_user_id"
    assert (news["system"]["previous_user_id"], news["system"]["user_id"]) == (before, ana.user_id)
    assert "contacts" not in business.values[-1]


async def test_who_is_blocked_by_the_business_is_not_heard(
    graph: Graph, calls: Calls, business: Business
) -> None:
    ana = graph.customer()
    users = {"messaging_product": "whatsapp", "block_users": [{"user": f"+{ana.number}"}]}
    _, answer = await calls.graph("POST", f"{NUMBER}/block_users", json=users)
    assert answer["block_users"]["added_users"][0]["wa_id"] == ana.number
    _, listed = await calls.graph("GET", f"{NUMBER}/block_users")
    assert [one["wa_id"] for one in listed["data"]] == [ana.number]
    await ana.say("hello?")
    assert business.messages == []
    await calls.graph("DELETE", f"{NUMBER}/block_users", json=users)
    await ana.say("hello!")
    assert [one["text"]["body"] for one in business.messages] == ["hello!"]


async def test_nobody_is_told_after_the_subscription_is_taken_back(
    graph: Graph, calls: Calls, business: Business
) -> None:
    ana = graph.customer()
    await calls.graph("DELETE", f"{SALON.waba_id}/subscribed_apps")
    assert (await calls.graph("GET", f"{SALON.waba_id}/subscribed_apps"))[1]["data"] == []
    await ana.say("one")
    await calls.graph("POST", f"{SALON.waba_id}/subscribed_apps")
    await ana.say("two")
    assert [one["text"]["body"] for one in business.messages] == ["two"]


async def test_an_app_sets_where_its_webhooks_go_and_about_what(
    calls: Calls, graph: Graph, business: Business
) -> None:
    login = {"client_id": APP["id"], "client_secret": APP_SECRET}
    _, token = await calls.graph("GET", "oauth/access_token", params=login)
    assert token["token_type"] == "bearer"  # noqa: S105
    refused = await calls.graph("GET", "oauth/access_token", params=login | {"client_secret": "x"})
    assert refused[1]["error"]["message"].endswith("Error validating client secret.")
    wish = {
        "object": "whatsapp_business_account",
        "callback_url": business.url,
        "verify_token": "verify",
        "fields": "messages",
    }
    path = f"{APP['id']}/subscriptions"
    assert (await calls.graph("POST", path, params=wish))[1]["error"]["code"] == 2200
    business.verify_token = "verify"  # noqa: S105
    assert (await calls.graph("POST", path, params=wish))[0] == 200
    _, found = await calls.graph("GET", path)
    assert found["data"][0]["callback_url"] == business.url
    await calls.control(f"numbers/{NUMBER}", quality="RED")
    await graph.customer().say("hi")
    fields = [change["field"] for body in business.bodies for change in body["entry"][0]["changes"]]
    assert fields == ["messages"]


async def test_an_account_and_a_number_may_have_an_address_of_their_own(
    graph: Graph, calls: Calls, business: Business
) -> None:
    heard: list[str] = []

    def verify(request: web.Request) -> web.Response:
        right = request.query.get("hub.verify_token") == "secret"
        challenge = request.query.get("hub.challenge", "")
        return web.Response(text=challenge if right else "no", status=200 if right else 403)

    async def hear(request: web.Request) -> web.Response:
        if request.method == "GET":
            return verify(request)
        heard.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{name}", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        ana = graph.customer()

        def address(name: str, token: str = "secret") -> dict[str, str]:  # noqa: S107
            return {"override_callback_uri": f"{base}/{name}", "verify_token": token}

        path = f"{SALON.waba_id}/subscribed_apps"
        refused = await calls.graph("POST", path, json=address("account", "wrong"))
        assert refused[1]["error"]["code"] == 2200
        too_long = await calls.graph("POST", path, json=address("x" * 200))
        assert too_long[1]["error"]["code"] == 100
        assert (await calls.graph("POST", path, json=address("account")))[0] == 200
        await ana.say("one")
        own = {"webhook_configuration": address("number")}
        assert (await calls.graph("POST", NUMBER, json=own))[0] == 200
        await ana.say("two")
        await calls.graph("POST", NUMBER, json={"webhook_configuration": {}})
        await calls.graph("POST", path)
        await ana.say("three")
    finally:
        await runner.cleanup()
    assert heard == ["/account", "/number"]
    assert [one["text"]["body"] for one in business.messages] == ["three"]


async def test_a_webhook_can_be_posted_again(
    graph: Graph, calls: Calls, business: Business
) -> None:
    await graph.customer().say("hi")
    (delivery,) = graph.deliveries
    await calls.control(f"webhooks/{delivery.number}/again")
    await business.until(lambda: len(business.messages) == 2)
    assert business.raw[0] == business.raw[1]


async def test_a_batch_has_the_shape_that_was_asked_for(graph: Graph, business: Business) -> None:
    ana = graph.customer()
    shapes = {"entries": (3, 1, 1), "changes": (1, 3, 1), "items": (1, 1, 3)}
    for shape, expected in shapes.items():
        business.bodies.clear()
        graph.fail("batch", times=3, shape=shape, event="message")
        for text in ("one", "two", "three"):
            await ana.say(text, wait=False)
        await business.until(lambda: bool(business.bodies))
        (body,) = business.bodies
        changes = body["entry"][0]["changes"]
        messages = changes[0]["value"]["messages"]
        assert (len(body["entry"]), len(changes), len(messages)) == expected
        assert len(changes[0]["value"]["contacts"]) == 1


async def test_trouble_that_lasts_for_a_while_ends_by_itself(graph: Graph, client: Client) -> None:
    ana = graph.customer()
    ana.open_window()
    graph.fail("error", code=130429, times=0, lasting=60.0)
    assert [await code(client, ana.number) for _ in range(3)] == [130429] * 3
    (armed,) = graph.simulator.faults.list()
    assert armed.until is not None
    armed.until -= 61
    assert await code(client, ana.number) == 0
    assert graph.simulator.faults.list() == []


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda one: str(one["name"]))
async def test_everything_in_the_catalogue_can_be_ordered_and_called_off(
    graph: Graph, calls: Calls, session: aiohttp.ClientSession, entry: dict[str, Any]
) -> None:
    armed = await calls.control("faults", **entry["fault"])
    url = f"{graph.simulator.base_url}/simulator/faults/{armed['id']}"
    async with session.delete(url) as answer:
        assert (answer.status, await answer.json()) == (200, {"faults": []})


async def test_what_comes_in_counts_for_the_rate_of_the_number() -> None:
    slow = Number("1", "Slow", "+1 555 010 0001", messages_per_second=3)
    async with running_graph(numbers=[slow]) as graph, graph_client(graph) as client:
        ana = graph.customer()
        for _ in range(2):
            await ana.say("hi", wait=False)
        answers = [await code(client, ana.number) for _ in range(2)]
        assert answers == [0, 130429]


async def test_settings_may_be_asked_for_so_often_in_an_hour() -> None:
    async with (
        running_graph(rules=Rules(management_rate=2)) as graph,
        aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
    ):
        url = f"{graph.url}/{SALON.waba_id}/message_templates"
        answers = [await (await session.get(url)).json() for _ in range(3)]
        assert [one.get("error", {}).get("code") for one in answers] == [None, None, 80007]


async def test_who_comes_by_an_ad_is_free_for_three_days(
    graph: Graph, client: Client, business: Business
) -> None:
    ana = graph.customer()
    await ana.send("text", text="hi", ad="Your cut")
    assert business.messages[0]["referral"]["headline"] == "Your cut"
    wamid = await client.text(ana.number, "Hello")
    await business.until(lambda: business.steps(wamid) == ["sent", "delivered", "read"])
    sent = business.statuses[0]
    assert (sent["pricing"]["type"], sent["pricing"]["category"]) == (
        "free_entry_point",
        "referral_conversion",
    )
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert int(sent["conversation"]["expiration_timestamp"]) > int(sent["timestamp"]) + 71 * 3600
