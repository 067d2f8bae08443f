"""Reads notices: what has become of a template, and whether a customer wants marketing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from bot.whatsapp.fields import identifier, listed, mapped, moment, phone, text
from flows.templates import TEMPLATES
from storage.customers import MarketingWish
from storage.inbox import WaitingNotice
from storage.templates import TemplateNews

Notice: TypeAlias = TemplateNews | MarketingWish

_OURS: Final = frozenset(template.name for template in TEMPLATES)
_BACK: Final = frozenset(("REINSTATED", "UNLOCKED"))
_WORD: Final = re.compile(r"[A-Z_]{1,40}").fullmatch
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}").fullmatch


def read_notice(waiting: WaitingNotice) -> list[Notice]:
    """Understand a notice; what is about other people's templates, or says nothing, is nothing."""
    change = mapped(waiting.event.get("change"))
    value = mapped(change.get("value"))
    if change.get("field") == "user_preferences":
        return list(_wishes(waiting, value))
    news = _of_template(waiting, value)
    if news is None:
        return []
    match change.get("field"):
        case "message_template_status_update":
            return [_status(news, value)]
        case "message_template_quality_update":
            return [replace(news, quality=_word(value.get("new_quality_score")))]
        case "template_category_update":
            return [replace(news, category=_word(value.get("new_category")))]
        case _:
            return [news]


def _of_template(waiting: WaitingNotice, value: Mapping[str, Any]) -> TemplateNews | None:
    name, language = (text(value.get(f"message_template_{key}")) for key in ("name", "language"))
    if name not in _OURS or not _LANGUAGE(language):
        return None
    return TemplateNews(
        waiting.company_id,
        name,
        language.replace("-", "_"),
        waiting.occurred_at,
        external_id=identifier(value.get("message_template_id")),
    )


def _status(news: TemplateNews, value: Mapping[str, Any]) -> TemplateNews:
    status = _word(value.get("event"))
    reason = _word(value.get("reason"))
    return replace(
        news,
        status="APPROVED" if status in _BACK else status,
        category=_word(value.get("message_template_category")),
        rejected_reason=None if reason == "NONE" else reason,
    )


def _wishes(waiting: WaitingNotice, value: Mapping[str, Any]) -> Iterator[MarketingWish]:
    for wish in map(mapped, listed(value.get("user_preferences"))):
        number, bsuid = phone(wish.get("wa_id")), identifier(wish.get("user_id"))
        wanted = {"stop": False, "resume": True}.get(text(wish.get("value")))
        if wanted is None or (number is None and bsuid is None):
            continue
        if wish.get("category", "marketing_messages") == "marketing_messages":
            at = moment(wish.get("timestamp"), waiting.occurred_at)
            yield MarketingWish(waiting.company_id, number, bsuid, wanted, at)


def _word(value: Any) -> str | None:
    """A word of Meta's in capitals; None for anything else."""
    found = text(value).upper()
    return found if _WORD(found) else None
