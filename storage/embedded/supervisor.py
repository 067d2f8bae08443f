"""Using an embedded server: attach to the one that runs in a folder, else start it.

Each server has a folder with these files:

    access.json   port and password, chosen once
    home/         what belongs to the server; a link if its account cannot enter this folder
    start.lock    held by who is starting or leaving
    users.lock    held, shared, by every process that uses the server
    guard.lock    held by the guard (guard.py) that runs the server
    server.log    what the server and its guard say
"""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import structlog

from storage.embedded import guard
from storage.embedded.locks import EXCLUSIVE, SHARED, is_locked, lock, locked, try_flock, try_lock
from storage.embedded.programs import (
    PUBLIC_HOME,
    EmbeddedError,
    account_for,
    environment,
    last_lines,
    own,
    public_folder,
    reachable,
)
from storage.embedded.servers import Access, Place, Server

log = structlog.get_logger()

PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections: one of these could sit on our port just
when the server wants it back, and could even be a client connected to itself."""

START_SECONDS = 120.0  # recovery after a crash may take most of them
LEAVE_SECONDS = 5.0
STOP_SECONDS = 60.0
GUARD_CHECK_SECONDS = 1.0
LOG_LIMIT_BYTES = 5_000_000


class Seat:
    """One process's use of one server."""

    def __init__(self, server: Server, root: Path) -> None:
        self.server = server
        self.root = root
        self._users: int | None = None
        self._watch: asyncio.Task[None] | None = None

    async def take(self) -> str:
        """Attach to the server, starting it if need be, and return its address."""
        try:
            self._make_root()
            async with locked(self.root / "start.lock", seconds=START_SECONDS):
                self._users = await lock(self.root / "users.lock", SHARED, START_SECONDS)
                await self._bring_up(keep_port=False)
                access = known_access(self.root)
        except OSError as error:
            raise EmbeddedError(f"{self.root} cannot be used: {error}") from error
        if access is None:
            raise EmbeddedError(f"{self.root}/access.json is gone while the server runs: stop it.")
        self._watch = asyncio.create_task(self._replace_guards())
        return self.server.url(access)

    async def leave(self) -> None:
        """Stop using the server; the last one to leave waits until it has stopped."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._users is None:
            return
        try:
            async with locked(self.root / "start.lock", seconds=LEAVE_SECONDS):
                if self._let_go() and self._watch is not None:
                    await self._see_it_stop()
        except (OSError, EmbeddedError):
            log.warning("embedded.left_running", server=self.server.name)
        finally:
            self._let_go()

    def _let_go(self) -> bool:
        """Give up the users lock; whether nobody else has it. Newcomers must be locked out."""
        users, self._users = self._users, None
        if users is None:
            return False
        try:
            # Asking for more gives up what we had, so the guard may have it when we ask for less.
            return try_flock(users, EXCLUSIVE) or not try_flock(users, SHARED)
        finally:
            os.close(users)

    async def _see_it_stop(self) -> None:
        held = try_lock(self.root / "guard.lock", EXCLUSIVE)
        if held is not None:
            await self._start(held)  # its guard was killed: a new one ends what that left behind
        async with asyncio.timeout(STOP_SECONDS):
            while is_locked(self.root / "guard.lock"):
                await asyncio.sleep(0.01)

    async def _replace_guards(self) -> None:
        told = False
        while True:
            await asyncio.sleep(GUARD_CHECK_SECONDS)
            if is_locked(self.root / "guard.lock"):
                continue
            try:
                async with locked(self.root / "start.lock", seconds=START_SECONDS):
                    await self._bring_up(keep_port=True)
                log.info("embedded.guard_replaced", server=self.server.name)
                told = False
            except (OSError, EmbeddedError):
                if not told:
                    log.warning("embedded.guard_lost", server=self.server.name)
                told = True

    async def _bring_up(self, *, keep_port: bool) -> None:
        """See to it that a guard runs the server and that the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            held = try_lock(self.root / "guard.lock", EXCLUSIVE)
            said_before = self._log_size()
            if held is not None:
                await self._start(held)
            if await self._answers(deadline):
                return
            if held is not None:
                await self._after_failure(self._log_since(said_before), keep_port=keep_port)
        raise EmbeddedError(
            f"{self.server.label} did not answer for {START_SECONDS:.0f} s:"
            f" see {self.root / 'server.log'}"
        )

    async def _answers(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            access = known_access(self.root)
            if access is None or await self.server.answers(access):
                return True
            if not is_locked(self.root / "guard.lock"):
                return False
            await asyncio.sleep(0.01)
        return False

    async def _after_failure(self, reason: str, *, keep_port: bool) -> None:
        access = known_access(self.root)
        if "Address already in use" in reason and access and not keep_port:
            write_access(self.root, replace(access, port=free_port()))
        elif "in use" in reason:  # the port, or shared memory that old backends have yet to leave
            await asyncio.sleep(GUARD_CHECK_SECONDS / 5)
        else:
            raise EmbeddedError(f"{self.server.label} did not start: {reason}")

    async def _start(self, held: int) -> None:
        """Start a guard, which inherits `held`, the lock on guard.lock."""
        try:
            place = self._place()
            known = known_access(self.root)
            access = known or Access(port=free_port(), password=secrets.token_hex(24))
            write_access(self.root, access)  # known or not: nobody else may read it
            await self.server.prepare(place, access, known=known is not None)
            self._spawn(self._charge(place, access, held))
        finally:
            os.close(held)

    def _charge(self, place: Place, access: Access, held: int) -> guard.Charge:
        return guard.Charge(
            command=self.server.command(place, access),
            environment=environment(),
            directory=str(place.home),
            uid=place.account.uid if place.account else None,
            gid=place.account.gid if place.account else None,
            log=str(self.root / "server.log"),
            pid_file=str(self.server.pid_file(place)),
            marks=self.server.marks(place),
            stop_signals=[int(number) for number in self.server.stop_signals],
            users=str(self.root / "users.lock"),
            lock=held,
        )

    def _spawn(self, charge: guard.Charge) -> None:
        if self._log_size() > LOG_LIMIT_BYTES:
            os.replace(charge.log, f"{charge.log}.1")
        with open(charge.log, "ab", opener=_private) as said:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__],
                cwd="/",
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,
                pass_fds=(charge.lock,),
            )
        # It outlives us; while we live, somebody has to take note of its end.
        threading.Thread(target=process.wait, daemon=True, name="embedded-guard").start()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(json.dumps(asdict(charge)).encode())

    def _make_root(self) -> None:
        for folder in (self.root.parent, self.root):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _place(self) -> Place:
        home = self.root / "home"
        account = account_for(home)
        made = home.resolve()
        if not made.exists():
            made.mkdir(mode=0o700, parents=True)
            own(made, account)
        if not reachable(made, account):
            if any(made.iterdir()):
                raise EmbeddedError(f"The user that runs {self.server.label} cannot enter {made}.")
            made.rmdir()
            made = PUBLIC_HOME / "data" / secrets.token_hex(8)
            public_folder(made.parent)
            made.mkdir(mode=0o700)
            own(made, account)
            home.symlink_to(made)
        return Place(home=made, account=account)

    def _log_size(self) -> int:
        path = self.root / "server.log"
        return path.stat().st_size if path.exists() else 0

    def _log_since(self, size: int) -> str:
        with open(self.root / "server.log", "rb") as said:
            said.seek(size)
            return last_lines(said.read())


def known_access(root: Path) -> Access | None:
    """How to reach the server of this folder, running or not; None if it was never started."""
    try:
        return Access(**json.loads((root / "access.json").read_text("ascii")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    except PermissionError:
        raise EmbeddedError(f"{root} belongs to another user.") from None


def write_access(root: Path, access: Access) -> None:
    """Record how to reach the server, whole or not at all."""
    unfinished = root / "access.json.unfinished"
    with open(unfinished, "w", encoding="ascii", opener=_private) as file:
        json.dump(asdict(access), file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(root / "access.json")


def free_port() -> int:
    """A port that nobody listens on now; who starts a server there has to see that it is his."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
