"""The runs: both bots up, one of them under load at a time, in turn."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from storage.embedded import Servers
from storage.pool import connect
from tests.bench import bots, counts
from tests.bench.bots import Bot
from tests.bench.load import LOAD_COMPANY, BenchError, Customers, Load, Tools
from tests.support.checkout import CHECKOUT
from tests.support.database import named

SCRIPT: Final = CHECKOUT / "tests" / "bench" / "booking.json"
FLOOR_NUMBER: Final = "106540352242922"
WORKERS: Final = (1, 2)


@dataclass
class Stage:
    """Servers, tools and customers of one bench."""

    tools: Tools
    servers: Servers
    folder: Path
    only_floor: bool = False
    graph_port: int = field(default_factory=bots.free_port)

    def __post_init__(self) -> None:
        """Have customers for all runs, so that no phone number comes twice."""
        self._customers = Customers(self.tools, self.graph_port)

    async def prepare(self) -> None:
        """Make the company that cannot be sold out, with the history of a busy year."""
        if self.only_floor:
            return
        _say("seeding")
        log = self.folder / "seed.log"
        command = [sys.executable, "-m", "bot", "seed", "load"]
        environment = {
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
        }
        async with bots.started("usual seed load", command, environment, log) as seeding:
            async with asyncio.timeout(300):
                await seeding.handle.wait()
            if seeding.handle.returncode != 0:
                seeding.check_alive()

    async def side_by_side(self, loads: Sequence[Load], rounds: int) -> list[dict[str, Any]]:
        """Each load on the floor bot and on ours, A B A B."""
        floor = bots.floor(self.tools, self.servers, self.folder, graph_port=self.graph_port)
        async with floor as below:
            if self.only_floor:
                return [await self._level(load, rounds, [below]) for load in loads]
            ours = bots.usual(self.servers, self.folder, graph_port=self.graph_port)
            async with ours as usual:
                return [await self._level(load, rounds, [below, usual]) for load in loads]

    async def by_workers(self, load: Load, rounds: int) -> dict[str, Any]:
        """A receiver without workers, and one or two worker processes beside it."""
        runs: dict[int, list[dict[str, Any]]] = {count: [] for count in WORKERS}
        for _ in range(rounds):
            for count in WORKERS:
                started = bots.usual(
                    self.servers, self.folder, graph_port=self.graph_port, workers=count
                )
                async with started as bot:
                    runs[count].append(await self._run(bot, load))
        gain = _median(runs[2], "turns_s") / max(_median(runs[1], "turns_s"), 0.1)
        return {
            "customers": load.customers,
            "processes": {str(count): _summary(found) for count, found in runs.items()},
            "two_to_one": round(gain, 2),
        }

    async def _level(self, load: Load, rounds: int, both: Sequence[Bot]) -> dict[str, Any]:
        runs: dict[str, list[dict[str, Any]]] = {bot.name: [] for bot in both}
        for _ in range(rounds):
            for bot in both:
                runs[bot.name].append(await self._run(bot, load))
        level: dict[str, Any] = {"customers": load.customers}
        level |= {name: _summary(found) for name, found in runs.items()}
        if len(both) > 1:
            ratio = level["usual"]["turns_s"] / max(level["floor"]["turns_s"], 0.1)
            level["ratio"] = round(ratio, 3)
        return level

    async def _run(self, bot: Bot, load: Load) -> dict[str, Any]:
        _say(f"{bot.name}, {load.customers} customers")
        is_floor = bot.name == "floor"
        if is_floor:
            await self._empty_floor()
        cpu = bot.cpu_seconds()
        run = await self._customers.play(
            load,
            url=bot.url,
            script=self.tools.floor_script if is_floor else SCRIPT,
            phone_number_id=FLOOR_NUMBER if is_floor else LOAD_COMPANY,
            more={},
        )
        bot.check_alive()
        if not run["all_conversations"]:
            raise BenchError(f"{bot.name} finished no conversation: {run['error_kinds']}")
        spent = bot.cpu_seconds() - cpu
        run["cpu_ms_a_turn"] = round(spent * 1000 / max(run["all_turns"], 1), 3)
        run["rss_mb"] = bot.rss_mb()
        run["database"] = await self._check(run, is_floor=is_floor)
        return run

    async def _empty_floor(self) -> None:
        """Its month has 16,800 times: sold out, it would do less than it can."""
        conn = await connect(named(self.servers.database_url, bots.FLOOR_DATABASE))
        try:
            await conn.execute("TRUNCATE peer.bookings, peer.messages, peer.dialogs")
        finally:
            await conn.close()

    async def _check(self, run: dict[str, Any], *, is_floor: bool) -> dict[str, Any]:
        if is_floor:
            return await counts.floor(named(self.servers.database_url, bots.FLOOR_DATABASE), run)
        found = await counts.usual(self.servers.database_url, run, LOAD_COMPANY)
        doubles = await counts.double_bookings(self.servers.database_url)
        if doubles:
            found["contradictions"].append(f"{doubles} times belong to two at once")
        return found


_MEDIANS: Final = (
    "turns_s", "conv_s", "ack_p50_ms", "ack_p99_ms", "reply_p50_ms", "reply_p99_ms",
    "cpu_ms_a_turn", "loadgen_cores",
)  # fmt: skip
_SUMS: Final = ("all_turns", "all_conversations", "errors", "extra_replies", "branches")


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians and sums over the runs of one bot, and the runs themselves."""
    rss = [run["rss_mb"] for run in runs if run["rss_mb"] is not None]
    return {
        **{name: round(_median(runs, name), 3) for name in _MEDIANS},
        **{name: sum(run[name] for run in runs) for name in _SUMS},
        "rss_mb": max(rss, default=None),
        "contradictions": [said for run in runs for said in run["database"]["contradictions"]],
        "runs": list(runs),
    }


def _median(runs: Sequence[dict[str, Any]], name: str) -> float:
    return median(run[name] or 0.0 for run in runs)


def _say(what: str) -> None:
    sys.stderr.write(f"· {what}\n")
    sys.stderr.flush()
