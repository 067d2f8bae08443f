"""See how it fares: `usual inbox | timers | waitlist | slots | check | tail | give-back`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from bot.cli.common import Json, read_settings, run

app = typer.Typer()
check_app = typer.Typer(no_args_is_help=True, help="Look for what is wrong; 1 if there is any.")
app.add_typer(check_app, name="check")


@app.command()
def inbox(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    replay_id: Annotated[
        Optional[list[int]],  # noqa: UP045 - typer reads the annotation
        typer.Option("--replay", help="Handle this parked event again."),
    ] = None,
    replay_all: Annotated[bool, typer.Option("--replay-all", help="Handle all of them.")] = False,
    json: Json = False,
) -> None:
    """Show events that were parked because handling them failed, and have them handled again."""
    from bot.operators import parked

    run(
        parked.inbox(
            read_settings(), company=company, ids=replay_id or [], everything=replay_all, json=json
        )
    )


@app.command()
def timers(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    retry: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads the annotation
        typer.Option("--retry", help="Try the parked timer with this key again."),
    ] = None,
    retry_all: Annotated[bool, typer.Option("--retry-all", help="Try all of them again.")] = False,
    next_ones: Annotated[
        int, typer.Option("--next", min=0, help="How many of the next ones to show.")
    ] = 20,
    json: Json = False,
) -> None:
    """Show timers that are due, late, parked because their turns failed, and the next ones."""
    from bot.operators import parked

    run(
        parked.timers(
            read_settings(),
            company=company,
            keys=retry or [],
            everything=retry_all,
            next_ones=next_ones,
            json=json,
        )
    )


@app.command()
def waitlist(
    company: Annotated[int, typer.Option(help="Whose waitlist.")],
    entry: Annotated[int, typer.Option(help="Show the history of this entry.")] = 0,
    offer: Annotated[
        int, typer.Option(help="Offer what is free to this entry, whoever is before it.")
    ] = 0,
    json: Json = False,
) -> None:
    """Show who waits for a place, what is on offer, and what is free for whom."""
    from bot.operators import waitlist as waiting

    run(waiting.show(read_settings(), company=company, entry=entry, offer=offer, json=json))


@app.command("give-back")
def give_back(
    company: Annotated[int, typer.Option()],
    conversation: Annotated[int, typer.Option()],
) -> None:
    """Give a conversation that a person had back to the bot."""
    from bot.operators import parked

    run(parked.give_back(read_settings(), company=company, conversation=conversation))


@app.command()
def slots(
    company: Annotated[int, typer.Option(help="Whose times.")],
    service: Annotated[
        list[int], typer.Option(help="The service's id; several follow each other in one visit.")
    ],
    staff: Annotated[int, typer.Option(help="By this person only.")] = 0,
    since: Annotated[str, typer.Option("--from", help="The first date; default: today.")] = "",
    days: Annotated[int, typer.Option(min=1, max=730)] = 30,
    area: Annotated[
        str, typer.Option(help="As they are told at this postal code, on its clock.")
    ] = "",
    why: Annotated[str, typer.Option(help="Say why this time is not offered.")] = "",
    json: Json = False,
) -> None:
    """Print the times that can be booked, with the time the search took; or why one cannot be."""
    from bot.operators import free_times

    wanted = free_times.Wanted(company, tuple(service), staff or None, since, days, area)
    if why:
        run(free_times.explain(read_settings(), wanted, why, json=json))
    else:
        run(free_times.show(read_settings(), wanted, json=json))


@check_app.command("catalog")
def check_catalog(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0, json: Json = False
) -> None:
    """List what can never be booked, and the rule that stands against it."""
    from bot.operators import checking

    raise typer.Exit(run(checking.catalog(read_settings(), company=company, json=json)))


@check_app.command("times")
def check_times(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0, json: Json = False
) -> None:
    """List visits ahead whose wall time has changed because a time zone's rules did."""
    from bot.operators import checking

    raise typer.Exit(run(checking.times(read_settings(), company=company, json=json)))


@app.command()
def tail(
    file: Annotated[str, typer.Argument(help="A log file, or - for standard input.")] = "-",
    follow: Annotated[bool, typer.Option("--follow", "-f")] = False,
    level: Annotated[str, typer.Option(help="The lowest level to show.")] = "debug",
    event: Annotated[str, typer.Option(help="Only these, such as 'turn.*'.")] = "*",
    company: Annotated[int, typer.Option(help="Only this company.")] = 0,
    conversation: Annotated[int, typer.Option(help="Only this conversation.")] = 0,
) -> None:
    """Read JSON logs in colour."""
    from bot import tail as tailing

    raise typer.Exit(
        tailing.run(
            file,
            follow=follow,
            level=level,
            event=event,
            company=company or None,
            conversation=conversation or None,
        )
    )
