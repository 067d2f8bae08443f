"""A company's rule says who stayed away; operators see it, and can say otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from bot.operators import attendance
from bot.settings import Settings, SettingsError
from flows.effects import CompleteVisit, ConfirmVisit
from flows.events import VisitCompleted
from flows.model import Visit
from storage import preferences, visits
from storage.pool import Connection
from tests.support.shop import MONDAY, NOW, Guest, Shop, open_shop, row

RULE = "UPDATE companies SET settings = settings || $2 WHERE id = $1"
ASKED = """
    INSERT INTO reminders (company_id, booking_id, kind, due_at, sent_at, answer, answered_at)
    VALUES ($1, $2, '24h', $3, $3, $4, CASE WHEN $4 <> '' THEN $3::timestamptz END)
"""
THREE_HOURS = timedelta(hours=3)


async def ruled(conn: Connection, rule: str) -> Shop:
    shop = await open_shop(conn)
    await conn.execute(RULE, shop.company_id, {"no_show_rule": rule, "no_show_minutes": 180})
    await shop.refresh(conn)
    return shop


async def asked(conn: Connection, shop: Shop, visit: Visit, answer: str | None = None) -> None:
    await conn.execute(ASKED, shop.company_id, visit.id, NOW, answer)


async def close(conn: Connection, shop: Shop, guest: Guest, visit: Visit, now: datetime) -> str:
    found = await visits.complete(
        conn, shop.catalog, CompleteVisit(visit.id), now=now, customer_id=guest.customer_id
    )
    assert isinstance(found, VisitCompleted)
    return found.visit.status


async def count(conn: Connection, guest: Guest) -> int:
    found = await row(conn, "SELECT no_shows FROM customers WHERE id = $1", guest.customer_id)
    return int(found["no_shows"])


async def test_who_was_asked_and_never_answered_has_stayed_away_when_the_rule_says_so(
    conn: Connection,
) -> None:
    shop = await ruled(conn, "unconfirmed")
    guest = await shop.guest(conn)
    walls = ("09:00", "11:00", "13:00", "15:00")
    silent, sure, moved, unasked = [
        await shop.booked(conn, guest, shop.at(MONDAY, wall)) for wall in walls
    ]
    await asked(conn, shop, silent)
    await asked(conn, shop, sure, "confirmed")
    await visits.confirm(
        conn, shop.catalog, ConfirmVisit(sure.id), now=NOW, customer_id=guest.customer_id
    )
    await asked(conn, shop, moved, "moved")
    early = silent.end + THREE_HOURS - timedelta(minutes=1)
    assert await close(conn, shop, guest, silent, early) == "confirmed"
    assert await close(conn, shop, guest, silent, silent.end + THREE_HOURS) == "no_show"
    assert await close(conn, shop, guest, silent, silent.end + THREE_HOURS) == "no_show"
    for visit in (sure, moved, unasked):
        assert await close(conn, shop, guest, visit, visit.end + THREE_HOURS) == "completed"
    assert await count(conn, guest) == 1


async def test_the_rule_holds_as_well_for_visits_without_a_timer(conn: Connection) -> None:
    shop, lenient = await ruled(conn, "unattended"), await open_shop(conn)
    guest, other = await shop.guest(conn), await lenient.guest(conn)
    first = await shop.booked(conn, guest, shop.at(MONDAY, "09:00"))
    await shop.booked(conn, guest, shop.at(MONDAY, "11:00"))
    theirs = await lenient.booked(conn, other, lenient.at(MONDAY, "09:00"))
    await conn.execute('UPDATE companies SET settings = settings || \'{"no_show_minutes": "x"}\'')
    assert await visits.complete_due(conn, now=first.end + timedelta(hours=2)) == 2
    found = await conn.fetch("SELECT id, status, no_show_by FROM bookings ORDER BY starts_at, id")
    states = {one["id"]: (one["status"], one["no_show_by"]) for one in found}
    assert states[first.id] == ("no_show", "rule")
    assert states[theirs.id] == ("completed", None)
    await visits.complete_due(conn, now=first.end + timedelta(days=1))
    assert (await count(conn, guest), await count(conn, other)) == (2, 0)
    assert await preferences.usual(conn, shop.company_id, guest.customer_id) is None


async def test_operators_note_who_came_see_who_did_not_and_say_otherwise(
    conn: Connection,
    database_url: str,
    redis_url: str,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    values: dict[str, Any] = {"_env_file": None, "database_url": database_url}
    configured = Settings(**values, redis_url=SecretStr(redis_url))
    shop = await ruled(conn, "unattended")
    guest = await shop.guest(conn)
    now = datetime.now(UTC)
    day = (now - timedelta(days=3)).astimezone(shop.catalog.zone).date()
    await conn.execute("SELECT create_bookings_partition($1)", day)
    past = now - timedelta(days=5)
    came, absent = [
        await shop.booked(conn, guest, shop.at(day, wall), now=past) for wall in ("09:00", "11:00")
    ]
    company = shop.company_id

    async def said(work: Any) -> str:
        await work
        return capsysbinary.readouterr().out.decode()

    def mark(visit: Visit, *, stayed_away: bool) -> Any:
        return attendance.no_show(
            configured, company=company, code=visit.code, stayed_away=stayed_away, json=False
        )

    assert f"{came.code}: they came. No" in await said(mark(came, stayed_away=False))
    with pytest.raises(SettingsError, match="noted already"):
        await mark(came, stayed_away=False)
    await visits.complete_due(conn, now=now)
    listed = attendance.no_shows(configured, company=company, days=30, json=True)
    (one,) = orjson.loads(await said(listed))
    assert (one["code"], one["said_by"], one["no_shows"]) == (absent.code, "rule", 1)
    shown = attendance.no_shows(configured, company=company, days=30, json=False)
    assert absent.code in await said(shown)
    told = await said(mark(absent, stayed_away=False))
    assert told == f"{absent.code}: they came after all. No-shows of this customer: 0\n"
    shown = attendance.no_shows(configured, company=company, days=30, json=False)
    assert await said(shown) == "Everybody came.\n"
    await said(mark(absent, stayed_away=True))
    listed = attendance.no_shows(configured, company=company, days=30, json=True)
    assert orjson.loads(await said(listed))[0]["said_by"] == "operator"
