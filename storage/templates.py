"""What is known of the templates at Meta: may they be sent, and as what are they charged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("templates")

UNKNOWN: Final = "UNKNOWN"
"""The status of a template of which only other things have been heard."""
MISSING: Final = "MISSING"
"""Our word for a template that Meta does not have."""

_NOT_SENDABLE: Final = frozenset(
    (
        "PENDING",
        "REJECTED",
        "PAUSED",
        "DISABLED",
        "IN_APPEAL",
        "PENDING_DELETION",
        "DELETED",
        "ARCHIVED",
        "LOCKED",
        "LIMIT_EXCEEDED",
        "MISSING",
    )
)
"""What we know to be refused; a word that is new is tried, and Meta's answer remembered."""
_MAY_PASS: Final = frozenset(("PAUSED", "MISSING"))
_TRIED_AGAIN_AFTER: Final = timedelta(hours=6)
"""Meta's longest pause; its notice of the end may be lost."""

Name: TypeAlias = tuple[str, str]
"""(name, language)"""


@valueclass(frozen=True, slots=True)
class TemplateState:
    """What Meta last said of a template."""

    status: str
    category: str | None
    since: datetime

    def is_sendable(self, now: datetime) -> bool:
        """Tell whether it is worth sending: approved, or paused long ago."""
        if self.status not in _NOT_SENDABLE:
            return True
        return self.status in _MAY_PASS and now - self.since >= _TRIED_AGAIN_AFTER


@valueclass(frozen=True, slots=True)
class TemplateNews:
    """What Meta says of a template; None is what it does not say."""

    company_id: int
    name: str
    language: str
    at: datetime
    status: str | None = None
    category: str | None = None
    quality: str | None = None
    rejected_reason: str | None = None
    external_id: str | None = None
    synced_at: datetime | None = None


@valueclass(frozen=True, slots=True)
class TemplateRow:
    """A template as operators list it."""

    company_id: int
    waba_id: str | None
    name: str
    language: str
    external_id: str | None
    status: str
    category: str | None
    quality: str | None
    rejected_reason: str | None
    status_since: datetime
    synced_at: datetime | None


async def of_company(conn: Connection, company_id: int) -> Mapping[Name, TemplateState]:
    """All that is known of a company's templates."""
    rows = await _Q["of_company"].many(conn, company_id=company_id)
    return {
        (row["name"], row["language"]): TemplateState(
            row["status"], row["category"], row["status_since"]
        )
        for row in rows
    }


async def all_of_them(conn: Connection, company_id: int | None = None) -> list[TemplateRow]:
    """The templates of all companies, or of one."""
    rows = await _Q["all_of_them"].many(conn, company_id=company_id)
    return [TemplateRow(*row) for row in rows]


async def put(conn: Connection, news: Sequence[TemplateNews]) -> None:
    """Note what Meta says, of each template once."""
    if news:
        await _Q["put"].exec(conn, news=[asdict(one) for one in news])


async def refused(
    conn: Connection, company_id: int, name: Name, *, status: str, at: datetime
) -> None:
    """Note what the refusal of a send has told of its template."""
    await _Q["refused"].exec(
        conn, company_id=company_id, name=name[0], language=name[1], status=status, at=at
    )
