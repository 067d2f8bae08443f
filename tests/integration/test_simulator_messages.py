"""The fake Graph API: what it accepts, how it answers, and what the phones and webhooks show."""

from datetime import timedelta

import pytest

from bot.simulator import Number, Template
from storage.clock import ShiftedClock
from tests.support.business import Business, Client, graph_client, message
from tests.support.graph import SALON, Graph, running_graph

BUTTONS = {
    "type": "button",
    "body": {"text": "Shall I book it?"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "book:1", "title": "Book it"}},
            {"type": "reply", "reply": {"id": "book:0", "title": "Cancel"}},
        ]
    },
}
ROWS = {
    "type": "list",
    "body": {"text": "With whom?"},
    "action": {
        "button": "Choose",
        "sections": [{"rows": [{"id": "staff:1", "title": "Becky", "description": "from 10:00"}]}],
    },
}


async def test_a_customers_words_arrive_in_metas_envelope(graph: Graph, business: Business) -> None:
    ana = graph.customer("Ana")
    sent = await ana.say("Grüße, 'hi' & <b>bye</b> / 🙂")
    (body,) = business.bodies
    (entry,) = body["entry"]
    (change,) = entry["changes"]
    assert body["object"] == "whatsapp_business_account"
    assert entry["id"] == SALON.waba_id
    assert change["field"] == "messages"
    assert change["value"] == {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "15550100000",
            "phone_number_id": SALON.phone_number_id,
        },
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": ana.number, "user_id": ana.user_id}],
        "messages": [
            {
                "from": ana.number,
                "from_user_id": ana.user_id,
                "id": sent.id,
                "timestamp": str(int(sent.at.timestamp())),
                "type": "text",
                "text": {"body": "Grüße, 'hi' & <b>bye</b> / 🙂"},
            }
        ],
    }


async def test_a_webhook_is_written_with_escapes_so_only_its_raw_bytes_carry_the_signature(
    graph: Graph, business: Business
) -> None:
    await graph.customer().say("ü/")
    assert rb"\u00fc\/" in business.raw[0]


async def test_a_customer_who_hides_the_phone_number_has_no_phone_keys_at_all(
    graph: Graph, business: Business, client: Client
) -> None:
    ana = graph.customer("Ana", hides_phone=True, username="ana.b")
    await ana.say("hi")
    (value,) = business.values
    assert "from" not in value["messages"][0]
    assert value["contacts"] == [
        {"profile": {"name": "Ana", "username": "ana.b"}, "user_id": ana.user_id}
    ]
    body = message("", "text", {"body": "Hello"})
    del body["to"]
    status, answer = await client.send(body | {"recipient": ana.user_id})
    assert (status, answer["contacts"]) == (
        200,
        [{"input": ana.user_id, "user_id": ana.user_id}],
    )
    assert (await ana.reply()).text == "Hello"
    await business.until(lambda: len(business.statuses) == 3)
    assert all("recipient_id" not in one for one in business.statuses)
    assert {one["recipient_user_id"] for one in business.statuses} == {ana.user_id}


async def test_an_accepted_message_is_answered_in_the_documented_shape_and_recorded(
    graph: Graph, client: Client
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    body = message(f"+{ana.number}", "text", {"body": "Hello"}, biz_opaque_callback_data="row-7")
    status, answer = await client.send(body)
    assert status == 200
    wamid = answer["messages"][0]["id"]
    assert answer == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": f"+{ana.number}", "wa_id": ana.number}],
        "messages": [{"id": wamid}],
    }
    assert wamid.startswith("wamid.")
    (sent,) = graph.sent
    assert (sent.wamid, sent.callback_data, sent.body) == (wamid, "row-7", body)


async def test_statuses_come_in_order_with_pricing_and_the_callback_data(
    graph: Graph, business: Business, client: Client
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    wamid = await client.text(ana.number, "Hello", biz_opaque_callback_data="row-7")
    await business.until(lambda: len(business.statuses) == 3)
    assert business.steps(wamid) == ["sent", "delivered", "read"]
    sent, _, read = business.statuses
    assert sent["pricing"] == {
        "billable": False,
        "pricing_model": "PMP",
        "category": "service",
        "type": "free_customer_service",
    }
    assert "pricing" not in read
    for one in business.statuses:
        assert one["biz_opaque_callback_data"] == "row-7"
        assert (one["recipient_id"], one["recipient_user_id"]) == (ana.number, ana.user_id)


async def test_tapping_a_button_or_a_row_refers_to_the_message_it_stands_under(
    graph: Graph, business: Business, client: Client
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    await client.send(message(ana.number, "interactive", BUTTONS))
    question = await ana.reply()
    assert (question.text, question.buttons) == ("Shall I book it?", ["Book it", "Cancel"])
    await client.send(message(ana.number, "interactive", ROWS))
    assert (await ana.reply()).rows == ["Becky"]
    await ana.tap("Becky")
    await ana.tap("Book it")
    row, button = business.messages[1:]
    assert row["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "staff:1", "title": "Becky", "description": "from 10:00"},
    }
    assert button["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "book:1", "title": "Book it"},
    }
    assert button["context"] == {"from": "15550100000", "id": question.id}


async def test_tapping_what_is_not_there_names_what_is(graph: Graph, client: Client) -> None:
    ana = graph.customer()
    await ana.say("hi")
    await client.send(message(ana.number, "interactive", BUTTONS))
    await ana.reply()
    with pytest.raises(AssertionError, match=r"says 'Yes'; there are \[Book it\] \[Cancel\]"):
        await ana.tap("Yes")


@pytest.mark.parametrize(
    ("kind", "metas", "key"),
    [
        ("voice", "audio", "voice"),
        ("photo", "image", "sha256"),
        ("sticker", "sticker", "animated"),
        ("document", "document", "filename"),
        ("location", "location", "latitude"),
        ("unsupported", "unsupported", "type"),
    ],
)
async def test_awkward_messages_arrive_as_meta_sends_them(
    graph: Graph, business: Business, kind: str, metas: str, key: str
) -> None:
    await graph.customer().send(kind)
    (one,) = business.messages
    assert one["type"] == metas
    assert key in one[metas]
    assert ("errors" in one) == (kind == "unsupported")


async def test_a_contact_card_and_a_reaction_arrive(
    graph: Graph, business: Business, client: Client
) -> None:
    ana = graph.customer()
    await ana.send("contact", text="Kim Miller")
    await client.text(ana.number, "Thanks")
    thanks = await ana.reply()
    await ana.react("👍", thanks)
    card, reaction = business.messages
    assert card["contacts"][0]["name"]["formatted_name"] == "Kim Miller"
    assert reaction["reaction"] == {"message_id": thanks.id, "emoji": "👍"}


async def test_reading_marks_all_earlier_messages_and_typing_ends_with_the_reply(
    graph: Graph, client: Client
) -> None:
    ana = graph.customer()
    first = await ana.say("hi")
    second = await ana.say("anyone?")
    status, answer = await client.send(
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": second.id,
            "typing_indicator": {"type": "text"},
        }
    )
    assert (status, answer) == (200, {"success": True})
    assert (first.status, second.status) == ("read", "read")
    talk = graph.simulator.world.conversation(ana.customer, SALON)
    assert talk.typing_until is not None
    await client.text(ana.number, "Hello")
    await ana.reply()
    assert talk.typing_until is None


async def test_after_24_hours_of_silence_only_templates_get_through(
    graph: Graph, client: Client, clock: ShiftedClock
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    await graph.simulator.advance(timedelta(hours=24))
    status, answer = await client.send(message(ana.number, "text", {"body": "Still there?"}))
    assert (status, answer["error"]["code"]) == (400, 131047)
    template = {"name": "reminder", "language": {"code": "en"}}
    status, answer = await client.send(message(ana.number, "template", template))
    assert (status, answer["messages"][0]["message_status"]) == (200, "accepted")
    await ana.say("yes")
    await client.text(ana.number, "Good")


async def test_declared_templates_are_filled_and_the_others_refused(business: Business) -> None:
    declared = [
        Template(
            "visit_soon",
            "Hi {{1}}, see you at {{2}}.",
            buttons=("Confirm", "Cancel"),
            footer="Lumi",
        ),
        Template("paused", "Hi", status="PAUSED"),
        Template("pending", "Hi", status="PENDING"),
        Template("gone", "Hi", status="DISABLED"),
    ]
    async with running_graph(business.url, templates=declared) as graph, graph_client(graph) as api:
        ana = graph.customer()

        async def send(name: str, *values: str, language: str = "en") -> int:
            parameters = [{"type": "text", "text": value} for value in values]
            body = {
                "name": name,
                "language": {"code": language},
                "components": [{"type": "BODY", "parameters": parameters}],
            }
            _, answer = await api.send(message(ana.number, "template", body))
            return int(answer.get("error", {}).get("code", 0))

        assert await send("visit_soon", "Ana", "15:00") == 0
        assert (await ana.reply()).text == "Hi Ana, see you at 15:00.\nLumi"
        await ana.tap("Confirm")
        assert business.messages[0]["button"] == {"text": "Confirm", "payload": "Confirm"}
        assert await send("visit_soon", "Ana") == 132000
        assert await send("visit_soon", "Ana", "15:00", language="de") == 132001
        assert await send("paused") == 132015
        assert await send("pending") == 132001
        assert await send("gone") == 132016
        assert await send("never_declared") == 132001


async def test_a_customer_with_a_new_number_has_a_new_user_id_and_the_business_is_told(
    graph: Graph, business: Business
) -> None:
    ana = graph.customer(phone="12125550142")
    await ana.say("hi")
    old_id = ana.user_id
    (delivery,) = ana.change_number("+1 212 555 0143")
    await delivery.settled.wait()
    news = business.messages[-1]
    assert (news["from"], news["system"]["wa_id"]) == ("12125550142", "12125550143")
    assert news["system"]["user_id"] == ana.user_id != old_id
    assert "contacts" not in business.values[-1]


async def test_an_offline_phone_gets_its_messages_when_it_is_back(
    graph: Graph, business: Business, client: Client
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    ana.go_offline()
    wamid = await client.text(ana.number, "Hello")
    await business.until(lambda: len(business.statuses) == 1)
    await ana.quiet(seconds=0.05)
    assert business.steps(wamid) == ["sent"]
    ana.come_online()
    assert (await ana.reply()).text == "Hello"
    await business.until(lambda: len(business.statuses) == 3)


async def test_nobody_gets_the_number_of_a_business() -> None:
    number = Number("100000000000001", "Salon Lumi", "+1 212 555 0100", waba_id="1")
    async with running_graph(numbers=[number]) as graph:
        assert graph.customer("Ana").number != number.digits
