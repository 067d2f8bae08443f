"""What people type, made comparable: case, accents and punctuation do not matter."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST: Final = 300
"""Of a longer text only the beginning is read: nobody writes a wish that long."""

_OF_A_TURN: Final = 32
"""A turn looks at one text many times."""
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_DRAWN_OUT = re.compile(  # "heyyy", 😂😂
    r"([^\W\d_])\1{2,}|([\U0001F300-\U0001FAFF\u2600-\u27BF])\2+"
)
_NOT_WORDS = re.compile(r"[^\w\U0001F300-\U0001FAFF\u2600-\u27BF]+|[\U0001F3FB-\U0001F3FF]+")


@lru_cache(maxsize=_OF_A_TURN)
def folded(text: str) -> str:
    """Return the text without case and accents, and with its digits as 0-9."""
    text = text[:LONGEST]
    text = _DRAWN_OUT.sub(r"\1\2", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_DIGITS))
        text = "".join(char for char in text if not unicodedata.combining(char))
    return text.casefold()


@lru_cache(maxsize=_OF_A_TURN)
def plain(text: str) -> str:
    """Return the text's words, folded, with one space between them; emoji are words."""
    return " ".join(_NOT_WORDS.sub(" ", folded(text).replace("'", "")).split())


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a name of the catalogue or a title of ours as `plain` does; these come again."""
    return plain(name)


def alike(one: str, other: str) -> bool:
    """Tell whether two folded words are the same but for an ending or a slip of the finger."""
    if one[:1] != other[:1]:
        return False
    if one == other:
        return True
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if len(short) < 4 or len(long) - len(short) > 3:
        return False
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    if same >= len(short) - 2 and same >= 4 - (len(short) == 4):
        return True
    return len(short) >= 5 and _one_slip(short[same:], long[same:])


def _one_slip(short: str, long: str) -> bool:
    """Tell whether one letter was left out, added or mistaken, or two were swapped."""
    if len(short) != len(long):
        return short == long[1:]
    return short[1:] == long[1:] or (short[:2] == long[1::-1] and short[2:] == long[2:])
