"""Whose an event is: the company by the number it came to, the conversation by who it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from storage import arrivals, customers
from storage.companies import Directory
from storage.customers import Acquaintance, Acquaintances, Key, key_of
from storage.inbox import Addressed, NewEvent, Received, StrayReason
from storage.pool import Connection, Pool

Routed: TypeAlias = tuple[int, NewEvent]
"""(company id, event)"""
Stray: TypeAlias = tuple[StrayReason, NewEvent]


def moves(routed: Sequence[Routed]) -> bool:
    """Tell whether an event says that a customer has another number or id from now on."""
    return any(event.moved_to for _, event in routed)


class Addressing:
    """Addresses events, from memory wherever it can."""

    def __init__(self, pool: Pool, directory: Directory) -> None:
        self._pool, self._directory = pool, directory
        self._acquaintances = Acquaintances()

    async def route(self, events: Sequence[NewEvent]) -> tuple[list[Routed], list[Stray]]:
        """Find the company of each event; account news goes to all companies of the account."""
        numbers = {e.phone_number_id for e in events if e.phone_number_id is not None}
        accounts = {e.waba_id for e in events if _is_for_account(e) and e.waba_id is not None}
        by_number = await self._directory.of_numbers(self._pool, numbers)
        by_account = await self._directory.of_accounts(self._pool, accounts) if accounts else {}
        routed: list[Routed] = []
        strays: list[Stray] = []
        for event in events:
            company_id = by_number.get(event.phone_number_id or "")
            if company_id is not None:
                routed.append((company_id, event))
            elif _is_for_account(event) and event.waba_id in by_account:
                routed += [(company_id, event) for company_id in by_account[event.waba_id]]
            else:
                strays.append((_why_stray(event), event))
        return routed, strays

    async def put(
        self, conn: Connection, routed: Sequence[Routed], *, now: datetime
    ) -> tuple[list[Received], dict[Key, Acquaintance]]:
        """Put each event into its conversation, and say what to `learn` when that is committed.

        One statement, unless somebody `moves`. Goes in order, because from an event that says so
        on, a customer has another number.
        """
        received: list[Received] = []
        learned: dict[Key, Acquaintance] = {}
        for part in _parts(routed):
            await self._relink(conn, *part[0])
            addressed = [self._addressed(*one) for one in part]
            news, found = await arrivals.put(conn, addressed, now=now)
            received += news
            learned |= found
        return received, learned

    async def _relink(self, conn: Connection, company_id: int, event: NewEvent) -> None:
        if event.identity is None or event.moved_to is None:
            return
        self._acquaintances.forget()
        await customers.relink(
            conn, company_id, old=event.identity, new=event.moved_to, dedup_key=event.dedup_key
        )

    def _addressed(self, company_id: int, event: NewEvent) -> Addressed:
        """Give an event its conversation, if that is remembered."""
        if event.who is None:
            return company_id, None, event
        known = self._acquaintances.get(key_of(company_id, event.who), event.who)
        return company_id, known, event

    def learn(self, learned: dict[Key, Acquaintance], routed: Sequence[Routed]) -> None:
        """Remember what `put` found, now that it is committed."""
        if moves(routed):
            self._acquaintances.forget()
        else:
            self._acquaintances.learn(learned)

    def forget_customers(self) -> None:
        """Ask the database about everybody: a customer has gone."""
        self._acquaintances.forget()

    def forget_companies(self) -> None:
        """Ask the database about every number: a company has gone."""
        self._directory.forget()
        self._acquaintances.forget()


def _is_for_account(event: NewEvent) -> bool:
    return event.phone_number_id is None and event.kind in ("account", "notice", "kept")


def _why_stray(event: NewEvent) -> StrayReason:
    if not _is_for_account(event):
        return "unknown_number"
    return "unreadable" if event.waba_id is None else "unknown_account"


def _parts(routed: Sequence[Routed]) -> Iterator[Sequence[Routed]]:
    """Cut before each event that changes who somebody is."""
    start = 0
    for at, (_, event) in enumerate(routed):
        if event.moved_to is not None and at > start:
            yield routed[start:at]
            start = at
    if start < len(routed):
        yield routed[start:]
