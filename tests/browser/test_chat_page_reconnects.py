"""The chat page outlives the simulator behind it."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.support.browser import NO_BROWSER, browser_path, open_page
from tests.support.business import graph_client
from tests.support.graph import Graph, running_graph

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".msg.out").last).to_contain_text(text)


def port_of(graph: Graph) -> int:
    return int(graph.simulator.base_url.rpartition(":")[2])


async def test_after_a_restart_the_page_goes_on_where_it_was(
    browser: Browser, tmp_path: Path
) -> None:
    memory = tmp_path / "phones.json"
    simulator = running_graph(None, memory=memory)
    graph = await simulator.__aenter__()
    async with open_page(browser, graph.simulator.base_url, may_complain=True) as page:
        await say(page, "before")
        await simulator.__aexit__(None, None, None)
        await expect(page.get_by_text("Connecting…")).to_be_visible()
        await page.get_by_role("textbox").fill("too early")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The simulator cannot be reached.")).to_be_visible()
        await expect(page.get_by_role("textbox")).to_have_value("too early")
        async with running_graph(None, memory=memory, port=port_of(graph)) as again:
            await expect(page.get_by_text("Business account")).to_be_visible()
            await page.get_by_role("textbox").press("Enter")
            await expect(page.locator(".msg.out")).to_have_count(2)
            (ana,) = again.simulator.world.customers.values()
            async with graph_client(again) as client:
                await client.text(ana.phone, "welcome back")
            await expect(page.get_by_text("welcome back")).to_be_visible()


async def test_another_world_at_the_same_address_is_taken_as_it_is(browser: Browser) -> None:
    simulator = running_graph(None)
    graph = await simulator.__aenter__()
    async with open_page(browser, graph.simulator.base_url, may_complain=True) as page:
        await say(page, "before")
        await simulator.__aexit__(None, None, None)
        async with running_graph(None, port=port_of(graph)) as again:
            await expect(page.locator(".msg")).to_have_count(0)
            await say(page, "after")
            assert [one.name for one in again.simulator.world.customers.values()] == ["Ana"]


async def test_what_is_written_while_the_page_is_still_starting_is_shown(browser: Browser) -> None:
    written = asyncio.Event()

    async def late(route: Route) -> None:
        if route.request.method == "GET":
            await written.wait()
        await route.continue_()

    async with (
        running_graph(None) as graph,
        open_page(browser, graph.simulator.base_url) as page,
    ):
        await page.route("**/simulator/conversations/**", late)
        await page.goto(f"{graph.simulator.base_url}/?scenario=newcomer")
        await say(page, "early")
        written.set()
        await expect(page.get_by_role("button", name="Do it")).to_be_visible()
        await expect(page.locator(".msg.out")).to_have_count(1)


async def test_what_comes_while_a_chat_is_being_read_is_not_lost(browser: Browser) -> None:
    arrived = asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await arrived.wait()
        await route.fulfill(response=answer)

    async with (
        running_graph(None) as graph,
        open_page(browser, graph.simulator.base_url) as page,
        graph_client(graph) as client,
    ):
        await say(page, "before")
        (ana,) = graph.simulator.world.customers.values()
        await page.route("**/simulator/conversations/**", late)
        await page.reload()
        await expect(page.get_by_text("Business account")).to_be_visible()
        await client.text(ana.phone, "meanwhile")
        await expect(page.get_by_text("meanwhile")).to_be_visible()
        arrived.set()
        await expect(page.locator(".msg.out")).to_contain_text("before")
        await expect(page.locator(".msg.in[data-id]")).to_contain_text("meanwhile")
