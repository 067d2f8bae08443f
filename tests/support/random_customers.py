"""Customers who do anything at all: what they may do, step by step, and nothing of what follows."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.crowd import Crowd, Stage
from tests.support.graph import Phone

WORDS = [
    "hi", "book a visit", "haircut tomorrow at 3 with becky", "men's cut", "is anyone free today?",
    "anytime", "tomorrow morning", "actually saturday", "1", "2", "9", "yes", "no", "back", "menu",
    "cancel my appointment", "my visits", "can I come later?", "person", "stop", "start", "help",
    "мужская стрижка в пятницу вечером", "привет", "language", "русский", "english", "thanks",
    "🙂", "?", "00:00", "31.02.2099 25:61", "x" * 900, "‮abc\u0000", "null", "{{1}}", "colour and "
    "manicure on monday", "more times", "next week", "the day after tomorrow at noon", "price list",
    "my waitlist", "leave the list", "the usual", "5", "⭐⭐⭐",
]  # fmt: skip
KINDS = [
    "voice", "photo", "sticker", "document", "location", "contact", "own_number", "video",
    "reaction", "edit", "delete", "order", "unsupported",
]  # fmt: skip
WAITED_FOR = [
    "waitlist for a men's cut next week",
    "put me on the list for a women's cut with becky",
    "waitlist for a manicure tomorrow",
    "join the waitlist",
]
JOINING = ("None of these suit", "Next week", "Any", "Men's cut")
BOOKED = [
    "men's cut, anytime",
    "manicure tomorrow",
    "women's cut with becky next week",
    "the usual",
]
DETOURS = ("Talk to us", "Call us", "Cancel", "My visits", "Menu", "Leave the list")
ANSWERS = [
    frozenset({"Take it", "Confirm", "Great", "Book it", "Move it", "Yes, cancel it", "The first"}),
    frozenset({"Pass", "Cancel visit", "Not good", "Keep it", "Keep both", "Never mind"}),
    frozenset(
        {"Change", "Other time", "So-so", "Something else", "Book again", "Join the waitlist"}
    ),
    frozenset({"Leave the list", "Not now", "Carry on", "Back to the bot", "Messages on"}),
]
"""What somebody looks for, also further up in the chat: to say yes, no, something else."""
BEFORE: list[tuple[int | None, tuple[str | timedelta, ...]]] = [
    (None, ("Take it",)),
    (None, ("Pass",)),
    (None, (timedelta(minutes=16), "Take it")),
    (1, ("Confirm",)),
    (3, ("Great",)),
    (1, ("Cancel visit", "Yes, cancel it")),
]
"""Whether somebody has an offer (None) or a visit, of which so many reminders came; and what they
answered."""
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

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            self.stage.do(work)
        except Exception as failure:
            self.stage.failure = self.stage.failure or failure
            raise

    def tap(self, who: int, which: int, *, older: bool = False, times: int = 1) -> None:
        phone = self.crowd.phone(who)
        found = self.crowd.choices(phone, older=older)
        if found:
            bubble, choice = found[which % len(found)]
            self.do(self.crowd.tap(phone, bubble, choice, times=times))
        else:
            self.do(self.crowd.say(phone, "book"))

    def go_on(self, phone: Phone, titles: tuple[str, ...] = (), *, until: str, times: int) -> None:
        """Tap one of these titles, else the first that leads on, until something is said."""
        for _ in range(times):
            if until in phone.last.text or not phone.last.choices:
                return
            shown = phone.last.choices
            wanted = [one for title in titles for one in shown if one.title == title]
            onward = [one for one in shown if one.title not in DETOURS]
            chosen = (wanted or onward or shown)[0]
            self.do(self.crowd.tap(phone, phone.last, chosen.id))

    @initialize()
    def something_went_before(self) -> None:
        """Each crowd has come to another point when it begins to do what it likes."""
        waits, answer = BEFORE[self.stage.crowds % len(BEFORE)]
        self.stage.crowds += 1
        if waits is None:
            self.joins_the_waitlist(0, WAITED_FOR[0], full=True)
            self.do(self.crowd.free(0, 9, 9))
        else:
            self.books(0, BOOKED[0])
            for _ in range(waits):
                self.do(self.crowd.wait_for_the_next(0))
        for step in answer:
            if isinstance(step, timedelta):
                self.do(self.crowd.wait(step))
            else:
                self.answers(0, frozenset({step}), 0)

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

    @rule(who=who, titles=st.sampled_from(ANSWERS), which=st.integers(0, 3))
    def answers(self, who: int, titles: frozenset[str], which: int) -> None:
        """Somebody who was offered or asked something answers, in time or far too late."""
        phones = self.crowd.phones[who:] + self.crowd.phones[:who]
        for phone in phones:
            found = [
                (bubble, choice.id)
                for bubble in reversed(phone.bubbles)
                for choice in bubble.choices
                if choice.title in titles
            ]
            if found:
                self.do(self.crowd.tap(phone, *found[which % len(found)]))
                return

    @rule(who=who, titles=st.sampled_from(ANSWERS[:2]))
    def says_yes_or_no(self, who: int, titles: frozenset[str]) -> None:
        """The same again, to what was asked last."""
        self.answers(who, titles, 0)

    @rule(who=who, text=st.sampled_from(BOOKED))
    def books(self, who: int, text: str) -> None:
        """Somebody knows what they want."""
        phone = self.crowd.phone(who)
        self.do(self.crowd.say(phone, text))
        self.go_on(phone, ("Book it",), until="✔", times=5)

    @rule(who=who, text=st.sampled_from(WAITED_FOR), full=st.booleans())
    def joins_the_waitlist(self, who: int, text: str, full: bool) -> None:
        """Somebody waits for a place, perhaps because everybody else has come first."""
        phone = self.crowd.phone(who)
        if full:
            self.do(self.crowd.fill())
        self.do(self.crowd.say(phone, text))
        self.go_on(phone, JOINING, until="in line", times=4)

    @rule(which=which, hour=st.integers(9, 17), hours=st.sampled_from([1, 3, 9]))
    def time_comes_free(self, which: int, hour: int, hours: int) -> None:
        """Somebody else does not come, on a day that somebody waits for if anybody does."""
        self.do(self.crowd.free(which, hour, hours))

    @rule(which=st.integers(0, 2))
    def time_passes_until_something_is_due(self, which: int) -> None:
        """A reminder, the end of an offer, of a hold or of somebody's patience."""
        self.do(self.crowd.wait_for_the_next(which))

    @rule(who=who, word=st.sampled_from(["stop", "start"]))
    def has_had_enough(self, who: int, word: str) -> None:
        """Somebody wants to hear nothing more, or again."""
        self.do(self.crowd.say(self.crowd.phone(who), word))

    @rule(who=who, gives_back=st.booleans())
    def the_team_steps_in(self, who: int, gives_back: bool) -> None:
        """Somebody of the team writes by hand, or leaves it to the bot again."""
        self.do(self.crowd.operator(self.crowd.phone(who), gives_back=gives_back))

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


def play(stage: Stage, *, crowds: int, steps: int, by_chance: bool = False) -> None:
    """Let so many crowds come, each of which does so many things at most.

    The same ones every time, unless it is left to chance.
    """
    Customers.stage = stage
    try:
        run_state_machine_as_test(
            Customers,
            settings=settings(
                max_examples=crowds,
                stateful_step_count=steps,
                derandomize=not by_chance,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception:
        # Played again it is another story: the salon remembers the first time.
        raise stage.failure or AssertionError("it did not fail in the crowd") from None
