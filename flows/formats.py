"""How a place and a language write dates, times and money, and how names are made to fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, localedata
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_timezone_location
from babel.numbers import format_currency, get_currency_precision

_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
ELLIPSIS: Final = "…"
SHORTER: Final = ("MMMd", "MEd", "Md")
"""Forms of a date where its weekday, day and month do not fit: from full to short."""
_JOINERS: Final = frozenset({"Mn", "Me", "Mc", "Cf", "Sk"})  # what belongs to the character before


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale:
    """Return Babel's locale for a tag such as `en_US`: else its language's, else English."""
    for name in (tag.replace("-", "_"), tag.replace("-", "_").split("_")[0]):
        try:
            return Locale.parse(name)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


@lru_cache(maxsize=256)
def locale_in(language: str, country: str) -> str:
    """Return the tag of a language as a country writes it, or as it is written anywhere."""
    regional = f"{language}_{country}"
    return regional if localedata.exists(regional) else language


def is_right_to_left(tag: str) -> bool:
    """Tell whether the language is written from right to left."""
    return bool(locale_of(tag).character_order == "right-to-left")


@lru_cache(maxsize=64)
def month_first(tag: str) -> bool:
    """Tell whether 3/12 means March 12 there."""
    return str(locale_of(tag).date_formats["short"].pattern).lstrip("\u200f")[:1] == "M"


@lru_cache(maxsize=4096)
def day_text(tag: str, day: date, *, year: bool = False) -> str:
    """Write a date with its weekday, short: `Sat, Nov 21`."""
    return str(format_skeleton("yMMMEd" if year else "MMMEd", day, locale=locale_of(tag)))


@lru_cache(maxsize=256)
def weekday_text(tag: str, day: date) -> str:
    """Write the day of the week alone, short: `Sat`."""
    return str(format_date(day, "ccc", locale=locale_of(tag)))


@lru_cache(maxsize=4096)
def date_text(tag: str, day: date, form: str) -> str:
    """Write a date in one of the SHORTER forms."""
    return str(format_skeleton(form, day, locale=locale_of(tag)))


@lru_cache(maxsize=4096)
def time_text(tag: str, at: time) -> str:
    """Write a time of day as people there do: `3:30 PM` or `15:30`."""
    return str(format_time(at, "short", locale=locale_of(tag)))


@lru_cache(maxsize=256)
def place_text(tag: str, zone: str) -> str:
    """Name the town that a time zone is called after."""
    place = str(get_timezone_location(zone, locale=locale_of(tag), return_city=True))
    return place.rpartition("/")[2]


def comes_twice(moment: datetime) -> bool:
    """Tell whether a local moment's clocks show its time twice, as when they go back."""
    first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


@lru_cache(maxsize=4096)
def price_text(tag: str, minor: int, currency: str) -> str:
    """Write an amount of minor units, with decimals only where they say something."""
    locale = locale_of(tag)
    digits = get_currency_precision(currency)
    amount = Decimal(minor).scaleb(-digits)
    pattern = locale.currency_formats["standard"].pattern
    if amount == amount.to_integral_value():
        pattern = pattern.replace(".00", "")
        return str(format_currency(amount, currency, pattern, locale, currency_digits=False))
    return str(format_currency(amount, currency, pattern, locale))


def ordinal(tag: str, n: int) -> str:
    """Write a place in a row: `1st`, `2nd`; a number where a sentence can say it with that."""
    if locale_of(tag).language != "en":
        return str(n)
    teens = 10 < n % 100 < 14
    return f"{n}{'th' if teens else _ENDINGS.get(n % 10, 'th')}"


def units(text: str) -> int:
    """Count a text's UTF-16 units: the strictest way in which WhatsApp may count characters."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def capitalised(text: str) -> str:
    """Write the first letter large, and leave the others alone."""
    if text.startswith("\u200f"):  # a mark of the direction comes first
        return text[0] + text[1:2].upper() + text[2:]
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def fit(name: str, limit: int) -> str:
    """Shorten a name to a limit at the end of a word, with an ellipsis; one that fits stays."""
    name = " ".join(name.split()) or "-"
    if units(name) <= limit:
        return name
    kept = name
    while units(kept) > limit - 1:
        kept = kept[:-1]
    while kept and unicodedata.category(name[len(kept)]) in _JOINERS:
        kept = kept[:-1]  # never between a letter and its accent, or inside a joined emoji
    space = kept.rfind(" ")
    if name[len(kept)] != " " and space >= limit // 3:
        kept = kept[:space]
    return kept.rstrip(" ,.;:-–—(/&+…") + ELLIPSIS


def told_apart(names: Sequence[str], limit: int) -> list[str]:
    """Make every name fit; two that would look alike get their ends, or numbers, to differ."""
    short = [fit(name, limit) for name in names]
    if len(set(short)) == len(short):
        return short
    for look in [look for look in dict.fromkeys(short) if short.count(look) > 1]:
        alike = [at for at, text in enumerate(short) if text == look]
        tails = _tails([" ".join(names[at].split()) for at in alike])
        for at, tail in zip(alike, tails, strict=True):
            short[at] = _with_tail(names[at], tail, limit)
    taken: set[str] = set()
    for at, text in enumerate(short):
        number, tried = 1, text
        while tried in taken:
            number += 1
            tried = f"{fit(text, limit - len(f' ({number})'))} ({number})"
        short[at] = tried
        taken.add(tried)
    return short


def _tails(names: Sequence[str]) -> list[str]:
    """Return what follows the words that all names begin with."""
    words = [name.split() for name in names]
    same = 0
    while all(len(w) > same for w in words) and len({w[same] for w in words}) == 1:
        same += 1
    return [" ".join(w[same:]) for w in words]


def _with_tail(name: str, tail: str, limit: int) -> str:
    if not tail or units(name) <= limit:
        return fit(name, limit)
    tail = fit(tail, limit * 2 // 3)
    head = fit(name, limit - units(tail) - 1).removesuffix(ELLIPSIS)
    return f"{head}{ELLIPSIS} {tail}" if units(head) + units(tail) + 2 <= limit else tail
