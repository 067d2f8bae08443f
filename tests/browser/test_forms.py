"""Forms of a business, filled in on the phone: drawn from what was uploaded."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.shop import Shop
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture
from tests.support.forms import BOOKING, Desk, form_message

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
GIVEN = {"screen": "WHAT", "data": {"greeting": "Hello Ana"}}


@asynccontextmanager
async def opened(browser: Browser, shop: Shop, width: int = 1280) -> AsyncIterator[Page]:
    """A page where a form of the salon waits to be opened."""
    headers = {"Authorization": "Bearer x"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        open_page(browser, shop.url, width=width) as page,
    ):
        form_id = await Desk(shop.graph, session).published(BOOKING)
        await page.get_by_role("textbox").fill("quiet")
        await page.keyboard.press("Enter")
        (ana,) = shop.graph.simulator.world.customers.values()
        await shop.business.until(lambda: len(shop.business.messages) == 1)
        body = form_message(ana.phone, flow_id=form_id, flow_action_payload=GIVEN)
        assert (await shop.client.send(body))[0] == 200
        yield page


def form(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Book a visit")


async def answer(shop: Shop) -> object:
    """What the form answered."""
    await shop.business.until(lambda: len(shop.business.messages) == 2)
    reply = shop.business.messages[1]["interactive"]["nfm_reply"]
    assert reply["name"] == "flow"
    return json.loads(reply["response_json"])


async def test_a_form_of_two_screens_is_drawn_filled_in_and_answered(
    browser: Browser, shop: Shop
) -> None:
    async with opened(browser, shop) as page:
        await page.get_by_role("button", name="Book a visit").click()
        await expect(form(page).get_by_role("heading", name="Hello Ana")).to_be_visible()
        await form(page).get_by_role("button", name="Go on").click()
        await expect(form(page).get_by_text("This is needed")).to_have_count(3)
        await expect(form(page).get_by_label("Service")).to_be_focused()
        await expect(form(page).get_by_label("Wash")).to_have_count(0)
        await form(page).get_by_label("Service").select_option(label="Colour")
        await form(page).get_by_label("Mask").check()
        await form(page).get_by_label("Evening").check()
        await form(page).get_by_label("Day", exact=True).fill("2030-05-17")
        await expect(form(page).get_by_text("This is needed")).to_have_count(0)
        await picture(page, "form-first-screen")
        await form(page).get_by_role("button", name="Go on").click()
        who = page.get_by_role("dialog", name="About you")
        await expect(who.get_by_text("For 2030-05-17")).to_be_visible()
        await who.get_by_label("E-mail").fill("no address")
        await who.get_by_role("button", name="Book it").click()
        await expect(who.get_by_text("This is no e-mail address")).to_be_visible()
        await who.get_by_role("button", name="Back").click()
        await expect(form(page).get_by_label("Service")).to_have_value("colour")
        await form(page).get_by_role("button", name="Go on").click()
        await who.get_by_label("E-mail").fill("ana@example.com")
        await who.get_by_label("I agree").check()
        await picture(page, "form-second-screen")
        await who.get_by_role("button", name="Book it").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert await answer(shop) == {
            "flow_token": "t-1",
            "service": "colour",
            "day": "2030-05-17",
            "part": "evening",
            "extras": ["mask"],
            "email": "ana@example.com",
            "note": "",
            "terms": True,
        }


async def test_a_form_is_filled_in_by_keyboard_on_a_small_screen(
    browser: Browser, shop: Shop
) -> None:
    async with opened(browser, shop, width=360) as page:
        await page.get_by_role("button", name="Book a visit").focus()
        await page.keyboard.press("Enter")
        await expect(form(page).get_by_label("Service")).to_be_focused()
        await page.keyboard.type("Wom")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(form(page).get_by_label("Morning")).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.type("17052030")
        await picture(page, "form-at-360-pixels")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await form(page).get_by_role("button", name="Go on").press("Enter")
        await expect(page.get_by_role("dialog", name="About you")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(form(page)).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="Book a visit")).to_be_focused()


async def test_a_form_that_nobody_uploaded_is_answered_as_json(
    browser: Browser, shop: Shop
) -> None:
    async with open_page(browser, shop.url) as page:
        await page.get_by_role("textbox").fill("quiet")
        await page.keyboard.press("Enter")
        await shop.business.until(lambda: len(shop.business.messages) == 1)
        (ana,) = shop.graph.simulator.world.customers.values()
        await shop.client.send(form_message(ana.phone, flow_id="elsewhere"))
        await page.get_by_role("button", name="Book a visit").click()
        await expect(page.get_by_text("Nobody has uploaded this form")).to_be_visible()
        await page.get_by_label("Answer as JSON").fill('{"day": "Friday"}')
        await page.get_by_role("dialog").get_by_role("button", name="Send").click()
        assert await answer(shop) == {"flow_token": "t-1", "day": "Friday"}
