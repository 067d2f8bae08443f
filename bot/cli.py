"""The command line: `usual demo | serve | work | migrate | seed | replay | chat | …`.

Every command imports what it needs when it runs: `usual --help` must not load a web server.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A WhatsApp booking bot for businesses that work by appointment.",
    pretty_exceptions_enable=False,
)
seed_app = typer.Typer(no_args_is_help=True, help="Fill the database.")
company_app = typer.Typer(no_args_is_help=True, help="Businesses and their WhatsApp numbers.")
booking_app = typer.Typer(no_args_is_help=True, help="Single visits, by the code customers see.")
templates_app = typer.Typer(
    invoke_without_command=True, help="Messages that Meta has to approve: how they stand."
)
check_app = typer.Typer(no_args_is_help=True, help="Look for what is wrong; 1 if there is any.")
app.add_typer(seed_app, name="seed")
app.add_typer(check_app, name="check")
app.add_typer(company_app, name="company")
app.add_typer(templates_app, name="templates")
app.add_typer(booking_app, name="booking")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def demo() -> None:
    """Run everything, with a simulated WhatsApp and its chat page; needs nothing else."""
    from bot import demo as demonstration

    _run(demonstration.run(_settings()))


@app.command()
def serve(
    no_workers: Annotated[
        bool, typer.Option("--no-workers", help="Receive only; `usual work` does the rest.")
    ] = False,
) -> None:
    """Receive webhooks and take turns: the whole bot in one process."""
    from bot import processes

    _run(processes.serve(_settings(), workers=not no_workers))


@app.command()
def work(
    port: Annotated[
        Optional[int],  # noqa: UP045 - typer reads the annotation
        typer.Option(help="Serve /healthz, /readyz and /metrics on this port."),
    ] = None,
) -> None:
    """Take turns and send, without receiving."""
    from bot import processes

    _run(processes.work(_settings(), port=port))


@app.command()
def migrate(
    down: Annotated[int, typer.Option(min=0, help="Take the newest N migrations back.")] = 0,
    status: Annotated[bool, typer.Option("--status", help="Only say what is applied.")] = False,
) -> None:
    """Bring the database's schema up to date."""
    from bot import operate

    _run(operate.migrations(_settings(), down=down, status=status))


@app.command()
def urls() -> None:
    """Print DATABASE_URL and REDIS_URL of the servers in use, for psql and others."""
    from bot import operate

    raise typer.Exit(operate.urls(_settings()))


@seed_app.command("demo")
def seed_demo() -> None:
    """Make "Salon Lumi" and "A1 Garage Doors"."""
    from bot import operate

    _run(operate.seed_demo(_settings()))


@seed_app.command("load")
def seed_load(
    companies: Annotated[int, typer.Option(min=1)] = 1,
    bookings: Annotated[int, typer.Option(min=0)] = 10_000,
    messages: Annotated[int, typer.Option(min=0)] = 50_000,
    conversations: Annotated[int, typer.Option(min=0)] = 1_000,
) -> None:
    """Make a lot of data, the same each time, and a company for load tests."""
    from bot import operate

    _run(
        operate.seed_load(
            _settings(),
            companies=companies,
            bookings=bookings,
            messages=messages,
            conversations=conversations,
        )
    )


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

    A file holds bodies, changes or values as JSON or JSON Lines.
    """
    from bot import replay as replaying

    plan = replaying.Plan(url, shuffle, duplicate, number)
    raise typer.Exit(_run(replaying.run(_settings(), files, plan, json=json)))


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
    from bot import capture as capturing

    _run(capturing.run(_settings(), file, port=port, target=to, key=key))


@app.command("replay-transcript")
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
    from bot.simulator.playback import run

    settings = _settings()
    base_url = url or f"http://{settings.host}:{settings.simulator_port}"
    raise typer.Exit(_run(run(base_url, files, phone_number_id=number, exact=exact)))


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
    from bot.simulator.terminal import chat as chatting

    settings = _settings()
    base_url = url or f"http://{settings.host}:{settings.simulator_port}"
    _run(chatting(base_url, customer_name=name, phone_number_id=number, record=record))


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
    from bot import operate

    _run(
        operate.inbox(
            _settings(), company=company, ids=replay_id or [], everything=replay_all, json=json
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
    from bot import operate

    _run(
        operate.timers(
            _settings(),
            company=company,
            keys=retry or [],
            everything=retry_all,
            next_ones=next_ones,
            json=json,
        )
    )


@app.command("give-back")
def give_back(
    company: Annotated[int, typer.Option()],
    conversation: Annotated[int, typer.Option()],
) -> None:
    """Give a conversation that a person had back to the bot."""
    from bot import operate

    _run(operate.give_back(_settings(), company=company, conversation=conversation))


@check_app.command("catalog")
def check_catalog(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0, json: Json = False
) -> None:
    """List what can never be booked, and the rule that stands against it."""
    from bot import checking

    raise typer.Exit(_run(checking.catalog(_settings(), company=company or None, json=json)))


@check_app.command("times")
def check_times(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0, json: Json = False
) -> None:
    """List visits ahead whose wall time has changed because a time zone's rules did."""
    from bot import checking

    raise typer.Exit(_run(checking.times(_settings(), company=company or None, json=json)))


@company_app.command("add")
def company_add(
    name: Annotated[str, typer.Option(help="As customers know it.")],
    phone_number_id: Annotated[str, typer.Option(help="Meta's id of the WhatsApp number.")],
    timezone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")],
    waba_id: Annotated[str, typer.Option(help="Meta's id of the WhatsApp account.")] = "",
    vertical: Annotated[str, typer.Option(help="salon, garage or general.")] = "general",
    locale: Annotated[str, typer.Option(help="The language it speaks first.")] = "en",
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "USD",
    country: Annotated[str, typer.Option(help="Such as DE.")] = "US",
    phone: Annotated[str, typer.Option(help="Where customers can call.")] = "",
    address: Annotated[str, typer.Option(help="Where customers come to.")] = "",
) -> None:
    """Add a business and connect its WhatsApp number."""
    from bot import operate

    values = dict(locals())
    values.pop("operate")
    _run(operate.add_company(_settings(), values))


@company_app.command("list")
def company_list(json: Json = False) -> None:
    """List the businesses."""
    from bot import operate

    _run(operate.list_companies(_settings(), json=json))


@booking_app.command("no-show")
def booking_no_show(
    code: Annotated[str, typer.Argument(help="The visit's code, such as A1B2C.")],
    company: Annotated[int, typer.Option()],
    undo: Annotated[bool, typer.Option("--undo", help="They came after all.")] = False,
    json: Json = False,
) -> None:
    """Note that nobody came to a visit; counted for its customer, who is not asked how it was."""
    from bot import attendance

    _run(
        attendance.no_show(_settings(), company=company, code=code, stayed_away=not undo, json=json)
    )


@templates_app.callback()
def templates(
    context: typer.Context,
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    json: Json = False,
) -> None:
    """Show how our templates stand at Meta, as far as we know."""
    from bot import approvals

    if context.invoked_subcommand is None:
        _run(approvals.show(_settings(), company=company, json=json))


@templates_app.command("sync")
def templates_sync(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    json: Json = False,
) -> None:
    """Create at Meta what is missing there, and read how the others stand."""
    from bot import approvals

    raise typer.Exit(_run(approvals.synchronise(_settings(), company=company, json=json)))


@app.command()
def slots(
    company: Annotated[int, typer.Option(help="Whose times.")],
    service: Annotated[
        list[int], typer.Option(help="The service's id; several follow each other in one visit.")
    ],
    staff: Annotated[int, typer.Option(help="By this person only.")] = 0,
    since: Annotated[str, typer.Option("--from", help="The first date; default: today.")] = "",
    days: Annotated[int, typer.Option(min=1, max=730)] = 30,
    why: Annotated[str, typer.Option(help="Say why this time is not offered.")] = "",
    json: Json = False,
) -> None:
    """Print the times that can be booked, with the time the search took; or why one cannot be."""
    from bot import free_times

    wanted = free_times.Wanted(company, tuple(service), staff or None, since, days)
    if why:
        _run(free_times.explain(_settings(), wanted, why, json=json))
    else:
        _run(free_times.show(_settings(), wanted, json=json))


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


def _settings() -> Settings:
    from bot.settings import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command; trouble with the environment is told in a sentence, not a traceback."""
    from bot.settings import SettingsError
    from storage.embedded import EmbeddedError
    from storage.errors import Refused, Unavailable

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


def main() -> None:
    """Run the command line."""
    app()
