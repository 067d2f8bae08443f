"""Handles what comes into the inbox in batches: when called, and soon in case a call was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from storage.errors import StorageError

log = structlog.get_logger("usual.batches")

_TROUBLE_PAUSE_S: Final = 0.5


async def drain_for_ever(
    news: asyncio.Event,
    drain: Callable[[], Awaitable[int]],
    *,
    kind: str,
    at_once: int,
    every_s: float,
    linger_s: float = 0.0,
) -> None:
    """Work until cancelled; `drain` returns how many of `at_once` it handled.

    After a call it lingers, so that a swarm is one batch. What PostgreSQL could not take is
    postponed and tried again.
    """
    while True:
        try:
            async with asyncio.timeout(every_s):
                await news.wait()
            await asyncio.sleep(linger_s)
        except TimeoutError:
            pass  # nobody called: look all the same
        news.clear()
        try:
            while await drain() == at_once:
                pass
        except StorageError as error:
            log.warning("batch.postponed", kind=kind, error=type(error).__name__)
            await asyncio.sleep(_TROUBLE_PAUSE_S)
            news.set()
