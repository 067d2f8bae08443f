"""Locks on files: the kernel drops them when their holder dies, whatever the cause.

A lock lasts until the open file that stands for it is closed.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

POLL_SECONDS = 0.01


@asynccontextmanager
async def locked(path: Path, *, seconds: float) -> AsyncIterator[None]:
    """Hold an exclusive lock."""
    held = await lock(path, EXCLUSIVE, seconds)
    try:
        yield
    finally:
        os.close(held)


async def lock(path: Path, how: int, seconds: float) -> int:
    """Wait for a lock; TimeoutError if somebody holds it all that time."""
    deadline = time.monotonic() + seconds
    while (held := try_lock(path, how)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} has been locked for {seconds:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return held


def try_lock(path: Path, how: int) -> int | None:
    """Take a lock if it is free now."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if try_flock(file, how):
        return file
    os.close(file)
    return None


def try_flock(file: int, how: int) -> bool:
    """Lock an open file if that is possible now."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether somebody holds the exclusive lock."""
    if not path.exists():
        return False
    held = try_lock(path, SHARED)
    if held is not None:
        os.close(held)
    return held is None
