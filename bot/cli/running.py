"""Run it: `usual demo | serve | work | migrate | urls | seed`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from bot.cli.common import read_settings, run

app = typer.Typer()
seed_app = typer.Typer(no_args_is_help=True, help="Fill the database.")
app.add_typer(seed_app, name="seed")


@app.command()
def demo() -> None:
    """Run everything, with a simulated WhatsApp and its chat page; needs nothing else."""
    from bot import demo as demonstration

    run(demonstration.run(read_settings()))


@app.command()
def serve(
    no_workers: Annotated[
        bool, typer.Option("--no-workers", help="Receive only; `usual work` does the rest.")
    ] = False,
) -> None:
    """Receive webhooks and take turns: the whole bot in one process."""
    from bot import processes

    run(processes.serve(read_settings(), workers=not no_workers))


@app.command()
def work(
    port: Annotated[
        Optional[int],  # noqa: UP045 - typer reads the annotation
        typer.Option(help="Serve /healthz, /readyz and /metrics on this port."),
    ] = None,
) -> None:
    """Take turns and send, without receiving."""
    from bot import processes

    run(processes.work(read_settings(), port=port))


@app.command()
def migrate(
    down: Annotated[int, typer.Option(min=0, help="Take the newest N migrations back.")] = 0,
    status: Annotated[bool, typer.Option("--status", help="Only say what is applied.")] = False,
) -> None:
    """Bring the database's schema up to date."""
    from bot.operators import database

    run(database.migrations(read_settings(), down=down, status=status))


@app.command()
def urls() -> None:
    """Print DATABASE_URL and REDIS_URL of the servers in use, for psql and others."""
    from bot.operators import database

    raise typer.Exit(database.urls(read_settings()))


@seed_app.command("demo")
def seed_demo() -> None:
    """Make "Salon Lumi" and "A1 Garage Doors"."""
    from bot.operators import database

    run(database.seed_demo(read_settings()))


@seed_app.command("load")
def seed_load(
    companies: Annotated[int, typer.Option(min=1)] = 1,
    bookings: Annotated[int, typer.Option(min=0)] = 10_000,
    messages: Annotated[int, typer.Option(min=0)] = 50_000,
    conversations: Annotated[int, typer.Option(min=0)] = 1_000,
) -> None:
    """Make a lot of data, the same each time, and a company for load tests."""
    from bot.operators import database

    run(
        database.seed_load(
            read_settings(),
            companies=companies,
            bookings=bookings,
            messages=messages,
            conversations=conversations,
        )
    )
