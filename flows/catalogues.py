"""The translations: one gettext catalogue per language, read once when the program starts.

A language is spoken as soon as its file is there: `locales/<language>/LC_MESSAGES/usual.po`. A
template with all texts is made by

    pybabel extract -k sentence -k counted:1,2 -k note -k counted_note:1,2 -k button -k row \\
        -k footer -k keywords -o usual.pot flows
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import GNUTranslations
from importlib import resources
from io import BytesIO
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "en"
"""The language that the sentences are written in."""


def _read() -> Mapping[str, GNUTranslations]:
    found = {}
    for folder in resources.files("flows").joinpath("locales").iterdir():
        file = folder.joinpath("LC_MESSAGES", "usual.po")
        if not file.is_file():
            continue
        compiled = BytesIO()
        with file.open("rb") as text:
            write_mo(compiled, read_po(text, locale=folder.name))
        compiled.seek(0)
        found[folder.name] = GNUTranslations(compiled)
    return {language: found[language] for language in sorted(found)}


CATALOGUES: Final = _read()
"""The translations of every language, by its code."""
