"""The two servers that can be embedded: how each is made, started, addressed and asked."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import asyncpg

from storage.embedded.programs import (
    Account,
    EmbeddedError,
    own,
    postgres_programs,
    run,
    valkey_program,
)

POSTGRES_MAJOR = "18"

LONGEST_PATH = 900
"""Bytes in the path of a cluster: PostgreSQL has room for 1023, file names included."""

ANSWER_TIMEOUT = 2.0
"""Seconds a server has to answer one attempt to reach it."""

POSTGRES_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths may have 107 bytes only
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_compression": "off",  # this build has only pglz, which costs more than it saves
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_vacuum_cost_delay": "10ms",  # it shares its cores with the bot
    "update_process_title": "off",
    "client_connection_check_interval": "2s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",  # says how the server fares; a failed statement is its sender's
    "log_min_error_statement": "panic",  # statements and details hold what customers wrote
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}

VALKEY_CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
pidfile {pid_file}
set-proc-title no
loglevel warning
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives and who it is."""

    home: Path
    account: Account | None  # None: ourselves


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a server."""

    port: int
    password: str = field(repr=False)


class Server(Protocol):
    """What the supervisor has to know of a server."""

    name: ClassVar[str]
    label: ClassVar[str]
    stop_signals: ClassVar[Sequence[int]]

    def url(self, access: Access) -> str:
        """The address for clients."""

    def pid_file(self, place: Place) -> Path:
        """Where the server writes its pid."""

    def marks(self, place: Place) -> list[str]:
        """What only this server's command line has."""

    async def prepare(self, place: Place, access: Access, *, known: bool) -> None:
        """Make what the server needs to start; `known`: what is there has this password."""

    def command(self, place: Place, access: Access) -> list[str]:
        """The command that runs the server in the foreground."""

    async def answers(self, access: Access) -> bool:
        """Whether the server that listens there is this one and takes commands."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """PostgreSQL with one database and one role, both named `usual`."""

    name: ClassVar[str] = "postgres"
    label: ClassVar[str] = "PostgreSQL"
    stop_signals: ClassVar[Sequence[int]] = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    options: Mapping[str, str] = field(default_factory=dict)

    def url(self, access: Access) -> str:
        """The address for clients."""
        return f"postgresql://usual:{access.password}@127.0.0.1:{access.port}/usual"

    def pid_file(self, place: Place) -> Path:
        """Where the server writes its pid."""
        return self._cluster(place) / "postmaster.pid"

    def marks(self, place: Place) -> list[str]:
        """What only this server's command line has."""
        return ["bin/postgres ", f" -D {self._cluster(place)} "]

    async def prepare(self, place: Place, access: Access, *, known: bool) -> None:
        """Make the cluster if there is none; one that was not finished never got its name."""
        cluster = self._cluster(place)
        shutil.rmtree(self._unfinished(place), ignore_errors=True)
        if not cluster.exists():
            await self._make(place, access)
            return
        cluster.chmod(0o700)  # PostgreSQL insists, and a checkout may have been opened to all
        version = (cluster / "PG_VERSION").read_text("ascii").strip()
        if version != POSTGRES_MAJOR:
            raise EmbeddedError(
                f"{cluster} was made by PostgreSQL {version}, and this is {POSTGRES_MAJOR}: dump it"
                " with the old version, or choose another DATA_DIR."
            )
        if not known:
            statement = f"ALTER ROLE usual PASSWORD '{access.password}'"
            await self._single_user(place, cluster, statement)

    def command(self, place: Place, access: Access) -> list[str]:
        """The command that runs the server in the foreground."""
        options = {**POSTGRES_OPTIONS, "port": str(access.port), **self.options}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        program = str(postgres_programs(place.account) / "postgres")
        return [program, "-D", str(self._cluster(place)), *settings]

    async def answers(self, access: Access) -> bool:
        """Whether the server that listens there is this one and takes commands."""
        try:
            connection = await asyncpg.connect(self.url(access), timeout=ANSWER_TIMEOUT, ssl=False)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close(timeout=ANSWER_TIMEOUT)
        return True

    def _cluster(self, place: Place) -> Path:
        return place.home / "cluster"

    def _unfinished(self, place: Place) -> Path:
        return place.home / "cluster.unfinished"

    async def _make(self, place: Place, access: Access) -> None:
        unfinished = self._unfinished(place)
        if len(str(unfinished).encode()) > LONGEST_PATH:
            raise EmbeddedError(f"{unfinished} is too long a path: choose another DATA_DIR.")
        unfinished.mkdir(mode=0o700)
        own(unfinished, place.account)
        words = ["initdb", "-D", str(unfinished), "-U", "usual", "--pwfile=/dev/stdin"]
        words += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", "--locale=C"]
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # as told: 'Ж' has a 'ж'
        if self.options.get("fsync") == "off":
            words.append("--no-sync")
        await self._run(place, words, access.password)
        await self._single_user(place, unfinished, "CREATE DATABASE usual")
        unfinished.rename(self._cluster(place))

    async def _single_user(self, place: Place, cluster: Path, statement: str) -> None:
        words = ["postgres", "--single", "-D", str(cluster), "template1"]
        await self._run(place, words, statement)

    async def _run(self, place: Place, words: list[str], text: str) -> None:
        program = postgres_programs(place.account) / words[0]
        status, output = await run([str(program), *words[1:]], place.account, text)
        if status != 0:
            raise EmbeddedError(f"PostgreSQL could not be set up: {output}")


@dataclass(frozen=True, slots=True)
class Valkey:
    """Valkey that keeps what it is told and never evicts."""

    name: ClassVar[str] = "valkey"
    label: ClassVar[str] = "Valkey"
    stop_signals: ClassVar[Sequence[int]] = (signal.SIGTERM, signal.SIGKILL)

    def url(self, access: Access) -> str:
        """The address for clients."""
        return f"redis://:{access.password}@127.0.0.1:{access.port}/0"

    def pid_file(self, place: Place) -> Path:
        """Where the server writes its pid."""
        return place.home / "valkey.pid"

    def marks(self, place: Place) -> list[str]:
        """What only this server's command line has."""
        return ["valkey-server ", f" {self._config(place)} "]

    async def prepare(self, place: Place, access: Access, *, known: bool) -> None:
        """Write the configuration; the password is in no command line."""
        config = self._config(place)
        config.unlink(missing_ok=True)
        config.touch(mode=0o600)
        own(config, place.account)
        config.write_text(
            VALKEY_CONFIG.format(
                port=access.port, password=access.password, pid_file=self.pid_file(place).name
            )
        )

    def command(self, place: Place, access: Access) -> list[str]:
        """The command that runs the server in the foreground."""
        return [str(valkey_program(place.account)), str(self._config(place))]

    async def answers(self, access: Access) -> bool:
        """Whether the server that listens there is this one and takes commands."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                reader, writer = await asyncio.open_connection("127.0.0.1", access.port)
                try:
                    writer.write(f"AUTH {access.password}\r\nPING\r\n".encode())
                    return [await reader.readline() for _ in range(2)] == [b"+OK\r\n", b"+PONG\r\n"]
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError):
            return False

    def _config(self, place: Place) -> Path:
        return place.home / "valkey.conf"
