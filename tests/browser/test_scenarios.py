"""The scenarios of the chat page, each played by the page itself against the running bot."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from bot.simulator.playback import Patience, replay
from tests.support.bot import Scene
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture
from tests.support.checkout import CHECKOUT
from tests.support.graph import SALON

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)

SOURCE = (CHECKOUT / "bot/simulator/page/js/scenarios.js").read_text("utf-8")
SCENARIOS = re.findall(r'^    id: "(\w+)"', SOURCE, re.MULTILINE)
# What stands on a phone when all was done: on the first, and on the second where there are two.
ENDS = {
    "newcomer": ["Booked ✔"],
    "typing": ["Women's cut"],
    "visits": ["Cancelled:"],
    "race": ["Booked ✔", "is no longer free"],
    "waitlist": ["Cancelled:", "I didn't hear from you", "Booked ✔"],
    "reminders": ["good to hear"],
    "regular": ["Booked ✔"],
    "person": ["Welcome back"],
    "russian": ["Мужская стрижка"],
    "hidden": ["With whom?"],
    "outage": ["With whom?"],
}


def address(scene: Scene, scenario: str) -> str:
    return f"{scene.graph.simulator.base_url}/?scenario={scenario}"


async def play(page: Page) -> None:
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(page.locator(".guide .after")).to_be_visible(timeout=100_000)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_scenario_plays_to_its_end(browser: Browser, scene: Scene, scenario: str) -> None:
    async with open_page(browser, address(scene, scenario)) as page:
        await play(page)
        for n, words in enumerate(ENDS[scenario]):
            phone = page.locator(".phone").nth(n)
            await expect(phone.locator(".msg.in", has_text=words).last).to_be_in_viewport()
        await picture(page, f"scenario {scenario}")


async def test_steps_done_by_hand_count_and_are_remembered(browser: Browser, scene: Scene) -> None:
    async with open_page(browser, address(scene, "newcomer")) as page:
        current = page.locator(".guide li[aria-current=step]")
        await expect(current).to_contain_text("Ana writes")
        await page.get_by_role("textbox").fill("Hi")
        await page.keyboard.press("Enter")
        await expect(current).to_contain_text("Book a visit")
        await page.get_by_role("button", name="Book a visit", exact=True).click()
        await expect(current).to_contain_text("women's cut")
        await page.reload()
        await expect(current).to_contain_text("women's cut")
        await page.get_by_role("button", name="Do it").click()
        await expect(current).to_contain_text("With whom")
        await page.get_by_role("button", name="Start over").click()
        await expect(current).to_contain_text("Ana writes")
        await expect(page.locator(".msg")).to_have_count(0)


async def test_a_chat_saved_as_a_test_goes_again_as_written(browser: Browser, scene: Scene) -> None:
    async with open_page(browser, address(scene, "race")) as page:
        await play(page)
        await expect(page.get_by_text("Booked ✔").first).to_be_visible()  # the last answer of all
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name="Save as test").click()
        text = (await (await waiting.value).path()).read_text("utf-8")
    assert "\nAna> women's cut with becky\n" in text
    assert "\nBen< " in text
    played = await replay(
        scene.graph.simulator.base_url,
        text,
        phone_number_id=SALON.phone_number_id,
        patience=Patience(silence=0.3),
    )
    assert played.same, played.difference("chat.txt")


async def test_scenarios_are_links_in_a_list(browser: Browser, scene: Scene) -> None:
    async with open_page(browser, scene.graph.simulator.base_url) as page:
        await page.get_by_role("button", name="Scenarios").click()
        box = page.get_by_role("dialog", name="Scenarios")
        await expect(box.get_by_role("link")).to_have_count(len(SCENARIOS))
        await picture(page, "scenarios")
        await box.get_by_role("link", name="Two want the same minute").click()
        await expect(page.locator(".phone")).to_have_count(2)


async def test_the_guide_is_a_strip_on_a_phone_and_leaves_room(
    browser: Browser, scene: Scene
) -> None:
    async with open_page(
        browser, address(scene, "race"), width=360, height=740, touch=True
    ) as page:
        heights: set[float] = set()
        await page.get_by_role("button", name="Do it").click()
        for _ in range(4):
            await expect(page.locator(".guide li[aria-current=step]")).to_be_visible()
            box = await page.locator(".stage").bounding_box()
            assert box is not None
            heights.add(box["height"])
            await page.get_by_role("button", name="Do it").click()
        await picture(page, "360 pixels guide")
        await page.get_by_role("button", name="Close the guide").click()
        await expect(page.locator(".guide")).to_be_hidden()
        assert len(heights) == 1, "the phone jumps as the guide goes on"
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360


def test_every_scenario_has_an_end_to_look_for() -> None:
    assert sorted(ENDS) == sorted(SCENARIOS)
