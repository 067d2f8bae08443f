"""Forms of a business (WhatsApp Flows): their life, their definitions, and messages with them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.simulator.form_rules import check
from tests.support.business import Business, graph_client
from tests.support.forms import BOOKING, Desk, form_message
from tests.support.graph import Graph, running_graph
from tests.support.openapi import OPENAPI, complaints
from tests.support.payloads import CORPUS

SAMPLES = CORPUS / "payloads_send" / "flow_json"


@pytest.fixture
def desk(graph: Graph, session: aiohttp.ClientSession) -> Desk:
    return Desk(graph, session)


async def test_a_form_is_made_uploaded_published_and_given_up(
    graph: Graph, desk: Desk, business: Business
) -> None:
    form_id = await desk.make()
    status, refused = await desk.call("POST", f"{form_id}/publish")
    assert (status, refused["error"]["code"]) == (400, 139002), "nothing was uploaded"
    assert await desk.upload(form_id, BOOKING) == []
    _, shown = await desk.call(
        "GET", f"{form_id}?fields=status,json_version,preview.invalidate(false)"
    )
    assert (shown["status"], shown["json_version"]) == ("DRAFT", "7.3")
    _, assets = await desk.call("GET", f"{form_id}/assets")
    url = assets["data"][0]["download_url"]
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert await answer.json() == BOOKING
    assert (await desk.call("POST", f"{form_id}/publish"))[0] == 200
    status, refused = await desk.call("DELETE", form_id)
    assert (status, refused["error"]["code"]) == (400, 139004), "it is no draft any more"
    assert (await desk.call("POST", f"{form_id}/deprecate"))[0] == 200
    _, listed = await desk.call("GET", f"{graph.number.waba_id}/flows")
    assert [(one["id"], one["status"]) for one in listed["data"]] == [(form_id, "DEPRECATED")]
    await business.until(lambda: len(business.values) == 3)
    told = [(one.get("old_status"), one["new_status"]) for one in business.values]
    assert sorted(told, key=str) == sorted(
        [(None, "DRAFT"), ("DRAFT", "PUBLISHED"), ("PUBLISHED", "DEPRECATED")], key=str
    )


async def test_drafts_are_changed_cloned_and_deleted(graph: Graph, desk: Desk) -> None:
    waba, form_id = graph.number.waba_id, await desk.make()
    for body, code in (
        ({"name": "booking", "categories": ["OTHER"]}, 100),
        ({"name": "x", "categories": ["PARTY"]}, 100),
        ({"categories": ["OTHER"]}, 100),
    ):
        status, refused = await desk.call("POST", f"{waba}/flows", json=body)
        assert (status, refused["error"]["code"]) == (400, code)
    await desk.upload(form_id, BOOKING)
    given = {"name": "again", "categories": '["OTHER"]', "clone_flow_id": form_id}
    _, clone = await desk.call("POST", f"{waba}/flows", data=given)
    _, shown = await desk.call("GET", f"{clone['id']}?fields=json_version,categories")
    assert (shown["json_version"], shown["categories"]) == ("7.3", ["OTHER"])
    assert (await desk.call("POST", form_id, json={"name": "renamed"}))[1] == {"success": True}
    assert (await desk.call("DELETE", form_id))[1] == {"success": True}
    assert (await desk.call("GET", form_id))[0] == 400
    at_once = {"name": "one call", "categories": ["OTHER"], "publish": True}
    at_once["flow_json"] = json.dumps(BOOKING)
    _, made = await desk.call("POST", f"{waba}/flows", json=at_once)
    assert (await desk.call("GET", made["id"]))[1]["status"] == "PUBLISHED"
    for method, path in (("POST", f"{waba}/migrate_flows"), ("GET", f"{made['id']}?fields=metric")):
        assert (await desk.call(method, path))[0] == 501


def broken(**change: Any) -> dict[str, Any]:
    """The booking form with its first field changed; None takes a property away."""
    definition = copy.deepcopy(BOOKING)
    field = definition["screens"][0]["layout"]["children"][2]["children"][0]
    for name, value in change.items():
        field[name.replace("_", "-")] = value
    definition["screens"][0]["layout"]["children"][2]["children"][0] = {
        name: value for name, value in field.items() if value is not None
    }
    return definition


@pytest.mark.parametrize(
    ("definition", "error"),
    [
        ("{not json", "INVALID_JSON"),
        ("[1]", "INVALID_JSON"),
        ({"version": "1.0", "screens": BOOKING["screens"]}, "INVALID_PROPERTY_VALUE"),
        ({"version": "7.3"}, "MISSING_REQUIRED_PROPERTY"),
        ({**BOOKING, "extra": 1}, "INVALID_PROPERTY"),
        ({**BOOKING, "screens": BOOKING["screens"][:1]}, "INVALID_NAVIGATION"),
        (
            {**BOOKING, "screens": [*BOOKING["screens"], BOOKING["screens"][1]]},
            "DUPLICATE_SCREEN_IDS",
        ),
        (broken(label=None), "MISSING_REQUIRED_PROPERTY"),
        (broken(label="x" * 21), "INVALID_PROPERTY_VALUE"),
        (broken(initial_text="x"), "INVALID_PROPERTY"),
        (broken(type="Slider"), "INVALID_PROPERTY_VALUE"),
        (broken(data_source=[]), "INVALID_PROPERTY_VALUE"),
        (broken(on_select_action={"name": "data_exchange"}), "INVALID_PROPERTY_VALUE"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_with_a_definition_is_named(definition: Any, error: str) -> None:
    text = definition if isinstance(definition, str) else json.dumps(definition, indent=2)
    found = check(text)
    assert error in {one["error"] for one in found}
    assert all(one["line_start"] >= 1 and one["message"] for one in found)


def test_an_error_says_where_it_is() -> None:
    text = json.dumps(broken(initial_text="typo"), indent=2)
    (found,) = check(text)
    assert '"initial-text": "typo"' in text.splitlines()[found["line_start"] - 1]
    assert found["message"].startswith('The property "initial-text" cannot be specified at "$root/')


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no collection of payloads at {SAMPLES}")
@pytest.mark.parametrize(
    "path", sorted(SAMPLES.glob("flow-json--*.json")), ids=lambda one: one.stem
)
def test_the_forms_that_others_published_are_valid(path: Path) -> None:
    assert check(path.read_text()) == []


async def test_only_forms_that_can_be_opened_are_sent(graph: Graph, desk: Desk) -> None:
    ana = graph.customer()
    await ana.say("hi")
    async with graph_client(graph) as client:

        async def code(**parameters: Any) -> int:
            status, answer = await client.send(form_message(ana.number, **parameters))
            return 0 if status == 200 else int(answer["error"]["code"])

        assert await code(flow_id="any") == 0, "until the business makes one, all are there"
        form_id = await desk.make()
        assert await code(flow_id="any") == 131009
        assert await code(flow_id=form_id) == 131009, "a draft"
        assert await code(flow_id=form_id, mode="draft") == 0
        await desk.upload(form_id, BOOKING)
        await desk.call("POST", f"{form_id}/publish")
        assert await code(flow_name="booking") == 0
        screen = {"screen": "WHAT", "data": {"greeting": "Hello Ana"}}
        assert await code(flow_id=form_id, flow_action_payload=screen) == 0
        assert await code(flow_id=form_id, flow_action_payload={"screen": "NO"}) == 131009
        graph.simulator.forms.settle(graph.simulator.forms.known[form_id], "BLOCKED")
        assert await code(flow_id=form_id) == 132068


@pytest.mark.skipif(not OPENAPI.is_file(), reason=f"no OpenAPI file at {OPENAPI}")
async def test_answers_have_the_shape_that_meta_documents(graph: Graph, desk: Desk) -> None:
    form_id = await desk.make()
    waba = graph.number.waba_id
    errors = await desk.upload(form_id, broken(initial_text="typo"))
    _, flows = await desk.call("GET", f"{waba}/flows")
    for method, documented, body in (
        ("GET", "{WABA-ID}/flows", flows),
        ("POST", "{WABA-ID}/flows", {"id": form_id}),
        ("GET", "{Flow-ID}", (await desk.call("GET", form_id))[1]),
        ("POST", "{Flow-ID}/assets", {"success": True, "validation_errors": errors}),
        ("GET", "{Flow-ID}/assets", (await desk.call("GET", f"{form_id}/assets"))[1]),
        ("DELETE", "{Flow-ID}", (await desk.call("DELETE", form_id))[1]),
    ):
        assert complaints(method, documented, 200, body) == []


async def test_forms_are_there_after_a_restart(tmp_path: Path) -> None:
    memory = tmp_path / "phones.json"
    headers = {"Authorization": "Bearer x"}
    async with (
        running_graph(None, memory=memory) as graph,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        form_id = await Desk(graph, session).published()
    async with running_graph(None, memory=memory) as graph:
        assert graph.simulator.forms.known[form_id].content == BOOKING
