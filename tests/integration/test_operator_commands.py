"""`usual slots` and `usual check` as whoever runs the bot sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from bot import moved_clock
from bot.operators import checking, free_times, parked
from bot.settings import Settings, SettingsError
from storage.pool import Connection
from storage.search import Search
from storage.taken import looker
from tests.support.shop import Shop, add_area, add_resource, open_shop


def settings(database_url: str, redis_url: str, **more: Any) -> Settings:
    values: dict[str, Any] = {"_env_file": None, "database_url": database_url, **more}
    return Settings(**values, redis_url=SecretStr(redis_url))


def wanted(shop: Shop, **more: Any) -> free_times.Wanted:
    values: dict[str, Any] = {
        "company": shop.company_id,
        "services": shop.service_ids[:1],
        "staff": None,
        "since": "",
        "days": 7,
    }
    return free_times.Wanted(**(values | more))


@pytest.fixture
def configured(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings(database_url, redis_url, data_dir=tmp_path)


async def printed(capsysbinary: pytest.CaptureFixture[bytes], run: Any) -> Any:
    """What a command prints as JSON."""
    await run
    return orjson.loads(capsysbinary.readouterr().out)


async def test_slots_are_everybody_s_starts_with_the_offset_of_the_business(
    configured: Settings, conn: Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"), timezone="Asia/Kolkata")
    becky, kelly = shop.staff_ids
    tomorrow = (datetime.now(shop.catalog.zone) + timedelta(days=1)).date()
    asked = wanted(shop, since=tomorrow.isoformat(), days=1)
    told = await printed(capsysbinary, free_times.show(configured, asked, json=True))
    assert set(told) == {"slots", "ms"}
    assert told["ms"] > 0
    assert told["slots"][:3] == [
        {"start": f"{tomorrow}T09:00:00+05:30", "staff_id": becky},
        {"start": f"{tomorrow}T09:00:00+05:30", "staff_id": kelly},
        {"start": f"{tomorrow}T09:15:00+05:30", "staff_id": becky},
    ]
    assert len(told["slots"]) == 2 * 33
    asked = wanted(shop, since=tomorrow.isoformat(), days=1, staff=kelly)
    told = await printed(capsysbinary, free_times.show(configured, asked, json=True))
    assert {slot["staff_id"] for slot in told["slots"]} == {kelly}
    await free_times.show(configured, asked, json=False)
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[0].endswith("09:00 IST  Kelly")
    assert lines[-1].startswith("33 in ")


async def test_slots_of_an_area_are_on_its_clock_and_say_what_the_team_s_shows(
    configured: Settings, conn: Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await open_shop(conn, timezone="America/Chicago")
    area = await add_area(conn, shop, "America/Indiana/Indianapolis")
    (becky,), zone = shop.staff_ids, area.catalog.zone
    day = (datetime.now(zone) + timedelta(days=1)).date()
    asked = wanted(shop, since=day.isoformat(), days=1, area="46601")
    told = await printed(capsysbinary, free_times.show(configured, asked, json=True))
    first = datetime.combine(day, time(10), zone)
    assert told["slots"][0] == {"start": first.isoformat(), "staff_id": becky}
    await free_times.show(configured, asked, json=False)
    lines = capsysbinary.readouterr().out.decode().splitlines()
    abbreviations = f"{first:%Z}", f"{first.astimezone(shop.catalog.zone):%Z}"
    assert lines[0] == f"{day:%a %Y-%m-%d} 10:00 %s  Becky (09:00 %s)" % abbreviations
    asked = wanted(shop, area="46601-1234")
    why = await printed(
        capsysbinary, free_times.explain(configured, asked, f"{day} 09:00", json=True)
    )
    (reason,) = why["reasons"]
    assert (why["offered"], reason["rule"]) == (False, "closed")
    assert reason["text"].endswith("from 10:00")
    with pytest.raises(SettingsError, match=r"does not come to 99999\. It comes to: 46601\."):
        await free_times.show(configured, wanted(shop, area="99999"), json=True)


async def test_why_names_each_rule_for_each_person(
    configured: Settings, conn: Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"), services=[{"buffer_after_minutes": 30}])
    becky, kelly = shop.staff_ids
    await add_resource(conn, shop, "Room", 1, shop.service_ids)
    await conn.execute("UPDATE staff SET most_visits_a_day = 1 WHERE id = $1", becky)
    await shop.refresh(conn)
    now = datetime.now(UTC)
    day = (now.astimezone(shop.catalog.zone) + timedelta(days=3)).date()
    await conn.execute("SELECT create_bookings_partition($1)", now.date())
    await shop.booked(conn, await shop.guest(conn), shop.at(day, "12:00"), staff_id=becky, now=now)

    async def rules(wall: str) -> dict[int, set[str]]:
        asked = free_times.explain(configured, wanted(shop), f"{day} {wall}", json=True)
        told = await printed(capsysbinary, asked)
        assert told["offered"] == any(
            one.isoformat() == told["at"] for one in await _starts(conn, shop, now)
        )
        found: dict[int, set[str]] = {becky: set(), kelly: set()}
        for reason in told["reasons"]:
            found[reason["staff_id"]].add(reason["rule"])
            assert reason["text"]
        return found

    assert await rules("12:30") == {
        becky: {"booked", "buffer", "limit", "resource"},
        kelly: {"resource"},
    }
    assert await rules("13:15") == {
        becky: {"buffer", "limit", "resource"},
        kelly: {"resource"},
    }
    assert await rules("15:00") == {becky: {"limit"}, kelly: set()}
    assert await rules("15:05") == {becky: {"limit", "grid"}, kelly: {"grid"}}
    assert await rules("07:00") == {becky: {"limit", "closed"}, kelly: {"closed"}}


async def _starts(conn: Connection, shop: Shop, now: datetime) -> list[datetime]:
    search = Search(
        looker(conn), shop.catalog, shop.service_ids[0], None, now=now, conversation_id=None
    )
    free = await search.free(search.earliest, search.latest)
    return [
        datetime.fromtimestamp(at, shop.catalog.zone)
        for ranges in free.starts.values()
        for times in ranges
        for at in times
    ]


async def test_commands_go_by_the_clock_that_a_demo_moved(
    configured: Settings, conn: Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await open_shop(conn, timezone="Asia/Kolkata")

    async def first_day() -> date:
        told = await printed(capsysbinary, free_times.show(configured, wanted(shop), json=True))
        return datetime.fromisoformat(told["slots"][0]["start"]).date()

    before = await first_day()
    moved_clock.note(configured, timedelta(days=7))
    assert await first_day() == before + timedelta(days=7)
    asked = free_times.explain(configured, wanted(shop), f"{before} 12:00", json=True)
    told = await printed(capsysbinary, asked)
    assert {reason["rule"] for reason in told["reasons"]} == {"past"}
    moved_clock.forget(configured)
    assert await first_day() == before


async def test_what_is_not_there_is_answered_by_a_sentence(
    configured: Settings, conn: Connection
) -> None:
    shop = await open_shop(conn)
    for asked in (
        wanted(shop, company=987_654),
        wanted(shop, services=(987_654,)),
        wanted(shop, staff=987_654),
        wanted(shop, since="tomorrow"),
    ):
        with pytest.raises(SettingsError, match=r"\.$"):
            await free_times.show(configured, asked, json=True)
    every: dict[str, Any] = {"everything": False, "json": True}
    for command in (
        checking.catalog(configured, company=987_654, json=True),
        checking.times(configured, company=987_654, json=True),
        parked.inbox(configured, company=987_654, ids=(), **every),
        parked.inbox(configured, company=0, ids=(987_654,), **every),
        parked.timers(configured, company=987_654, keys=(), next_ones=1, **every),
        parked.timers(configured, company=0, keys=("none:1",), next_ones=1, **every),
    ):
        with pytest.raises(SettingsError, match=r"\.$"):
            await command
    with pytest.raises(SettingsError, match="write it like"):
        await free_times.explain(configured, wanted(shop), "noon", json=True)


async def test_checks_answer_with_one_when_there_is_something(
    configured: Settings, conn: Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await open_shop(conn)
    assert await checking.catalog(configured, company=0, json=False) == 0
    assert await checking.times(configured, company=0, json=True) == 0
    capsysbinary.readouterr()
    await conn.execute("DELETE FROM staff_hours")
    assert await checking.catalog(configured, company=shop.company_id, json=True) == 1
    (found,) = orjson.loads(capsysbinary.readouterr().out)
    assert (found["rule"], found["staff_id"]) == ("no_hours", shop.staff_ids[0])
    assert await checking.catalog(configured, company=0, json=False) == 1
