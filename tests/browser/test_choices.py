"""What can be tapped beside reply buttons and lists: links, codes, cards, a number to be shared."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.shop import Shop
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture
from tests.support.business import message
from tests.support.forms import Desk

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
BUTTONS: list[dict[str, Any]] = [
    {"type": "QUICK_REPLY", "text": "I come"},
    {"type": "URL", "text": "Our site", "url": "https://example.com/visits"},
    {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+12125550123"},
]


@pytest.fixture
async def page(browser: Browser, shop: Shop) -> AsyncIterator[Page]:
    async with open_page(browser, shop.url) as opened:
        await opened.get_by_role("textbox").fill("quiet")
        await opened.keyboard.press("Enter")
        await shop.business.until(lambda: len(shop.business.messages) == 1)
        yield opened


async def send(shop: Shop, kind: str, content: Any) -> None:
    """Write to the customer of the page."""
    (ana,) = shop.graph.simulator.world.customers.values()
    status, answer = await shop.client.send(message(ana.phone, kind, content))
    assert status == 200, answer


async def test_a_templates_links_and_form_are_there(page: Page, shop: Shop) -> None:
    headers = {"Authorization": "Bearer x"}
    async with aiohttp.ClientSession(headers=headers) as session:
        desk = Desk(shop.graph, session)
        flow = {"type": "FLOW", "text": "Book again", "flow_id": await desk.published()}
        flow |= {"flow_action": "navigate", "navigate_screen": "WHAT"}
        parts = [
            {"type": "BODY", "text": "See you soon at our place"},
            {"type": "BUTTONS", "buttons": [*BUTTONS, flow]},
        ]
        made = {"name": "soon", "language": "en", "category": "UTILITY", "components": parts}
        path = f"{shop.graph.number.waba_id}/message_templates"
        status, known = await desk.call("POST", path, json=made)
        assert status == 200, known
    templates = shop.graph.simulator.templates
    templates.settle(templates.known[known["id"]], "APPROVED")
    opens = {"flow_token": "t-2", "flow_action_data": {"greeting": "Again?"}}
    filled = [{"type": "action", "action": opens}]
    button = {"type": "button", "sub_type": "flow", "index": 3, "parameters": filled}
    content = {"name": "soon", "language": {"code": "en"}, "components": [button]}
    await send(shop, "template", content)
    site = page.get_by_role("link", name="Our site")
    await expect(site).to_have_attribute("href", "https://example.com/visits")
    await page.get_by_role("button", name="Call us").click()
    await expect(page.get_by_text("would call +12125550123")).to_be_visible()
    await page.get_by_role("button", name="Book again").click()
    form = page.get_by_role("dialog", name="Book a visit")
    await expect(form.get_by_role("heading", name="Again?")).to_be_visible()
    await form.get_by_label("Service").select_option(label="Colour")
    await form.get_by_label("Evening").check()
    await form.get_by_label("Day", exact=True).fill("2030-05-17")
    await form.get_by_role("button", name="Go on").click()
    who = page.get_by_role("dialog", name="About you")
    await who.get_by_label("E-mail").fill("ana@example.com")
    await who.get_by_label("I agree").check()
    await who.get_by_role("button", name="Book it").click()
    await shop.business.until(lambda: len(shop.business.messages) == 2)
    reply = shop.business.messages[1]["interactive"]["nfm_reply"]
    assert json.loads(reply["response_json"])["flow_token"] == "t-2"  # noqa: S105


async def test_a_carousel_is_looked_through_and_answered(page: Page, shop: Shop) -> None:
    link = {"link": "https://example.com/cut.png"}
    cards = [
        {
            "card_index": n,
            "type": "button",
            "header": {"type": "image", "image": link},
            "body": {"text": f"Cut number {n}"},
            "action": {"buttons": [{"type": "reply", "reply": reply}]},
        }
        for n in range(3)
        for reply in [{"id": f"cut:{n}", "title": f"Take {n}"}]
    ]
    carousel = {"type": "carousel", "body": {"text": "New cuts"}, "action": {"cards": cards}}
    await send(shop, "interactive", carousel)
    await expect(page.get_by_text("Cut number 1")).to_be_visible()
    await picture(page, "carousel")
    await page.get_by_role("button", name="Take 2").click()
    await shop.business.until(lambda: len(shop.business.messages) == 2)
    assert shop.business.messages[1]["interactive"]["button_reply"]["id"] == "cut:2"


async def test_a_number_that_is_asked_for_is_shared(page: Page, shop: Shop) -> None:
    asked = {"type": "request_contact_info", "body": {"text": "Your number?"}}
    await send(shop, "interactive", asked | {"action": {"name": "request_contact_info"}})
    await page.get_by_role("button", name="Share phone number").click()
    await shop.business.until(lambda: len(shop.business.messages) == 2)
    (card,) = shop.business.messages[1]["contacts"]
    assert card["origin"] == "contact_request"
