"""A process that uses the embedded servers: `python -m tests.support.embedded_user <folder>`.

It prints both addresses and goes on SIGINT or SIGTERM, or when it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from storage.embedded import Servers, running
from tests.support.checkout import CHECKOUT

QUICK: Final = {"fsync": "off"}
"""Without waiting for the disk: what is committed survives all but the machine's end."""


@contextmanager
def user(
    folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start such a process; it is told to stop, and waited for, at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def servers_of(process: subprocess.Popen[str]) -> Servers:
    """What the process prints once its servers are up."""
    assert process.stdout is not None
    return Servers(*json.loads(process.stdout.readline()))


async def main(folder: Path) -> None:
    """Use the servers of a folder until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(folder, options=QUICK) as servers:
        sys.stdout.write(json.dumps([servers.database_url, servers.redis_url]) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
