"""What a typed text wishes for: a service, somebody, a day and a time, as far as it says so.

Names come from the catalogue and may be misspelt or inflected a little. Where a text fits several
services equally well, all of them are returned, and the customer is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import date, datetime, time
from functools import lru_cache

from flows import asides
from flows import keywords as k
from flows.asking import local, words
from flows.draft import NO_WISH
from flows.machine import Context
from flows.model import Catalog, Service, Staff, Wish
from flows.names import respelled, stranger
from flows.plain import alike, plain, plain_name
from flows.values import valueclass
from flows.when import Heard, when_in
from flows.when_tokens import Token, read

_NO_TIME = Heard(NO_WISH)
_SMALL = k.FILLERS.whole | k.POLITE.whole
_SHORT = 3
"""Words of fewer letters than this say nothing about a service."""

_ABBREVIATED = 4
"""So many letters may stand for a longer word."""
_NEAR = 2
"""Within so many words of an "and" something else may be named by a part of its name."""


@valueclass(frozen=True, slots=True)
class Wished:
    """What a text says; `services` has more than one where it may mean several."""

    services: tuple[int, ...] = ()
    several: bool = False  # it names two services
    in_turn: bool = False  # and leaves no doubt which: they come as they were named
    staff_id: int | None = None
    anyone: bool = False
    not_by: int | None = None  # whom they do not want
    stranger: str | None = None  # somebody whom nobody knows here
    same_time: bool = False  # as it is now, or was
    wish: Wish = NO_WISH
    from_day: date | None = None
    groups: tuple[tuple[int, ...], ...] = field(default=(), compare=False)  # by what was named

    @property
    def says_when(self) -> bool:
        """Tell whether a day or time was named."""
        return self.wish != NO_WISH or self.from_day is not None


def understand(text: str, ctx: Context) -> Wished | None:
    """Read a wish out of a text; None when there is none in it."""
    tokens = read(_corrected(text), words(ctx).language)
    timely = frozenset(
        word
        for token in tokens
        if token.codes or token.kind != "word"
        for word in token.text.split()
    )
    catalog = ctx.catalog
    said = respelled(plain(text).split(), catalog)
    matches = _meant(said, ctx, timely)
    services = [match.service for match in matches]
    spent = frozenset(word for match in matches for word in match.words)
    several = len({match.words for match in matches}) > 1
    # No word speaks of two of them, so that each was named by itself.
    in_turn = sum(len(match.words) for match in matches) == len(spent)
    staff, named = _staff([word for word in said if word not in spent], catalog, timely)
    anyone = k.ANYONE.has(plain(text))
    heard = _when(tokens, ctx, spent | named) or _NO_TIME
    unknown = None if staff else stranger(text, said, spent | timely | _SMALL, catalog)
    if not (services or staff or anyone or unknown or heard != _NO_TIME):
        return None
    unwanted = staff is not None and _is_excluded(said, named)
    return Wished(
        services=tuple(service.id for service in services),
        several=several,
        in_turn=several and in_turn,
        staff_id=staff.id if staff and not unwanted else None,
        anyone=anyone and (staff is None or unwanted),
        not_by=staff.id if staff and unwanted else None,
        stranger=unknown,
        same_time=k.SAME_TIME.has(plain(text)),
        wish=heard.wish,
        from_day=heard.from_day,
        groups=_grouped(matches),
    )


def _corrected(text: str) -> str:
    """Return what is meant of a text that corrects itself: "10am, no wait, 11am"."""
    said = plain(text)
    for phrase in sorted(asides.CORRECTS.parts, key=len, reverse=True):
        _, found, last = f" {said} ".rpartition(phrase)
        if found and last.strip():
            return f"at {last.strip()}" if last.strip().isdecimal() else last
    return text


def _grouped(matches: Sequence[_Match]) -> tuple[tuple[int, ...], ...]:
    """Return the services by the words that name them: "haircut and manicure" has two kinds."""
    found: dict[frozenset[str], tuple[int, ...]] = {}
    for match in matches:
        found[match.words] = (*found.get(match.words, ()), match.service.id)
    return tuple(found.values())


def _meant(said: Sequence[str], ctx: Context, timely: frozenset[str]) -> list[_Match]:
    """Return the services meant, by their names or by other words for them."""
    matches = _services(said, ctx.catalog, ctx.locale, timely)
    others = [] if matches else _other_words(said)
    return _services(others, ctx.catalog, ctx.locale, timely) if others else matches


def _other_words(said: Sequence[str]) -> list[str]:
    """Return the other words for what was said: a trim is a cut."""
    return [
        word
        for same in (k.CUT, k.NAILS, k.COLOUR)
        if not same.whole.isdisjoint(said)
        for word in sorted(same.whole)
    ]


def _is_excluded(said: Sequence[str], named: frozenset[str]) -> bool:
    """Tell "not with Ben" and "anyone but Ben" from "with Ben"."""
    at = next(n for n, word in enumerate(said) if word in named)
    before = said[max(0, at - 2) : at]
    joined = bool(before) and before[-1] in k.WITH.whole
    before = before[:-1] if joined else before[-1:]
    if joined and before and before[-1] in k.BUT.whole:  # "ok but with Kelly"
        return False
    return bool(before) and before[-1] in k.EXCEPT.whole


def _when(tokens: Sequence[Token], ctx: Context, names: frozenset[str]) -> Heard | None:
    """Read the time out of what is left of a text without the names."""
    return when_in(
        [token for token in tokens if not names.issuperset(token.text.split())],
        now=local(ctx, ctx.now).replace(tzinfo=None),
        locale=words(ctx).tag,
        opening=_opening(ctx),
    )


def _opening(ctx: Context) -> tuple[time, time]:
    """Return the opening hours as the customer's clock shows them."""
    company = ctx.now.astimezone(ctx.catalog.company.zone)
    ahead = local(ctx, ctx.now).replace(tzinfo=None) - company.replace(tzinfo=None)
    if not ahead:
        return ctx.catalog.opening
    opens, closes = (datetime.combine(company, at) + ahead for at in ctx.catalog.opening)
    if not opens.date() == closes.date() == company.date():
        return time.min, time.max
    return opens.time(), closes.time()


@valueclass(frozen=True, slots=True)
class _Match:
    """How well a service's name fits what was said."""

    service: Service
    whole: bool  # every word of the name was said
    weight: int
    words: frozenset[str]  # those that were said, as they were said


def _services(
    said: Sequence[str], catalog: Catalog, locale: str, timely: frozenset[str]
) -> list[_Match]:
    """Return the services meant, with the words that say so, as they were named."""
    named = [(service, service.name_in(locale)) for service in catalog.bookable_services]
    matches = _matches(named, said, timely, _heard)
    whole = [match for match in matches if match.whole]
    if whole:
        chosen = [one for one in whole if not any(one.words < other.words for other in whole)]
    else:
        matches = matches or _matches(named, said, timely, _ending)
        matches = matches or _matches(named, said, timely, _begun)
        if not matches:
            categories = [(service, service.category or "") for service, _ in named]
            matches = _matches(categories, said, timely, _heard)
        most = max((match.weight for match in matches), default=0)
        chosen = [match for match in matches if match.weight == most]
    chosen += _also(named, said, timely, chosen)
    return sorted(chosen, key=lambda match: min(map(said.index, match.words)))


def _also(
    named: Sequence[tuple[Service, str]],
    said: Sequence[str],
    timely: frozenset[str],
    chosen: Sequence[_Match],
) -> list[_Match]:
    """Return what was named beside it in other words: "women's cut and colour"."""
    ands = [at for at, word in enumerate(said) if word in k.AND.whole]
    if not ands or not chosen:
        return []
    spent = timely.union(*(match.words for match in chosen), k.FILLERS.whole, k.AND.whole)
    near = [
        word
        for at, word in enumerate(said)
        if word not in spent and any(abs(at - place) <= _NEAR for place in ands)
    ]
    have = {match.service.id for match in chosen}
    others = [one for one in named if one[0].id not in have]
    more = _matches(others, near, timely, _heard) or _matches(others, near, timely, _ending)
    most = max((match.weight for match in more), default=0)
    return [match for match in more if match.weight == most]


def _matches(
    named: Sequence[tuple[Service, str]],
    said: Sequence[str],
    timely: frozenset[str],
    find: Callable[[str, Sequence[str]], str | None],
) -> list[_Match]:
    initials = {word[0] for word in said}
    found = []
    for service, name in named:
        telling = _telling(name)
        words = {
            word: heard
            for word in telling
            if (find is _ending or word[0] in initials) and (heard := find(word, said))
        }
        whole = find is _heard and len(words) == len(telling)
        if not whole:  # a word about time alone does not mean the "evening make-up"
            words = {word: heard for word, heard in words.items() if heard not in timely}
        if words:
            spoken = frozenset(words.values())
            found.append(_Match(service, whole, sum(map(len, words)), spoken))
    return found


@lru_cache(maxsize=4096)
def _telling(name: str) -> tuple[str, ...]:
    """Return the words of a name that tell it from others."""
    words = [word for word in plain_name(name).split() if word not in k.FILLERS.whole]
    return tuple(word for word in words if len(word) >= _SHORT) or tuple(words)


def _heard(word: str, said: Sequence[str]) -> str | None:
    """Return which of the words said is this one, if need be with a slip or another ending."""
    return word if word in said else next((one for one in said if alike(word, one)), None)


def _begun(word: str, said: Sequence[str]) -> str | None:
    """Return which of the words said this one begins with: a manicure may be called a mani."""
    return next((one for one in said if len(one) >= _ABBREVIATED and word.startswith(one)), None)


def _ending(word: str, said: Sequence[str]) -> str | None:
    """Return which of the words said ends with this one: a cut may be called a haircut."""
    if len(word) < _SHORT:
        return None
    longer = [one for one in said if len(one) > len(word)]
    twice = word + word[-1]  # a key that was hit twice
    ends = (word, twice, f"{word}s")
    return next((one for one in longer if one != twice and one.endswith(ends)), None)


def _staff(
    said: Sequence[str], catalog: Catalog, timely: frozenset[str]
) -> tuple[Staff | None, frozenset[str]]:
    """Return who is meant, if that is clear, and the words that say so."""
    initials = {word[0] for word in said}
    found: list[tuple[int, Staff, frozenset[str]]] = []
    for person in catalog.staff:
        named = frozenset(
            word
            for name in plain_name(person.name).split()
            if name[0] in initials
            for at, word in enumerate(said)
            if _names(name, word, said[at - 1] if at else "", timely)
        )
        if named:
            found.append((len(named), person, named))
    most = max((count for count, _, _ in found), default=0)
    best = [(person, named) for count, person, named in found if count == most]
    return best[0] if len(best) == 1 else (None, frozenset())


def _names(name: str, word: str, before: str, timely: frozenset[str]) -> bool:
    """Tell whether a word is somebody's name: "with May" is, "on May 3" is not."""
    if word in timely:
        return name == word and before in k.WITH.whole
    return name == word or (len(name) >= _SHORT and alike(name, word))
