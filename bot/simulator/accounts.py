"""The accounts and numbers of businesses: standing, registration, limits, where webhooks go."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.simulator.errors import Refusal
from bot.simulator.model import Customer, Number
from bot.simulator.settings import Rules
from bot.simulator.webhooks import Notice
from storage.clock import Clock

Standing = Literal["OK", "RESTRICTED", "DISABLED"]
NumberQuality = Literal["GREEN", "YELLOW", "RED"]

A_DAY = timedelta(hours=24)
AN_HOUR = timedelta(hours=1)
APP = {"id": "300000000000001", "name": "Usual", "link": "https://example.com/"}
TIERS: dict[int | None, str] = {
    250: "TIER_250",
    1_000: "TIER_1K",
    2_000: "TIER_2K",
    10_000: "TIER_10K",
    100_000: "TIER_100K",
    None: "TIER_UNLIMITED",
}
PIN_TRIES = 10
PIN_TRIES_WITHIN = timedelta(hours=72)


@dataclass(slots=True)
class Account:
    """A WhatsApp Business Account. `limit` is how many customers it may write to first a day."""

    waba_id: str
    name: str
    limit: int | None
    standing: Standing = "OK"
    subscribed: bool = True
    callback: str | None = None
    timezone_id: str = "1"
    written_to: dict[str, datetime] = field(default_factory=dict)
    requests: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """A business phone number as its owner manages it."""

    number: Number
    name: str
    registered: bool = True
    quality: NumberQuality = "GREEN"
    upgrading_until: datetime | None = None
    pin: str | None = None
    pin_tries: list[datetime] = field(default_factory=list)
    code: str | None = None
    verified: bool = True
    new_name: str | None = None
    callback: str | None = None
    profile: dict[str, Any] = field(default_factory=lambda: {"vertical": "OTHER"})
    components: dict[str, Any] = field(default_factory=dict)
    commerce: dict[str, bool] = field(default_factory=dict)
    public_key: str | None = None
    blocked: set[str] = field(default_factory=set)


class Accounts:
    """All of them."""

    def __init__(self, *, numbers: Iterable[Number], clock: Clock, rules: Rules) -> None:
        self.lines = {one.phone_number_id: Line(one, one.name) for one in numbers}
        self.accounts: dict[str, Account] = {}
        self._clock, self._rules = clock, rules
        for line in self.lines.values():
            waba_id = line.number.waba_id
            if waba_id not in self.accounts:
                account = Account(waba_id, line.name, rules.messaging_limit)
                self.accounts[waba_id] = account

    def restore(self, accounts: Iterable[Account], lines: Iterable[Line]) -> None:
        """Have accounts and numbers stand as they stood; those that are gone stay away."""
        for account in accounts:
            if account.waba_id in self.accounts:
                self.accounts[account.waba_id] = account
        for line in lines:
            known = self.lines.get(line.number.phone_number_id)
            if known is not None:
                line.number = known.number
                self.lines[line.number.phone_number_id] = line

    def of(self, number: Number) -> Account:
        """The account that a number belongs to."""
        return self.accounts[number.waba_id]

    def line(self, number: Number) -> Line:
        """A number as its owner manages it."""
        return self.lines[number.phone_number_id]

    def numbers_of(self, waba_id: str) -> list[Line]:
        """The numbers of an account."""
        return [line for line in self.lines.values() if line.number.waba_id == waba_id]

    def listens(self, notice: Notice) -> bool:
        """Whether anybody has subscribed to the webhooks of the account."""
        account = self.accounts.get(notice.waba_id)
        return account is None or account.subscribed

    def url_for(self, notice: Notice, otherwise: str | None) -> str | None:
        """Where a webhook goes: the number's own address, the account's, or the app's."""
        line = self.lines.get(notice.phone_number_id or "")
        account = self.accounts.get(notice.waba_id)
        return (line and line.callback) or (account and account.callback) or otherwise

    def admit(self, number: Number, *, template: bool) -> None:
        """Refuse what this number may not send now, to whomever."""
        line, account = self.line(number), self.of(number)
        if account.standing == "DISABLED":
            raise Refusal(131031, "The account was disabled for violating a policy.")
        if account.standing == "RESTRICTED" and template:
            raise Refusal(368, "The account may not write to customers first.")
        if not line.registered:
            raise Refusal(133010, "The phone number is not registered.")
        if line.upgrading_until and self._clock() < line.upgrading_until:
            raise Refusal(131057, "The throughput of this number is being upgraded.")

    def begin(self, number: Number, customer: Customer) -> None:
        """Write to a customer outside their window: so many a day, or 131064."""
        account, now = self.of(number), self._clock()
        if account.limit is None:
            return
        recent = {one: at for one, at in account.written_to.items() if now - at < A_DAY}
        if customer.id not in recent and len(recent) >= account.limit:
            raise Refusal(131064, f"{account.limit} customers were written to within 24 hours.")
        account.written_to = {customer.id: now} | recent

    def count_request(self, waba_id: str) -> None:
        """One request about an account's settings, or 80007."""
        most, account = self._rules.management_rate, self.accounts.get(waba_id)
        if most is None or account is None:
            return
        now = self._clock()
        account.requests = [at for at in account.requests if now - at < AN_HOUR]
        if len(account.requests) >= most:
            raise Refusal(80007, f"This account was asked about {most} times within an hour.")
        account.requests.append(now)

    def try_pin(self, line: Line, pin: str) -> None:
        """Check a PIN, which the first registration chooses."""
        now = self._clock()
        line.pin_tries = [at for at in line.pin_tries if now - at < PIN_TRIES_WITHIN]
        if len(line.pin_tries) >= PIN_TRIES:
            raise Refusal(133016, "There were too many attempts to register this number.")
        line.pin_tries.append(now)
        if line.pin is not None and line.pin != pin:
            raise Refusal(133005, "The two-step verification PIN is wrong.")
        line.pin = pin
