"""The embedded servers live as long as anybody uses them, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from storage.embedded import is_running, recorded, running
from tests.support.embedded_servers import (
    guard_pids,
    has,
    leave_a_mark,
    processes_in,
    server_pids,
    sql,
    told,
    until,
)
from tests.support.embedded_user import QUICK, servers_of, user

BOTH = (True, True)
NEITHER = (False, False)


async def test_a_second_start_finds_its_data_under_the_same_address(new_folder: Path) -> None:
    assert recorded(new_folder) is None
    async with running(new_folder, options=QUICK) as first:
        mark = await leave_a_mark(first)
        assert is_running(new_folder)
        assert recorded(new_folder) == first
    assert not is_running(new_folder)
    assert recorded(new_folder) == first
    async with running(new_folder, options=QUICK) as second:
        assert second == first
        assert await has(second, mark) == BOTH


async def test_one_server_can_be_wanted_alone(new_folder: Path) -> None:
    async with running(new_folder, postgres=False) as servers:
        assert servers.database_url == ""
        assert await told(servers, "PING")
    assert not (new_folder / "postgres").exists()


async def test_processes_that_start_at_once_share_the_servers_until_the_last_is_gone(
    new_folder: Path,
) -> None:
    with user(new_folder) as one, user(new_folder) as two, user(new_folder) as three:
        servers = servers_of(three)
        assert servers_of(one) == servers_of(two) == servers
        for process in (one, two):
            process.kill()
            process.wait()
        assert await has(servers, await leave_a_mark(servers)) == BOTH
        three.send_signal(signal.SIGINT)
        assert three.wait() == 0
        assert not is_running(new_folder)


async def test_two_checkouts_that_start_at_once_have_servers_of_their_own(
    new_folder: Path,
) -> None:
    with user(new_folder / "a") as one, user(new_folder / "b") as two:
        first, second = servers_of(one), servers_of(two)
        mark = await leave_a_mark(first)
        assert await has(first, mark) == BOTH
        assert await has(second, mark) == NEITHER


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_whoever_is_told_to_stop_goes_after_the_servers(
    folder: Path, number: signal.Signals
) -> None:
    with user(folder) as process:
        servers_of(process)
        process.send_signal(number)
        assert process.wait() == 0
        assert not is_running(folder)
        assert not processes_in(folder)


async def test_nothing_is_left_when_the_only_user_is_killed(folder: Path) -> None:
    with user(folder) as process:
        mark = await leave_a_mark(servers_of(process))
        process.kill()
        process.wait()
        await until(lambda: not is_running(folder))
        assert not processes_in(folder)
    async with running(folder, options=QUICK) as again:
        assert await has(again, mark) == BOTH


async def test_nothing_is_left_when_a_start_is_killed(new_folder: Path) -> None:
    with user(new_folder) as process:
        await until(lambda: (new_folder / "postgres" / "home" / "cluster.unfinished").exists())
        process.kill()
        process.wait()
    await until(lambda: not is_running(new_folder))
    await until(lambda: not processes_in(new_folder))  # initdb ends what it has begun
    async with running(new_folder, options=QUICK) as servers:
        assert await has(servers, await leave_a_mark(servers)) == BOTH


async def test_data_is_found_again_when_users_and_guards_are_killed(folder: Path) -> None:
    with user(folder) as process:
        mark = await leave_a_mark(servers_of(process))
        for pid in (process.pid, *guard_pids(folder)):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        if sys.platform == "linux":  # elsewhere the next start, below, ends what is left
            await until(lambda: not processes_in(folder))
    async with running(folder, options=QUICK) as again:
        assert await has(again, mark) == BOTH


async def test_servers_that_are_killed_come_back_where_they_were(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
        killed = server_pids(folder)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert await has(servers, mark) == BOTH
        assert not killed & server_pids(folder)


async def test_servers_that_are_told_to_stop_while_used_come_back(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
        stopped = server_pids(folder)
        for pid in stopped:
            os.kill(pid, signal.SIGTERM)
        await until(lambda: len(server_pids(folder) - stopped) == 2)
        assert await has(servers, mark) == BOTH


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_guard_that_goes_is_replaced_while_servers_are_used(
    folder: Path, number: signal.Signals
) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
        gone = guard_pids(folder)
        for pid in gone:
            os.kill(pid, number)
        await until(lambda: len(guard_pids(folder) - gone) == 2)
        assert await has(servers, mark) == BOTH


async def test_settings_of_postgres_are_passed_on(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        assert await sql(servers, "SHOW fsync") == "off"
        assert await sql(servers, "SHOW jit") == "off"


async def test_valkey_keeps_what_it_is_told_and_evicts_nothing(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        for name, value in {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }.items():
            assert await told(servers, "CONFIG", "GET", name) == {name: value}
