"""What Meta tells of templates and of customers' wishes is noted, for every company it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bot.intake import Intake
from bot.notices import Notices
from bot.whatsapp import payloads
from storage import templates
from storage.companies import Directory
from storage.pool import Pool, connection
from storage.templates import TemplateRow

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
WABA = "200000000000001"
REMINDER = {"message_template_id": 77, "message_template_name": "usual_visit_reminder"}
EN = {"message_template_language": "en"}


@pytest.fixture
async def companies(pool: Pool) -> list[int]:
    """Two numbers that share an account, and a stranger."""
    async with connection(pool) as conn:
        return [
            await conn.fetchval(
                "INSERT INTO companies (name, timezone, phone_number_id, waba_id)"
                " VALUES ('Lumi', 'UTC', $1, $2) RETURNING id",
                number,
                waba,
            )
            for number, waba in (("101", WABA), ("102", WABA), ("103", "other"))
        ]


async def tell(pool: Pool, *changes: Mapping[str, Any], at: datetime = NOW) -> int:
    """Post changes as Meta does, and have them handled; how many were handled."""
    entry = {"id": WABA, "time": int(at.timestamp()), "changes": list(changes)}
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    intake = Intake(pool, Directory(), clock=lambda: NOW, on_received=lambda events: None)
    await intake.receive(payloads.read(body, received_at=NOW))
    return await Notices(pool, clock=lambda: NOW).drain()


def status(event: str, **more: Any) -> dict[str, Any]:
    value = {"event": event, **REMINDER, **EN, **more}
    return {"field": "message_template_status_update", "value": value}


async def known(pool: Pool) -> list[TemplateRow]:
    async with connection(pool) as conn:
        return await templates.all_of_them(conn)


async def test_a_status_is_noted_for_all_companies_of_the_account(
    pool: Pool, companies: list[int]
) -> None:
    assert await tell(pool, status("REJECTED", reason="INVALID_FORMAT")) == 2
    found = await known(pool)
    assert [row.company_id for row in found] == companies[:2]
    assert {(row.status, row.rejected_reason, row.external_id) for row in found} == {
        ("REJECTED", "INVALID_FORMAT", "77")
    }


@pytest.mark.parametrize(
    ("event", "noted"),
    [("APPROVED", "APPROVED"), ("REINSTATED", "APPROVED"), ("PAUSED", "PAUSED"), ("NEW", "NEW")],
)
async def test_every_status_is_kept_as_what_it_means(
    pool: Pool, companies: list[int], event: str, noted: str
) -> None:
    await tell(pool, status(event, reason="NONE"))
    row = (await known(pool))[0]
    assert (row.status, row.rejected_reason) == (noted, None)


async def test_quality_category_and_edits_leave_the_status_alone(
    pool: Pool, companies: list[int]
) -> None:
    quality = {"previous_quality_score": "GREEN", "new_quality_score": "RED"}
    category = {"previous_category": "UTILITY", "new_category": "MARKETING"}
    await tell(pool, status("APPROVED"))
    await tell(
        pool,
        {"field": "message_template_quality_update", "value": {**quality, **REMINDER, **EN}},
        {"field": "template_category_update", "value": {**category, **REMINDER, **EN}},
        {"field": "message_template_components_update", "value": {**REMINDER, **EN}},
    )
    row = (await known(pool))[0]
    assert (row.status, row.quality, row.category) == ("APPROVED", "RED", "MARKETING")


async def test_an_older_status_that_comes_later_changes_nothing(
    pool: Pool, companies: list[int]
) -> None:
    await tell(pool, status("APPROVED"), at=NOW)
    await tell(pool, status("PAUSED"), at=NOW - timedelta(hours=1))
    assert (await known(pool))[0].status == "APPROVED"


@pytest.mark.parametrize(
    "value",
    [
        {"event": "APPROVED", "message_template_name": "somebody_elses", **EN},
        {"event": "APPROVED", "message_template_id": "999999"},
        {"event": 7, **REMINDER, "message_template_language": {}},
        [],
        None,
    ],
)
async def test_what_is_not_about_our_templates_is_done_with(
    pool: Pool, companies: list[int], value: Any
) -> None:
    await tell(pool, {"field": "message_template_status_update", "value": value})
    assert await known(pool) == []
    async with connection(pool) as conn:
        left = await conn.fetch("SELECT status FROM inbox WHERE status <> 'done'")
    assert left == []


@pytest.mark.parametrize("by", [{"wa_id": "15550001"}, {"user_id": "US.1"}])
async def test_metas_own_stop_covers_marketing_until_it_is_taken_back(
    pool: Pool, companies: list[int], by: Mapping[str, str]
) -> None:
    await customer(pool, companies[0])
    await tell(pool, preference("stop", by, NOW))
    assert await opted_out(pool) == (NOW, None)
    await tell(pool, preference("resume", by, NOW - timedelta(minutes=1)))
    assert await opted_out(pool) == (NOW, None)
    await tell(pool, preference("resume", by, NOW + timedelta(minutes=1)))
    assert await opted_out(pool) == (None, None)


async def test_a_stop_that_we_were_sent_is_not_taken_back_by_meta(
    pool: Pool, companies: list[int]
) -> None:
    await customer(pool, companies[0])
    async with connection(pool) as conn:
        await conn.execute(
            "UPDATE customers SET whatsapp_opted_out_at = $1, marketing_opted_out_at = $1", NOW
        )
    later = NOW + timedelta(minutes=1)
    await tell(pool, preference("resume", {"wa_id": "15550001"}, later))
    assert await opted_out(pool) == (NOW, NOW)


def preference(value: str, by: Mapping[str, str], at: datetime) -> dict[str, Any]:
    wish = {
        **by,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(at.timestamp()),
    }
    metadata = {"display_phone_number": "15550100000", "phone_number_id": "101"}
    value_ = {"messaging_product": "whatsapp", "metadata": metadata, "user_preferences": [wish]}
    return {"field": "user_preferences", "value": value_}


async def customer(pool: Pool, company_id: int) -> None:
    async with connection(pool) as conn:
        await conn.execute(
            "INSERT INTO customers (company_id, phone, bsuid) VALUES ($1, '15550001', 'US.1')",
            company_id,
        )


async def opted_out(pool: Pool) -> tuple[datetime | None, datetime | None]:
    async with connection(pool) as conn:
        row = await conn.fetchrow(
            "SELECT marketing_opted_out_at, whatsapp_opted_out_at FROM customers"
        )
    assert row is not None
    return row["marketing_opted_out_at"], row["whatsapp_opted_out_at"]
