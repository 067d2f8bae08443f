"""The command line: `usual demo | serve | work | migrate | seed | replay | chat | …`.

Every command imports what it needs when it runs: `usual --help` must not load a web server.
"""

from __future__ import annotations

import typer

from bot.cli import business, running, trying, watching

app = typer.Typer(
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
