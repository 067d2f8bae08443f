"""Ordering trouble on the chat page, against the running bot."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.simulator.faults import CATALOGUE
from tests.support.bot import Scene
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


@pytest.fixture
async def page(browser: Browser, scene: Scene) -> AsyncIterator[Page]:
    async with open_page(browser, scene.graph.simulator.base_url) as opened:
        await opened.get_by_role("button", name="Trouble").click()
        yield opened


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name="Trouble").get_by_role("switch", name=name)


def answers(page: Page) -> Locator:
    return page.locator(".msg.in[data-id]")  # the typing dots are none


async def say(page: Page, text: str) -> None:
    await page.keyboard.press("Escape")
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def test_every_trouble_can_be_switched_on_and_off(page: Page, scene: Scene) -> None:
    faults = scene.graph.simulator.faults
    switches = page.get_by_role("dialog", name="Trouble").get_by_role("switch")
    await expect(switches).to_have_count(len(CATALOGUE))
    for n in range(len(CATALOGUE)):
        await switches.nth(n).click()
        await expect(switches.nth(n)).to_have_attribute("aria-checked", "true")
        assert len(faults.list()) == 1
        if n == 0:
            await picture(page, "trouble")
        await switches.nth(n).click()
        await expect(switches.nth(n)).to_have_attribute("aria-checked", "false")
        assert faults.list() == []


async def test_an_outage_delays_an_answer_and_loses_nothing(page: Page, scene: Scene) -> None:
    await switch(page, "Server error 500").click()
    await expect(page.locator("#trouble-count")).to_have_text("1")
    await say(page, "hi")
    await expect(page.locator(".msg.out .ticks.delivered, .msg.out .ticks.read")).to_be_visible()
    await page.get_by_role("button", name="Trouble").click()
    await expect(switch(page, "Server error 500")).to_contain_text("×")
    await expect(answers(page)).to_have_count(0)
    await page.get_by_role("button", name="Switch all off").click()
    await expect(page.locator("#trouble-count")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(answers(page)).to_have_count(1, timeout=15_000)


async def test_webhooks_that_come_thrice_are_answered_once(page: Page, scene: Scene) -> None:
    await switch(page, "Webhooks come twice").click()
    await say(page, "hi")
    await expect(answers(page)).to_be_visible()
    for delivery in scene.graph.deliveries:
        await delivery.settled.wait()
    await scene.graph.simulator.changes.until(
        lambda: all(one.attempts == 3 for one in scene.graph.deliveries), 5
    )
    await expect(answers(page)).to_have_count(1)
    assert len(scene.graph.sent) == 1


async def test_switching_a_hold_off_lets_go_of_what_it_held(page: Page) -> None:
    await switch(page, "In the wrong order").click()
    await say(page, "hi")
    await page.get_by_role("button", name="Trouble").click()
    await expect(switch(page, "In the wrong order")).to_contain_text("1×")
    await expect(answers(page)).to_have_count(0)
    await switch(page, "In the wrong order").click()
    await expect(answers(page)).to_have_count(1)


async def test_any_code_can_be_ordered_once(page: Page, scene: Scene) -> None:
    await page.get_by_label("Meta's error code").fill("131000")
    await page.get_by_role("button", name="Order it").click()
    await expect(page.locator("#trouble-count")).to_have_text("1")
    (armed,) = scene.graph.simulator.faults.list()
    assert (armed.fault.kind, armed.fault.code, armed.left) == ("error", 131000, 1)


async def test_faults_ordered_elsewhere_are_shown(page: Page, scene: Scene) -> None:
    scene.graph.fail("lose", event="status", times=0)
    await expect(switch(page, "Statuses are lost")).to_have_attribute("aria-checked", "true")
    await expect(page.locator("#trouble-count")).to_have_text("1")
