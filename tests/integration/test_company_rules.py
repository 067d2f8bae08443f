"""Operators see a business's rules and change them; what cannot be is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from bot.operators import rules
from bot.settings import Settings, SettingsError
from storage import companies
from storage.pool import Connection
from tests.support.shop import Shop, open_shop

Printed = Callable[[], bytes]


@pytest.fixture
def configured(database_url: str, redis_url: str) -> Settings:
    """Settings that lead to the test's servers."""
    return Settings(database_url=SecretStr(database_url), redis_url=SecretStr(redis_url))


@pytest.fixture
def printed(capsysbinary: pytest.CaptureFixture[bytes]) -> Printed:
    """What was printed since the last look."""
    return lambda: capsysbinary.readouterr().out


async def set_rules(shop: Shop, configured: Settings, *changes: str) -> None:
    await rules.change(configured, company=shop.company_id, changes=changes, json=True)


async def test_a_rule_that_is_set_is_in_force_with_the_next_turn(
    conn: Connection, configured: Settings, printed: Printed
) -> None:
    shop = await open_shop(conn)
    before = shop.catalog.version
    await set_rules(
        shop, configured, "hold_minutes=10", "gap_free=yes", "quiet_from=22:30",
        "waitlist_policy=staff_picks",
    )  # fmt: skip
    found = orjson.loads(printed())
    assert (found["hold_minutes"], found["gap_free"]) == (10, True)
    await shop.refresh(conn)
    policy = shop.catalog.company.policy
    assert (policy.hold_minutes, policy.waitlist_policy) == (10, "staff_picks")
    assert policy.quiet_from.isoformat() == "22:30:00"
    assert shop.catalog.version > before


async def test_what_else_is_set_stays_and_an_empty_value_gives_back_what_is_usual(
    conn: Connection, configured: Settings, printed: Printed
) -> None:
    shop = await open_shop(conn)
    await companies.set_settings(conn, shop.company_id, {"message_prices": {"utility": 4}})
    await set_rules(shop, configured, "messages_per_second=20", "idle_minutes=0")
    await set_rules(shop, configured, "idle_minutes=")
    assert await companies.settings(conn, shop.company_id) == {
        "message_prices": {"utility": 4},
        "messages_per_second": 20,
    }
    printed()
    await rules.show(configured, company=shop.company_id, json=False)
    (line,) = [line for line in printed().decode().split("\n") if "messages_per_second" in line]
    assert [part.strip() for part in line.strip("│").split("│")] == [
        "messages_per_second", "20", "80",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("hold_minutes=0", "hold_minutes should be greater than or equal to 1."),
        ("hold_minutes=soon", "hold_minutes should be a valid integer"),
        ("waitlist_policy=loudest", "waitlist_policy should be 'first_come'"),
        ("quiet_from=25:00", "quiet_from"),
        ("holdminutes=5", "There is no rule holdminutes; `usual company rules` lists them."),
        ("hold_minutes", "hold_minutes: write it like hold_minutes=10."),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_changed(
    conn: Connection, configured: Settings, change: str, says: str
) -> None:
    shop = await open_shop(conn)
    before: dict[str, Any] = await companies.settings(conn, shop.company_id)
    with pytest.raises(SettingsError) as refused:
        await set_rules(shop, configured, "grid_minutes=5", change)
    assert says in str(refused.value)
    assert await companies.settings(conn, shop.company_id) == before


async def test_a_company_that_is_not_there_has_no_rules(configured: Settings) -> None:
    with pytest.raises(SettingsError, match="no company 77"):
        await rules.show(configured, company=77, json=True)
