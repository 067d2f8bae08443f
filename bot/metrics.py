"""What is measured, in Prometheus' terms: one registry for the process, read at `/metrics`.

Nothing is labelled by company, conversation or phone number. Values of labels come from the code;
where the world can invent them (kinds of events), `Capped` folds what is too much into "other".
Whatever runs per message counts through a cached child: a dict look-up and an addition.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from math import nan
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from storage.vitals import Backlog

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_KINDS: Final = 50
FRESH_SECONDS: Final = 5.0

_TURN_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LATENESS_BUCKETS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)
_SEND_BUCKETS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter that nobody asks for
REGISTRY: Final = CollectorRegistry(auto_describe=True)


class Capped:
    """A counter whose one label comes from outside: after so many values the rest is "other"."""

    __slots__ = ("_children", "_counter", "_most")

    def __init__(self, counter: Counter, *, most: int = MOST_KINDS) -> None:
        self._counter, self._most = counter, most
        self._children: dict[str, Counter] = {}

    def inc(self, value: str, amount: int = 1) -> None:
        """Count under this value of the label."""
        child = self._children.get(value)
        if child is None:
            known = value if len(self._children) < self._most else "other"
            child = self._counter.labels(known)
            if known == value:
                self._children[value] = child
        child.inc(amount)


def _counter(name: str, says: str, **labels: Iterable[str]) -> Counter:
    """A counter whose known label values are there from the start: a first failure then shows."""
    counter = Counter(f"usual_{name}", says, tuple(labels), registry=REGISTRY)
    if len(labels) == 1:
        for value in next(iter(labels.values())):
            counter.labels(value)
    return counter


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    return Gauge(f"usual_{name}", says, labels, registry=REGISTRY)


WEBHOOKS: Final = _counter(
    "webhooks_total",
    "Webhook requests by what became of them",
    outcome=("accepted", "bad_signature", "malformed", "too_large", "incomplete", "failed"),
)
EVENTS: Final = Capped(
    _counter("events_received_total", "Events taken into the inbox, by kind", kind=())
)
EVENTS_DUPLICATE: Final = _counter("events_duplicate_total", "Events that had come before")
EVENTS_STRAY: Final = _counter(
    "events_stray_total", "Events for phone number ids that no company has"
)
EVENTS_PARKED: Final = _counter(
    "events_parked_total", "Events given up after too many attempts; `usual inbox` shows them"
)

TURNS: Final = _counter("turns_total", "Turns committed, by the step they came to rest in", step=())
TURN_SECONDS: Final = Histogram(
    "usual_turn_seconds",
    "From the beginning of a turn's transaction to its commit, by flow",
    ("flow",),
    buckets=_TURN_BUCKETS,
    registry=REGISTRY,
)
TURNS_RETRIED: Final = _counter(
    "turns_retried_total", "Turns taken again because storage was in the way"
)
TURNS_FAILED: Final = _counter("turns_failed_total", "Turns that raised and were rolled back")
ASKS: Final = _counter("asks_total", "Questions of flows that storage answered", ask=())
SLOTS_LOST: Final = _counter(
    "slots_lost_total", "Times that somebody else had taken when a customer wanted them"
)
OFFERS: Final = _counter(
    "waitlist_offers_total",
    "Offers of free time to those who wait, by what became of them",
    outcome=("made", "taken", "passed", "silent", "lost", "late"),
)
WAITLIST_ALERTS: Final = _counter(
    "waitlist_alerts_total",
    "How often a company's waitlist got too long, its offers were too seldom answered, or free"
    " time began to wait for somebody to choose who gets it",
    reason=("queue", "silence", "choices"),
)
HANDED_OVER: Final = _counter(
    "conversations_handed_over_total",
    "Conversations given to a person",
    reason=("asked", "failed", "replied"),
)

TIMERS_ARMED: Final = _counter("timers_armed_total", "Timers that turns armed or moved")
TIMERS_PARKED: Final = _counter(
    "timers_parked_total", "Timers given up after too many attempts; `usual timers` shows them"
)
TIMERS_FIRED: Final = _counter("timers_fired_total", "Timers moved to the inbox, by name", timer=())
TIMER_LATENESS: Final = Histogram(
    "usual_timer_lateness_seconds",
    "From when a timer was due to when it was in the inbox",
    buckets=_LATENESS_BUCKETS,
    registry=REGISTRY,
)

SENDS: Final = _counter(
    "sends_total",
    "Attempts to send a message, by outcome and, where there is one, class of error",
    outcome=(),
    error=(),
)
SEND_SECONDS: Final = Histogram(
    "usual_send_seconds",
    "From the request to the Graph API to its answer",
    buckets=_SEND_BUCKETS,
    registry=REGISTRY,
)
SENDS_IN_DOUBT: Final = _counter(
    "sends_in_doubt_total", "Sends that the network left without an answer"
)
TEMPLATES_REFUSED: Final = _counter(
    "templates_refused_total",
    "Sends that Meta refused because of their template, by what it said of it",
    status=("MISSING", "PAUSED", "DISABLED", "other"),
)
STATUSES: Final = _counter(
    "statuses_total",
    "What WhatsApp said of our messages",
    status=("sent", "delivered", "read", "played", "failed"),
)

DATABASE_UP: Final = _gauge("database_up", "1 when PostgreSQL answered the last scrape")
REDIS_UP: Final = _gauge("redis_up", "1 when Redis answered the last scrape")
POOL: Final = _gauge("database_connections", "Connections of this process's pool", "state")
ALARM_CLOCK_UP: Final = _gauge(
    "alarm_clock_up", "1 while Redis wakes this process for timers, 0 while it looks by itself"
)
TIMERS_OVERDUE: Final = _gauge("timers_overdue", "Armed timers that were due a second ago or more")
TIMERS_LAG: Final = _gauge("timers_lag_seconds", "How long the most overdue timer has been due")
TIMERS_DEAD: Final = _gauge("timers_dead", "Parked timers")
INBOX_PENDING: Final = _gauge("inbox_pending", "Events that wait to be handled")
INBOX_LAG: Final = _gauge("inbox_lag_seconds", "How long the most overdue event has been due")
INBOX_DEAD: Final = _gauge("inbox_dead", "Parked events")
OUTBOX: Final = _gauge("outbox_messages", "Messages not yet settled, by status", "status")
COMPANIES_HELD: Final = _gauge(
    "companies_held", "Companies whose messages are held back until somebody acts"
)
WITH_PERSON: Final = _gauge("conversations_with_person", "Conversations that a person has now")

WAITING: Final = _gauge("waitlist_places", "Places on the waitlists of all companies")
LONGEST_QUEUE: Final = _gauge("waitlist_longest_queue", "How many wait in the longest queue")

_BACKLOG_GAUGES: Final = (
    INBOX_PENDING,
    INBOX_LAG,
    INBOX_DEAD,
    TIMERS_OVERDUE,
    TIMERS_LAG,
    TIMERS_DEAD,
    COMPANIES_HELD,
    WITH_PERSON,
    WAITING,
    LONGEST_QUEUE,
)
_OUTBOX_STATUSES: Final = ("pending", "sending", "doubt", "held")


def program_version() -> str:
    """The installed version, or "unknown" in a checkout that was never installed."""
    try:
        return version("usual")
    except PackageNotFoundError:
        return "unknown"


Info("usual_build", "What is running", registry=REGISTRY).info(
    {"version": program_version(), "python": platform.python_version()}
)
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_turns: dict[str, tuple[Counter, Histogram]] = {}


def turn_taken(step_to: str, seconds: float) -> None:
    """Count a committed turn by the step it came to rest in, and how long it took."""
    children = _turns.get(step_to)
    if children is None:
        flow = step_to.partition(".")[0]
        children = _turns[step_to] = TURNS.labels(step_to), TURN_SECONDS.labels(flow)
    children[0].inc()
    children[1].observe(seconds)


_timers = Capped(TIMERS_FIRED)


def timer_fired(name: str, late_s: float) -> None:
    """Count a timer that was moved to the inbox, and how long after it was due."""
    _timers.inc(name)
    TIMER_LATENESS.observe(late_s)


_sends: dict[tuple[str, str], Counter] = {}


def send_answered(outcome: str, *, error: str = "", seconds: float | None = None) -> None:
    """Count an attempt to send: `error` is the class it failed with, `seconds` what Meta took."""
    child = _sends.get((outcome, error))
    if child is None:
        child = _sends[outcome, error] = SENDS.labels(outcome, error)
    child.inc()
    if seconds is not None:
        SEND_SECONDS.observe(seconds)


@dataclass(slots=True, kw_only=True)
class Scrape:
    """Reads what only the stores know and renders everything.

    The readers return None when what they ask does not answer. What they found stays good for
    `fresh_seconds`, so that many scrapers cost the database no more than one.
    """

    backlog: Callable[[], Awaitable[Backlog | None]]
    redis_answers: Callable[[], Awaitable[bool]]
    connections: Callable[[], Mapping[str, int]] = dict
    fresh_seconds: float = FRESH_SECONDS
    _read_at: float | None = field(default=None, init=False)

    async def render(self) -> bytes:
        """The metrics as Prometheus reads them."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= self.fresh_seconds:
            self._read_at = now
            _show_backlog(await self.backlog())
            REDIS_UP.set(await self.redis_answers())
        for state, count in self.connections().items():
            POOL.labels(state).set(count)
        return generate_latest(REGISTRY)


def _show_backlog(found: Backlog | None) -> None:
    DATABASE_UP.set(found is not None)
    if found is None:
        for gauge in _BACKLOG_GAUGES:
            gauge.set(nan)
        for status in _OUTBOX_STATUSES:
            OUTBOX.labels(status).set(nan)
        return
    INBOX_PENDING.set(found.pending)
    INBOX_LAG.set(found.lag_seconds)
    INBOX_DEAD.set(found.dead)
    TIMERS_OVERDUE.set(found.timers_overdue)
    TIMERS_LAG.set(found.timers_lag_seconds)
    TIMERS_DEAD.set(found.timers_dead)
    COMPANIES_HELD.set(found.companies_held)
    WITH_PERSON.set(found.with_person)
    WAITING.set(found.waiting)
    LONGEST_QUEUE.set(found.longest_queue)
    for status in _OUTBOX_STATUSES:
        OUTBOX.labels(status).set(found.outbox.get(status, 0))
