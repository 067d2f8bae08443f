"""What is behind a message: the panel of the chat page, against the running bot."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.support.bot import Scene
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


@pytest.fixture
async def page(browser: Browser, scene: Scene) -> AsyncIterator[Page]:
    async with open_page(browser, scene.graph.simulator.base_url + "/?look", width=1400) as opened:
        await say(opened, "hi")
        await expect(opened.locator(".msg.in")).to_be_visible()
        yield opened


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Behind the message")


def part(page: Page, title: str) -> Locator:
    return panel(page).locator("details.part", has=page.get_by_role("heading", name=title))


async def test_it_follows_the_newest_message_from_the_turn_to_the_statuses(page: Page) -> None:
    await expect(panel(page)).to_contain_text("Salon Lumi to Ana: “Welcome to Salon Lumi.")
    await expect(part(page, "Turn 1")).to_contain_text("menu.idle → menu.idle")
    await expect(part(page, "Because of")).to_contain_text("message")
    await expect(part(page, "Outbox row")).to_contain_text("sent · 1 attempt")
    for status in ("sent", "delivered", "read"):
        row = part(page, "Statuses").get_by_role("row", name=status)
        await expect(row).to_contain_text("answered 200")
        await expect(row).to_contain_text("done")
    await part(page, "Request to the Graph API").locator("summary").click()
    request = part(page, "Request to the Graph API").locator(".json")
    await expect(request).to_contain_text('"messaging_product": "whatsapp"')
    await picture(page, "panel reply")


async def test_a_message_that_is_clicked_stays_shown(page: Page) -> None:
    await page.locator(".msg.out").click()
    await expect(panel(page)).to_contain_text("Ana to Salon Lumi: “hi”")
    await expect(page.locator(".msg.out.chosen")).to_have_count(1)
    await expect(part(page, "Webhook").locator(".json")).to_contain_text('"body": "hi"')
    await expect(part(page, "Turn 1")).to_contain_text("TextReceived")
    await say(page, "men's cut tomorrow")
    await expect(page.locator(".msg.in")).to_have_count(2)
    await expect(panel(page)).to_contain_text("Ana to Salon Lumi: “hi”")
    await panel(page).get_by_role("button", name="Newest").click()
    await expect(panel(page)).not_to_contain_text("“hi”")


async def test_a_turn_shows_what_it_asked_and_what_it_changed(page: Page) -> None:
    await say(page, "women's cut with becky")
    await expect(page.locator(".msg.in")).to_have_count(2)
    turn = part(page, "Turn 2")
    await expect(turn).to_contain_text("menu.idle → booking.choosing_day")
    step = turn.locator(".states .changed", has_text="step")
    await expect(step.locator("del")).to_contain_text("menu.idle")
    await expect(step.locator("ins")).to_contain_text("booking.choosing_day")
    await turn.get_by_text("FindDays").click()
    await expect(turn.locator(".thing[open] .json")).to_contain_text('"name": "DaysFound"')
    await expect(turn).to_contain_text("wish_typed")
    await picture(page, "panel turn")


async def test_what_a_customer_said_leads_to_what_was_answered_and_back(page: Page) -> None:
    await page.locator(".msg.out").click()
    await part(page, "Outbox and records").locator("summary").click()
    await part(page, "Outbox and records").get_by_role("button", name="Row").click()
    await expect(panel(page)).to_contain_text("Salon Lumi to Ana")
    await part(page, "Because of").locator("summary").click()
    await part(page, "Because of").get_by_role("button", name="“hi”").click()
    await expect(panel(page)).to_contain_text("Ana to Salon Lumi: “hi”")


async def test_the_menu_of_a_message_opens_it_for_keyboards_too(page: Page) -> None:
    await panel(page).get_by_role("button", name="Close").click()
    await expect(panel(page)).to_be_hidden()
    more = page.locator(".msg.out").get_by_role("button", name="look inside")
    await more.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Look inside")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_contain_text("Ana to Salon Lumi: “hi”")
    await expect(panel(page).locator(".panel-body")).to_be_focused()


async def test_rows_are_shown_where_turn_and_webhook_are_not_remembered(
    page: Page, scene: Scene
) -> None:
    scene.turns.forget()
    scene.graph.simulator.courier.deliveries.clear()
    await page.locator(".msg.out").click()
    await expect(part(page, "Turn")).to_contain_text("not remembered any more")
    await expect(part(page, "Webhook")).to_contain_text("this is what the inbox keeps of it")
    await expect(part(page, "Webhook").locator(".json")).to_contain_text('"body": "hi"')
    await expect(part(page, "Outbox and records")).to_contain_text("1 sent")


async def test_without_a_bot_that_tells_the_wire_is_still_shown(page: Page, scene: Scene) -> None:
    scene.graph.simulator.trace = None
    await page.locator(".msg.out").click()
    await expect(panel(page)).to_contain_text("does not tell")
    await expect(part(page, "Webhook").locator(".json")).to_contain_text('"body": "hi"')


async def test_it_covers_a_small_screen_and_is_closed_again(browser: Browser, scene: Scene) -> None:
    address = scene.graph.simulator.base_url + "/?look"
    async with open_page(browser, address, width=360, height=740, touch=True) as page:
        await panel(page).get_by_role("button", name="Close").click()
        await say(page, "hi")
        await expect(page.locator(".msg.in")).to_be_visible()
        await page.locator(".msg.in").click(button="right", position={"x": 60, "y": 16})
        await page.get_by_role("menuitem", name="Look inside").click()
        await expect(part(page, "Turn 1")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await picture(page, "360 pixels panel")
