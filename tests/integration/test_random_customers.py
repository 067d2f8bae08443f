"""Customers who do anything at all, against the whole bot: everything holds after each step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.support.crowd import Crowd, Stage

EXAMPLES = int(os.environ.get("CROWD_EXAMPLES", "6"))
"""How many crowds come; each of them does `STEPS` things at most."""
STEPS = int(os.environ.get("CROWD_STEPS", "12"))

WORDS = [
    "hi", "book a visit", "haircut tomorrow at 3 with becky", "men's cut", "is anyone free today?",
    "anytime", "tomorrow morning", "actually saturday", "1", "2", "9", "yes", "no", "back", "menu",
    "cancel my appointment", "my visits", "can I come later?", "person", "stop", "start", "help",
    "мужская стрижка в пятницу вечером", "привет", "language", "русский", "english", "thanks",
    "🙂", "?", "00:00", "31.02.2099 25:61", "x" * 900, "‮abc\u0000", "null", "{{1}}", "colour and "
    "manicure on monday", "more times", "next week", "the day after tomorrow at noon", "price list",
]  # fmt: skip
KINDS = [
    "voice", "photo", "sticker", "document", "location", "contact", "own_number", "video",
    "reaction", "edit", "delete", "order", "unsupported",
]  # fmt: skip
WAITS = [
    timedelta(minutes=1),
    timedelta(minutes=6),
    timedelta(hours=1),
    timedelta(hours=25),
    timedelta(days=8),
]
who = st.integers(0, 2)
which = st.integers(0, 60)


class Customers(RuleBasedStateMachine):
    """Three customers, who may come or not."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.crowd = Crowd(self.stage)

    def do(self, work: Any) -> None:
        self.stage.do(work)

    def tap(self, who: int, which: int, *, older: bool = False, times: int = 1) -> None:
        phone = self.crowd.phone(who)
        found = self.crowd.choices(phone, older=older)
        if found:
            bubble, choice = found[which % len(found)]
            self.do(self.crowd.tap(phone, bubble, choice, times=times))
        else:
            self.do(self.crowd.say(phone, "book"))

    @rule(who=who, text=st.sampled_from(WORDS))
    def types(self, who: int, text: str) -> None:
        """Somebody types."""
        self.do(self.crowd.say(self.crowd.phone(who), text))

    @rule(who=who, which=which)
    def taps(self, who: int, which: int) -> None:
        """Somebody goes on with what was offered last."""
        self.tap(who, which)

    @rule(who=who, which=which)
    def taps_on(self, who: int, which: int) -> None:
        """The same again: most of what people do is to go on."""
        self.tap(who, which)

    @rule(who=who)
    def takes_the_first(self, who: int) -> None:
        """Somebody takes the first of what is offered, twice in a row."""
        for _ in range(2):
            self.tap(who, 0)

    @rule(who=who, which=which)
    def taps_an_old_one(self, who: int, which: int) -> None:
        """Somebody scrolls up and taps."""
        self.tap(who, which, older=True)

    @rule(who=who, which=which)
    def taps_twice(self, who: int, which: int) -> None:
        """Somebody's finger trembles."""
        self.tap(who, which, times=2)

    @rule(who=who, kind=st.sampled_from(KINDS))
    def sends(self, who: int, kind: str) -> None:
        """Somebody sends something else."""
        self.do(self.crowd.send(self.crowd.phone(who), kind))

    @rule(first=who, second=who, text=st.sampled_from(WORDS[:8]))
    def type_together(self, first: int, second: int, text: str) -> None:
        """Two want the same at the same moment."""
        one, other = self.crowd.phone(first), self.crowd.phone(second)
        if one is not other:
            self.do(self.crowd.together(one, other, text))

    @rule(by=st.sampled_from(WAITS))
    def time_passes(self, by: timedelta) -> None:
        """Nobody does anything for a while."""
        self.do(self.crowd.wait(by))

    @rule(
        kind=st.sampled_from(["duplicate", "reorder", "batch"]),
        event=st.sampled_from(["message", "status"]),
    )
    def webhooks_are_spoiled(self, kind: str, event: str) -> None:
        """What comes next comes twice, in another order or in one POST."""
        held = {} if kind == "duplicate" else {"times": 1}
        self.crowd.scene.graph.fail(kind, event=event, **held)

    @rule(code=st.sampled_from([131016, 131000]))
    def meta_is_out_of_breath(self, code: int) -> None:
        """The next send has to be tried again; after three failures in a row it would be lost."""
        graph = self.crowd.scene.graph
        if not any(armed.fault.kind == "error" for armed in graph.simulator.faults.list()):
            graph.fail("error", code=code)

    def teardown(self) -> None:
        """The next crowd finds no trouble waiting."""
        self.crowd.scene.graph.clear_faults()


@pytest.fixture
def stage(fresh_database_url: str, redis_url: str) -> Iterator[Stage]:
    with Stage(fresh_database_url, redis_url) as running:
        yield running


@pytest.mark.timeout(EXAMPLES * 60)
def test_whatever_customers_do_everything_holds(stage: Stage) -> None:
    Customers.stage = stage
    run_state_machine_as_test(
        Customers,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=EXAMPLES <= 6,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
