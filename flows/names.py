"""Names as people write them: in the other alphabet, and names that nobody here has."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from flows import keywords as k
from flows.model import Catalog
from flows.plain import alike, plain, plain_name

_CYRILLIC: Final = {
    **dict(zip("абвгдезийклмнопрстуфх", "abvgdeziiklmnoprstufh", strict=True)),
    "ё": "e",
    "ж": "zh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sh",
    "ъ": "",
    "ы": "i",
    "ь": "",
    "э": "e",
    "ю": "iu",
    "я": "ia",
    "і": "i",
    "ї": "i",
    "є": "e",
    "ґ": "g",
}
_LATIN: Final = (
    ("ck", "k"), ("kh", "h"), ("ph", "f"), ("sch", "sh"), ("x", "ks"), ("q", "k"), ("w", "v"),
    ("dzh", "j"), ("y", "i"), ("ce", "se"), ("ci", "si"), ("ch", "4"), ("sh", "5"), ("zh", "6"),
    ("c", "k"), ("th", "t"), ("ee", "i"), ("oo", "u"), ("ou", "u"),
)  # fmt: skip
_ENDINGS: Final = ("ом", "ем", "ой", "ей", "ам", "ах")
_TWICE: Final = re.compile(r"(.)\1+")
_LEAST_SAID: Final = 3
_LONGEST_NAME: Final = 20
_VOWELS: Final = re.compile("[aeiou]+")


def respelled(said: Sequence[str], catalog: Catalog) -> list[str]:
    """Return words with those of the catalogue's that were written in the other alphabet.

    "к Бекки" means Becky where no Бекки works, "with Anna" Анна where no Anna does.
    """
    names = _other_spellings(catalog)
    if not names:
        return list(said)
    known, meant = _written(catalog), [_meant(word, names) for word in said]
    return [
        other if other and not any(alike(word, one) for one in known) else word
        for word, other in zip(said, meant, strict=True)
    ]


def stranger(
    text: str, said: Sequence[str], known: Collection[str], catalog: Catalog
) -> str | None:
    """Return the name of somebody whom a text asks for and nobody knows: "haircut with Zoe".

    `said` are the text's words in turn, `known` those that mean something. A name follows "with";
    unless it has a capital letter, nothing but what is known follows it.
    """
    team = {word for person in catalog.staff for word in plain_name(person.name).split()}
    for at, word in enumerate(said[:-1]):
        name, after = said[at + 1], said[at + 2 :]
        if word not in k.TO_SOMEBODY.whole or name in known or name in k.NO_NAMES.whole:
            continue
        if not name.isalpha() or not _LEAST_SAID <= len(name) <= _LONGEST_NAME:
            continue
        if any(alike(name, one) for one in team):
            continue
        written = _as_written(text, name)
        if written[:1].isupper() or all(one in known for one in after):
            return written[:1].upper() + written[1:]
    return None


def _as_written(text: str, name: str) -> str:
    return next((word for word in re.findall(r"\w+", text) if plain(word) == name), name)


def _written(catalog: Catalog) -> frozenset[str]:
    """Return all words of the names in a catalogue, as they are written there."""
    found = catalog.memo.get("written")
    if not isinstance(found, frozenset):
        names = [person.name for person in catalog.staff]
        for service in catalog.services:
            names += [service.name, *service.names.values()]
        found = frozenset(word for name in names for word in plain_name(name).split())
        catalog.memo["written"] = found
    return found


def _other_spellings(catalog: Catalog) -> Mapping[str, str]:
    """Map how words of the catalogue sound to the word, marked with the alphabet it is in."""
    found: dict[str, str] | None = catalog.memo.get("sounds")
    if found is None:
        found = {}
        for person in catalog.staff:
            for word in plain_name(person.name).split():
                found.setdefault(_key(word, _sound(word)), word)
        for word in _written(catalog):
            bones = _VOWELS.sub("", _sound(word))
            if len(word) > 4 and len(bones) >= _LEAST_SAID:
                found.setdefault(_key(word, f"~{bones}"), word)
        catalog.memo["sounds"] = found
    return found


def _meant(word: str, names: Mapping[str, str]) -> str | None:
    """Return the word of the catalogue that sounds like this one and has other letters."""
    if not word.isalpha():
        return None
    sound, other = _sound(word), not word.isascii()
    found = names.get(f"{int(other)}{sound}") if len(sound) > 1 else None
    if found is None and len(word) > 4:
        bones = _VOWELS.sub("", sound)
        found = names.get(f"{int(other)}~{bones}") if len(bones) >= _LEAST_SAID else None
    return found


def _key(word: str, sound: str) -> str:
    """Mark a sound with the alphabet of the word: whoever writes in the other one may mean it."""
    return f"{int(word.isascii())}{sound}"


@lru_cache(maxsize=4096)
def _sound(word: str) -> str:
    """Return roughly how a word sounds, without its ending, whatever alphabet it is in."""
    if not word.isascii():
        if len(word) > 4 and word.endswith(_ENDINGS):
            word = word[:-2]
        word = "".join(_CYRILLIC.get(char, char) for char in word)
    for spelling, sound in _LATIN:
        word = word.replace(spelling, sound)
    word = word[:1] + word[1:].replace("h", "")
    return _TWICE.sub(r"\1", word).rstrip("aeiou") or word
