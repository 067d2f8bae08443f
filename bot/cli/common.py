"""What every command needs: settings, a loop to run in, and trouble told in a sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_settings() -> Settings:
    """The settings, or a sentence about what is wrong with them."""
    from bot.settings import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command; trouble with the environment is told in a sentence, not a traceback.

    What it logs stands aside from what it prints, until it says otherwise (`usual serve` does).
    """
    from bot import logs
    from bot.settings import SettingsError
    from storage.embedded import EmbeddedError
    from storage.errors import Refused, Unavailable

    logs.configure("console", aside=True)
    try:
        if sys.platform == "win32":
            return asyncio.run(work)
        import uvloop

        return uvloop.run(work)
    except (SettingsError, EmbeddedError, Refused, Unavailable) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
