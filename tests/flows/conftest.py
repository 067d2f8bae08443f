"""`pytest tests/flows --update` writes the transcripts anew: read the difference."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer --update."""
    parser.addoption("--update", action="store_true", help="write transcripts as they are now")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Tell whether transcripts are to be written anew."""
    return bool(request.config.getoption("--update", default=False))
