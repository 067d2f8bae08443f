"""The businesses: `usual company | booking | templates`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.common import Json, read_settings, run

app = typer.Typer()
company_app = typer.Typer(no_args_is_help=True, help="Businesses and their WhatsApp numbers.")
booking_app = typer.Typer(no_args_is_help=True, help="Single visits, by the code customers see.")
templates_app = typer.Typer(
    invoke_without_command=True, help="Messages that Meta has to approve: how they stand."
)
app.add_typer(company_app, name="company")
app.add_typer(booking_app, name="booking")
app.add_typer(templates_app, name="templates")


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
    from bot.operators import businesses

    values = dict(locals())
    values.pop("businesses")
    run(businesses.add_company(read_settings(), values))


@company_app.command("list")
def company_list(json: Json = False) -> None:
    """List the businesses."""
    from bot.operators import businesses

    run(businesses.list_companies(read_settings(), json=json))


@company_app.command("rules")
def company_rules(
    company: Annotated[int, typer.Option()],
    json: Json = False,
) -> None:
    """Show the rules of a business: notice, holds, reminders, waitlist and the rest."""
    from bot.operators import rules

    run(rules.show(read_settings(), company=company, json=json))


@company_app.command("set")
def company_set(
    changes: Annotated[
        list[str], typer.Argument(help="NAME=VALUE; NAME= for what is usual.", metavar="RULE...")
    ],
    company: Annotated[int, typer.Option()],
    json: Json = False,
) -> None:
    """Change rules of a business; chats go by them from the next message on."""
    from bot.operators import rules

    run(rules.change(read_settings(), company=company, changes=changes, json=json))


@booking_app.command("no-show")
def booking_no_show(
    code: Annotated[str, typer.Argument(help="The visit's code, such as A1B2C.")],
    company: Annotated[int, typer.Option()],
    undo: Annotated[bool, typer.Option("--undo", help="They came after all.")] = False,
    json: Json = False,
) -> None:
    """Note that nobody came to a visit; counted for its customer, who is not asked how it was."""
    from bot.operators import attendance

    run(
        attendance.no_show(
            read_settings(), company=company, code=code, stayed_away=not undo, json=json
        )
    )


@booking_app.command("came")
def booking_came(
    code: Annotated[str, typer.Argument(help="The visit's code, such as A1B2C.")],
    company: Annotated[int, typer.Option()],
    json: Json = False,
) -> None:
    """Note that they came to a visit, also where it was noted that nobody did."""
    from bot.operators import attendance

    run(
        attendance.no_show(
            read_settings(), company=company, code=code, stayed_away=False, json=json
        )
    )


@booking_app.command("no-shows")
def booking_no_shows(
    company: Annotated[int, typer.Option()],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Of so many days.")] = 30,
    json: Json = False,
) -> None:
    """List the visits to which nobody came, and whether an operator or the rule says so."""
    from bot.operators import attendance

    run(attendance.no_shows(read_settings(), company=company, days=days, json=json))


@booking_app.command("late")
def booking_late(
    company: Annotated[int, typer.Option()],
    json: Json = False,
) -> None:
    """List the visits of today and later whose customers wrote that they will be late."""
    from bot.operators import attendance

    run(attendance.late(read_settings(), company=company, json=json))


@templates_app.callback()
def templates(
    context: typer.Context,
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    json: Json = False,
) -> None:
    """Show how our templates stand at Meta, as far as we know."""
    from bot.operators import approvals

    if context.invoked_subcommand is None:
        run(approvals.show(read_settings(), company=company, json=json))


@templates_app.command("sync")
def templates_sync(
    company: Annotated[int, typer.Option(help="Only this company's.")] = 0,
    json: Json = False,
) -> None:
    """Create at Meta what is missing there, and read how the others stand."""
    from bot.operators import approvals

    raise typer.Exit(run(approvals.synchronise(read_settings(), company=company, json=json)))
