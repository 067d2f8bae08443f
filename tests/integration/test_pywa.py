"""Somebody else's library, pywa, sends through the fake Graph API and reads what it posts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pywa_async
from pywa import errors, types
from pywa.types import templates as tm

from bot.simulator import Rules
from bot.simulator.webhooks import signature
from bot.whatsapp.render import render
from flows.effects import Button, Row, Say, Section, Sheet
from tests.support.business import Business
from tests.support.graph import APP_SECRET, SALON, Graph, running_graph
from tests.support.pywa_peer import Reader, pywa_client


@pytest.fixture
async def wa(graph: Graph) -> AsyncIterator[pywa_async.WhatsApp]:
    async with pywa_client(graph) as client:
        yield client


def read_all(reader: Reader, business: Business) -> list[Any]:
    """All webhooks so far as pywa reads them."""
    return [reader.read(raw, signature(APP_SECRET, raw)) for raw in business.raw]


VISIT = tm.Template(
    name="visit_soon",
    language=tm.TemplateLanguage.ENGLISH,
    category=tm.TemplateCategory.UTILITY,
    components=[
        tm.HeaderText("Your visit to {{1}}", "Lumi"),
        tm.BodyText("Hi {{1}}, we look forward to {{2}}. Do you come?", "Ana", "Friday"),
        tm.FooterText(text="Salon Lumi"),
        tm.Buttons(
            buttons=[tm.QuickReplyButton(text="I come"), tm.QuickReplyButton(text="Cancel")]
        ),
    ],
)
FILLED = [
    VISIT.components[0].params("Lumi"),  # type: ignore[union-attr]
    VISIT.components[1].params("Ana", "Friday"),  # type: ignore[union-attr]
    tm.QuickReplyButton(text="I come").params(callback_data="visit:1:confirm", index=0),
]


async def test_pywa_sends_everything_that_a_bot_sends(
    graph: Graph, wa: pywa_async.WhatsApp
) -> None:
    ana = graph.customer()
    said = await ana.say("hi")
    sent = await wa.send_message(ana.number, "Hello", tracker="row-1")
    assert (await ana.reply()).text == "Hello"
    assert graph.sent[-1].callback_data == "row-1"
    assert sent.id == graph.sent[-1].wamid
    await wa.send_message(
        ana.number,
        "Shall I?",
        header="Lumi",
        footer="12 Main Street",
        buttons=[types.Button("Book it", "book:1"), types.Button("Cancel", "book:0")],
    )
    assert (await ana.reply()).buttons == ["Book it", "Cancel"]
    rows = [types.SectionRow("Becky", "staff:1", "from 10:00")]
    sheet = types.SectionList("Choose", [types.Section("Staff", rows)])
    await wa.send_message(ana.user_id, "With whom?", buttons=sheet)
    assert (await ana.reply()).rows == ["Becky"]
    await wa.send_location(ana.number, 40.7, -74.0, "Lumi", "12 Main Street")
    await wa.request_location(ana.number, "Where are you?")
    await wa.send_reaction(ana.number, "👍", said.id)
    await wa.mark_message_as_read(said.id)
    await wa.indicate_typing(said.id)
    await wa.send_document(ana.number, b"BEGIN:VCALENDAR", "visit.txt", mime_type="text/plain")
    uploaded = graph.simulator.world.media[graph.sent[-1].body["document"]["id"]]
    assert uploaded.data == b"BEGIN:VCALENDAR"


async def test_pywa_gets_the_files_that_customers_send(
    graph: Graph, business: Business, wa: pywa_async.WhatsApp
) -> None:
    await graph.customer().send("voice")
    content = business.messages[0]["audio"]
    found = await wa.get_media_url(content["id"])
    stored = graph.simulator.world.media[content["id"]]
    assert (found.mime_type, found.file_size) == (stored.mime_type, len(stored.data))
    assert await wa.get_media_bytes(found.url) == stored.data
    assert await wa.get_media_bytes(content["url"]) == stored.data
    await graph.simulator.advance(timedelta(minutes=6))
    with pytest.raises(Exception, match="404"):
        await wa.get_media_bytes(found.url)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (131056, errors.TooManyMessages),
        (130429, errors.RateLimitHit),
        (131047, errors.ReEngagementMessage),
        (190, errors.ExpiredAccessToken),
        (131026, errors.MessageUndeliverable),
        (80007, errors.RateLimitIssues),
        (131031, errors.AccountLocked),
    ],
)
async def test_pywa_understands_our_errors(
    graph: Graph, wa: pywa_async.WhatsApp, code: int, error: type[Exception]
) -> None:
    ana = graph.customer()
    ana.open_window()
    graph.fail("error", code=code)
    with pytest.raises(error):
        await wa.send_message(ana.number, "Hello")


async def test_pywa_creates_lists_edits_sends_and_deletes_templates(
    graph: Graph, business: Business, wa: pywa_async.WhatsApp
) -> None:
    made = await wa.create_template(VISIT)
    assert made.status is tm.TemplateStatus.PENDING
    await business.until(lambda: bool(business.values))
    (known,) = await wa.get_templates()
    assert (known.name, known.status) == ("visit_soon", tm.TemplateStatus.APPROVED)
    assert (await wa.get_template(made.id)).category is tm.TemplateCategory.UTILITY
    ana = graph.customer()
    sent = await wa.send_template(ana.number, "visit_soon", tm.TemplateLanguage.ENGLISH, FILLED)
    assert sent.id == graph.sent[-1].wamid
    assert (await ana.reply()).text.startswith("Your visit to Lumi\nHi Ana, we look forward to")
    await ana.tap("I come")
    assert business.messages[-1]["button"]["payload"] == "visit:1:confirm"
    shorter: list[tm.TemplateBaseComponent] = [tm.BodyText("See you soon at our place")]
    assert (await wa.update_template(made.id, new_components=shorter)).success
    with pytest.raises(errors.WhatsAppError):
        await wa.create_template(VISIT)
    assert (await wa.delete_template("visit_soon")).success
    assert list(await wa.get_templates()) == []


async def test_pywa_reads_the_account_the_number_and_the_profile(
    graph: Graph, wa: pywa_async.WhatsApp
) -> None:
    assert (await wa.get_business_account()).id == SALON.waba_id
    assert [one.id for one in await wa.get_business_phone_numbers()] == [SALON.phone_number_id]
    assert (await wa.get_business_phone_number()).verified_name == "Salon Lumi"
    await wa.update_business_profile(about="Hair", websites=["https://example.com"])
    profile = await wa.get_business_profile()
    assert (profile.about, list(profile.websites or ())) == ("Hair", ["https://example.com"])
    assert (await wa.register_phone_number("123456")).success
    ana = graph.customer()
    blocked = await wa.block_users([ana.number])
    assert [one.input for one in blocked.added_users] == [ana.number]
    assert (await wa.unblock_users([ana.number])).removed_users


async def test_pywa_reads_what_customers_do(graph: Graph, business: Business) -> None:
    ana, bea = graph.customer("Ana"), graph.customer("Bea", hides_phone=True, username="bea")
    reader = Reader()
    said = await ana.say("hi")
    await bea.say("hello")
    for kind in ("voice", "photo", "video", "sticker", "document", "location", "contact"):
        await ana.send(kind)
    await ana.send("unsupported")
    await ana.send("order")
    await ana.send("text", text="saw your ad", ad="Your cut", forwarded=True)
    await ana.send("edit", message_id=said.id, text="hi!")
    await ana.send("delete", message_id=said.id)
    updates = read_all(reader, business)
    first, second = updates[:2]
    assert (first.text, first.from_user.wa_id, first.id) == ("hi", ana.number, said.id)
    assert (second.from_user.wa_id, second.from_user.bsuid) == (None, bea.user_id)
    shown = [update.type.value for update in updates[2:11]]
    assert shown == [
        "audio",
        "image",
        "video",
        "sticker",
        "document",
        "location",
        "contacts",
        "unsupported",
        "order",
    ]
    assert updates[2].audio.voice
    assert updates[11].referral.headline == "Your cut"
    assert [type(one).__name__ for one in updates[12:]] == ["EditedMessage", "DeletedMessage"]


async def test_pywa_reads_taps_forms_and_statuses(
    graph: Graph, business: Business, wa: pywa_async.WhatsApp
) -> None:
    ana = graph.customer()
    await ana.say("hi")
    sheet = types.SectionList("Choose", [types.Section("Staff", [types.SectionRow("Kim", "s:1")])])
    await wa.send_message(ana.number, "Shall I?", buttons=[types.Button("Book it", "book:1")])
    await ana.reply()
    await wa.send_message(ana.number, "With whom?", buttons=sheet)
    await ana.reply()
    form = types.FlowButton("Open", flow_id="1", flow_token="t")  # noqa: S106
    await wa.send_message(ana.number, "Fill in", buttons=form, tracker="row-9")
    opened = await ana.reply()
    await ana.tap("Book it")
    await ana.tap("Kim")
    await ana.send("form", message_id=opened.id, values={"name": "Ana"})
    graph.fail("late_error", code=131049)
    await wa.send_message(ana.number, "Never")
    await business.until(lambda: "failed" in {one["status"] for one in business.statuses})
    await business.until(lambda: len(business.statuses) == 10)
    updates = read_all(Reader(), business)
    by_kind: dict[str, list[Any]] = {}
    for update in updates:
        by_kind.setdefault(type(update).__name__, []).append(update)
    assert by_kind["CallbackButton"][0].data == "book:1"
    assert by_kind["CallbackSelection"][0].data == "s:1"
    assert by_kind["FlowCompletion"][0].response["name"] == "Ana"
    statuses = by_kind["MessageStatus"]
    assert {one.status.value for one in statuses} == {"sent", "delivered", "read", "failed"}
    assert {one.tracker for one in statuses} == {None, "row-9"}
    failed = next(one for one in statuses if one.status.value == "failed")
    assert failed.error.code == 131049
    assert all(one.pricing for one in statuses if one.status.value in ("sent", "delivered"))


async def test_pywa_reads_what_happens_to_an_account(
    graph: Graph, business: Business, wa: pywa_async.WhatsApp
) -> None:
    made = await wa.create_template(VISIT)
    await business.until(lambda: bool(business.values))
    templates, exchange = graph.simulator.templates, graph.simulator.exchange
    known = templates.known[made.id]
    templates.rate(known, "RED")
    templates.recategorize(known, "MARKETING")
    templates.settle(known, "PAUSED")
    templates.settle(known, "REJECTED", "PROMOTIONAL")
    templates.settle(known, "DISABLED")
    shorter: list[tm.TemplateBaseComponent] = [tm.BodyText("See you soon at our place")]
    known.status = "REJECTED"
    await wa.update_template(made.id, new_components=shorter)
    ana = graph.customer()
    talk = graph.simulator.world.conversation(ana.customer, SALON)
    exchange.wish_about_marketing(talk, "stop")
    ana.change_number("+1 212 555 0177")
    await business.until(lambda: len(business.raw) == 10)
    read = sorted(type(one).__name__ for one in read_all(Reader(), business))
    assert read == [
        "PhoneNumberChange",
        "TemplateCategoryUpdate",
        "TemplateComponentsUpdate",
        "TemplateQualityUpdate",
        *["TemplateStatusUpdate"] * 5,
        "UserMarketingPreferences",
    ]


async def test_what_our_bot_sends_is_what_pywa_sends() -> None:
    buttons = (Button("b:1", "Book it"), Button("b:0", "Cancel"))
    rows = (Row("s:1", "Becky", "from 10:00"), Row("s:2", "Kelly", ""))
    says = [
        Say("Hello"),
        Say("Shall I?", buttons=buttons, footer="Lumi"),
        Say("With whom?", sheet=Sheet("Choose", (Section("Staff", rows),))),
    ]
    theirs = types.SectionList(
        "Choose",
        [
            types.Section(
                "Staff",
                [types.SectionRow("Becky", "s:1", "from 10:00"), types.SectionRow("Kelly", "s:2")],
            )
        ],
    )
    async with (
        running_graph(rules=Rules(adopt_strangers=True)) as graph,
        pywa_client(graph) as wa,
    ):
        to = "12125550123"
        await wa.send_message(to, "Hello")
        replies = [types.Button("Book it", "b:1"), types.Button("Cancel", "b:0")]
        await wa.send_message(to, "Shall I?", footer="Lumi", buttons=replies)
        await wa.send_message(to, "With whom?", buttons=theirs)
        for say, sent in zip(says, graph.sent, strict=True):
            ours = render(say)
            assert sent.body[ours["type"]] == ours[ours["type"]]
