"""A customer's phone in the terminal: chat with a bot behind a running simulator.

Buttons and rows are numbered; a number taps. `--record` keeps the chat as a transcript,
the same that the chat page saves.
"""

import asyncio
import contextlib
import os
import re
import sys
import termios
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import category

import aiohttp
import orjson
from rich.console import Console
from rich.text import Text

from bot.simulator.content import Choice, choices_of, text_of
from bot.simulator.transcript import as_transcript

try:
    from readline import get_line_buffer
except ImportError:  # not in every Python: then a line that is being typed is not drawn again

    def get_line_buffer() -> str:
        """Nothing is known of the line that is being typed."""
        return ""


UNREACHABLE = "The simulator cannot be reached: is the demo running?"
PROMPT = "› "
RECONNECT_SECONDS = 0.5
ANSWER_SECONDS = 3.0
"""How long a line that comes from a file or another program waits for the answer before it."""
HELP = """A number taps a button or row; anything else is sent as text (\\1 sends "1").
/voice /photo /document /sticker /location /contact   send something else
/later 15    move the clock by 15 minutes          /help   this          /quit   leave"""
SENDABLE = ("voice", "photo", "document", "sticker", "location", "contact")
MARKS = {"*": "bold", "_": "italic", "~": "strike"}
MARKED = re.compile(r"(?<!\w)([*_~])(?=\S)(.+?)(?<=\S)\1(?!\w)|```(.+?)```", re.DOTALL)


class ChatError(Exception):
    """The simulator cannot be reached, or refused; the message says why."""

    retryable = False


class Line:
    """One conversation over the simulator's HTTP API."""

    def __init__(self, session: aiohttp.ClientSession, customer: str, number: str) -> None:
        self._session = session
        self._path = f"/simulator/conversations/{customer}/{number}"
        self.customer = customer
        self.number = number

    async def messages(self) -> list[dict[str, Any]]:
        """All messages so far."""
        shown = await call(self._session, "GET", self._path)
        messages: list[dict[str, Any]] = shown["messages"]
        return messages

    async def send(self, **message: Any) -> dict[str, Any]:
        """Send a message; the message as it was sent."""
        return await call(self._session, "POST", self._path + "/messages", message)

    async def tap(self, message_id: str, choice: Choice) -> dict[str, Any]:
        """Tap a choice; the message that this sent."""
        tap = {"message_id": message_id, "choice_id": choice.id}
        return await call(self._session, "POST", self._path + "/tap", tap)

    async def read(self) -> None:
        """Say that everything was read."""
        await call(self._session, "POST", self._path + "/read", {})

    async def later(self, minutes: float) -> str:
        """Move the clock; the new time."""
        step = {"advance_seconds": minutes * 60}
        now = str((await call(self._session, "POST", "/simulator/clock", step))["now"])
        return f"{datetime.fromisoformat(now).astimezone():%a %d %b, %H:%M}"

    async def save(self, record: Path | None) -> None:
        """Write the chat to a file, as the chat page saves it."""
        if record is None:
            return
        asked = {"number": self.number, "customer": self.customer}
        try:
            async with self._session.get("/simulator/transcript", params=asked) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise ChatError(UNREACHABLE) from problem
        await asyncio.to_thread(record.write_text, text, "utf-8")

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Messages of this conversation as they come and change, reconnecting for ever."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, ChatError):
                async with self._session.get(
                    "/simulator/events", timeout=aiohttp.ClientTimeout(total=None)
                ) as stream:
                    for message in await self.messages():
                        yield message
                    async for line in stream.content:
                        async for message in self._changed(line):
                            yield message
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _changed(self, line: bytes) -> AsyncIterator[dict[str, Any]]:
        if not line.startswith(b"data: "):
            return
        change = orjson.loads(line[6:])
        if change["type"] == "resync":
            for message in await self.messages():
                yield message
        elif change["type"] == "message":
            message = change["message"]
            here = (message["customer_id"], message["phone_number_id"])
            if here == (self.customer, self.number):
                yield message


class Screen:
    """Prints above the line that is being typed, where there is one."""

    def __init__(self, console: Console, *, typing: bool) -> None:
        self._console = console
        self.typing = typing

    def show(self, text: Text) -> None:
        """Print a text."""
        if self.typing:
            self._console.file.write("\r\x1b[K")
        self._console.print(text)
        if self.typing:
            self._console.file.write(PROMPT + get_line_buffer())
            self._console.file.flush()


class Talk:
    """What was shown of a conversation, and the choices that can be tapped."""

    def __init__(self, line: Line, screen: Screen, business: str) -> None:
        self._line = line
        self._screen = screen
        self._business = business
        self._shown: set[str] = set()
        self._choices: list[Choice] = []
        self._offered_by = ""
        self._answered = asyncio.Event()
        self._answered.set()

    async def take_up(self) -> None:
        """Show what was said before."""
        for message in await self._line.messages():
            self._show(message)

    async def listen(self) -> None:
        """Show what arrives, for ever."""
        async for message in self._line.follow():
            if message["id"] not in self._shown:
                self._show(message)
                if message["author"] == "business":
                    with contextlib.suppress(ChatError):
                        await self._line.read()

    async def answered(self) -> None:
        """Wait for the answer to what was sent last; that none comes is believed in the end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), ANSWER_SECONDS)

    async def take(self, typed: str) -> bool:
        """Do what was typed; False ends the chat."""
        text = typed.strip()
        if text in ("/quit", "/exit"):
            return False
        try:
            if text.startswith("/"):
                await self._command(text)
            elif text:
                await self._say(text)
        except ChatError as problem:
            self._screen.show(Text(str(problem), style="red"))
        return True

    async def _say(self, text: str) -> None:
        choice = self._chosen(text)
        self._answered.clear()
        if choice:
            self._show(await self._line.tap(self._offered_by, choice))
        else:
            self._show(await self._line.send(text=text.removeprefix("\\")))

    async def _command(self, text: str) -> None:
        name, _, rest = text[1:].partition(" ")
        if name in SENDABLE:
            self._answered.clear()
            self._show(await self._line.send(kind=name))
        elif name == "later":
            minutes = float(rest) if re.fullmatch(r"\d+(\.\d+)?", rest.strip()) else 15.0
            self._screen.show(Text(f"It is {await self._line.later(minutes)}.", style="dim"))
        else:
            self._screen.show(Text(HELP, style="dim"))

    def _chosen(self, text: str) -> Choice | None:
        if text.isdecimal() and 1 <= int(text) <= len(self._choices):
            return self._choices[int(text) - 1]
        title = re.fullmatch(r"\[(.+)\]|\((.+)\)", text)
        wanted = (title[1] or title[2]) if title else None
        return next((one for one in self._choices if one.title == wanted), None)

    def _show(self, message: dict[str, Any]) -> None:
        if message["id"] in self._shown:
            return
        self._shown.add(message["id"])
        kind, content = message["kind"], message["content"]
        if not (self._screen.typing and typed_already(message)):
            self._screen.show(drawn(message, self._business))
        if message["author"] == "customer":
            return
        self._answered.set()
        if choices := choices_of(kind, content):
            self._choices, self._offered_by = choices, message["id"]


async def chat(
    base_url: str,
    *,
    customer_name: str,
    phone_number_id: str,
    record: Path | None = None,
    lines: AsyncIterator[str] | None = None,
    console: Console | None = None,
) -> None:
    """Chat as a customer until `/quit` or the end of `lines` (the keyboard when there are none).

    A customer of that name is taken up again, else made. Raises ChatError when there is no
    simulator at `base_url` or no such number there.
    """
    console = console or Console()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(base_url))
        business, customer = await meet(session, customer_name, phone_number_id)
        line = Line(session, customer, phone_number_id)
        screen = Screen(console, typing=lines is None and sys.stdin.isatty())
        talk = Talk(line, screen, business)
        screen.show(Text(f"{customer_name} with {business}. /help says more.", style="dim"))
        await talk.take_up()
        listening = asyncio.create_task(talk.listen())
        by_hand = lines is not None or sys.stdin.isatty()
        try:
            async with contextlib.aclosing(keyboard()) as typing:
                async for typed in lines or typing:
                    if not await talk.take(typed):
                        break
                    if not by_hand:
                        await talk.answered()
                    await line.save(record)
        finally:
            with contextlib.suppress(ChatError):
                await line.save(record)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


async def meet(
    session: aiohttp.ClientSession, customer_name: str, phone_number_id: str
) -> tuple[str, str]:
    """The name of the business and the id of the customer."""
    business, customers = await numbers_of(session, phone_number_id)
    for customer in customers:
        if customer["name"] == customer_name:
            return business, str(customer["id"])
    made = await call(session, "POST", "/simulator/customers", {"name": customer_name})
    return business, str(made["id"])


async def numbers_of(
    session: aiohttp.ClientSession, phone_number_id: str
) -> tuple[str, list[dict[str, Any]]]:
    """The name of the business, and all customers; ChatError when there is no such number."""
    world = await call(session, "GET", "/simulator/world")
    numbers = {one["phone_number_id"]: one["name"] for one in world["numbers"]}
    if phone_number_id not in numbers:
        known = ", ".join(f"{name} ({number})" for number, name in numbers.items())
        raise ChatError(f"The simulator has no number {phone_number_id}, only {known}.")
    return str(numbers[phone_number_id]), world["customers"]


async def call(
    session: aiohttp.ClientSession, method: str, path: str, body: Any = None
) -> dict[str, Any]:
    """One call of the simulator's API."""
    try:
        async with session.request(method, path, json=body) as answer:
            value: dict[str, Any] = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise ChatError(UNREACHABLE) from problem
    if answer.status >= 400:
        raise ChatError(str(value.get("error", answer.status)))
    return value


async def keyboard() -> AsyncGenerator[str, None]:
    """Lines typed at the keyboard. A thread reads them, so that nothing else has to wait."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in typed_lines() if sys.stdin.isatty() else piped_lines():
            with contextlib.suppress(RuntimeError):  # the chat is over
                loop.call_soon_threadsafe(typed.put_nowait, line)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(typed.put_nowait, None)

    with terminal_as_it_was():
        threading.Thread(target=read, name="keyboard", daemon=True).start()
        while (line := await typed.get()) is not None:
            yield line


def typed_lines() -> Iterator[str]:
    """Lines until Ctrl-D or Ctrl-C."""
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            yield input(PROMPT)


def piped_lines() -> Iterator[str]:
    """Lines of a file or pipe, read past `sys.stdin`: Python cannot end while a thread is in it."""
    rest = b""
    while piece := os.read(sys.stdin.fileno(), 65_536):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")


@contextlib.contextmanager
def terminal_as_it_was() -> Iterator[None]:
    """Put the terminal back: whoever leaves while a line is being typed leaves its echo off."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def typed_already(message: dict[str, Any]) -> bool:
    """Whether a message stands on the screen because somebody typed it there."""
    return bool(message["author"] == "customer" and message["kind"] == "text")


def drawn(message: dict[str, Any], business: str) -> Text:
    """A message for the screen, with its choices numbered."""
    kind, content = message["kind"], message["content"]
    if message["author"] == "customer":
        said = as_transcript("customer", kind, content).rstrip()
        return Text(printable(said), style="green")
    text = Text(f"{business}: ", style="bold cyan")
    text.append_text(styled(printable(text_of(kind, content))))
    for n, choice in enumerate(choices_of(kind, content), 1):
        text.append(f"\n  {n:>2}  ", style="bold magenta")
        text.append(printable(choice.title), style="not bold default")
        if choice.description:
            text.append(f"  {printable(choice.description)}", style="not bold bright_black")
    return text


def printable(text: str) -> str:
    """A text that can do nothing to a terminal but be read."""
    return "".join(
        char if char == "\n" or char.isprintable() else " " * (category(char) == "Zs")
        for char in text
    )


def styled(source: str) -> Text:
    """WhatsApp's *bold*, _italic_, ~strike~ and ```mono``` for the terminal."""
    text = Text(style="not bold default")
    at = 0
    for found in MARKED.finditer(source):
        text.append(source[at : found.start()])
        if found[1]:
            text.append(found[2], style=MARKS[found[1]])
        else:
            text.append(found[3], style="cyan")
        at = found.end()
    return text.append(source[at:])
