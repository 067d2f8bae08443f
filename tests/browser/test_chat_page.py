"""The chat page in a real browser: what somebody sees who books, and what they can do."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.simulator import Template
from tests.browser.shop import CALENDAR, GARAGE, Shop
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture
from tests.support.business import message
from tests.support.graph import SALON

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)

LINK = {
    "type": "cta_url",
    "body": {"text": "Our prices"},
    "action": {
        "name": "cta_url",
        "parameters": {"display_text": "See prices", "url": "https://example.com/prices"},
    },
}
ASK = {
    "type": "location_request_message",
    "body": {"text": "Where are you?"},
    "action": {"name": "send_location"},
}
TEMPLATE = {
    "name": "visit_soon",
    "language": {"code": "en"},
    "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "tomorrow at 15:00"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "Confirm"}],
        },
    ],
}


@pytest.fixture
async def page(browser: Browser, shop: Shop) -> AsyncIterator[Page]:
    async with open_page(browser, shop.url) as opened:
        await expect(phone(opened)).to_be_visible()
        yield opened


def phone(page: Page, n: int = 0) -> Locator:
    return page.locator(".phone").nth(n)


async def say(phone: Locator, text: str) -> None:
    box = phone.get_by_role("textbox")
    await box.fill(text)
    await box.press("Enter")


async def press(phone: Locator, name: str) -> None:
    await phone.get_by_role("button", name=name, exact=True).click()


async def attach(phone: Locator, what: str) -> None:
    await press(phone, "Attach")
    await phone.get_by_role("menuitem", name=what).click()


async def book(phone: Locator) -> None:
    await say(phone, "hi")
    await press(phone, "Book a visit")
    await press(phone, "Choose a service")
    await phone.get_by_role("dialog").get_by_role("button", name="Women's cut").click()
    await press(phone, "Book it")
    await expect(phone.get_by_text("visit.ics")).to_be_in_viewport()


async def test_a_newcomer_finds_anas_phone_open_and_books_by_tapping(
    page: Page, shop: Shop
) -> None:
    ana = phone(page)
    await expect(ana.get_by_role("heading", name="Salon Lumi")).to_be_visible()
    await expect(ana.get_by_role("textbox")).to_have_attribute("placeholder", "Type hi")
    await expect(ana.get_by_role("textbox")).to_be_focused()
    await picture(page, "first visit")
    await book(ana)
    assert shop.kinds() == ["text", "interactive", "interactive", "interactive"]
    assert shop.business.messages[2]["context"]["id"].startswith("wamid.")
    await expect(ana.locator(".msg.out .ticks.read")).to_have_count(4)
    await picture(page, "booked")


async def test_the_visit_can_be_downloaded_for_the_calendar(page: Page) -> None:
    await book(phone(page))
    async with page.expect_download() as waiting:
        await phone(page).get_by_text("visit.ics").click()
    file = await waiting.value
    assert file.suggested_filename == "visit.ics"
    assert (await file.path()).read_bytes() == CALENDAR


async def test_a_list_opens_as_a_sheet_that_keyboards_can_use(page: Page, shop: Shop) -> None:
    ana = phone(page)
    await say(ana, "hi")
    await press(ana, "Book a visit")
    opener = ana.get_by_role("button", name="Choose a service")
    await opener.press("Enter")
    sheet = ana.get_by_role("dialog", name="Choose a service")
    await expect(sheet.get_by_role("heading", level=3)).to_have_text(["Hair", "Care"])
    await expect(sheet.get_by_role("button", name="Women's cut 60 min, $82")).to_be_focused()
    await picture(page, "list")
    for _ in range(7):
        await page.keyboard.press("Tab")
        inside = await page.evaluate("document.activeElement.closest('.sheet') !== null")
        assert inside, "Tab left the sheet"
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await expect(opener).to_be_focused()
    await opener.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(ana.get_by_text("Men's cut with Kelly")).to_be_visible()
    assert shop.business.messages[-1]["interactive"]["list_reply"]["title"] == "Men's cut"


async def test_hostile_text_stays_text_and_formatting_is_whatsapps(page: Page) -> None:
    ana = phone(page)
    await say(ana, "hostile")
    words = ana.locator(".msg.in .words")
    await expect(words).to_contain_text("<img src=x onerror=\"document.title='owned'\">")
    assert await words.locator("img, b").count() == 0
    for tag, text in {"strong": "bold", "em": "italic", "del": "gone"}.items():
        await expect(words.locator(tag)).to_have_text(text)
    await expect(words.locator("code")).to_have_text(["code", "several\nlines"])
    await expect(words.locator(".item")).to_have_text(["one", "two"])
    await expect(words.locator(".quoted-line")).to_have_text("quoted")
    await expect(words).to_contain_text("snake_case_name 2*3*4")
    link = words.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://example.com/?a=1&b=2")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert await page.title() == "Usual"
    await picture(page, "formatting")


async def test_two_customers_side_by_side_see_their_own_chats_only(page: Page, shop: Shop) -> None:
    await page.get_by_role("button", name="Add a phone").click()
    await page.get_by_label("Whose is it?").fill("Ben Okafor")
    await page.get_by_label("Hide the number").check()
    await page.keyboard.press("Enter")
    ana, ben = phone(page, 0), phone(page, 1)
    await expect(ben).to_be_visible()
    await book(ana)
    await say(ben, "hello from Ben")
    await expect(ben.get_by_text("You said: hello from Ben")).to_be_visible()
    await expect(ana.get_by_text("hello from Ben")).to_have_count(0)
    assert "from" not in shop.business.messages[-1]
    await picture(page, "two phones")


async def test_awkward_messages_can_be_sent(page: Page, shop: Shop) -> None:
    ana = phone(page)
    menu = ("Photo", "Document", "Location", "Contact", "Sticker", "Voice note", "Poll")
    for n, what in enumerate(menu, 1):
        await attach(ana, what)
        await expect(ana.locator(".msg.in")).to_have_count(n)
    kinds = ["image", "document", "location", "contacts", "sticker", "audio", "unsupported"]
    assert shop.kinds() == kinds
    loaded = "nodes => nodes.every(node => node.complete && node.naturalWidth > 0)"
    assert await ana.locator(".msg.out img").evaluate_all(loaded)
    await picture(page, "awkward messages below")
    await ana.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")
    await picture(page, "awkward messages above")


async def test_the_business_types_and_then_answers(page: Page, shop: Shop) -> None:
    shop.thinks = 0.4
    ana = phone(page)
    await say(ana, "thinking?")
    await expect(ana.locator(".dots")).to_be_visible()
    await expect(ana.get_by_text("typing…")).to_be_visible()
    await picture(page, "typing")
    await expect(ana.get_by_text("You said: thinking?")).to_be_visible()
    await expect(ana.locator(".dots")).to_have_count(0)


async def test_a_message_can_be_answered_and_reacted_to(page: Page, shop: Shop) -> None:
    ana = phone(page)
    await say(ana, "one")
    answer = ana.locator(".msg.in").first
    await expect(answer).to_be_visible()
    await answer.hover()
    await answer.get_by_role("button", name="Reply, react or look inside").click()
    await ana.get_by_role("menuitem", name="React 👍").click()
    await expect(answer.locator(".reactions")).to_contain_text("👍")
    await answer.hover()
    await answer.get_by_role("button", name="Reply, react or look inside").click()
    await ana.get_by_role("menuitem", name="Reply").click()
    await say(ana, "two")
    await expect(ana.locator(".msg.out .quote")).to_contain_text("You said: one")
    await expect(ana.get_by_text("You said: two")).to_be_visible()
    assert shop.business.messages[-1]["context"]["from"] == SALON.digits
    await picture(page, "reply and reaction")


async def test_several_businesses_are_a_list_of_chats_with_unread_counts(
    page: Page, shop: Shop
) -> None:
    ana = phone(page)
    await press(ana, "All chats")
    await ana.get_by_role("button", name="Garage Nord").click()
    await say(ana, "hello garage")
    await expect(ana.get_by_text("You said: hello garage")).to_be_visible()
    await press(ana, "All chats")
    world = shop.graph.simulator.world
    (customer,) = world.customers.values()
    body = message(customer.phone, "text", {"body": "Your car is ready"})
    await shop.client.send(body, number=GARAGE.phone_number_id)
    row = ana.get_by_role("button", name="Garage Nord")
    await expect(row).to_contain_text("Your car is ready")
    await expect(row.locator(".badge")).to_contain_text("1")
    await picture(page, "chats")
    await row.click()
    await expect(ana.get_by_text("Your car is ready")).to_be_visible()
    await press(ana, "All chats")
    await expect(row.locator(".badge")).to_have_count(0)


async def test_what_was_said_is_there_after_a_reload(page: Page) -> None:
    await book(phone(page))
    before = await phone(page).locator(".msg").count()
    await page.reload()
    await expect(phone(page).locator(".msg")).to_have_count(before)
    await expect(phone(page).get_by_text("visit.ics")).to_be_in_viewport()


async def test_who_scrolls_up_is_not_pulled_down_but_told(page: Page, shop: Shop) -> None:
    ana = phone(page)
    for n in range(12):
        await say(ana, f"line {n}")
        await expect(ana.get_by_text(f"You said: line {n}", exact=True)).to_be_visible()
    log = ana.get_by_role("log")
    await log.evaluate("log => log.scrollTo(0, 0)")
    down = ana.locator(".to-end")
    await expect(down).to_be_visible()
    (customer,) = shop.graph.simulator.world.customers.values()
    await shop.client.text(customer.phone, "news")
    await expect(down).to_have_attribute("data-count", "1")
    await expect(ana.get_by_text("news")).not_to_be_in_viewport()
    await picture(page, "scrolled up")
    await down.click()
    await expect(ana.get_by_text("news")).to_be_in_viewport()


async def test_a_phone_in_airplane_mode_gets_its_messages_later(page: Page, shop: Shop) -> None:
    ana = phone(page)
    await say(ana, "one")
    await expect(ana.get_by_text("You said: one")).to_be_visible()
    await press(ana, "Phone")
    await ana.get_by_role("menuitem", name="Airplane mode on").click()
    await expect(ana.get_by_text("Waiting for network…")).to_be_visible()
    (customer,) = shop.graph.simulator.world.customers.values()
    wamid = await shop.client.text(customer.phone, "while you were away")
    await shop.business.until(lambda: shop.business.steps(wamid) == ["sent"])
    await expect(ana.get_by_text("while you were away")).to_have_count(0)
    await press(ana, "Phone")
    await ana.get_by_role("menuitem", name="Airplane mode off").click()
    await expect(ana.get_by_text("while you were away")).to_be_visible()
    steps = ["sent", "delivered", "read"]
    await shop.business.until(lambda: shop.business.steps(wamid) == steps)


async def test_the_clock_can_be_moved_and_days_part_the_messages(page: Page) -> None:
    ana = phone(page)
    await say(ana, "one")
    await page.get_by_role("button", name="Move the clock Tomorrow").click()
    before = await page.locator(".clock-time").inner_text()
    await say(ana, "two")
    await expect(ana.get_by_text("You said: two")).to_be_visible()
    await expect(ana.locator(".day")).to_have_count(2)
    await page.get_by_role("button", name="Move the clock +1 hour").click()
    await expect(page.locator(".clock-time")).not_to_have_text(before)


async def test_templates_links_and_right_to_left_text_are_drawn(page: Page, shop: Shop) -> None:
    ana = phone(page)
    await say(ana, "quiet")
    await shop.business.until(lambda: shop.kinds() == ["text"])
    (customer,) = shop.graph.simulator.world.customers.values()
    for kind, content in (("interactive", LINK), ("template", TEMPLATE), ("interactive", ASK)):
        status, answer = await shop.client.send(message(customer.phone, kind, content))
        assert status == 200, answer
    await shop.client.text(customer.phone, "שלום, התור שלך מחר ב-15:00.")
    anchor = ana.get_by_role("link", name="See prices")
    await expect(anchor).to_have_attribute("href", "https://example.com/prices")
    hebrew = ana.get_by_text("שלום")
    assert await hebrew.evaluate("node => getComputedStyle(node).direction") == "rtl"
    await picture(page, "templates and links")
    await press(ana, "Send location")
    await expect(ana.locator(".place")).to_be_visible()
    assert shop.kinds()[-1] == "location"


async def test_a_declared_template_has_header_footer_and_buttons(page: Page, shop: Shop) -> None:
    ana = phone(page)
    shop.graph.simulator.templates.declare(
        Template(
            name="visit_soon",
            body="Your visit is {{1}}.",
            header="See you soon",
            footer="STOP ends messages",
            buttons=("Confirm",),
        )
    )
    await say(ana, "quiet")
    await shop.business.until(lambda: shop.kinds() == ["text"])
    (customer,) = shop.graph.simulator.world.customers.values()
    status, answer = await shop.client.send(message(customer.phone, "template", TEMPLATE))
    assert status == 200, answer
    bubble = ana.locator(".msg.kind-template")
    await expect(bubble.locator(".head")).to_have_text("See you soon")
    await expect(bubble.locator(".words")).to_have_text("Your visit is tomorrow at 15:00.")
    await expect(bubble.locator(".foot")).to_have_text("STOP ends messages")
    await picture(page, "declared template")
    await press(ana, "Confirm")
    await expect(ana.get_by_text("You said: button")).to_be_visible()


async def test_the_page_fits_a_phone_of_360_pixels(browser: Browser, shop: Shop) -> None:
    async with open_page(browser, shop.url, width=360, height=720, touch=True) as page:
        await expect(phone(page)).to_be_visible()
        await book(phone(page))
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await picture(page, "360 pixels")
        await press(phone(page), "Choose a service")
        await picture(page, "360 pixels list")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Tools").click()
        await page.get_by_role("button", name="Add a phone").click()
        await page.get_by_label("Whose is it?").fill("Ben")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(phone(page, 1)).to_be_visible()
        await expect(phone(page, 0)).to_be_hidden()
        await page.get_by_role("button", name=re.compile("^Ana")).click()
        await expect(phone(page, 0)).to_be_visible()


async def test_the_page_is_dark_for_those_who_like_it_dark(browser: Browser, shop: Shop) -> None:
    async with open_page(browser, shop.url, dark=True) as page:
        await expect(phone(page)).to_be_visible()
        await book(phone(page))
        await attach(phone(page), "Location")
        await expect(phone(page).locator(".place")).to_be_visible()
        await picture(page, "dark")
        colour = await page.evaluate("getComputedStyle(document.body).color")
        assert colour == "rgb(233, 237, 239)"
