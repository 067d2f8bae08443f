"""What comes at the same moment is run together, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.together import ENOUGH, LINGER_S, MOST, PATIENCE_S, Together
from storage.errors import Conflict, Refused


async def doubled(numbers: Sequence[int]) -> list[int]:
    await asyncio.sleep(0)
    return [2 * number for number in numbers]


async def rounds_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_while_it_is_busy_shares_the_next_run() -> None:
    batches: list[int] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(len(numbers))
        return await doubled(numbers)

    together = Together(run)
    assert await asyncio.gather(*(together.do(n) for n in range(9))) == [2 * n for n in range(9)]
    assert sum(batches) == 9
    assert len(batches) < 9


async def test_nobody_is_forgotten_between_two_runs() -> None:
    together = Together(doubled)

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

    together = Together(run)
    answers = await asyncio.gather(*(together.do(n) for n in range(6)), return_exceptions=True)
    assert isinstance(answers.pop(3), Refused)
    assert answers == [0, 2, 4, 8, 10]


async def test_trouble_of_the_database_is_everybodys() -> None:
    async def run(numbers: Sequence[int]) -> list[int]:
        raise Conflict

    together = Together(run)
    answers = await asyncio.gather(*(together.do(n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(answer, Conflict) for answer in answers)


async def test_who_is_alone_does_not_wait_for_company() -> None:
    together = Together(doubled, under_way=lambda: 1)
    clock = asyncio.get_running_loop().time
    began = clock()
    for number in range(100):
        assert await together.do(number) == 2 * number
    assert clock() - began < 100 * LINGER_S


async def test_a_batch_waits_for_those_who_are_under_way() -> None:
    batches: list[int] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(len(numbers))
        return await doubled(numbers)

    together = Together(run, under_way=lambda: 3)

    async def come(number: int) -> int:
        for _ in range(5 * number):  # one after the other
            await asyncio.sleep(0)
        return await together.do(number)

    assert await asyncio.gather(*(come(number) for number in range(3))) == [0, 2, 4]
    assert batches == [3]


async def test_a_batch_does_not_wait_for_ever_for_those_who_are_under_way() -> None:
    together = Together(doubled, under_way=lambda: 3)
    async with asyncio.timeout(10):
        assert await together.do(1) == 2
        assert list(await asyncio.gather(together.do(2), together.do(3))) == [4, 6]


async def test_a_run_that_hangs_does_not_hold_up_the_others() -> None:
    free = asyncio.Event()

    async def run(numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            await free.wait()
        return await doubled(numbers)

    together = Together(run)
    hung = asyncio.create_task(together.do(0))
    await asyncio.sleep(PATIENCE_S / 10)  # until it runs
    async with asyncio.timeout(PATIENCE_S + 10):
        assert await together.do(1) == 2
    assert not hung.done()
    free.set()
    assert await hung == 0


async def test_enough_of_them_do_not_wait_for_the_run_before() -> None:
    free = asyncio.Event()
    batches: list[int] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(len(numbers))
        await free.wait()
        return await doubled(numbers)

    together = Together(run)
    busy = asyncio.create_task(together.do(0))
    while not batches:
        await asyncio.sleep(0)
    asked = [asyncio.create_task(together.do(number)) for number in range(ENOUGH)]
    async with asyncio.timeout(PATIENCE_S / 2):
        while batches != [1, ENOUGH]:
            await asyncio.sleep(0)
    free.set()
    assert await asyncio.gather(busy, *asked) == [0, *(2 * number for number in range(ENOUGH))]


async def test_patient_ones_go_with_the_next_who_is_not_or_after_a_while() -> None:
    batches: list[list[int]] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        return await doubled(numbers)

    together = Together(run)
    clock = asyncio.get_running_loop().time
    patient = [asyncio.create_task(together.do(number, patient=True)) for number in (1, 2)]
    await rounds_of_the_loop()
    assert batches == []
    assert await together.do(3) == 6
    assert await asyncio.gather(*patient) == [2, 4]
    assert batches == [[1, 2, 3]]
    began = clock()
    async with asyncio.timeout(PATIENCE_S + 10):
        assert await together.do(4, patient=True) == 8
    assert clock() - began > PATIENCE_S / 2


async def test_enough_patient_ones_wait_for_nobody() -> None:
    together = Together(doubled)
    asked = [asyncio.create_task(together.do(number, patient=True)) for number in range(ENOUGH)]
    await rounds_of_the_loop()
    assert all(one.done() for one in asked)


async def test_large_items_fill_a_batch_sooner() -> None:
    batches: list[list[int]] = []

    async def run(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        return await doubled(numbers)

    together = Together(run, weigh=lambda number: number * MOST / 100)
    sizes = [1, 98, 1, 60, 60, 150, 5]
    answers = await asyncio.gather(*(together.do(size) for size in sizes))
    assert answers == [2 * size for size in sizes]
    assert batches == [[1, 98, 1], [60, 60], [150], [5]]
