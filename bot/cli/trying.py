"""Try it: `usual chat | replay | replay transcript | capture`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from bot.cli.common import Json, read_settings, run

app = typer.Typer()


@app.command()
def chat(
    name: Annotated[str, typer.Option(help="The customer's name.")] = "Ana",
    number: Annotated[
        str, typer.Option(help="phone_number_id of the business.")
    ] = "100000000000001",
    url: Annotated[str, typer.Option(help="The simulator's address.")] = "",
    record: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation
        typer.Option(help="Write the chat as a transcript."),
    ] = None,
) -> None:
    """Chat with the bot of a running demo in the terminal."""
    from bot.simulator.terminal import ChatError
    from bot.simulator.terminal import chat as chatting

    settings = read_settings()
    base_url = url or f"http://{settings.host}:{settings.simulator_port}"
    try:
        run(chatting(base_url, customer_name=name, phone_number_id=number, record=record))
    except ChatError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    url: Annotated[str, typer.Option(help="The webhook; default: HOST and PORT.")] = "",
    shuffle: Annotated[
        Optional[int],  # noqa: UP045 - typer reads the annotation
        typer.Option(metavar="SEED", help="In an order that the seed decides."),
    ] = None,
    duplicate: Annotated[int, typer.Option(min=1, metavar="N", help="Each one N times.")] = 1,
    number: Annotated[str, typer.Option(help="To this phone_number_id, whichever is stored.")] = "",
    json: Json = False,
) -> None:
    """Post stored webhooks to a running bot, signed, and say what became of each event.

    A file holds bodies, changes or values as JSON or JSON Lines. `usual replay transcript` plays
    saved chats instead.
    """
    from bot.operators import replay as replaying

    plan = replaying.Plan(url, shuffle, duplicate, number)
    raise typer.Exit(run(replaying.run(read_settings(), files, plan, json=json)))


@app.command("replay transcript")
def replay_transcript(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    number: Annotated[
        str, typer.Option(help="phone_number_id of the business.")
    ] = "100000000000001",
    url: Annotated[str, typer.Option(help="The simulator's address.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare days, times and booking codes too.")
    ] = False,
) -> None:
    """Play saved chats on new phones of a running demo, and show what is answered differently."""
    from bot.simulator.playback import run as play

    settings = read_settings()
    base_url = url or f"http://{settings.host}:{settings.simulator_port}"
    raise typer.Exit(run(play(base_url, files, phone_number_id=number, exact=exact)))


@app.command()
def capture(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="JSON Lines; added to.")],
    port: Annotated[int, typer.Option(min=0, help="Where Meta posts to; 0: a free one.")] = 8079,
    to: Annotated[str, typer.Option(help="The bot's webhook; default: HOST and PORT.")] = "",
    key: Annotated[
        str, typer.Option(envvar="CAPTURE_KEY", help="The same key, the same pseudonyms.")
    ] = "",
) -> None:
    """Pass webhooks on to a running bot and store them without names, numbers and texts."""
    from bot.operators import capture as capturing

    run(capturing.run(read_settings(), file, port=port, target=to, key=key))
