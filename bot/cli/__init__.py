"""The command line: `usual demo | serve | work | migrate | seed | replay | chat | …`.

Every command imports what it needs when it runs: `usual --help` must not load a web server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from bot.cli import business, running, trying, watching


class _Commands(TyperGroup):
    """Commands, of which some are called by two words, unless the second one is a file."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take the first word or two for the command's name."""
        if len(args) > 1 and not Path(args[1]).exists():
            two = " ".join(args[:2])
            args = [two, *args[2:]] if two in self.commands else args
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    help="A WhatsApp booking bot for businesses that work by appointment.",
    pretty_exceptions_enable=False,
)
for part in (running, trying, watching, business):
    app.add_typer(part.app)


def main() -> None:
    """Run the command line."""
    app()
