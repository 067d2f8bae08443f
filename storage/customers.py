"""Customers as WhatsApp tells of them, and the conversation each of them has.

A customer is known by our own id. The phone number and the business-scoped id are attributes, and
either may be absent; where they point to two customers, the phone number decides and both stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final, TypeAlias

from flows.values import valueclass
from storage import queries
from storage.inbox import Identity
from storage.pool import Connection

_Q = queries.of("customers")

_GOOD_FOR_S: Final = 600.0
_MOST_REMEMBERED: Final = 20_000

Key: TypeAlias = tuple[int, str | None, str | None]
"""(company id, phone, business-scoped id): the one, the other or both."""

RACES: Final = frozenset(("customers_phone_is_unique", "customers_bsuid_is_unique"))
"""Constraints that two transactions with news of one customer may meet at: try again."""


def key_of(company_id: int, identity: Identity) -> Key:
    """Return what an identity is looked up by."""
    return company_id, identity.phone, identity.bsuid


@valueclass(frozen=True, slots=True)
class Acquaintance:
    """What is remembered of a customer: their conversation and how they were described last."""

    conversation_id: int
    parent_bsuid: str | None
    username: str | None
    profile_name: str | None

    def is_described_by(self, identity: Identity) -> bool:
        """Tell whether `identity` says nothing new; what it leaves out is not news."""
        return (
            identity.profile_name in (None, self.profile_name)
            and identity.username in (None, self.username)
            and identity.parent_bsuid in (None, self.parent_bsuid)
        )


@valueclass(frozen=True, slots=True)
class MarketingWish:
    """Somebody told WhatsApp whether they want marketing from a business."""

    company_id: int
    phone: str | None
    bsuid: str | None
    wanted: bool
    at: datetime


class Acquaintances:
    """The customers that this process has dealt with in the last ten minutes, at most so many."""

    def __init__(
        self, *, most: int = _MOST_REMEMBERED, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._monotonic = most, monotonic
        self._known: dict[Key, tuple[float, Acquaintance]] = {}  # the oldest first

    def get(self, key: Key, identity: Identity) -> int | None:
        """Return the conversation, or None when the database has to be asked or told something."""
        entry = self._known.get(key)
        if entry is None or entry[0] <= self._monotonic():
            return None
        return entry[1].conversation_id if entry[1].is_described_by(identity) else None

    def learn(self, found: Mapping[Key, Acquaintance]) -> None:
        """Remember what a committed transaction has found."""
        until = self._monotonic() + _GOOD_FOR_S
        for key, acquaintance in found.items():
            self._known.pop(key, None)
            self._known[key] = (until, acquaintance)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def forget(self) -> None:
        """Ask the database about everybody: somebody has gone, or goes by another number now."""
        self._known.clear()


async def relink(
    conn: Connection, company_id: int, *, old: Identity, new: Identity, dedup_key: str
) -> None:
    """Give the customer known by `old` the number and id of `new`, unless somebody has them.

    News that is in the inbox already, by its key, changes nothing.
    """
    await _Q["relink"].exec(
        conn,
        company_id=company_id,
        old_phone=old.phone,
        old_bsuid=old.bsuid,
        new_phone=new.phone,
        new_bsuid=new.bsuid,
        new_parent_bsuid=new.parent_bsuid,
        dedup_key=dedup_key,
    )


async def note_wishes(conn: Connection, wishes: Sequence[MarketingWish]) -> None:
    """Note who wants marketing and who does not; STOP to everything stays what it is."""
    if wishes:
        await _Q["note_wishes"].exec(conn, wishes=[asdict(wish) for wish in wishes])
