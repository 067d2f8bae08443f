"""A newcomer opens the chat page of a running bot and books, sees, moves and cancels a visit."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.support.bot import Scene
from tests.support.browser import NO_BROWSER, browser_path, open_page, picture

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


@pytest.fixture
async def page(browser: Browser, scene: Scene) -> AsyncIterator[Page]:
    async with open_page(browser, scene.graph.simulator.base_url, width=420) as opened:
        yield opened


def newest(page: Page, button: str) -> Locator:
    return page.get_by_role("button", name=button, exact=True).last


async def choose(page: Page, opener: str, row: int, *, nth: int = 1) -> None:
    """Open the nth list of its kind and tap a row; a sheet's close button comes before them."""
    await expect(page.get_by_role("button", name=opener, exact=True)).to_have_count(nth)
    await newest(page, opener).click()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_role("button").nth(row).click()
    await expect(sheet).to_be_hidden()


async def test_a_newcomer_books_moves_and_cancels_with_taps(page: Page) -> None:
    box = page.get_by_role("textbox")
    await box.fill("hi")
    await box.press("Enter")
    await newest(page, "Book a visit").click()
    await choose(page, "Services", 2)
    await choose(page, "Team", 1)
    await choose(page, "Days", 3)
    await choose(page, "Times", 1)
    await newest(page, "Book it").click()
    await expect(page.get_by_text("Booked ✔")).to_be_visible()
    await expect(page.get_by_text("visit.ics")).to_be_visible()
    await picture(page, "journey booked")
    await newest(page, "Change").click()
    await choose(page, "Days", 4, nth=2)
    await choose(page, "Times", 2, nth=2)
    await newest(page, "Move it").click()
    await expect(page.get_by_text("Moved ✔")).to_be_visible()
    await newest(page, "Cancel visit").click()
    await newest(page, "Yes, cancel it").click()
    await expect(page.get_by_role("log").get_by_text("Cancelled:").last).to_be_visible()
    await picture(page, "journey cancelled")
