"""Background tasks whose failures are not lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """Tasks that belong together and end together."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []
        self._closing = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background; nothing starts any more while closing."""
        if self._closing:
            work.close()
            return
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel what still runs; raise what went wrong meanwhile, all of it."""
        self._closing = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._failures:
            raise ExceptionGroup("the simulator failed in the background", self._failures)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if isinstance(failure, Exception):
            self._failures.append(failure)
            context = {"message": "the simulator failed in the background", "exception": failure}
            task.get_loop().call_exception_handler(context)
