"""Plays a transcript against a running bot behind a simulator, and shows what is different.

Every customer of the transcript gets a new phone. The bot may need a while for an answer, so each
is waited for; that nothing more comes is believed after a moment.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Any

import aiohttp
import typer

from bot.simulator.content import Choice, choices_of
from bot.simulator.likeness import alike, same_choice
from bot.simulator.terminal import ChatError, Line, call, numbers_of
from bot.simulator.transcript import (
    DEFAULT_NAME,
    LINE_BREAK,
    NEXT_MORNING,
    UNITS,
    as_transcript,
    silence,
)

LINE = re.compile(r"(?P<who>\w*)(?P<kind>[><*#])(?: (?P<text>.*))?")
TAP = re.compile(r"[\[(](?P<title>.+?)[\])](?P<again>(?: again)*)")
OTHER = re.compile(r"<(?P<kind>[^>]+)> ?(?P<more>.*)")
PASSES = re.compile(r"(\d+) (second|minute|hour|day|week)s? pass(?:es)?")
HIDES = re.compile(r"(\w+) hides the number")
SENDABLE = {
    "voice note": "voice",
    "photo": "photo",
    "sticker": "sticker",
    "document": "document",
    "location": "location",
    "contact": "contact",
    "poll": "unsupported",
}
LOOKS_EVERY = 0.05


@dataclass(frozen=True)
class Patience:
    """How long an answer may take, and after how long it is believed that none comes; seconds."""

    answer: float = 10.0
    silence: float = 1.0


@dataclass
class Deed:
    """A line of the transcript that does something, and the answers that stand below it."""

    line: str
    who: str
    kind: str
    text: str
    answers: list[tuple[str, str]] = field(default_factory=list)

    def expected(self, who: str) -> list[str]:
        """What one customer is to be answered."""
        return [said for name, said in self.answers if name == who and said != silence(who)]


@dataclass
class Played:
    """The transcript as it was, and as it went."""

    written: str
    went: str
    answers: int

    @property
    def same(self) -> bool:
        """Whether it went as written."""
        return self.written == self.went

    def difference(self, name: str) -> str:
        """What differs, in the way of diff; empty when nothing does."""
        lines = unified_diff(
            self.written.splitlines(keepends=True),
            self.went.splitlines(keepends=True),
            f"{name} as written",
            f"{name} as it went",
        )
        return "".join(lines)


def read(text: str) -> list[Deed]:
    """The deeds of a transcript; ChatError when a line is none."""
    deeds: list[Deed] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = LINE.fullmatch(line)
        if found and found["kind"] in ">*":
            deeds.append(Deed(line, found["who"], found["kind"], found["text"] or ""))
        elif found and found["kind"] == "<" and deeds:
            deeds[-1].answers.append((found["who"], f"{line}\n"))
        elif line.startswith("  ") and deeds and deeds[-1].answers:
            who, before = deeds[-1].answers[-1]
            deeds[-1].answers[-1] = (who, f"{before}{line}\n")
        elif line.strip() and not (found and found["kind"] == "#"):
            raise ChatError(f"Line {number} is not one of a transcript: {line}")
    return deeds


class Caller:
    """A customer of the transcript, with a new phone."""

    def __init__(self, line: Line, who: str) -> None:
        self._line = line
        self.who = who
        self._said: list[dict[str, Any]] = []
        self._known = 0

    async def do(self, text: str) -> None:
        """Type, tap or send something."""
        if tap := TAP.fullmatch(text):
            message, choice = self._offered(tap["title"], tap["again"].count("again"))
            await self._line.tap(message, choice)
        elif other := OTHER.fullmatch(text):
            await self._line.send(**self._other(other["kind"], other["more"]))
        else:
            typed = text.removeprefix("\\").replace(LINE_BREAK, "\n")
            await self._line.send(text=typed)

    async def look(self) -> int:
        """See what has arrived; answers how many messages are new."""
        messages = await self._line.messages()
        self._said = [
            one for one in messages if one["author"] == "business" and one["kind"] != "reaction"
        ]
        return len(self._said) - self._known

    async def wait_for(self, count: int, *, until: float) -> None:
        """Wait until so many messages are new, or until the loop's time is up."""
        while True:
            if await self.look() >= count or asyncio.get_running_loop().time() >= until:
                return
            await asyncio.sleep(LOOKS_EVERY)

    async def answers(self) -> list[str]:
        """The new messages as transcripts write them; they are read now."""
        new = self._said[self._known :]
        self._known = len(self._said)
        await self._line.read()
        return [as_transcript("business", one["kind"], one["content"], self.who) for one in new]

    def _offered(self, title: str, older: int) -> tuple[str, Choice]:
        offers = [
            (message["id"], choice)
            for message in reversed(self._said)
            for choice in choices_of(message["kind"], message["content"])
        ]
        named = [one for one in offers if " ".join(one[1].title.split()) == title]
        similar = [one for one in offers if same_choice(one[1].title, title)]
        for found in (named[older:], similar):
            if found:
                return found[0]
        raise ChatError(f"{self.who or DEFAULT_NAME} cannot tap {title!r}: nothing offers it.")

    def _other(self, kind: str, more: str) -> dict[str, Any]:
        if kind in SENDABLE:
            return {"kind": SENDABLE[kind], "text": more}
        if kind == "reaction" and self._said:
            return {"kind": "reaction", "message_id": self._said[-1]["id"], "emoji": more}
        if kind == "form":
            values = {k: v for k, v in json.loads(more).items() if k != "flow_token"}
            forms = [one["id"] for one in self._said if "flow_cta" in json.dumps(one["content"])]
            if forms:
                return {"kind": "form", "message_id": forms[-1], "values": values}
        raise ChatError(f"A phone of the simulator cannot send <{kind}> here.")


class Player:
    """Plays the deeds of one transcript."""

    def __init__(
        self, session: aiohttp.ClientSession, number: str, *, exact: bool, patience: Patience
    ) -> None:
        self._session = session
        self._number = number
        self._same = str.__eq__ if exact else alike
        self._patience = patience
        self._callers: dict[str, Caller] = {}
        self._hidden: set[str] = set()

    async def play(self, text: str) -> Played:
        """Play all of it."""
        deeds = read(text)
        written: list[str] = []
        went: list[str] = []
        for deed in deeds:
            await self._do(deed)
            await self._wait(deed)
            answers = {who: await caller.answers() for who, caller in self._callers.items()}
            written += [f"{deed.line}\n", *(said for _, said in deed.answers)]
            went += [f"{deed.line}\n", *self._compared(deed, answers)]
        return Played("".join(written), "".join(went), sum(len(one.answers) for one in deeds))

    async def _do(self, deed: Deed) -> None:
        if deed.kind == ">":
            await (await self._caller(deed.who)).do(deed.text)
        elif passes := PASSES.fullmatch(deed.text):
            seconds = int(passes[1]) * dict(UNITS)[passes[2]]
            await self._move_clock({"advance_seconds": seconds})
        elif deed.text == NEXT_MORNING:
            await self._move_clock({"to": "tomorrow"})
        elif hides := HIDES.fullmatch(deed.text):
            self._hidden.add(hides[1])
        else:
            raise ChatError(f"Only tests can let this happen: {deed.text}")

    async def _move_clock(self, move: dict[str, Any]) -> None:
        await call(self._session, "POST", "/simulator/clock", move)

    async def _wait(self, deed: Deed) -> None:
        """Until everybody has as many answers as are written, and a moment longer."""
        loop = asyncio.get_running_loop()
        answered = False
        for who in dict.fromkeys(name for name, _ in deed.answers):
            caller, wanted = await self._caller(who), len(deed.expected(who))
            await caller.wait_for(wanted, until=loop.time() + self._patience.answer)
            answered = answered or wanted > 0
        if deed.kind == ">" or deed.answers:
            await asyncio.sleep(self._patience.silence / (3 if answered else 1))
        for caller in self._callers.values():
            await caller.look()

    def _compared(self, deed: Deed, answers: dict[str, list[str]]) -> Iterator[str]:
        """The answers as they went; those that say the same, as they are written."""
        for who, said in deed.answers:
            left = answers.get(who, [])
            if said == silence(who):
                yield from [said] if not left else []
            elif not left:
                yield silence(who)
            else:
                came = left.pop(0)
                yield said if self._same(said, came) else came
        for left in answers.values():
            yield from left

    async def _caller(self, who: str) -> Caller:
        if who not in self._callers:
            name = who or DEFAULT_NAME
            customer: dict[str, Any] = {"name": name}
            if name in self._hidden:
                customer |= {"shows_phone": False, "username": name.lower()}
            made = await call(self._session, "POST", "/simulator/customers", customer)
            line = Line(self._session, str(made["id"]), self._number)
            self._callers[who] = Caller(line, who)
        return self._callers[who]


async def replay(
    base_url: str,
    text: str,
    *,
    phone_number_id: str,
    exact: bool = False,
    patience: Patience | None = None,
) -> Played:
    """Play a transcript.

    Raises ChatError when there is no simulator at `base_url`, no such number, or a line that cannot
    be played.
    """
    async with aiohttp.ClientSession(base_url) as session:
        await numbers_of(session, phone_number_id)
        player = Player(session, phone_number_id, exact=exact, patience=patience or Patience())
        return await player.play(text)


async def run(base_url: str, files: Sequence[Path], *, phone_number_id: str, exact: bool) -> int:
    """Play files and say how each went: 0 as written, 1 differently, 2 where one cannot be."""
    worst = 0
    for file in files:
        try:
            text = await asyncio.to_thread(file.read_text, "utf-8")
            played = await replay(base_url, text, phone_number_id=phone_number_id, exact=exact)
        except ChatError as problem:
            typer.echo(f"{file.name}: {problem}", err=True)
            worst = 2
            continue
        if played.same:
            typer.echo(f"{file.name}: as written, answers: {played.answers}")
        else:
            typer.echo(played.difference(file.name), nl=False)
            worst = max(worst, 1)
    return worst
