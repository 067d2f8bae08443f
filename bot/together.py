"""Together: what many want of the database at the same moment is one statement and one commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from storage.errors import StorageError

In = TypeVar("In")
Out = TypeVar("Out")


class Together(Generic[In, Out]):
    """Hands over to `run` at once what it can, and together what comes while that is busy.

    When a batch fails for a reason that is not the database's, each of it is run alone, so that
    one that is impossible does not harm its neighbours.
    """

    def __init__(
        self,
        run: Callable[[Sequence[In]], Awaitable[Sequence[Out]]],
        *,
        most: int = 64,
        at_once: int = 2,
    ) -> None:
        self._run, self._most, self._at_once = run, most, at_once
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0

    async def do(self, item: In) -> Out:
        """Have one item run, with others if there are any; returns or raises what is its own."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Out] = loop.create_future()
        self._waiting.append((item, done))
        if self._busy < self._at_once:
            self._busy += 1
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await done

    async def _work(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._most)
                batch = [self._waiting.popleft() for _ in range(count)]
                await self._settle([one for one in batch if not one[1].done()])
        finally:
            # At once and not when the task is found done: who comes in between would wait for ever.
            self._busy -= 1

    async def _settle(self, batch: Sequence[tuple[In, asyncio.Future[Out]]]) -> None:
        if not batch:
            return
        try:
            results = await self._run([item for item, _ in batch])
        except Exception as error:
            retryable = isinstance(error, StorageError) and error.retryable
            if len(batch) > 1 and not retryable:
                for one in batch:
                    await self._settle([one])
                return
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)
