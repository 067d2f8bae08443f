"""A real Chromium for tests: Debian's, driven by Playwright."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
PICTURES = Path(__file__).parents[2] / "test-artifacts"
NO_BROWSER = "no Chromium here: apt-get install chromium"


def browser_path() -> str | None:
    """Where a Chromium is, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A headless browser; `browser_path()` has to be one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path(), args=list(FLAGS), headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_page(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    touch: bool = False,
    may_complain: bool = False,
) -> AsyncIterator[Page]:
    """A fresh page at `url`. Complaints in its console fail the test, unless it may complain."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        has_touch=touch,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    complaints: list[str] = []
    page = await context.new_page()
    page.set_default_timeout(5_000)
    page.on(
        "console",
        lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        await page.goto(url)
        yield page
        assert may_complain or complaints == []
    finally:
        await context.close()


async def picture(page: Page, name: str) -> Path:
    """Keep a screenshot among the test artefacts."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / (re.sub(r"[^\w-]+", "-", name) + ".png")
    await page.screenshot(path=path)
    return path
