"""Conversations as text that a salon owner can read.

    > hi                                 the customer types
    > [Book a visit]                     taps a reply button
    > (Women's cut)                      taps a row of a list
    < What would you like?   (Women's cut | 60 min, $82) (Men's cut)
                                         the business writes, and what can be tapped

Further lines of one message are indented by two spaces.
"""

from typing import Any

from bot.simulator.content import choices_of, text_of
from bot.simulator.model import Author

INDENT = "\n  "
BEFORE_CHOICES = "   "


def as_transcript(author: Author, kind: str, content: Any) -> str:
    """One message in the transcript's words, with the line break at its end."""
    text = text_of(kind, content).replace("\r", "").replace("\n", INDENT)
    if author == "customer":
        return f"> {_tapped(kind, content, text)}\n"
    choices = " ".join(str(choice) for choice in choices_of(kind, content))
    return f"< {text}{BEFORE_CHOICES}{choices}\n" if choices else f"< {text}\n"


def _tapped(kind: str, content: Any, text: str) -> str:
    if kind == "button" or (kind == "interactive" and content["type"] == "button_reply"):
        return f"[{text}]"
    if kind == "interactive" and content["type"] == "list_reply":
        return f"({text})"
    return text
