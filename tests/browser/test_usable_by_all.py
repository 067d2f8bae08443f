"""The chat page for people who do not see, do not use a mouse, or have little room."""

from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.shop import GARAGE, Shop
from tests.support.bot import Scene
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture
from tests.support.business import message
from tests.support.forms import Desk, form_message

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)

# What fades in has its colours only when it is there.
AT_REST = """() => Promise.allSettled(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
        .map((one) => one.finished)
)"""
LOOKS = (Path(__file__).parents[1] / "support/looks.js").read_text("utf-8")
SIZES = [(1400, 900, False), (1400, 900, True), (800, 900, True), (360, 740, False)]


async def wrong(page: Page) -> list[str]:
    """What is wrong with the looks, as sentences; nothing wider than the window either."""
    await page.evaluate(AT_REST)
    found: list[str] = await page.evaluate(LOOKS)
    size = "[document.documentElement.scrollWidth, innerWidth]"
    wide, room = await page.evaluate(size)
    return found + ([f"{wide} pixels wide in {room}"] if wide > room else [])


async def tool(page: Page, name: str) -> None:
    """Press a button of the bar, which small screens fold away."""
    more = page.get_by_role("button", name="Tools")
    if await more.is_visible():
        await more.click()
    await page.locator("#tools").get_by_role("button", name=name).click()


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
async def test_names_sizes_and_contrast_of_every_view(
    browser: Browser, scene: Scene, width: int, height: int, dark: bool
) -> None:
    address = scene.graph.simulator.base_url
    async with open_page(browser, address, width=width, height=height, dark=dark) as page:
        await page.get_by_role("textbox").fill("hi")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Book a visit", exact=True).click()
        await expect(page.get_by_role("button", name="Services")).to_be_visible()
        assert await wrong(page) == []
        await page.get_by_role("button", name="Services").click()
        assert await wrong(page) == []
        await page.keyboard.press("Escape")
        for name in ("Scenarios", "Trouble"):
            await tool(page, name)
            await expect(page.get_by_role("dialog", name=name)).to_be_visible()
            assert await wrong(page) == []
            await page.keyboard.press("Escape")
        await tool(page, "Look inside")
        await expect(page.get_by_text("State, before and after")).to_be_visible()
        assert await wrong(page) == []
        await picture(page, f"looks {width} {'dark' if dark else 'light'}")
        await page.get_by_role("button", name="Close", exact=True).click()
        await tool(page, "Add a phone")
        assert await wrong(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_contrast_of_every_kind_of_message(browser: Browser, shop: Shop, dark: bool) -> None:
    async with open_page(browser, shop.url, dark=dark) as page:
        box = page.get_by_role("textbox")
        for text in ("hostile", "שלום"):
            await box.fill(text)
            await page.keyboard.press("Enter")
        for what in ("Photo", "Document", "Location", "Contact", "Voice note", "Poll"):
            await page.get_by_role("button", name="Attach").click()
            await page.get_by_role("menuitem", name=what).click()
        await expect(page.locator(".msg.in[data-id]")).to_have_count(8)
        (customer,) = shop.graph.simulator.world.customers.values()
        shop.graph.fail("late_error", code=131026)
        body = message(customer.phone, "text", {"body": "Your car is ready"})
        await shop.client.send(body, number=GARAGE.phone_number_id)
        assert await wrong(page) == []
        await page.get_by_role("button", name="All chats").click()
        assert await wrong(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_names_and_contrast_of_a_form(browser: Browser, shop: Shop, dark: bool) -> None:
    ana = shop.graph.customer("Ana")
    await ana.say("quiet")
    headers = {"Authorization": "Bearer x"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        open_page(browser, shop.url, width=360, dark=dark) as page,
    ):
        form_id = await Desk(shop.graph, session).published()
        await shop.client.send(form_message(ana.number, flow_id=form_id))
        await page.get_by_role("button", name="Book a visit").click()
        form = page.get_by_role("dialog")
        await form.get_by_label("Service").select_option(label="Colour")
        await form.get_by_role("button", name="Go on").click()
        await expect(form.get_by_text("This is needed")).to_have_count(2)
        assert await wrong(page) == []
        await form.get_by_label("Evening").check()
        await form.get_by_label("Day", exact=True).fill("2030-05-17")
        await form.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("dialog", name="About you")).to_be_visible()
        assert await wrong(page) == []


async def test_the_keyboard_reaches_all_in_order_and_shows_where_it_is(
    browser: Browser, scene: Scene
) -> None:
    async with open_page(browser, scene.graph.simulator.base_url, width=1500) as page:
        await expect(page.get_by_role("textbox")).to_be_focused()
        await page.locator("h1").click()
        reached: list[str] = []
        for _ in range(24):
            await page.keyboard.press("Tab")
            at = await page.evaluate(
                """() => {
                    const node = document.activeElement;
                    const shown = (one) => {
                        const { outlineStyle, boxShadow } = getComputedStyle(one);
                        return outlineStyle !== "none" || boxShadow !== "none";
                    };
                    const visible = shown(node) || shown(node.closest(".pill") ?? node);
                    const text = node.textContent.trim().replace(/\\s+/g, " ");
                    const name = node.getAttribute("aria-label") || text;
                    return [name, visible, node === document.body];
                }"""
            )
            name, visible, left = at
            if left:
                break
            assert visible, f"nobody sees that {name} has the focus"
            reached.append(name)
        names = ["Move the clock +1 min", "Scenarios", "Trouble", "Look inside", "Save as test"]
        names += ["Add a phone", "Do it", "Play", "All chats", "Message to Salon Lumi", "Attach"]
        places = [reached.index(name) for name in names]
        assert places == sorted(places), reached


async def test_new_messages_are_said_and_ticks_are_not(browser: Browser, shop: Shop) -> None:
    async with open_page(browser, shop.url) as page:
        log = page.get_by_role("log", name="Chat with Salon Lumi")
        await expect(log).to_have_attribute("aria-live", "polite")
        await expect(log).to_have_attribute("aria-relevant", "additions")
        await page.get_by_role("textbox").fill("one")
        await page.keyboard.press("Enter")
        answer = page.locator(".msg.in[data-id]")
        await expect(answer.locator(".spoken").first).to_have_text("Salon Lumi: ")
        await expect(page.get_by_role("region", name="Ana's phone")).to_be_visible()
        await expect(page.locator(".msg.out .spoken", has_text="Read")).to_have_count(1)


async def test_who_wants_no_motion_gets_none(browser: Browser, shop: Shop) -> None:
    shop.thinks = 2.0
    async with open_page(browser, shop.url) as page:
        await page.get_by_role("textbox").fill("one")
        await page.keyboard.press("Enter")
        dot = page.locator(".dots i").first
        await expect(dot).to_be_visible()
        moving = "node => parseFloat(getComputedStyle(node).animationDuration)"
        assert await dot.evaluate(moving) < 0.001
