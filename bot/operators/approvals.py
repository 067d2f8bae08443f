"""`usual templates` and `usual templates sync`: what Meta has approved, and asking for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import product
from typing import Any, Final, Literal

import typer
from rich.console import Console
from rich.table import Table

from bot.moved_clock import clock_of
from bot.operators.common import connected, print_json
from bot.settings import Settings, SettingsError
from bot.whatsapp.client import GraphClient
from bot.whatsapp.errors import GraphError
from bot.whatsapp.fields import identifier, listed, mapped, text
from bot.whatsapp.templates import declaration
from flows.catalogues import CATALOGUES
from flows.templates import TEMPLATES, Template
from flows.values import valueclass
from storage import companies, templates
from storage.companies import CompanyRow
from storage.pool import Connection
from storage.templates import MISSING, UNKNOWN, TemplateNews, TemplateRow

Outcome = Literal["created", "edited", "unchanged", "refused"]

_BEING_READ: Final = frozenset(("PENDING", "IN_APPEAL", "PENDING_DELETION"))
"""While Meta looks at a template it takes no other text."""


@valueclass(frozen=True, slots=True)
class Line:
    """What became of one template of an account; `detail` is Meta's reason for a refusal."""

    waba_id: str
    name: str
    language: str
    outcome: Outcome
    status: str
    category: str | None
    quality: str | None
    detail: str | None
    external_id: str | None


async def show(settings: Settings, *, company: int, json: bool) -> None:
    """Print the templates of all companies, or of one."""
    async with connected(settings) as conn:
        rows = await templates.all_of_them(conn, company or None)
        known = {(row.company_id, row.name, row.language) for row in rows}
        unheard = None, UNKNOWN, None, None, None, clock_of(settings)(), None
        for one in await _chosen(conn, company):
            rows += [
                TemplateRow(one.id, one.waba_id, name, language, *unheard)
                for name, language in product((each.name for each in TEMPLATES), CATALOGUES)
                if (one.id, name, language) not in known
            ]
    rows.sort(key=lambda row: (row.company_id, row.name, row.language))
    if json:
        print_json(rows)
        return
    table = Table("company", "template", "language", "status", "since", "category", "quality")
    for row in rows:
        status = f"{row.status} ({row.rejected_reason})" if row.rejected_reason else row.status
        table.add_row(
            str(row.company_id),
            row.name,
            row.language,
            status,
            f"{row.status_since:%Y-%m-%d %H:%M}" if row.status != UNKNOWN else "",
            row.category or "",
            row.quality or "",
        )
    Console().print(table if rows else "There is no company yet.")


async def synchronise(settings: Settings, *, company: int, json: bool) -> int:
    """Bring Meta's templates and what we know of them together; 1 when something was refused."""
    if settings.whatsapp_access_token is None:
        raise SettingsError("WHATSAPP_ACCESS_TOKEN must be set: see .env.example.")
    lines: list[Line] = []
    troubles: list[str] = []
    async with connected(settings) as conn, GraphClient.open(settings) as client:
        for waba_id, owners in _accounts(await _chosen(conn, company)):
            try:
                found = await sync_account(client, waba_id)
            except GraphError as error:
                troubles.append(f"account {waba_id}: {error} {error.details}".strip())
                continue
            await templates.put(conn, list(_news(found, owners, clock_of(settings)())))
            lines += found
    _print(lines, troubles, json=json)
    return int(bool(troubles) or any(line.outcome == "refused" for line in lines))


async def sync_account(client: GraphClient, waba_id: str) -> list[Line]:
    """Create or edit what an account lacks; GraphError where it cannot even be read."""
    there = {
        (text(row.get("name")), text(row.get("language"))): row
        for row in await client.templates(waba_id)
    }
    return [
        await _sync_one(client, waba_id, template, language, there.get((template.name, language)))
        for template, language in product(TEMPLATES, CATALOGUES)
    ]


async def _sync_one(
    client: GraphClient,
    waba_id: str,
    template: Template,
    language: str,
    row: Mapping[str, Any] | None,
) -> Line:
    declared = declaration(template, language)
    if row is None:
        try:
            made = await client.create_template(waba_id, declared)
        except GraphError as error:
            return _line(waba_id, template, language, "refused", {"status": MISSING}, error)
        return _line(waba_id, template, language, "created", {"status": "PENDING", **made})
    template_id = identifier(row.get("id"))
    if template_id is None or _same(row, declared) or row.get("status") in _BEING_READ:
        return _line(waba_id, template, language, "unchanged", row)
    # The category stays as it was approved: asking for another one is refused.
    try:
        await client.edit_template(template_id, {"components": declared["components"]})
    except GraphError as error:
        return _line(waba_id, template, language, "refused", row, error)
    return _line(waba_id, template, language, "edited", {**row, "status": "PENDING"})


def _line(
    waba_id: str,
    template: Template,
    language: str,
    outcome: Outcome,
    row: Mapping[str, Any],
    error: GraphError | None = None,
) -> Line:
    reason = text(row.get("rejected_reason"))
    detail = f"{error.code}: {error.details}" if error else reason if reason != "NONE" else ""
    return Line(
        waba_id=waba_id,
        name=template.name,
        language=language,
        outcome=outcome,
        status=text(row.get("status")).upper() or UNKNOWN,
        category=text(row.get("category")).upper() or None,
        quality=text(mapped(row.get("quality_score")).get("score")).upper() or None,
        detail=detail or None,
        external_id=identifier(row.get("id")),
    )


def _same(row: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    """Tell whether Meta has the texts that we have; examples and formats are its own business."""
    return _texts(listed(row.get("components"))) == _texts(declared["components"])


def _texts(components: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in map(mapped, components):
        kind = text(part.get("type")).upper()
        titles = [text(mapped(one).get("text")) for one in listed(part.get("buttons"))]
        found[kind] = titles if kind == "BUTTONS" else text(part.get("text"))
    return found


def _accounts(owners: Sequence[CompanyRow]) -> Iterator[tuple[str, list[CompanyRow]]]:
    """Put companies together that share an account."""
    accounts: dict[str, list[CompanyRow]] = {}
    for one in owners:
        if one.waba_id is not None:
            accounts.setdefault(one.waba_id, []).append(one)
    yield from accounts.items()


async def _chosen(conn: Connection, company: int) -> list[CompanyRow]:
    found = [one for one in await companies.all_of_them(conn) if company in (0, one.id)]
    if company and not found:
        raise SettingsError(f"There is no company {company}.")
    if company and found[0].waba_id is None:
        raise SettingsError(f"Company {company} has no WhatsApp account: set its waba_id.")
    return found


def _news(
    lines: Sequence[Line], owners: Sequence[CompanyRow], now: datetime
) -> Iterator[TemplateNews]:
    for line, owner in product(lines, owners):
        yield TemplateNews(
            owner.id,
            line.name,
            line.language,
            now,
            status=line.status,
            category=line.category,
            quality=line.quality,
            rejected_reason=line.detail if line.status == "REJECTED" else None,
            external_id=line.external_id,
            synced_at=now,
        )


def _print(lines: Sequence[Line], troubles: Sequence[str], *, json: bool) -> None:
    for trouble in troubles:
        typer.echo(trouble, err=True)
    if json:
        found = [asdict(line) for line in lines]
        print_json(found)
        return
    table = Table("account", "template", "language", "done", "status", "category", "why")
    for line in lines:
        table.add_row(
            line.waba_id,
            line.name,
            line.language,
            line.outcome,
            line.status,
            line.category or "",
            line.detail or "",
        )
    Console().print(table if lines else "No company has a WhatsApp account (waba_id).")
