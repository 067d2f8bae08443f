"""An owner at work on templates: what they define, and the calls that they make."""

import copy
from typing import Any

import aiohttp

from tests.support.graph import SALON, Graph

TEXT = "Hi {{1}}, we look forward to your visit on {{2}}. Do you come?"
FULL = {
    "name": "visit_soon",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Your visit to {{1}}",
            "example": {"header_text": ["Lumi"]},
        },
        {"type": "BODY", "text": TEXT, "example": {"body_text": [["Ana", "Friday"]]}},
        {"type": "FOOTER", "text": "Salon Lumi"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "I come"},
                {"type": "QUICK_REPLY", "text": "Cancel"},
                {
                    "type": "URL",
                    "text": "Open",
                    "url": "https://example.com/{{1}}",
                    "example": ["https://example.com/1"],
                },
            ],
        },
    ],
}


class Desk:
    """A client of the templates' part of the Graph API."""

    def __init__(self, graph: Graph, session: aiohttp.ClientSession) -> None:
        self.graph, self._session = graph, session

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self._session.request(method, f"{self.graph.url}/{path}", **more) as answer:
            return answer.status, await answer.json()

    async def create(self, body: dict[str, Any]) -> tuple[int, Any]:
        return await self.call("POST", f"{SALON.waba_id}/message_templates", json=body)

    async def approved(self, body: dict[str, Any] = FULL) -> str:
        status, made = await self.create(body)
        assert status == 200, made
        known = self.graph.simulator.templates.known[made["id"]]
        assert await self.graph.simulator.changes.until(lambda: known.status == "APPROVED", 5)
        return str(made["id"])

    async def control(self, path: str, **wish: Any) -> Any:
        url = f"{self.graph.simulator.base_url}/simulator/{path}"
        async with self._session.post(url, json=wish) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


def without(*path: Any) -> dict[str, Any]:
    """The full definition without something."""
    body = copy.deepcopy(FULL)
    found: Any = body
    for key in path[:-1]:
        found = found[key]
    del found[path[-1]]
    return body


def changed(value: Any, *path: Any) -> dict[str, Any]:
    """The full definition with something else at a place."""
    body = copy.deepcopy(FULL)
    found: Any = body
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = value
    return body


def body_text(text: str, *examples: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "BODY", "text": text}
    if examples:
        part["example"] = {"body_text": [list(examples)]}
    return changed([part], "components")


def filled(*values: str, code: str = "en", **more: Any) -> dict[str, Any]:
    """A message that fills the full definition."""
    parameters = [{"type": "text", "text": value} for value in values]
    components = [
        {"type": "header", "parameters": [{"type": "text", "text": "Lumi"}]},
        {"type": "body", "parameters": parameters},
        {
            "type": "button",
            "sub_type": "url",
            "index": "2",
            "parameters": [{"type": "text", "text": "abc"}],
        },
    ]
    body = {"name": "visit_soon", "language": {"code": code}, "components": components}
    return body | more
