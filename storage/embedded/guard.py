"""The guard of one embedded server: keeps it running while anybody uses it, then stops it.

`supervisor.py` starts this file as a process of its own, detached from the terminal, with a
`Charge` as JSON on standard input. Whoever uses the server holds a shared lock on the users file,
and the kernel drops that lock however the process ends, `kill -9` included. The guard may go when
it gets the lock for itself alone. It is the server's parent: it sees it die at once, whatever pid
files say, and starts it again on the same port. Should the guard itself be killed, Linux passes
the news to the server, which stops; elsewhere the next guard ends what is left.

Nothing but the standard library is imported, so it starts in an instant and needs no packages.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

TICK = 0.05
"""Seconds between two looks at the server and at its users."""

STEADY = 5.0
"""Seconds a server has to run to be started again without delay."""

LONGEST_DELAY = 5.0
"""Seconds between two starts of a server that fails again and again."""

PATIENCE = 30.0
"""Seconds to wait for a polite stop before a firmer signal."""

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Charge:
    """What a guard has to know of its server."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    uid: int | None  # None: the guard's own user
    gid: int | None
    log: str
    pid_file: str  # the first line is the pid; written by the server
    marks: list[str]  # found in the command line of this server, and of no other process
    stop_signals: list[int]  # the polite one first
    users: str
    lock: int  # open file that is locked as long as this guard lives


class Guard:
    """Runs one server."""

    def __init__(self, charge: Charge) -> None:
        self.charge = charge
        self.users = os.open(charge.users, os.O_RDWR)
        self.dismissed = False
        self.set_death_signal = death_signal_setter(charge.stop_signals[0])

    def run(self) -> int:
        """Keep the server running until nobody uses it; the exit code is 1 if it never came up."""
        self._end_remains()
        first, delay, resume = True, TICK, time.monotonic()
        while self._needed():
            if time.monotonic() < resume:
                time.sleep(TICK)
                continue
            began = time.monotonic()
            status = self._serve()
            if first and status > 0:
                return 1  # it said why in its log; whoever started it reads that
            now = time.monotonic()
            delay = TICK if now - began > STEADY else min(delay * 2, LONGEST_DELAY)
            first, resume = False, now + delay
        return 0

    def _serve(self) -> int:
        """Run the server once; its exit status, negative if a signal ended it."""
        server = self._start()
        while (status := server.poll()) is None:
            if self._needed():
                time.sleep(TICK)
            else:
                self._stop(server.pid, lambda: server.poll() is not None)
        return status

    def dismiss(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop the server and go, whoever uses it (a signal handler)."""
        self.dismissed = True

    def _needed(self) -> bool:
        if self.dismissed:
            return False
        try:
            fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False  # and from here on a newcomer waits until this guard is gone

    def _start(self) -> subprocess.Popen[bytes]:
        charge = self.charge
        self._mend_pid_file()
        with open(charge.log, "ab") as log:
            return subprocess.Popen(
                charge.command,
                cwd=charge.directory,
                env=charge.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=charge.uid,
                group=charge.gid,
                extra_groups=None if charge.uid is None else [],
                start_new_session=True,
                preexec_fn=self.set_death_signal,
            )

    def _end_remains(self) -> None:
        """End the server that a killed guard left behind."""
        pid = self._recorded_pid()
        if pid is not None and self._is_ours(pid):
            self._stop(pid, lambda: not self._is_ours(pid))

    def _stop(self, pid: int, ended: Callable[[], bool]) -> None:
        for number in self.charge.stop_signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                if ended():
                    return
                time.sleep(TICK / 5)

    def _recorded_pid(self) -> int | None:
        try:
            return int(Path(self.charge.pid_file).read_text("ascii").partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        command = command_line(pid)
        return all(mark in command for mark in self.charge.marks)

    def _mend_pid_file(self) -> None:
        """Make a pid file that a dead server left no obstacle.

        Its pid may be another process by now, and PostgreSQL would refuse to start beside it. The
        rest of the file must stay: it names the shared memory by which PostgreSQL sees that old
        backends still run. So its pid becomes ours, which PostgreSQL knows as its parent's.
        """
        path = Path(self.charge.pid_file)
        if self._recorded_pid() is None:
            path.unlink(missing_ok=True)  # partly written: the machine stopped in the middle
            return
        rest = path.read_text("ascii", errors="replace").partition("\n")[2]
        with path.open("r+") as file:  # in place: it keeps its owner
            file.write(f"{os.getpid()}\n{rest}")
            file.truncate()


def command_line(pid: int) -> str:
    """The words of a process's command line with spaces around them; blank if there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(b" " + words.replace(b"\0", b" "))
    ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    found = subprocess.run(ps, capture_output=True, check=False)
    return f" {os.fsdecode(found.stdout).strip()} "


def death_signal_setter(number: int) -> Callable[[], None] | None:
    """What a child calls to get this signal when this process dies; None where that is unknown."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes
    except ImportError:  # a Python that was built without libffi
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def main() -> None:
    """Guard the server that standard input describes."""
    charge = Charge(**json.load(sys.stdin))
    os.umask(0o077)
    guard = Guard(charge)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, guard.dismiss)
    code = guard.run()
    os.close(charge.lock)  # before the users file: a newcomer who gets that finds no guard
    sys.exit(code)


if __name__ == "__main__":
    main()
