"""The load generator: customers and the Graph API in one process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.checkout import CHECKOUT

APP_SECRET: Final = "bench-app-secret"  # noqa: S105
LOAD_COMPANY: Final = "100000000000003"
PHONES_PER_RUN: Final = 1_000_000
FIRST_PHONE: Final = 79_100_000_000


class BenchError(Exception):
    """The bench cannot run here; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The folder that holds the load generator and the floor bot."""

    folder: Path

    @property
    def generator(self) -> Path:
        """The load generator."""
        return self.folder / "loadgen.py"

    @property
    def floor(self) -> Path:
        """The bot with the fewest moving parts, which ours is measured beside."""
        return self.folder / "floor_bot.py"

    @property
    def floor_schema(self) -> Path:
        """Its tables."""
        return self.folder / "schema.sql"

    @property
    def floor_script(self) -> Path:
        """What its customers do."""
        return self.folder / "scripts" / "booking6.json"


def find_tools() -> Tools:
    """USUAL_LOAD_TOOLS, else ../shared/tools/load beside the checkout; BenchError without it."""
    given = os.environ.get("USUAL_LOAD_TOOLS")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "tools" / "load"
    if not (folder / "loadgen.py").is_file():
        raise BenchError(
            f"The load generator is not in {folder}: set USUAL_LOAD_TOOLS to the folder that has "
            "loadgen.py, floor_bot.py and schema.sql."
        )
    return Tools(folder.resolve())


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of a bot, and for how long; seconds."""

    customers: int
    duration: float
    warmup: float


@dataclass(slots=True)
class Customers:
    """Plays customers; each run has phone numbers of its own."""

    tools: Tools
    graph_port: int
    _runs: int = 0

    async def play(
        self, load: Load, *, url: str, script: Path, phone_number_id: str, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Run a load against a bot; returns what the generator measured."""
        base = FIRST_PHONE + self._runs * PHONES_PER_RUN
        self._runs += 1
        options = {
            "url": url,
            "app-secret": APP_SECRET,
            "graph-port": self.graph_port,
            "script": script,
            "customers": load.customers,
            "duration": load.duration,
            "warmup": load.warmup,
            "phone-base": base,
            "phone-id": phone_number_id,
            "seed": self._runs,
            "max-error-rate": 1,  # errors are for the report to show
            **more,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(self.tools.generator), *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(load.warmup + load.duration + 60):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if not output.strip():
            raise BenchError(f"The load generator said nothing: {errors.decode()[-500:]}")
        measured: dict[str, Any] = json.loads(output)
        return measured | {"first_phone": base}
