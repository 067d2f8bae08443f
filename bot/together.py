"""Together: what many want of the database at the same moment is one statement and one commit.

Theory of operation
-------------------
While one batch runs the next one gathers, and most of what a statement costs it costs once. Where
it is known who else is under way, a batch also waits a moment for them: under load that halves what
a turn costs the database, and whoever is alone is never kept waiting. Enough of them are a batch of
their own, beside one that runs. A run that hangs, on a lock say, does not hold everybody up: after
a while another one starts beside it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from storage.errors import StorageError

In = TypeVar("In")
Out = TypeVar("Out")

MOST: Final = 64
"""What one batch holds, in ordinary items."""
ENOUGH: Final = 12
"""So many wait for nobody: more would hardly be cheaper, and something would stand idle."""
AT_ONCE: Final = 4
LINGER_S: Final = 0.01
"""How long a batch waits for those who are under way."""
PATIENCE_S: Final = 0.05
"""How long somebody waits for a busy run before another one starts, or a patient one for others."""


@dataclass(slots=True)
class _Wish(Generic[In, Out]):
    item: In
    weight: float
    done: asyncio.Future[Out]
    since: float


class Together(Generic[In, Out]):
    """Hands over to `run` what has come, and together what comes while that is busy.

    `under_way` counts all who may be about to come, those who wait here among them. `weigh` says
    how many ordinary items one counts for, where they are of different sizes. When a batch fails
    for a reason that is not the database's, each of it is run alone, so that one that is impossible
    does not harm its neighbours.
    """

    def __init__(
        self,
        run: Callable[[Sequence[In]], Awaitable[Sequence[Out]]],
        *,
        under_way: Callable[[], int] | None = None,
        weigh: Callable[[In], float] | None = None,
    ) -> None:
        self._run, self._under_way, self._weigh = run, under_way, weigh
        self._waiting: deque[_Wish[In, Out]] = deque()
        self._weight = 0.0  # of all that wait
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._gathering: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def do(self, item: In, *, patient: bool = False) -> Out:
        """Have one item run, with others if there are any; returns or raises what is its own.

        A patient one, for which nobody waits, gives others a while to come.
        """
        loop = asyncio.get_running_loop()
        weight = self._weigh(item) if self._weigh is not None else 1.0
        wish: _Wish[In, Out] = _Wish(item, weight, loop.create_future(), loop.time())
        self._waiting.append(wish)
        before, self._weight = self._weight, self._weight + weight
        enough = before // ENOUGH < self._weight // ENOUGH
        if not (self._busy or patient) or (enough and self._may_start()):
            self._start()
        elif self._alarm is None:
            self._alarm = loop.call_later(PATIENCE_S, self._reinforce)
        if self._gathering is not None and self._all_here():
            self._go()
        return await wish.done

    def _may_start(self) -> bool:
        return self._busy < AT_ONCE and self._gathering is None

    def _start(self) -> None:
        self._busy += 1
        task = asyncio.get_running_loop().create_task(self._work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reinforce(self) -> None:
        """Start another run if the busy ones keep somebody waiting."""
        self._alarm = None
        if not self._waiting or self._busy >= AT_ONCE:
            return
        loop = asyncio.get_running_loop()
        due = self._waiting[0].since + PATIENCE_S
        if due <= loop.time():
            self._start()
        else:
            self._alarm = loop.call_at(due, self._reinforce)

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._gathering is None and not self._all_here():
                    await self._gather()
                await self._settle(self._next_batch())
        finally:
            # At once and not when the task is found done: who comes in between would wait for ever.
            self._busy -= 1

    def _next_batch(self) -> list[_Wish[In, Out]]:
        batch: list[_Wish[In, Out]] = []
        weight = 0.0
        while self._waiting and weight < MOST:
            wish = self._waiting.popleft()
            self._weight -= wish.weight
            if not wish.done.done():  # else nobody waits for it any more
                batch.append(wish)
                weight += wish.weight
        return batch

    def _all_here(self) -> bool:
        if self._under_way is None or self._weight >= ENOUGH:
            return True
        return len(self._waiting) >= self._under_way()

    async def _gather(self) -> None:
        """Wait until all are here who are under way, or a moment."""
        loop = asyncio.get_running_loop()
        self._gathering = loop.create_future()
        timer = loop.call_later(LINGER_S, self._go)
        try:
            await self._gathering
        finally:
            timer.cancel()
            self._gathering = None

    def _go(self) -> None:
        if self._gathering is not None and not self._gathering.done():
            self._gathering.set_result(None)

    async def _settle(self, batch: Sequence[_Wish[In, Out]]) -> None:
        if not batch:
            return
        try:
            results = await self._run([wish.item for wish in batch])
        except Exception as error:
            retryable = isinstance(error, StorageError) and error.retryable
            if len(batch) > 1 and not retryable:
                for wish in batch:
                    await self._settle([wish])
                return
            for wish in batch:
                if not wish.done.done():
                    wish.done.set_exception(error)
            return
        for wish, result in zip(batch, results, strict=True):
            if not wish.done.done():
                wish.done.set_result(result)
