"""Several conversations, the desk and the time between them; transcripts are played on that.

`bot.simulator.transcript` says what a transcript looks like; `# a remark` may stand in one, and
`* 6 minutes pass` may be any of `tests.support.happenings`. Only the lines of customers and
happenings are read; the others are what comes of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.transcript import LINE_BREAK, SILENCE, as_transcript
from bot.whatsapp.render import render
from flows import effects as fx
from flows import events as ev
from flows import registry
from tests.support.chat import Chat
from tests.support.happenings import happen
from tests.support.salon import Salon

_LINE = re.compile(r"(?P<who>\w*)(?P<kind>[>*#])(?: (?P<text>.*))?")
_SENT: dict[str, Callable[[str], ev.Event]] = {
    "voice note": lambda _: ev.MediaReceived("voice"),
    "photo": lambda caption: ev.MediaReceived("image", caption),
    "sticker": lambda _: ev.MediaReceived("sticker"),
    "document": lambda caption: ev.MediaReceived("document", caption),
    "location": lambda _: ev.LocationReceived(40.7, -74.0),
    "contact": lambda _: ev.ContactsReceived(1),
    "own number": lambda _: ev.ContactsReceived(1, "12125550100"),
    "reaction": ev.ReactionReceived,
    "edits": ev.MessageEdited,
    "deletes it": lambda _: ev.MessageDeleted(),
    "poll": lambda _: ev.UnknownReceived("poll"),
    "form": lambda _: ev.FormAnswered("flow", "{}"),
    "new number": lambda _: ev.NumberChanged(),
    "answers by hand": lambda _: ev.PersonReplied(),
    "gives back": lambda _: ev.PersonReturned(),
    "undeliverable": lambda _: ev.SendFailed(131026),
    "breaks": lambda _: ev.TurnFailed(),
}


def play(script: str) -> str:
    """Play the customers' and happenings' lines of a transcript, and return all of it anew."""
    stage = Stage(Salon())
    out: list[str] = []
    for line in script.splitlines():
        read = _LINE.fullmatch(line)
        if read is None:
            out += [""] if not line.strip() else []
            continue
        out.append(line)
        who, text = read["who"], read["text"] or ""
        if read["kind"] == "*":
            until = stage.salon.now
            happen(stage.salon, text, stage.chat(who))
            until, stage.salon.now = stage.salon.now, until
            out += [written(say, name) for name, say in stage.go_on(until)]
        elif read["kind"] == ">":
            said = send(stage.chat(who), text)
            out += [written(say, who) for say in said] or [f"{who}< {SILENCE}"]
            out += [written(say, name) for name, say in stage.go_on(stage.salon.now)]
    return "\n".join(out).rstrip("\n") + "\n"


@dataclass
class Stage:
    """Everybody's conversations, the desk, and the time that passes between them."""

    salon: Salon
    chats: dict[str, Chat] = field(default_factory=dict)
    desk: Chat = field(init=False)

    def __post_init__(self) -> None:
        stored = json.dumps(registry.dump_state(registry.DESK))
        self.desk = Chat(self.salon, 0, stored=stored)

    def chat(self, who: str) -> Chat:
        """The conversation of a customer, by name."""
        if who not in self.chats:
            self.chats[who] = Chat(self.salon, len(self.chats) + 1)
        return self.chats[who]

    def go_on(self, until: datetime) -> list[tuple[str, fx.Say]]:
        """Let what follows happen, and time go by; what is said, and to whom."""
        said = self._settle()
        while True:
            chats = [*self.chats.values(), self.desk]
            timers = [(t.due, t.key, chat) for chat in chats for t in chat.timers.values()]
            due, key, chat = min(timers, key=lambda one: one[:2], default=(until, "", self.desk))
            if not key or due > until:
                break
            self.salon.now = max(self.salon.now, due)
            timer = chat.timers.pop(key)
            said += self._hear(chat, ev.TimerFired(timer.name, key, timer.payload))
            said += self._settle()
        self.salon.now = until
        return said + self._settle()

    def _settle(self) -> list[tuple[str, fx.Say]]:
        """Have the desk look around, and everybody hear what they are told."""
        said = []
        if self.salon.queue.waiting or self.salon.queue.lost:
            self.desk.hear(ev.TimeFreed())
        while told := [tell for chat in [*self.chats.values(), self.desk] for tell in chat.told]:
            for chat in [*self.chats.values(), self.desk]:
                chat.told.clear()
            for tell in told:
                to = next((c for c in self.chats.values() if c.number == tell.to), self.desk)
                said += self._hear(to, tell.event)
        return said

    def _hear(self, chat: Chat, event: ev.Event) -> list[tuple[str, fx.Say]]:
        name = next((name for name, one in self.chats.items() if one is chat), "")
        return [(name, say) for say in chat.hear(event)]


def send(chat: Chat, text: str) -> list[fx.Say]:
    """Send what a line of a transcript says: a text, a tap, or something else."""
    tapped = re.fullmatch(r"[\[(](.+?)[\])](?P<again>(?: again)*)", text)
    if tapped:
        return chat.tap(tapped[1], older=tapped["again"].count("again"))
    other = re.fullmatch(r"<([^>]+)> ?(.*)", text)
    if other:
        return chat.hear(_SENT[other[1]](other[2]))
    return chat.type(text.removeprefix("\\").replace(LINE_BREAK, "\n"))


def written(say: fx.Say, who: str = "") -> str:
    """A message as a transcript shows it."""
    body = render(say)
    return as_transcript("business", body["type"], body[body["type"]], who).rstrip("\n")
