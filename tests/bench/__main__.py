"""`make bench`: our bot beside the floor bot; what turns, timers, searches and queries cost.

JSON goes to stdout (and to `--json FILE`), a table for people to stderr. A slow machine gives poor
figures and never a failure; customers and database that contradict each other do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvloop

from storage import embedded
from tests.bench import queries, report, slots, timers, turns
from tests.bench.load import BenchError, Load, find_tools
from tests.bench.stage import Stage

CUSTOMERS: Final = (1, 32, 128)
PARTS: Final = ("load", "workers", "turns", "timers", "slots", "queries")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, for a first look")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    parser.add_argument(
        "--customers", type=int, action="append", help="how many at once (1, 32 and 128)"
    )
    parser.add_argument("--rounds", type=int, help="how often each bot is measured (2, quick: 1)")
    parser.add_argument("--duration", type=float, help="seconds a run is measured (8, quick: 3)")
    parser.add_argument("--floor-only", action="store_true", help="leave our bot out")
    return parser.parse_args(argv)


async def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Run the parts that are asked for, one after the other, on servers of their own."""
    tools = find_tools()
    parts = options.only or PARTS
    duration = options.duration or (3.0 if options.quick else 8.0)
    warmup = 1.0 if options.quick else 2.0
    rounds = options.rounds or (1 if options.quick else 2)
    loads = [Load(count, duration, warmup) for count in options.customers or CUSTOMERS]
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "seconds": {"measured": duration, "warm_up": warmup, "rounds": rounds},
    }
    with tempfile.TemporaryDirectory(prefix="usual-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - as root, the servers run as somebody else
        async with embedded.running(Path(folder) / "data") as servers:
            stage = Stage(tools, servers, Path(folder), only_floor=options.floor_only)
            if {"load", "workers", "turns"} & set(parts):
                await stage.prepare()
            if "load" in parts:
                result["load"] = await stage.side_by_side(loads, rounds)
            if "workers" in parts and not options.floor_only:
                result["workers"] = await stage.by_workers(Load(32, duration, warmup), rounds)
            if "turns" in parts and not options.floor_only:
                result["turns"] = await turns.measure(servers, quick=options.quick)
            if "timers" in parts and not options.floor_only:
                result["timers"] = await timers.measure(servers, quick=options.quick)
            if "slots" in parts:
                result["slots"] = await slots.measure(servers, quick=options.quick)
            if "queries" in parts:
                result["queries"] = await queries.measure(servers, quick=options.quick)
    return result


def main() -> int:
    """Measure and report; 1 when something contradicts itself or cannot run."""
    options = arguments()
    try:
        result = uvloop.run(bench(options))
    except (BenchError, embedded.EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    text = json.dumps(result, indent=2)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    sys.stderr.write(report.table(result))
    return 1 if report.contradictions(result) else 0


if __name__ == "__main__":
    sys.exit(main())
