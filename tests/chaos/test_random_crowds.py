"""Crowds of random customers, other ones each time: `CROWDS` and `STEPS` say how many and how long.

What fails is told step by step, with the chats of everybody.
"""

from __future__ import annotations

import os

import pytest

from tests.support.crowd import Stage
from tests.support.random_customers import play

CROWDS, STEPS = int(os.environ.get("CROWDS", "40")), int(os.environ.get("STEPS", "40"))


@pytest.mark.long
@pytest.mark.timeout(CROWDS * 60)
def test_whatever_crowds_do_everything_holds(fresh_database_url: str, redis_url: str) -> None:
    with Stage(fresh_database_url, redis_url) as stage:
        play(stage, crowds=CROWDS, steps=STEPS, by_chance=True)
