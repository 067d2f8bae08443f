"""PostgreSQL on a small disk of its own that can be filled: a process in a mount namespace.

    async with small_disk(folder, megabytes=200) as disk:
        await connect(disk.database_url)
        await disk.fill()

Nothing has to be unmounted: the disk is gone when the process is. Any user may have such a disk
where the kernel lets users have namespaces of their own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage import embedded
from tests.support.checkout import CHECKOUT

OWN_MOUNTS: Final = (
    ("unshare", "--mount")
    if os.geteuid() == 0
    else ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount")
)
_MODEST: Final = {"max_wal_size": "64MB", "min_wal_size": "32MB"}


def impossible() -> str | None:
    """Why this system lets nobody have such a disk; None where it does."""
    words = (*OWN_MOUNTS, "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt")
    try:
        tried = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no program `unshare` here"
    return tried.stderr.strip() if tried.returncode else None


@dataclass
class SmallDisk:
    """A server, and what fills the disk under it."""

    database_url: str
    _process: asyncio.subprocess.Process

    async def fill(self) -> None:
        """Leave no room at all."""
        await self._order("fill")

    async def free(self) -> None:
        """Take away again what fills it."""
        await self._order("free")

    async def _order(self, what: str) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{what}\n".encode())
        assert (await stdout.readline()).split() == [b"done"]


@asynccontextmanager
async def small_disk(folder: Path, *, megabytes: int) -> AsyncIterator[SmallDisk]:
    """Start PostgreSQL in a folder that is a disk of so many megabytes."""
    process = await asyncio.create_subprocess_exec(
        *(*OWN_MOUNTS, sys.executable, "-m", __name__, str(folder), str(megabytes)),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        assert url, "PostgreSQL did not start on the small disk"
        yield SmallDisk(url, process)
    finally:
        process.stdin.close()
        await process.wait()


def main(folder: Path, megabytes: int) -> None:
    """Mount the disk, start PostgreSQL on it, and do what standard input says."""
    options = f"size={megabytes}m,mode=711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    asyncio.run(_obey(folder))


async def _obey(folder: Path) -> None:
    filler = folder / "filler"
    async with embedded.running(folder / "data", valkey=False, options=_MODEST) as servers:
        print(servers.database_url, flush=True)  # noqa: T201 - to who started this
        while order := await asyncio.to_thread(sys.stdin.readline):
            if order.strip() == "fill":
                _fill(filler)
            else:
                filler.unlink()
            print("done", flush=True)  # noqa: T201


def _fill(filler: Path) -> None:
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
