"""The transcripts in `transcripts/`: conversations as a salon owner reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage import play

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(path: Path, update: bool) -> None:
    written = path.read_text("utf-8")
    played = play(written)
    if update:
        path.write_text(played, "utf-8")
    else:
        assert played == written
