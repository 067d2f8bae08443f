"""Customers who do anything at all, against the whole bot: everything holds after each step."""

from __future__ import annotations

from tests.support.crowd import Stage
from tests.support.random_customers import play


def test_whatever_customers_do_everything_holds(fresh_database_url: str, redis_url: str) -> None:
    with Stage(fresh_database_url, redis_url) as stage:
        play(stage, crowds=6, steps=16)
