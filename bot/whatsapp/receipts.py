"""Reads statuses: what became of a message of ours, what it cost, and why it failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bot.whatsapp.errors import Act, GraphError, from_error
from bot.whatsapp.fields import listed, mapped, moment
from storage.messages import Again, StatusNews, WaitingStatus

LOOKED_FOR: Final = timedelta(minutes=1)
"""How long the message of a status is waited for."""

_FREE: Final = frozenset(("free_customer_service", "free_entry_point"))
_LARGEST_CODE: Final = 2**31 - 1
_LARGEST_ID: Final = 2**63 - 1
_AGAIN: Final[Mapping[Act, Again]] = {
    Act.RETRY: "retry",
    Act.SLOW: "retry",
    Act.TEMPLATE: "template",
    Act.HOLD: "hold",
}


def read_status(waiting: WaitingStatus, now: datetime) -> tuple[StatusNews, GraphError | None]:
    """Understand a status, with the error it tells of if it tells of one."""
    status = mapped(waiting.event.get("status"))
    pricing = mapped(status.get("pricing"))
    reached = str(status.get("status"))
    error = _error(status) if reached == "failed" else None
    price_type = _text(pricing.get("type"))
    news = StatusNews(
        company_id=waiting.company_id,
        inbox_id=waiting.inbox_id,
        wamid=str(status.get("id")),
        status=reached,
        at=moment(status.get("timestamp"), waiting.received_at),
        outbox_id=_our_key(status.get("biz_opaque_callback_data"), waiting.company_id),
        code=error.code if error else None,
        category=_text(pricing.get("category")),
        price_type=price_type,
        price_model=_text(pricing.get("pricing_model")),
        free=price_type in _FREE or pricing.get("billable") is False,
        act=_AGAIN.get(error.act) if error else None,
        tries=(error.tries or 0) if error else 0,
        wait=error.pause if error else 0.0,
        mark=error.mark if error else None,
        again_at=_again_at(waiting, now),
    )
    return news, error


def _again_at(waiting: WaitingStatus, now: datetime) -> datetime | None:
    """When to look again for a message that is not known yet: soon, then less and less often."""
    if now - waiting.received_at >= LOOKED_FOR:
        return None
    return now + timedelta(seconds=2 ** min(waiting.attempts, 4))


def _error(status: Mapping[str, Any]) -> GraphError:
    errors = listed(status.get("errors"))
    error = from_error(mapped(errors[0]) if errors else {})
    if not 0 <= error.code <= _LARGEST_CODE:
        error.code = 0
    return error


def _our_key(data: object, company_id: int) -> int | None:
    """The id of the outbox row in what we asked Meta to echo (bot.delivery.callback_data)."""
    if not isinstance(data, str):
        return None
    match data.split(":"):
        case ["usual", company, row] if company == str(company_id) and _is_whole(row):
            return int(row) if int(row) <= _LARGEST_ID else None
        case _:
            return None


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
