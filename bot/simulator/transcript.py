"""Conversations as text that a salon owner can read.

    > hi                     the customer types; Ben> where there are two customers
    > [Book a visit]         taps a reply button
    > (Women's cut)          taps a row, of the latest list that has it
    > (Women's cut) again    … of the list before that one
    > <voice note>           sends something else
    * 15 minutes pass        the clock is moved
    < What would you like?   the business answers
      (Women's cut | 60 min, $82) (Men's cut)
      – Or just write it
    < (silence)              or does not

Lines without a name are Ana's. They are filled up to a width that fits a page; spaces of whatever
kind are written as one. A customer's own line breaks are written as ⏎, and a text that could be
taken for one of the above begins with a backslash.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from bot.simulator.content import text_of
from bot.simulator.model import Author

WIDTH = 96
DEFAULT_NAME = "Ana"
SILENCE = "(silence)"
NEXT_MORNING = "it is the next morning"
LINE_BREAK = "⏎"
LOOKS_LIKE_MORE = re.compile(r"[\\\[(<]")
UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
SENT = {
    "audio": "voice note",
    "image": "photo",
    "contacts": "contact",
    "unsupported": "poll",
}


def as_transcript(author: Author, kind: str, content: Any, who: str = "", *, older: int = 0) -> str:
    """One message in the transcript's words, with the line break at its end.

    `who` is the customer's name where there are several; `older` how many newer messages offer the
    same as the one that was tapped.
    """
    if author == "customer":
        return f"{who}> {_sent(kind, content)}{' again' * older}\n"
    first, *lines = _written(kind, content) or [""]
    return "\n".join([f"{who}< {first}", *(f"  {line}" for line in lines)]) + "\n"


def silence(who: str = "") -> str:
    """The line that says that nothing was answered."""
    return f"{who}< {SILENCE}\n"


def short_names(names: Sequence[str]) -> list[str]:
    """One word for each customer, all different; none where only Ana is there."""
    if list(names) == [DEFAULT_NAME]:
        return [""]
    short: list[str] = []
    for name in names:
        words = re.findall(r"\w+", name)
        word = words[0] if words else "Customer"
        same = sum(one.rstrip("0123456789") == word for one in short)
        short.append(f"{word}{same + 1}" if same else word)
    return short


def hides_number(who: str = "") -> str:
    """The line that says that businesses see no phone number of a customer."""
    return f"* {who or DEFAULT_NAME} hides the number\n"


def time_passes(by: timedelta) -> str:
    """The line that says how far the clock was moved."""
    seconds = max(1, round(by.total_seconds()))
    unit, size = next((unit, size) for unit, size in UNITS if seconds % size == 0)
    count = seconds // size
    return f"* {count} {unit} passes\n" if count == 1 else f"* {count} {unit}s pass\n"


def _sent(kind: str, content: Any) -> str:
    match kind:
        case "text":
            text = LINE_BREAK.join(" ".join(line.split()) for line in content["body"].splitlines())
            return f"\\{text}" if LOOKS_LIKE_MORE.match(text) else text
        case "button":
            return f"[{_plain(content['text'])}]"
        case "interactive" if content["type"] == "button_reply":
            return f"[{_plain(content['button_reply']['title'])}]"
        case "interactive" if content["type"] == "list_reply":
            return f"({_plain(content['list_reply']['title'])})"
        case "interactive":
            return f"<form> {content['nfm_reply']['response_json']}"
        case "reaction":
            return f"<reaction> {content.get('emoji', '')}".rstrip()
        case _:
            caption = content.get("caption", "") if isinstance(content, dict) else ""
            return f"<{SENT.get(kind, kind)}> {_plain(caption)}".rstrip()


def _written(kind: str, content: Any) -> list[str]:
    """A message of the business: its words, its file, what can be tapped, its footer."""
    match kind:
        case "interactive":
            header, footer = content.get("header", {}), content.get("footer", {}).get("text")
            texts = [header.get("text"), content.get("body", {}).get("text")]
            lines = _paragraphs(texts) + _file(header)
            lines += _choices(content.get("action", {}))
        case "template":
            shown = content["shown"]
            footer = shown.get("footer")
            lines = _paragraphs([shown.get("header"), shown["body"]])
            lines += _filled([f"[{one['title']}]" for one in shown["buttons"]])
        case "document" | "image" | "video":
            footer = None
            lines = _paragraphs([content.get("caption")])
            lines += _file({"type": kind, kind: content})
        case _:
            footer = None
            lines = _paragraphs([text_of(kind, content)])
    return lines + ([f"– {_plain(footer)}"] if footer else [])


def _file(part: dict[str, Any]) -> list[str]:
    match part.get("type"):
        case "document":
            return [f"📄 {part['document'].get('filename', 'document')}"]
        case "image":
            return ["<photo>"]
        case "video":
            return ["<video>"]
        case _:
            return []


def _choices(action: dict[str, Any]) -> list[str]:
    lines = _filled([f"[{one['reply']['title']}]" for one in action.get("buttons", ())])
    sections = action.get("sections", ())
    for section in sections:
        title = [f"{section['title']}:"] if len(sections) > 1 else []
        lines += _filled(title + [_row(row) for row in section.get("rows", ())])
    parameters = action.get("parameters", {})
    shown = parameters.get("display_text") or parameters.get("flow_cta")
    return lines + ([f"[{_plain(shown)}]"] if shown else [])


def _row(row: dict[str, Any]) -> str:
    note = row.get("description")
    return _plain(f"({row['title']} | {note})" if note else f"({row['title']})")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(texts: Iterable[str | None]) -> list[str]:
    """Each line of the texts, filled; an empty one stays."""
    lines = [line for text in texts if text for line in text.split("\n")]
    return [part for line in lines for part in _filled(line.split()) or [""]]


def _filled(items: Sequence[str]) -> list[str]:
    """Put items on lines of a readable width."""
    lines: list[str] = []
    for item in items:
        if not lines or len(lines[-1]) + len(item) >= WIDTH:
            lines.append(item)
        else:
            lines[-1] += f" {item}"
    return lines
