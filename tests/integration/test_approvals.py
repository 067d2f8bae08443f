"""`usual templates` against a Graph API that keeps templates: created, read, edited, refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.operators import approvals
from bot.operators.approvals import Line, sync_account
from bot.settings import Settings
from bot.simulator import Pace, Template
from bot.whatsapp.client import GraphClient
from bot.whatsapp.errors import GraphError
from flows.catalogues import CATALOGUES
from flows.templates import TEMPLATES
from storage.pool import Connection
from tests.support.graph import SALON, Graph, running_graph

WABA = SALON.waba_id
ALL = {(template.name, language) for template in TEMPLATES for language in CATALOGUES}


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with running_graph(pace=Pace.instant()) as running:
        yield running


@pytest.fixture
def settings(graph: Graph, database_url: str, redis_url: str) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        whatsapp_api_url=graph.simulator.base_url,
        whatsapp_access_token=SecretStr("token"),
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[GraphClient]:
    async with GraphClient.open(settings) as opened:
        yield opened


async def outcomes(client: GraphClient) -> dict[tuple[str, str], Line]:
    return {(line.name, line.language): line for line in await sync_account(client, WABA)}


async def test_what_is_missing_is_created_once(client: GraphClient) -> None:
    first = await outcomes(client)
    assert set(first) == ALL
    assert {line.outcome for line in first.values()} == {"created"}
    assert {line.category for line in first.values()} == {"UTILITY", "MARKETING"}
    second = await outcomes(client)
    assert {line.outcome for line in second.values()} == {"unchanged"}
    assert [line.external_id for line in second.values()] == [
        line.external_id for line in first.values()
    ]


async def test_a_long_list_is_read_to_its_end(client: GraphClient, graph: Graph) -> None:
    for n in range(120):
        graph.simulator.templates.declare(Template(f"other_{n}", "Somebody else says this"))
    await outcomes(client)
    assert len(await client.templates(WABA)) == 120 + len(ALL)
    assert {line.outcome for line in (await outcomes(client)).values()} == {"unchanged"}


async def test_a_text_that_somebody_changed_at_meta_is_set_right(
    client: GraphClient, graph: Graph
) -> None:
    changed = (await outcomes(client))["usual_person", "en"]
    known = graph.simulator.templates.known[changed.external_id or ""]
    known.status = "APPROVED"
    known.components[0]["text"] = "Something quite different {{1}} altogether, dear customer"
    found = (await outcomes(client))["usual_person", "en"]
    assert found.outcome == "edited"
    assert (await outcomes(client))["usual_person", "en"].outcome == "unchanged"


async def test_an_account_that_is_not_there_says_so(client: GraphClient) -> None:
    with pytest.raises(GraphError):
        await sync_account(client, "404")


async def test_what_was_learned_is_shown(
    conn: Connection, settings: Settings, graph: Graph, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for number in ("101", "102"):
        await conn.execute(
            "INSERT INTO companies (name, timezone, phone_number_id, waba_id)"
            " VALUES ('Lumi', 'UTC', $1, $2)",
            number,
            WABA,
        )
    await approvals.show(settings, company=0, json=True)
    before = json.loads(capsysbinary.readouterr().out)
    assert {row["status"] for row in before} == {"UNKNOWN"}
    assert len(before) == 2 * len(ALL)
    assert await approvals.synchronise(settings, company=0, json=True) == 0
    capsysbinary.readouterr()
    for known in graph.simulator.templates.known.values():
        known.status = "REJECTED" if known.name == "usual_rebook" else "APPROVED"
        known.reason = "INVALID_FORMAT" if known.name == "usual_rebook" else "NONE"
    await approvals.synchronise(settings, company=0, json=True)
    capsysbinary.readouterr()
    await approvals.show(settings, company=0, json=True)
    after = json.loads(capsysbinary.readouterr().out)
    assert {(row["status"], row["rejected_reason"]) for row in after} == {
        ("APPROVED", None),
        ("REJECTED", "INVALID_FORMAT"),
    }
    assert {row["company_id"] for row in after} == {row["company_id"] for row in before}
