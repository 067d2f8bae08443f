"""Which templates may be sent now: what Meta said of them, remembered for half a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from bot import metrics
from storage import templates
from storage.clock import Clock
from storage.errors import StorageError
from storage.pool import Pool, connection
from storage.templates import MISSING, Name, TemplateState

log = structlog.get_logger("usual.templates")

GOOD_FOR_S: Final = 30.0
_MOST_COMPANIES: Final = 10_000
_MEANINGS: Final[Mapping[int, str]] = {132001: MISSING, 132015: "PAUSED", 132016: "DISABLED"}
"""What Meta's codes say of a template, beyond the message that was refused."""


class TemplateBook:
    """Knows the templates of companies; only what goes out as a template costs a look."""

    def __init__(
        self, pool: Pool, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool, self._clock, self._monotonic = pool, clock, monotonic
        self._known: dict[int, tuple[float, dict[Name, TemplateState]]] = {}

    async def may_send(self, company_id: int, name: Name, *, marketing: bool) -> bool:
        """Tell whether a template is worth trying; `marketing`: such may be sent to them.

        One of which nothing is known is tried: Meta's answer will be remembered.
        """
        state = (await self._of(company_id)).get(name)
        if state is None:
            return True
        return state.is_sendable(self._clock()) and (marketing or state.category != "MARKETING")

    async def refused(self, company_id: int, name: Name, code: int) -> None:
        """Learn from Meta's refusal, so that the next message does not run into it."""
        status = _MEANINGS.get(code)
        metrics.TEMPLATES_REFUSED.labels(status or "other").inc()
        log.error("template.refused", company_id=company_id, template=name[0], code=code)
        if status is None:
            return
        now = self._clock()
        known = await self._of(company_id)
        before = known.get(name)
        known[name] = TemplateState(status, before.category if before else None, now)
        try:
            async with connection(self._pool) as conn:
                await templates.refused(conn, company_id, name, status=status, at=now)
        except StorageError as error:
            log.warning("template.forgotten", company_id=company_id, error=type(error).__name__)

    async def _of(self, company_id: int) -> dict[Name, TemplateState]:
        now = self._monotonic()
        read_at, known = self._known.get(company_id, (float("-inf"), {}))
        if now - read_at < GOOD_FOR_S:
            return known
        try:
            async with connection(self._pool) as conn:
                known = dict(await templates.of_company(conn, company_id))
        except StorageError as error:
            log.warning("templates.unknown", company_id=company_id, error=type(error).__name__)
            return known  # what was true half a minute ago, or nothing: then it is tried
        if len(self._known) >= _MOST_COMPANIES:
            self._known.clear()
        self._known[company_id] = now, known
        return known
