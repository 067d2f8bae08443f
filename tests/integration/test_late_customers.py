"""Whoever says that they will be late: it stands on their visit, and operators find it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from bot.operators import attendance
from bot.settings import Settings
from flows.effects import NoteLate
from flows.events import LateNoted
from storage import lateness
from storage.pool import Connection
from tests.support.shop import MONDAY, Guest, Shop, held, open_shop, row

TEN = NoteLate(10)
NOTED = "SELECT late_minutes, late_said_at FROM bookings WHERE id = $1"


async def note(
    conn: Connection, shop: Shop, guest: Guest, now: datetime, ask: NoteLate = TEN
) -> LateNoted:
    return await lateness.note(conn, shop.catalog, ask, now=now, customer_id=guest.customer_id)


async def test_it_stands_on_the_visit_that_is_meant_and_goes_when_that_is_moved(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    first, second = [
        await shop.booked(conn, guest, shop.at(MONDAY, wall)) for wall in ("10:00", "15:00")
    ]
    early = shop.at(MONDAY, "09:50")
    assert (await note(conn, shop, other, early)).visit is None
    assert (await note(conn, shop, guest, early - timedelta(days=2))).visit is None
    by_day = NoteLate(None, MONDAY)
    assert (await note(conn, shop, guest, early - timedelta(days=2), by_day)).visit == first
    assert (await note(conn, shop, guest, early)).visit == first
    assert (await note(conn, shop, guest, shop.at(MONDAY, "10:20"), NoteLate(30))).visit == first
    noted = await row(conn, NOTED, first.id)
    assert (noted["late_minutes"], noted["late_said_at"]) == (30, shop.at(MONDAY, "10:20"))
    assert (await note(conn, shop, guest, shop.at(MONDAY, "11:10"))).visit == second
    later = shop.at(MONDAY, "16:30")
    hold = held(await shop.hold(conn, guest, later, moving=second.id, now=early))
    await shop.move(conn, guest, second, hold, early)
    assert tuple(await row(conn, NOTED, second.id)) == (None, None)


async def test_operators_see_who_will_be_late(
    conn: Connection,
    database_url: str,
    redis_url: str,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    values: dict[str, Any] = {"_env_file": None, "database_url": database_url}
    configured = Settings(**values, redis_url=SecretStr(redis_url))
    shop = await open_shop(conn)
    guest, now = await shop.guest(conn), datetime.now(UTC)
    day = (now + timedelta(days=1)).astimezone(shop.catalog.zone).date()
    await conn.execute("SELECT create_bookings_partition($1)", day)
    await attendance.late(configured, company=shop.company_id, json=False)
    assert capsysbinary.readouterr().out.decode().strip() == "Nobody wrote that they will be late."
    visit = await shop.booked(conn, guest, shop.at(day, "11:00"), now=now - timedelta(hours=1))
    await note(conn, shop, guest, now, NoteLate(10, day))
    capsysbinary.readouterr()  # what was logged
    await attendance.late(configured, company=shop.company_id, json=True)
    (found,) = orjson.loads(capsysbinary.readouterr().out)
    assert (found["code"], found["minutes"], found["staff"]) == (visit.code, 10, "Becky")
    await attendance.late(configured, company=shop.company_id, json=False)
    shown = capsysbinary.readouterr().out.decode()
    assert visit.code in shown
    assert "10 min" in shown
