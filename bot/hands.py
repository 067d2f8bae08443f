"""What this process has in its hands, and which companies it sends nothing for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.whatsapp.errors import GraphError
from storage.clock import Clock
from storage.outbox import LEASE, Key, Outgoing

log = structlog.get_logger("usual.sender")

# A send that starts now may outlast its lease: then the row is in doubt for longer than any send.
_ENOUGH: Final = timedelta(seconds=1)


class Hands:
    """The rows this process has, and until when others leave them alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._leases: dict[int, tuple[int, datetime]] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def add(self, row: Outgoing, lease_until: datetime) -> None:
        """Take a row that is leased to this process."""
        self._leases[row.id] = row.company_id, lease_until

    def drop(self, row_id: int) -> None:
        """Let go of a row."""
        self._leases.pop(row_id, None)

    def have(self, row_ids: Iterable[int]) -> bool:
        """Whether all of these are here."""
        return all(row_id in self._leases for row_id in row_ids)

    def may_send(self, row: Outgoing) -> bool:
        """Whether nobody else has taken it that this process died."""
        lease = self._leases.get(row.id)
        return lease is not None and lease[1] - self._clock() > _ENOUGH

    def running_out(self, now: datetime) -> list[Key]:
        """Rows that have been here for so long that their leases need to be renewed."""
        return [
            (company_id, row_id)
            for row_id, (company_id, until) in self._leases.items()
            if until - now <= LEASE / 2
        ]

    def renewed(self, rows: Collection[Key], until: datetime) -> None:
        """Note that leases were renewed."""
        for company_id, row_id in rows:
            if row_id in self._leases:
                self._leases[row_id] = company_id, until


class Holds:
    """Companies whose messages do not pass, and when to see whether they do again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probe_at: dict[int, datetime] = {}

    def __contains__(self, company_id: int) -> bool:
        return company_id in self._probe_at

    def companies(self) -> list[int]:
        """All of them."""
        return list(self._probe_at)

    def add(self, company_id: int, error: GraphError) -> None:
        """Send nothing of a company, except for a probe from time to time."""
        if company_id not in self._probe_at:
            log.error(
                "company.held", company_id=company_id, code=error.code, error=type(error).__name__
            )
        self._probe_at[company_id] = self._clock() + timedelta(seconds=error.pause)

    def found(self, companies: Iterable[int]) -> None:
        """Learn from the outbox which companies others hold: they are probed at once."""
        for company_id in companies:
            self._probe_at.setdefault(company_id, self._clock())

    def drop(self, company_id: int) -> None:
        """Send again."""
        if self._probe_at.pop(company_id, None) is not None:
            log.warning("company.released", company_id=company_id)

    def due(self, pause: timedelta) -> list[int]:
        """Companies to be probed now; the next time is `pause` from now."""
        now = self._clock()
        due = [company_id for company_id, at in self._probe_at.items() if at <= now]
        self._probe_at.update(dict.fromkeys(due, now + pause))
        return due
