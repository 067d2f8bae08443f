"""Which language a customer writes, or asks for.

A text speaks for a language when nearly all its letters are of that language's alphabet and not of
the one spoken so far, or, where alphabets are shared, when its words are. Alphabets and words come
from the catalogues. In doubt nothing changes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from babel import Locale

from flows import asides
from flows import keywords as k
from flows.catalogues import CATALOGUES
from flows.formats import locale_of
from flows.plain import folded, plain
from flows.when_words import VOCABULARIES
from flows.wording import keywords

ASKING_WORDS: Final = keywords("english|in english|speak english|do you speak english")
LETTERS: Final = keywords("abcdefghijklmnopqrstuvwxyz")
"""The alphabet, translated into the language's own."""

_MOSTLY: Final = 0.8
_FEWEST: Final = 3
_EVERYWHERE: Final = frozenset({"stop", "start", "menu", "okay", "bye", "super", "may", "mar"})


def asked_for(text: str) -> str | None:
    """Return the language that a bare text names or asks for."""
    return _NAMES.get(text)


def name_of(language: str) -> str:
    """Return what a language is called by those who speak it."""
    name = locale_of(language).get_language_name(language) or language
    return name[:1].upper() + name[1:]


def written_in(text: str, spoken: str, *, settled: bool) -> str | None:
    """Return the language of a text, if it clearly is another one than the one spoken so far.

    Once a customer's language is settled, one foreign word does not change it.
    """
    letters = [char for char in folded(text) if char.isalpha()]
    if len(letters) < _FEWEST:
        return None
    candidates = [language for language in ALPHABETS if _may_be(language, letters)]
    if spoken not in candidates and len(candidates) == 1 and not _shares_letters(candidates[0]):
        return candidates[0]
    found = set(plain(text).split())
    if len(found & _WORDS.get(spoken, frozenset())) > 0:
        return None
    heard = {language: len(found & _WORDS[language]) for language in candidates}
    best = max(heard, key=lambda language: heard[language], default=spoken)
    enough = heard.get(best, 0) >= 1 and (not settled or len(found) > 1)
    return best if enough and best != spoken else None


def is_foreign(text: str) -> bool:
    """Tell whether a text is written in a script that none of our languages has."""
    scripts = {_script(min(letters)) for letters in ALPHABETS.values()}
    letters = [char for char in folded(text) if char.isalpha()]
    foreign = sum(_script(char) not in scripts for char in letters)
    return len(letters) > 1 and foreign > len(letters) / 2


def _may_be(language: str, letters: Sequence[str]) -> bool:
    """Tell whether a language has nearly all letters, and none of its script that it lacks."""
    foreign = [char for char in letters if char not in ALPHABETS[language]]
    if len(foreign) > (1 - _MOSTLY) * len(letters):
        return False
    own = _script(min(ALPHABETS[language]))
    return all(_script(char) != own for char in foreign)


def _script(char: str) -> str:
    return unicodedata.name(char, "").split(" ")[0]


def _shares_letters(language: str) -> bool:
    """Tell whether a script is used by many languages: Latin letters alone prove nothing."""
    return "a" in ALPHABETS[language]


def _names() -> Mapping[str, str]:
    names = {}
    for language in CATALOGUES:
        own = Locale.parse(language)
        for other in CATALOGUES:
            names[plain(own.get_language_name(other) or language)] = language
        for text in k.translated(ASKING_WORDS, language):
            names[text] = language
    return names


def _words() -> Mapping[str, frozenset[str]]:
    """Gather the words that only one language has."""
    own: dict[str, set[str]] = {}
    named = {**vars(k), **vars(asides)}
    lists = [value for name, value in named.items() if name.endswith("_WORDS")]
    for language in CATALOGUES:
        texts = [text for words in lists for text in k.translated(words, language)]
        if language in VOCABULARIES:
            table = VOCABULARIES[language]
            for phrases in (*table.codes.values(), *table.weekdays, *table.numbers):
                texts += [plain(phrase) for phrase in phrases.split("|")]
        own[language] = {word for text in texts for word in text.split() if len(word) > 1}
    return {
        language: frozenset(
            word
            for word in texts - _EVERYWHERE
            if not any(word in others for other, others in own.items() if other != language)
        )
        for language, texts in own.items()
    }


ALPHABETS: Final = {
    language: frozenset(folded(texts.gettext(LETTERS.source)))
    for language, texts in CATALOGUES.items()
}
"""The letters of every language, folded."""
_NAMES: Final = _names()
_WORDS: Final = _words()
