"""What tests in a browser share: the browser, and what they look at with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser.shop import Shop, running_shop
from tests.support.bot import Scene, running_scene
from tests.support.browser import running_browser


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium a module; every page has a context of its own."""
    async with running_browser() as running:
        yield running


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A small business that answers all, on a clock that can be moved."""
    async with running_shop() as running:
        yield running


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """The whole bot with a simulated WhatsApp."""
    async with running_scene(database_url, redis_url) as running:
        yield running
