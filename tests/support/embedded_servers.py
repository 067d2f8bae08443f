"""Looking at embedded servers from outside: their processes, and what they have kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.embedded import Servers
from storage.embedded.guard import command_line

NAMES: Final = ("postgres", "valkey")
PATIENCE_SECONDS: Final = 20.0

_PID_FILES: Final = ("postgres/home/cluster/postmaster.pid", "valkey/home/valkey.pid")


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A new folder that any user may pass through: as root, the servers run as another one."""
    with tempfile.TemporaryDirectory(prefix="usual-embedded-") as name:
        os.chmod(name, 0o711)  # noqa: S103
        yield Path(name)


def processes() -> list[int]:
    """The pids of everything that runs."""
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, check=True)
    return [int(pid) for pid in listed.stdout.split()]


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def parent(pid: int) -> int:
    """The process that has started a process."""
    command = ["ps", "-o", "ppid=", "-p", str(pid)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def processes_in(folder: Path) -> list[str]:
    """The command lines that speak of the folder."""
    lines = [command_line(pid) for pid in processes()]
    return [line for line in lines if str(folder) in line]


def server_pids(folder: Path) -> set[int]:
    """The processes of the servers that run, as their pid files have it."""
    pids = set()
    for file in _PID_FILES:
        with contextlib.suppress(FileNotFoundError, ValueError):  # gone, or about to be written
            pids.add(int((folder / file).read_text().partition("\n")[0]))
    return pids


def guard_pids(folder: Path) -> set[int]:
    """The processes that guard the servers."""
    pids = server_pids(folder)
    command = ["ps", "-o", "ppid=", *(word for pid in pids for word in ("-p", str(pid)))]
    parents = subprocess.run(command, capture_output=True, check=False).stdout.split()
    return {int(pid) for pid in parents if "guard.py" in command_line(int(pid))} if pids else set()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.02)


async def sql(servers: Servers, statement: str, *arguments: object) -> object:
    """Run one statement, waiting for a server that is being started again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                conn = await asyncpg.connect(servers.database_url)
                try:
                    return await conn.fetchval(statement, *arguments)
                finally:
                    await conn.close()
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                await asyncio.sleep(0.02)


async def told(servers: Servers, *words: str) -> object:
    """Give Valkey one command, waiting for a server that is being started again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                async with Redis.from_url(servers.redis_url, decode_responses=True) as client:
                    return await client.execute_command(*words)  # type: ignore[no-untyped-call]
            except (OSError, RedisError):
                await asyncio.sleep(0.02)


async def leave_a_mark(servers: Servers) -> str:
    """Store something new in both servers and return it."""
    mark = uuid4().hex
    await sql(servers, "CREATE TABLE IF NOT EXISTS marks (mark text)")
    await sql(servers, "INSERT INTO marks VALUES ($1)", mark)
    await told(servers, "SET", mark, "left")
    return mark


async def has(servers: Servers, mark: str) -> tuple[bool, bool]:
    """Whether PostgreSQL and Valkey have what was stored."""
    count: object = 0
    if await sql(servers, "SELECT to_regclass('marks')::text") is not None:
        count = await sql(servers, "SELECT count(*) FROM marks WHERE mark = $1", mark)
    return count == 1, await told(servers, "GET", mark) == "left"
