"""What nobody wrote to us before, at every step: `unseen.txt` has the phrase and how we answer.

A part begins with how the conversation got there, as in a transcript; below stands a phrase in each
line, and what the answer to it begins with. `pytest tests/flows --update` writes the answers anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.happenings import happen
from tests.support.salon import Salon
from tests.support.stage import Stage, send

TABLE = Path(__file__).parent / "unseen.txt"
SHOWN = 70
"""So much of an answer is compared."""
_ARROW = " -> "


def _parts() -> Iterator[tuple[str, list[str], list[tuple[str, str]]]]:
    """Return the parts of the table: name, what went before, and phrases with their answers."""
    for part in TABLE.read_text("utf-8").split("\n== ")[1:]:
        name, *lines = part.splitlines()
        before = [line for line in lines if line.startswith(("* ", "> "))]
        phrases = [line.rpartition(_ARROW) for line in lines if _ARROW in line]
        yield name, before, [(phrase.strip(), answer) for phrase, _, answer in phrases]


def answered(before: list[str], phrase: str) -> str:
    """Return what the answer begins with."""
    stage = Stage(Salon())
    chat = stage.chat("")
    for line in before:
        if line.startswith("* "):
            until = stage.salon.now
            happen(stage.salon, line[2:], chat)
            until, stage.salon.now = stage.salon.now, until
            stage.go_on(until)
        else:
            send(chat, line[2:])
            stage.go_on(stage.salon.now)
    said = send(chat, phrase)
    return " ".join(said[0].text.split())[:SHOWN].rstrip() if said else "(silence)"


@pytest.mark.parametrize(
    ("before", "phrases"), [part[1:] for part in _parts()], ids=[part[0] for part in _parts()]
)
def test_what_nobody_wrote_before_is_answered(
    before: list[str], phrases: list[tuple[str, str]], update: bool
) -> None:
    heard = [(phrase, answered(before, phrase)) for phrase, _ in phrases]
    if update:
        old = "\n".join(f"{phrase}{_ARROW}{answer}" for phrase, answer in phrases)
        new = "\n".join(f"{phrase}{_ARROW}{answer}" for phrase, answer in heard)
        TABLE.write_text(TABLE.read_text("utf-8").replace(old, new), "utf-8")
    else:
        assert heard == phrases
