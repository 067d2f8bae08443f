"""Chats saved as tests: what was said on one or more phones, as one transcript."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.simulator.content import choices_of
from bot.simulator.model import Conversation, Message
from bot.simulator.phones import answered
from bot.simulator.transcript import (
    NEXT_MORNING,
    as_transcript,
    hides_number,
    short_names,
    silence,
    time_passes,
)
from bot.simulator.world import MORNING, World

NOT_SAID = ("reaction",)  # of the business: it is shown on the message, not in the chat


class SavingApi:
    """`GET /simulator/transcript?number=…&customer=…&customer=…`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.get("/simulator/transcript", answered(self.transcript))]

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        """The chats of some customers with one business, as a text file."""
        number = self._world.numbers.get(request.query.get("number", ""))
        customers = [self._world.customers.get(one) for one in request.query.getall("customer", ())]
        if number is None or not customers:
            raise web.HTTPBadRequest(text="a number and a customer are needed")
        talks = [self._world.conversation(one, number) for one in customers if one is not None]
        if len(talks) < len(customers):
            raise web.HTTPNotFound(text="no such customer")
        return web.Response(
            text=saved(talks, self._world.clock_moves, self._world.clock()),
            headers={"Content-Disposition": 'attachment; filename="chat.txt"'},
        )


def saved(
    talks: Sequence[Conversation], clock_moves: Sequence[tuple[datetime, timedelta]], now: datetime
) -> str:
    """What was said in conversations with one business, in the order in which it was said."""
    names = short_names([talk.customer.name for talk in talks])
    zone = ZoneInfo(talks[0].number.timezone or "UTC")
    lines = [f"# With {talks[0].number.name}, {now.astimezone(zone):%a %d %b %Y, %H:%M}.\n\n"]
    lines += [
        hides_number(who)
        for who, talk in zip(names, talks, strict=True)
        if not talk.customer.shows_phone
    ]
    told = [
        (message.at, line)
        for who, talk in zip(names, talks, strict=True)
        for message, line in said(who, talk)
    ]
    told.sort(key=lambda one: one[0])
    moves = list(clock_moves)
    for n, (at, line) in enumerate(told):
        passed = timedelta()
        moved_to = at
        while moves and moves[0][0] <= at:
            when, by = moves.pop(0)
            passed, moved_to = passed + by, when + by
        if n and passed:
            wall = moved_to.astimezone(zone)
            morning = wall.time().replace(second=0, microsecond=0) == MORNING
            lines.append(f"* {NEXT_MORNING}\n" if morning else time_passes(passed))
        lines.append(line)
    return "".join(lines)


def said(who: str, talk: Conversation) -> Iterator[tuple[Message, str]]:
    """The lines of one conversation, each with its message."""
    messages = [
        one for one in talk.messages if one.author == "customer" or one.kind not in NOT_SAID
    ]
    for n, message in enumerate(messages):
        older = times_offered_later(messages[:n], message)
        line = as_transcript(message.author, message.kind, message.content, who, older=older)
        following = messages[n + 1] if n + 1 < len(messages) else None
        unanswered = following is None or following.author == "customer"
        if message.author == "customer" and unanswered:
            line += silence(who)
        yield message, line


def times_offered_later(earlier: Sequence[Message], tap: Message) -> int:
    """How many messages after the tapped one offer a choice of the same title."""
    title = tapped_title(tap.kind, tap.content)
    if title is None:
        return 0
    offering = [
        one.id
        for one in reversed(earlier)
        if one.author == "business"
        and any(choice.title == title for choice in choices_of(one.kind, one.content))
    ]
    return offering.index(tap.reply_to) if tap.reply_to in offering else 0


def tapped_title(kind: str, content: Any) -> str | None:
    """What was tapped, where a customer's message is a tap."""
    if kind == "button":
        return str(content["text"])
    if kind == "interactive" and content["type"] in ("button_reply", "list_reply"):
        return str(content[content["type"]]["title"])
    return None
