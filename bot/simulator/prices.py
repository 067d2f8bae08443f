"""What a message costs the business: the pricing object of its statuses.

Whoever came by an ad or a page's button costs nothing for three days. Templates cost by their
category. Until October 2026 what is written freely, and a utility template within the customer's
window, are free; resellers report that since then both are billed, but for the first thousand
messages of a number's month. Prices by volume are not simulated.
"""

from collections import Counter
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.simulator.model import Conversation, Message
from bot.simulator.settings import Rules

FREE_SERVICE_MESSAGES = 1000
Month = tuple[str, int, int]


class Prices:
    """Prices messages, and counts those that are free in a month."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._service: Counter[Month] = Counter()

    def of(self, talk: Conversation, message: Message) -> dict[str, Any]:
        """The pricing object of a message."""
        template = message.kind == "template"
        category = str(message.content.get("category", "utility")) if template else "service"
        if talk.free_until and message.at < talk.free_until:
            return _price("referral_conversion", "free_entry_point")
        if template and category != "utility":
            return _price(category, "regular")
        if self._is_free(talk, message, template=template):
            return _price(category, "free_customer_service")
        return _price(category, "regular")

    def delivered(self, talk: Conversation, message: Message) -> None:
        """Count a message that arrived, if it is one of those that are free for a while."""
        if message.kind not in ("template", "reaction"):
            self._service[_month(talk, message.at)] += 1

    def _is_free(self, talk: Conversation, message: Message, *, template: bool) -> bool:
        billed_from = self._rules.service_billed_from
        if billed_from is None or _local(talk, message.at).date() < billed_from:
            return not template or _window_open(talk, message.at, self._rules)
        return not template and self._service[_month(talk, message.at)] < FREE_SERVICE_MESSAGES


def _window_open(talk: Conversation, at: datetime, rules: Rules) -> bool:
    """Whether the customer had written within a day before a moment."""
    if rules.window is None:
        return True
    heard = [one.at for one in talk.messages if one.author == "customer" and one.at <= at]
    return bool(heard) and at - heard[-1] < rules.window


def _local(talk: Conversation, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(talk.number.timezone or "UTC"))


def _month(talk: Conversation, at: datetime) -> Month:
    local: date = _local(talk, at).date()
    return talk.number.phone_number_id, local.year, local.month


def _price(category: str, kind: str) -> dict[str, Any]:
    return {
        "billable": kind == "regular",
        "pricing_model": "PMP",
        "category": category,
        "type": kind,
    }
