"""Lints what `usual migrate` would run: `python -m tests.support.lint_migrations`.

squawk takes a file for one script, so it gets the up part of each migration, on its own lines.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from storage.migration_files import Migration, load


def lint(migrations: Sequence[Migration], *options: str) -> int:
    """Lint the up parts and say what was found; squawk's exit status."""
    squawk = Path(sys.executable).with_name("squawk")
    config = Path(__file__).parents[2] / ".squawk.toml"
    with tempfile.TemporaryDirectory() as folder:
        for migration in migrations:
            above = "\n" * (migration.up.line - 1)
            Path(folder, f"{migration}.sql").write_text(above + migration.up.sql)
        files = [f"{migration}.sql" for migration in migrations]
        command = [str(squawk), "--config", str(config), *options, *files]
        return subprocess.run(command, cwd=folder, check=False).returncode if files else 0


def main() -> int:
    """Lint all migrations, each as it runs: in a transaction or not."""
    migrations = load()
    within = [migration for migration in migrations if migration.up.transactional]
    alone = [migration for migration in migrations if not migration.up.transactional]
    return lint(within, "--assume-in-transaction") or lint(alone)


if __name__ == "__main__":
    sys.exit(main())
