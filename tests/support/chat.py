"""Conversations played against a salon in memory, turn by turn as the engine does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID

from bot.whatsapp.render import render
from flows import effects as fx
from flows import events as ev
from flows import registry
from flows.areas import seen_from
from flows.machine import Context, State, Turn
from flows.model import Customer
from tests.support.regulars import was_reminded
from tests.support.salon import Salon

_INBOUND = get_args(ev.Inbound)


@dataclass
class Chat:
    """One customer's conversation with the salon."""

    salon: Salon
    number: int = 1
    locale: str | None = None
    opted_out: bool = False
    person_until: datetime | None = None
    turn: int = 0
    said: list[fx.Say] = field(default_factory=list)
    records: list[fx.Record] = field(default_factory=list)
    effects: list[fx.Effect] = field(default_factory=list)  # of the last turn
    asked: list[fx.Ask] = field(default_factory=list)  # in the last turn
    timers: dict[str, fx.ArmTimer] = field(default_factory=dict)  # armed now, by key
    told: list[fx.Tell] = field(default_factory=list)
    reminders: dict[tuple[UUID, str], str] = field(default_factory=dict)  # planned, sent, answer
    heard_at: datetime | None = None
    marketing_off: bool = False
    name: str | None = None
    area_id: int | None = None
    alerts: list[fx.Alert] = field(default_factory=list)
    stored: str = json.dumps({"step": registry.INITIAL.step})

    def hear(self, event: ev.Event) -> list[fx.Say]:
        """Take a turn and return what was said; the state goes through JSON before every step."""
        if isinstance(event, _INBOUND):
            self.heard_at = self.salon.now
        turn = Turn(
            registry.STEPS,
            registry.FALLBACKS if self.number else registry.DESK_FALLBACKS,
            self._load(),
            event,
            self.context(),
            consequences=registry.CONSEQUENCES,
            rest=registry.REST,
        )
        self.asked = []
        while turn.ask is not None:
            self.asked.append(turn.ask)
            self._store(turn)
            turn.state = self._load()
            for effect in turn.effects:  # what they ask next is on another clock
                if isinstance(effect, fx.SettleIn):
                    self.apply(effect)
            turn.answer(self.salon.answer(turn.ask, self.number))
        self._store(turn)
        self.turn += 1
        self.effects = turn.effects
        for effect in turn.effects:
            self.apply(effect)
        new = [effect for effect in turn.effects if isinstance(effect, fx.Say)]
        for say in new:
            render(say)
        self.said += new
        return new

    def due(self, until: datetime) -> fx.ArmTimer | None:
        """The timer that fires first until then."""
        due = [timer for timer in self.timers.values() if timer.due <= until]
        return min(due, key=lambda one: (one.due, one.key), default=None)

    def fire(self, timer: fx.ArmTimer) -> list[fx.Say]:
        """Let a timer fire when it is due."""
        del self.timers[timer.key]
        self.salon.now = max(self.salon.now, timer.due)
        return self.hear(ev.TimerFired(timer.name, timer.key, timer.payload))

    def pass_time(self, by: timedelta) -> list[fx.Say]:
        """Let time go by, and the timers fire that become due; returns what was said."""
        until, said = self.salon.now + by, []
        while timer := self.due(until):
            said += self.fire(timer)
        self.salon.now = until
        return said

    def type(self, text: str) -> list[fx.Say]:
        """The customer types."""
        return self.hear(ev.TextReceived(text))

    def tap(self, title: str, *, older: int = 0) -> list[fx.Say]:
        """The customer taps what the latest message that offers it has, or an older one."""
        found = [
            (id_, shown)
            for say in reversed(self.said)
            for id_, shown in choices(say)
            if same(shown, title)
        ]
        assert len(found) > older, f"nothing called {title!r} was offered"
        return self.hear(ev.ReplyTapped(*found[older]))

    @property
    def last(self) -> fx.Say:
        """What was said last."""
        return self.said[-1]

    @property
    def step(self) -> str:
        """Where the conversation stands."""
        return str(json.loads(self.stored)["step"])

    @property
    def text(self) -> str:
        """What the last message says, with plain spaces."""
        return "\n".join(" ".join(line.split()) for line in self.last.text.split("\n"))

    def titles(self) -> list[str]:
        """What can be tapped on the last message."""
        return [" ".join(title.split()) for _, title in choices(self.last)]

    def rows(self) -> dict[str, str]:
        """The rows of the last message, with their notes."""
        sections = self.last.sheet.sections if self.last.sheet else ()
        rows = [row for section in sections for row in section.rows]
        return {" ".join(row.title.split()): row.note for row in rows}

    def context(self) -> Context:
        """What a step would read now."""
        return Context(
            now=self.salon.now,
            catalog=seen_from(self.salon.catalog, self.area_id),
            customer=Customer(
                self.number,
                self.name,
                self.locale,
                self.opted_out,
                self.marketing_off,
                usual=self.salon.usual(self.number),
                visit_ahead=bool(self.salon.ahead(self.number)),
            ),
            locale=self.locale or self.salon.company.locale,
            turn=self.turn,
            person_until=self.person_until,
            conversation_id=self.number,
            heard_at=self.heard_at,
        )

    def _load(self) -> State:
        return registry.load_state(json.loads(self.stored))

    def _store(self, turn: Turn) -> None:
        self.stored = json.dumps(registry.dump_state(turn.state))

    def apply(self, effect: fx.Effect) -> None:  # noqa: C901 - one case per effect
        """Do what an effect wants, as far as a conversation can tell."""
        match effect:
            case fx.Say():
                pass
            case fx.Record():
                self.records.append(effect)
            case fx.SetLocale(locale):
                self.locale = locale
            case fx.SettleIn(area_id):
                self.area_id = self.salon.areas_of[self.number] = area_id
            case fx.OptOut():
                self.opted_out = True
                self.salon.unreachable.add(self.number)
            case fx.OptIn():
                self.opted_out = False
                self.salon.unreachable.discard(self.number)
            case fx.SetMarketing(wanted):
                self.marketing_off = not wanted
            case fx.CallPerson(until):
                self.person_until = self.salon.with_person[self.number] = until
            case fx.DismissPerson():
                self.person_until = None
                self.salon.with_person.pop(self.number, None)
            case fx.ReleaseHolds():
                self.salon.holds.pop(self.number, None)
            case fx.ArmTimer() | fx.CancelTimer() | fx.Tell() | fx.Alert():
                self._apply_later(effect)
            case fx.PlanReminder() | fx.DropReminder() | fx.NoteReminder():
                self._note(effect)

    def _note(self, effect: fx.PlanReminder | fx.DropReminder | fx.NoteReminder) -> None:
        key = effect.booking_id, effect.kind
        match effect:
            case fx.PlanReminder():
                self.reminders[key] = "planned"
            case fx.DropReminder():
                if self.reminders.get(key) == "planned":
                    del self.reminders[key]
            case fx.NoteReminder(answer=answer):
                if answer is None or self.reminders.get(key, "planned") != "planned":
                    self.reminders[key] = answer or "sent"
                if answer is None and effect.kind == "24h":
                    was_reminded(self.salon, effect.booking_id)

    def _apply_later(self, effect: fx.ArmTimer | fx.CancelTimer | fx.Tell | fx.Alert) -> None:
        match effect:
            case fx.ArmTimer(key):
                self.timers[key] = effect
            case fx.CancelTimer(key):
                self.timers.pop(key, None)
            case fx.Tell():
                self.told.append(effect)
            case fx.Alert():
                self.alerts.append(effect)


def choices(say: fx.Say) -> list[tuple[str, str]]:
    """The ids and titles that can be tapped on a message."""
    rows = [row for section in say.sheet.sections for row in section.rows] if say.sheet else []
    buttons = [(button.id, button.title) for button in say.buttons]
    return buttons + [(row.id, row.title) for row in rows]


def same(one: str, other: str) -> bool:
    """Tell whether two titles read the same, whatever their spaces are."""
    return " ".join(one.split()) == " ".join(other.split())
