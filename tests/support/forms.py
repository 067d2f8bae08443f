"""A form with two screens that books a visit, and what uploads one."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tests.support.graph import Graph


def options(**titles: str) -> list[dict[str, str]]:
    return [{"id": key, "title": title} for key, title in titles.items()]


WHAT: dict[str, Any] = {
    "id": "WHAT",
    "title": "Book a visit",
    "data": {"greeting": {"type": "string", "__example__": "Hello"}},
    "layout": {
        "type": "SingleColumnLayout",
        "children": [
            {"type": "TextHeading", "text": "${data.greeting}"},
            {"type": "TextBody", "text": "Tell us what you would like, and for *when*."},
            {
                "type": "Form",
                "name": "what",
                "children": [
                    {
                        "type": "Dropdown",
                        "name": "service",
                        "label": "Service",
                        "required": True,
                        "data-source": options(cut="Women's cut", colour="Colour"),
                    },
                    {
                        "type": "RadioButtonsGroup",
                        "name": "part",
                        "label": "Time of day",
                        "required": True,
                        "data-source": options(morning="Morning", evening="Evening"),
                    },
                    {"type": "DatePicker", "name": "day", "label": "Day", "required": True},
                    {
                        "type": "If",
                        "condition": "${form.service} == 'colour' && ${form.part} != 'x'",
                        "then": [
                            {
                                "type": "CheckboxGroup",
                                "name": "extras",
                                "label": "With it",
                                "data-source": options(wash="Wash", mask="Mask"),
                            }
                        ],
                    },
                    {
                        "type": "Footer",
                        "label": "Go on",
                        "on-click-action": {
                            "name": "navigate",
                            "next": {"type": "screen", "name": "WHO"},
                            "payload": {"service": "${form.service}", "day": "${form.day}"},
                        },
                    },
                ],
            },
        ],
    },
}
WHO: dict[str, Any] = {
    "id": "WHO",
    "title": "About you",
    "terminal": True,
    "data": {},
    "layout": {
        "type": "SingleColumnLayout",
        "children": [
            {"type": "TextSubheading", "text": "For ${data.day}"},
            {
                "type": "TextInput",
                "name": "email",
                "label": "E-mail",
                "input-type": "email",
                "required": True,
                "helper-text": "For the confirmation only",
            },
            {"type": "TextArea", "name": "note", "label": "Anything else?"},
            {"type": "OptIn", "name": "terms", "label": "I agree to the terms", "required": True},
            {
                "type": "Footer",
                "label": "Book it",
                "on-click-action": {
                    "name": "complete",
                    "payload": {
                        "service": "${data.service}",
                        "day": "${data.day}",
                        "part": "${screen.WHAT.form.part}",
                        "extras": "${screen.WHAT.form.extras}",
                        "email": "${form.email}",
                        "note": "${form.note}",
                        "terms": "${form.terms}",
                    },
                },
            },
        ],
    },
}
BOOKING: dict[str, Any] = {"version": "7.3", "screens": [WHAT, WHO]}


def form_message(to: str, **parameters: Any) -> dict[str, Any]:
    """A message with a button that opens a form."""
    given = {"flow_message_version": "3", "flow_cta": "Book a visit", "flow_token": "t-1"}
    action = {"name": "flow", "parameters": given | parameters}
    interactive = {"type": "flow", "body": {"text": "Shall we?"}, "action": action}
    return {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "interactive",
        "interactive": interactive,
    }


class Desk:
    """Whoever manages the forms of an account."""

    def __init__(self, graph: Graph, session: aiohttp.ClientSession) -> None:
        self._graph, self._session = graph, session

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Ask the Graph API; the answer's status and body."""
        url = f"{self._graph.url}/{path}"
        async with self._session.request(method, url, **more) as answer:
            return answer.status, await answer.json()

    async def make(self, name: str = "booking") -> str:
        """A draft; its id."""
        body = {"name": name, "categories": ["APPOINTMENT_BOOKING"]}
        status, answer = await self.call("POST", f"{self._graph.number.waba_id}/flows", json=body)
        assert status == 200, answer
        return str(answer["id"])

    async def upload(self, form_id: str, definition: Any) -> Any:
        """Upload a definition; what is wrong with it."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        form = aiohttp.FormData()
        form.add_field("name", "flow.json")
        form.add_field("asset_type", "FLOW_JSON")
        form.add_field("file", text.encode(), filename="flow.json", content_type="application/json")
        status, answer = await self.call("POST", f"{form_id}/assets", data=form)
        assert status == 200, answer
        return answer["validation_errors"]

    async def published(self, definition: Any = BOOKING) -> str:
        """A form that can be sent; its id."""
        form_id = await self.make()
        assert await self.upload(form_id, definition) == []
        assert await self.call("POST", f"{form_id}/publish") == (200, {"success": True})
        return form_id
