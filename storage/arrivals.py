"""Arrivals: events of people who may be new, and who these people are found to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from storage import inbox, queries
from storage.customers import Acquaintance, Key, key_of
from storage.errors import Conflict
from storage.inbox import Addressed, Identity, Received
from storage.pool import Connection

_Q = queries.of("arrivals")

_TRIES: Final = 3


async def put(
    conn: Connection, events: Sequence[Addressed], *, now: datetime
) -> tuple[list[Received], dict[Key, Acquaintance]]:
    """Add events; returns those that had not come before, and what to remember of their people.

    Who has no conversation yet is found or enrolled, and what is new about them written down: all
    in one statement, unless others are at the same people just now. Raises Conflict, or
    ConstraintViolated with one of customers.RACES, when these stay in the way.
    """
    people = _strangers(events)
    if not people:
        return await inbox.put(conn, events, now=now), {}
    keys = list(people)
    wanted = [_as_person(n, *one) for n, one in enumerate(people.items())]
    waiting = _as_rows(events, {key: n for n, key in enumerate(keys)})
    received: list[Received] = []
    learned: dict[Key, Acquaintance] = {}
    for _ in range(_TRIES):
        left: dict[int, dict[str, Any]] = {}
        given = list(waiting.values())
        for row in await _Q["put"].many(conn, events=given, people=wanted, now=now):
            n, event_id, who, added, company_id, conversation_id, kind, *names = row
            if who is not None and conversation_id is None:
                left[n] = {**waiting[n], "id": event_id}
                continue
            if who is not None:
                learned[keys[who]] = Acquaintance(conversation_id, *names)
            if added:
                received.append(Received(company_id, event_id, conversation_id, kind))
        if not left:
            return received, learned
        waiting = left
    raise Conflict("customers come and go too fast")


def _strangers(events: Sequence[Addressed]) -> dict[Key, Identity]:
    """Who has to be looked up; the one last heard of comes last."""
    people: dict[Key, Identity] = {}
    for company_id, conversation_id, event in events:
        if conversation_id is None and event.who is not None:
            key = key_of(company_id, event.who)
            people.pop(key, None)
            people[key] = event.who
    return people


def _as_rows(events: Sequence[Addressed], numbers: Mapping[Key, int]) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for n, (company_id, conversation_id, event) in enumerate(events):
        row = inbox.as_row(company_id, conversation_id, event)
        if conversation_id is None and event.who is not None:
            row["who"] = numbers[key_of(company_id, event.who)]
        rows[n] = {"n": n, **row}
    return rows


def _as_person(n: int, key: Key, identity: Identity) -> dict[str, Any]:
    return {
        "n": n,
        "company_id": key[0],
        "phone": identity.phone,
        "bsuid": identity.bsuid,
        "parent_bsuid": identity.parent_bsuid,
        "username": identity.username,
        "profile_name": identity.profile_name,
    }
