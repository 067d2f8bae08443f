"""What comes at the same moment is run together, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.together import Together
from storage.errors import Conflict, Refused


async def doubled(numbers: Sequence[int]) -> list[int]:
    await asyncio.sleep(0)
    return [2 * number for number in numbers]


async def test_what_comes_while_it_is_busy_shares_the_next_run() -> None:
    batches: list[int] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(len(numbers))
        return await doubled(numbers)

    together = Together(run, at_once=1)
    assert await asyncio.gather(*(together.do(n) for n in range(9))) == [2 * n for n in range(9)]
    assert sum(batches) == 9
    assert len(batches) < 9


@pytest.mark.parametrize("at_once", [1, 2])
async def test_nobody_is_forgotten_between_two_runs(at_once: int) -> None:
    together = Together(doubled, at_once=at_once)

    async def keep_asking(number: int) -> None:
        for pause in range(200):
            assert await together.do(number) == 2 * number
            for _ in range((number + pause) % 4):
                await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await asyncio.gather(*(keep_asking(number) for number in range(5)))


async def test_one_that_is_impossible_does_not_harm_its_neighbours() -> None:
    async def run(numbers: Sequence[int]) -> list[int]:
        if 3 in numbers:
            raise Refused("three")
        return await doubled(numbers)

    together = Together(run, at_once=1)
    answers = await asyncio.gather(*(together.do(n) for n in range(6)), return_exceptions=True)
    assert isinstance(answers.pop(3), Refused)
    assert answers == [0, 2, 4, 8, 10]


async def test_trouble_of_the_database_is_everybodys() -> None:
    async def run(numbers: Sequence[int]) -> list[int]:
        raise Conflict

    together = Together(run, at_once=1)
    answers = await asyncio.gather(*(together.do(n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(answer, Conflict) for answer in answers)
