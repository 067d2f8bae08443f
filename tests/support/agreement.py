"""What a customer was told, held against the database: both must say the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bot.simulator.world import World
from flows import wording as t
from flows import wording_waitlist as wait
from flows.catalogues import CATALOGUES, SOURCE
from flows.replies import decode
from flows.replies_waitlist import TakeIt
from flows.wording import Message, speak
from storage.pool import Connection
from tests.support.graph import Bubble, Phone

BOOKED = re.compile(r"✔ ([A-HJ-NP-Z2-9]{4,12})\b")
_IN_A_FILE = re.compile(r"^UID:(\S+)\s.*^DTSTART:(\w+)\s+DTEND:(\w+)", re.DOTALL | re.MULTILINE)

_VISITS = """
SELECT id, code, status, starts_at, ends_at FROM bookings WHERE customer_id = $1
"""
_PLACES = """
SELECT status, offer_id, notification_expires_at > $2 AS on_offer FROM waitlist
WHERE customer_id = $1
"""


def _patterns(message: Message) -> list[re.Pattern[str]]:
    """A message in every language, whatever is filled in."""
    return [
        re.compile(
            "(.+?)".join(
                re.escape(_plain(part)) for part in re.split(r"\{\w+\}", _in(tag, message))
            ),
            re.DOTALL,
        )
        for tag in (SOURCE, *CATALOGUES)
    ]


def _in(tag: str, message: Message) -> str:
    found = CATALOGUES.get(speak(tag).language)
    return found.gettext(message.source) if found else message.source


def _plain(text: str) -> str:
    return re.sub(r"[^\S\n]", " ", text)


_CANCELLED, _JOINED = _patterns(t.CANCELLED), _patterns(wait.JOINED)
_STOPPED, _STARTED = _patterns(t.STOPPED), _patterns(t.STARTED)


def says(bubble: Bubble, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Tell whether a message begins with a sentence, in any language."""
    return any(pattern.match(_plain(bubble.text)) for pattern in patterns)


def hears_nothing(phone: Phone) -> bool:
    """Tell whether the last a customer was told of it is that they hear no more from us."""
    told = [says(one, _STOPPED) for one in phone.bubbles if says(one, _STOPPED + _STARTED)]
    return bool(told) and told[-1]


async def check(
    conn: Connection, world: World, phone: Phone, customer_id: int, *, now: datetime
) -> None:
    """Fail when a customer was told something that is not so."""
    await _visits(conn, world, phone, customer_id)
    await _places(conn, phone, customer_id, now)
    out: Any = await conn.fetchval(
        "SELECT whatsapp_opted_out_at IS NOT NULL FROM customers WHERE id = $1", customer_id
    )
    assert out == hears_nothing(phone), "STOP and START were answered otherwise than obeyed"


async def _visits(conn: Connection, world: World, phone: Phone, customer_id: int) -> None:
    rows = await conn.fetch(_VISITS, customer_id)
    shown = {code for bubble in phone.bubbles for code in BOOKED.findall(bubble.text)}
    assert {row["code"] for row in rows} == shown, "other visits are booked than were told"
    told = {}
    for bubble in phone.bubbles:
        if found := _IN_A_FILE.search(_file(world, bubble)):
            told[UUID(found[1])] = (_moment(found[2]), _moment(found[3]))
    stored = {row["id"]: (row["starts_at"], row["ends_at"]) for row in rows}
    assert told == stored, "a visit is at another time than was told"
    cancelled = sum(says(bubble, _CANCELLED) for bubble in phone.bubbles)
    assert cancelled == sum(row["status"] == "cancelled" for row in rows), "told as cancelled"


async def _places(conn: Connection, phone: Phone, customer_id: int, now: datetime) -> None:
    rows = await conn.fetch(_PLACES, customer_id, now)
    joined = sum(says(bubble, _JOINED) for bubble in phone.bubbles)
    assert joined == len(rows), "another number of places in line than was told"
    seen = {
        reply.offer_id
        for bubble in phone.bubbles
        for choice in bubble.choices
        if isinstance(reply := decode(choice.id), TakeIt)
    }
    unseen = [row for row in rows if row["on_offer"] and row["offer_id"] not in seen]
    assert not unseen, "somebody has an offer and does not know of it"


def _file(world: World, bubble: Bubble) -> str:
    content = bubble.content
    document = content if bubble.kind == "document" else None
    if bubble.kind == "interactive":
        document = content.get("header", {}).get("document")
    media = world.media.get(document.get("id", "")) if document else None
    return media.data.decode().replace("\r\n ", "") if media else ""


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
