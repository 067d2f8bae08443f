"""What can be turned in the simulator: how fast it is, how patient, and how strict."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a message takes on its way to a phone, and the review of a template, in seconds
    of real time."""

    sent: float = 0.05
    delivered: float = 0.15
    read: float = 0.6
    review: float = 3.0

    @classmethod
    def instant(cls) -> "Pace":
        """No waiting anywhere, for tests that care about the outcome only."""
        return cls(sent=0.0, delivered=0.0, read=0.0, review=0.0)


@dataclass(frozen=True, slots=True)
class Retries:
    """How webhooks are repeated until they are answered 200: at once, then ever more seldom."""

    first: float = 0.25
    factor: float = 2.0
    longest: float = 30.0
    give_up_after: timedelta = timedelta(days=7)
    answer_within: float = 10.0


@dataclass(frozen=True, slots=True)
class Rules:
    """Which of Meta's rules about senders are in force.

    `late` moves the refusals that Meta decides after it answered (131026, 131047) from the HTTP
    answer to a `failed` status, which is how they often arrive. `adopt_strangers` gives a phone
    to any number that is written to, with the 24-hour window open: for tests of senders alone.
    `allowed` is the recipient list of a test number (131030 for everybody else).
    `messaging_limit` is how many customers may be written to outside windows within 24 hours
    (131064), `management_rate` how many requests an hour an account's settings may get (80007).
    `service_billed_from` is the day since which what is written freely is billed; None: never.
    `template_review` says what becomes of new templates; "hold" leaves that to the control API.
    """

    token: str | None = None
    window: timedelta | None = timedelta(hours=24)
    number_rate: bool = True
    pair_rate: bool = True
    pair_seconds: float = 6.0
    pair_burst: int = 45
    adopt_strangers: bool = False
    late: bool = False
    allowed: frozenset[str] | None = None
    conversation_objects: bool = False
    messaging_limit: int | None = 2_000
    management_rate: int | None = 5_000
    service_billed_from: date | None = date(2026, 10, 1)
    template_review: Literal["approve", "reject", "hold"] = "approve"
