"""Whether two answers say the same, apart from what another day or another customer changes.

Days, times and booking codes are not compared, and of a list of free days or times only that there
is one: what else it offers depends on how many there are. Everything else is, word by word.
"""

import re
from functools import cache

from babel import Locale

LANGUAGES = ("en", "ru")
RELATIVE_DAYS = ("today", "tomorrow", "сегодня", "завтра", "послезавтра")
WHEN = "‹when›"
CODE = "‹code›"

TIME = re.compile(r"\b\d{1,2}:\d{2}(?:\s?[AP]M\b)?", re.IGNORECASE)
CODED = re.compile(r"(?<=✔ )\S+|^[A-HJ-NP-Z2-9]{4,12}$", re.MULTILINE)
ROW = re.compile(r"\((?P<title>[^()|]+?)(?: \| (?P<note>[^()]*))?\)")
SEVERAL = re.compile(rf"{WHEN}(?:[\s,–-]+{WHEN})+")
SECTION = re.compile(rf"[^\s():]+: (?=\({WHEN}\))")
LIST = re.compile(rf"\({WHEN}\)(?:(?:\s[^\s():]+:)?\s\([^()]+\))+")


def alike(one: str, other: str) -> bool:
    """Whether two messages, as transcripts write them, say the same."""
    return one == other or likeness(one) == likeness(other)


def likeness(message: str) -> str:
    """What is left of a message when days, times and codes are left out."""
    lines = "\n".join(line.strip() for line in message.splitlines())
    text = " ".join(CODED.sub(CODE, lines).split())
    text = SEVERAL.sub(WHEN, _days().sub(WHEN, TIME.sub(WHEN, text)))
    text = ROW.sub(_row, text)
    return LIST.sub(f"({WHEN})", SECTION.sub("", text))


def same_choice(one: str, other: str) -> bool:
    """Whether two choices mean the same, but for the day or time."""
    return _title(one) == _title(other)


def _row(found: re.Match[str]) -> str:
    return f"({WHEN})" if _title(found["title"]) == WHEN else found[0]


def _title(title: str) -> str:
    text = _days().sub(WHEN, TIME.sub(WHEN, " ".join(title.split()).removeprefix("★ ")))
    return SEVERAL.sub(WHEN, text)


@cache
def _days() -> re.Pattern[str]:
    weekdays: set[str] = set(RELATIVE_DAYS)
    months: set[str] = set()
    for language in LANGUAGES:
        locale = Locale(language)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                weekdays |= {str(name) for name in locale.days[context][width].values()}
                months |= {str(name) for name in locale.months[context][width].values()}
    weekday, month = (
        "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        for names in (weekdays, months)
    )
    dated = rf"(?:(?:{month})\.? \d{{1,2}}|\d{{1,2}} (?:{month})\.?)(?:,? \d{{4}})?"
    return re.compile(rf"\b(?:(?:{weekday})\b\.?(?:,? {dated})?|{dated})(?!\w)", re.IGNORECASE)
