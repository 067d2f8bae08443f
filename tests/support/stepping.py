"""Cancelling a coroutine at its n-th await: deterministic, and finds more than chance does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Stepped(Generic[T]):
    """Awaits a coroutine and cancels the task when it waits for the n-th time (0: never)."""

    def __init__(self, work: Coroutine[Any, Any, T], at: int = 0) -> None:
        self._work, self._at = work, at
        self.steps = 0

    def __await__(self) -> Generator[Any, Any, T]:
        send, value = self._work.send, None
        while True:
            try:
                waiting = send(value)
            except StopIteration as stop:
                result: T = stop.value
                return result
            self.steps += 1
            if self.steps == self._at:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                value, send = (yield waiting), self._work.send
            except BaseException as error:
                send, value = self._work.throw, error


async def cancelled_at(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Run it in a task of its own, cancelled at that await; False when it has no so many."""
    stepped = Stepped(work, at)

    async def run() -> None:
        await stepped

    await asyncio.wait([asyncio.create_task(run())])
    return stepped.steps >= at
