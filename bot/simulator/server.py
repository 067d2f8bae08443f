"""The simulator as one thing: world, Graph API, phones and page, on one port."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypedDict, Unpack

import aiohttp
from aiohttp import web

from bot.simulator.account_api import AccountApi
from bot.simulator.accounts import Accounts
from bot.simulator.app_api import AppApi
from bot.simulator.changes import Changes
from bot.simulator.control import ControlApi
from bot.simulator.courier import Courier
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Fault, Faults
from bot.simulator.form_api import FormApi
from bot.simulator.forms import Forms
from bot.simulator.gate import Gate
from bot.simulator.graph import GraphApi
from bot.simulator.inspecting import InspectorApi, Trace
from bot.simulator.media_api import LARGEST_UPLOAD, MediaApi
from bot.simulator.memory import Keeper
from bot.simulator.model import Number
from bot.simulator.phones import Advance, PhonesApi
from bot.simulator.rates import Rates
from bot.simulator.recipients import Recipients
from bot.simulator.saving import SavingApi
from bot.simulator.settings import Pace, Retries, Rules
from bot.simulator.tasks import Tasks
from bot.simulator.template_api import TemplateApi
from bot.simulator.templates import Template, Templates
from bot.simulator.webhooks import Notice
from bot.simulator.world import World
from storage.clock import Clock

PAGE = Path(__file__).parent / "page"
GRAPH_VERSION = "v26.0"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Options(TypedDict, total=False):
    """What may be left out, or be None.

    `advance` moves the clock: without it the clock cannot be moved. Without `templates` every
    template name is taken to be approved. `memory` is a file that carries phones and messages
    over a restart.
    """

    advance: Advance | None
    pace: Pace | None
    retries: Retries | None
    rules: Rules | None
    templates: Sequence[Template] | None
    memory: Path | None


class Simulator:
    """Everything together. Use `running_simulator` to get one that listens.

    `trace` asks the bot about a message; the chat page's panel shows what it says.
    """

    base_url = ""
    trace: Trace | None = None

    def __init__(
        self,
        *,
        webhook_url: str | None,
        app_secret: str,
        numbers: Sequence[Number],
        clock: Clock,
        session: aiohttp.ClientSession,
        **options: Unpack[Options],
    ) -> None:
        self._clock, self._advance_clock = clock, options.get("advance")
        self._began = (clock(), time.monotonic())
        self._rules, self._pace = options.get("rules") or Rules(), options.get("pace") or Pace()
        self.tasks, self.changes, self.faults = Tasks(), Changes(), Faults()
        self.world = World(numbers=numbers, clock=clock, changes=self.changes)
        self.accounts = Accounts(numbers=numbers, clock=clock, rules=self._rules)
        self.gate = Gate(token=self._rules.token, faults=self.faults)
        self.courier = Courier(
            url=webhook_url,
            app_secret=app_secret,
            session=session,
            tasks=self.tasks,
            faults=self.faults,
            clock=clock,
            retries=options.get("retries") or Retries(),
            accounts=self.accounts,
        )
        declared, wabas = options.get("templates"), self.accounts.accounts
        self.templates = Templates(declared, clock=clock, tell=self._tell, wabas=wabas)
        self.forms = Forms(clock=clock, tell=self._tell)
        self._traffic()
        self._office(session, app_secret)
        memory = options.get("memory")
        self._keeper = memory and Keeper(
            memory,
            self.world,
            self.courier,
            self.templates,
            self.forms,
            self.accounts,
            self.faults,
            self.changes,
        )

    def _traffic(self) -> None:
        """Open the ways of messages and files."""
        self.rates = Rates(rules=self._rules, seconds=self._seconds)
        self.media_api = MediaApi(
            world=self.world,
            gate=self.gate,
            faults=self.faults,
            base_url=lambda: self.base_url or "http://127.0.0.1",
        )
        self.exchange = Exchange(
            world=self.world,
            courier=self.courier,
            accounts=self.accounts,
            rates=self.rates,
            media_url=self.media_api.url,
            tasks=self.tasks,
            pace=self._pace,
            rules=self._rules,
        )

    def _office(self, session: aiohttp.ClientSession, app_secret: str) -> None:
        """Open what an owner deals with: accounts, numbers, the app and templates."""
        self.account_api = AccountApi(
            accounts=self.accounts, world=self.world, session=session, tell=self._tell
        )
        self.app_api = AppApi(
            app_secret=app_secret,
            gate=self.gate,
            courier=self.courier,
            account_api=self.account_api,
        )
        self.form_api = FormApi(
            forms=self.forms,
            accounts=self.accounts,
            world=self.world,
            base_url=lambda: self.base_url,
        )
        self.template_api = TemplateApi(
            templates=self.templates,
            tasks=self.tasks,
            clock=self._clock,
            pace=self._pace,
            rules=self._rules,
        )

    @property
    def graph_url(self) -> str:
        """Where a client of the Graph API has to point, version included."""
        return f"{self.base_url}/{GRAPH_VERSION}"

    @property
    def webhook_url(self) -> str | None:
        """Where webhooks go; None keeps them waiting."""
        return self.courier.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.courier.url = url

    def fail(self, **fault: Any) -> None:
        """Order trouble: the fields of `Fault`."""
        self.faults.add(Fault(**fault))

    def clear_faults(self) -> None:
        """Call all trouble off and send what was held back."""
        self.faults.clear()
        self.courier.release()

    async def advance(self, by: timedelta) -> None:
        """Move the clock forward, where there is one that can be moved."""
        if self._advance_clock is None:
            raise RuntimeError("this simulator runs on a clock that cannot be moved")
        moved = self._advance_clock(by)
        if isawaitable(moved):
            await moved
        self.templates.tick()

    def app(self) -> web.Application:
        """The web application: Graph API, phones' API and chat page."""
        app = web.Application(client_max_size=LARGEST_UPLOAD)
        app.add_routes([*self._phones().routes(), *self._control().routes()])
        app.add_routes([*self._inspector().routes(), *SavingApi(self.world).routes()])
        app.add_routes([*self.form_api.routes(), *self._graph().routes()])
        app.add_routes([web.get("/", page), web.get("/chat", page)])
        app.router.add_static("/page", PAGE)
        app.on_response_prepare.append(add_headers)
        app.on_response_prepare.append(self._note)
        app.on_shutdown.append(self._stop)
        return app

    def start(self) -> None:
        """Remember what was before, and go on with what was on its way."""
        if self._keeper:
            self._keeper.load()
            self.exchange.resume()
            self.template_api.resume()
            self.tasks.spawn(self._keeper.run())

    async def close(self) -> None:
        """End streams and background work; raises what went wrong there."""
        self.changes.close()
        try:
            await self.tasks.close()
        finally:
            if self._keeper:
                self._keeper.save()

    def _phones(self) -> PhonesApi:
        return PhonesApi(
            world=self.world,
            exchange=self.exchange,
            courier=self.courier,
            faults=self.faults,
            changes=self.changes,
            advance=self.advance if self._advance_clock else None,
        )

    def _control(self) -> ControlApi:
        return ControlApi(
            world=self.world,
            exchange=self.exchange,
            courier=self.courier,
            gate=self.gate,
            accounts=self.accounts,
            templates=self.templates,
            account_api=self.account_api,
        )

    def _inspector(self) -> InspectorApi:
        return InspectorApi(world=self.world, courier=self.courier, trace=lambda: self.trace)

    def _graph(self) -> GraphApi:
        return GraphApi(
            world=self.world,
            exchange=self.exchange,
            templates=self.templates,
            forms=self.forms,
            accounts=self.accounts,
            rates=self.rates,
            faults=self.faults,
            gate=self.gate,
            recipients=Recipients(
                world=self.world,
                exchange=self.exchange,
                accounts=self.accounts,
                rates=self.rates,
                rules=self._rules,
            ),
            apis=(
                self.account_api,
                self.template_api,
                self.media_api,
                self.app_api,
                self.form_api,
            ),
        )

    def _tell(self, notice: Notice) -> None:
        self.courier.post(notice)
        self.changes.publish({"type": "account", "field": notice.field})

    async def _note(self, request: web.Request, _response: web.StreamResponse) -> None:
        if request.method not in ("GET", "HEAD"):
            self.changes.touch()

    async def _stop(self, _app: web.Application) -> None:
        self.changes.close()

    def _seconds(self) -> float:
        # By the wall or by the clock that is moved, whichever is ahead: one may stand still.
        clock, wall = self._began
        return max((self._clock() - clock).total_seconds(), time.monotonic() - wall)


@asynccontextmanager
async def running_simulator(
    *,
    webhook_url: str | None,
    app_secret: str,
    numbers: Sequence[Number],
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 0,
    **options: Unpack[Options],
) -> AsyncIterator[Simulator]:
    """A simulator that listens on `host:port` (0: a free one); webhooks wait for a URL of None."""
    async with aiohttp.ClientSession() as session:
        simulator = Simulator(
            webhook_url=webhook_url,
            app_secret=app_secret,
            numbers=numbers,
            clock=clock,
            session=session,
            **options,
        )
        runner = web.AppRunner(simulator.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound = runner.addresses[0]
            simulator.base_url = f"http://{bound[0]}:{bound[1]}"
            simulator.start()
            yield simulator
        finally:
            await runner.cleanup()
            await simulator.close()


async def page(_request: web.Request) -> web.StreamResponse:
    """The chat page."""
    return web.FileResponse(PAGE / "index.html")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What keeps a page with hostile text harmless."""
    response.headers.update(HEADERS)
    if request.path.startswith("/page") or request.path in ("/", "/chat"):
        response.headers["Cache-Control"] = "no-cache"
