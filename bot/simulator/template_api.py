"""The Graph API of templates: create, list, look at, edit, delete, unpause."""

import asyncio
from typing import Any

from aiohttp import web

from bot.simulator import news
from bot.simulator.errors import NotSimulated, Refusal
from bot.simulator.gate import page, picked, reply, success
from bot.simulator.limits import read_json
from bot.simulator.settings import Pace, Rules
from bot.simulator.tasks import Tasks
from bot.simulator.template_rules import CATEGORIES, read_definition
from bot.simulator.templates import MOST_TEMPLATES, Known, Templates
from storage.clock import Clock

DEFAULT_FIELDS = ("name", "parameter_format", "components", "language", "status", "category", "id")
FILTERS = {"name", "status", "category", "language", "content", "name_or_content", "quality_score"}
PAGING = {"fields", "summary", "limit", "after", "before", "access_token"}
# What Meta knows of a template and this does not keep: left out of answers, as Meta leaves out
# what a template does not have.
ABSENT = {
    "correct_category",
    "cta_url_link_tracking_opted_out",
    "display_format",
    "library_template_name",
    "sub_category",
    "message_send_ttl_seconds",
    "previous_category",
    "degrees_of_freedom_spec",
    "creative_sourcing_spec",
    "is_primary_device_delivery_only",
}


class TemplateApi:
    """Handlers of the template routes; `review` decides about what was created."""

    def __init__(
        self, *, templates: Templates, tasks: Tasks, clock: Clock, pace: Pace, rules: Rules
    ) -> None:
        self._templates = templates
        self._tasks = tasks
        self._clock = clock
        self._pace = pace
        self._rules = rules
        self._tell = templates.tell

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<WABA id>/message_templates`."""
        definition = read_definition(read_json(await request.read()))
        known = self._templates.create(request.match_info["object"], definition)
        self.review(known)
        return reply({"id": known.id, "status": known.status, "category": known.category})

    async def list_all(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<WABA id>/message_templates`."""
        query = request.query
        if unknown := sorted(query.keys() - FILTERS - PAGING):
            raise NotSimulated(f"parameter {unknown[0]} of message_templates")
        rows = [
            self._fields(one, request)
            for one in self._templates.of(request.match_info["object"])
            if fits(one, dict(query))
        ]
        body = page(rows, request)
        if "summary" in query:
            body["summary"] = {
                "total_count": len(rows),
                "message_template_count": len(self._templates.known),
                "message_template_limit": MOST_TEMPLATES,
                "are_translations_complete": True,
            }
        return reply(body)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<WABA id>/message_templates?name=…[&hsm_id=…]`."""
        name = request.query.get("name")
        if not name:
            raise Refusal(100, "The parameter name is required.")
        waba_id = request.match_info["object"]
        self._templates.delete(waba_id, name, request.query.get("hsm_id"))
        return success()

    def look_up(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<template id>`."""
        known = self._templates.with_id(request.match_info["object"])
        return reply(self._fields(known, request))

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<template id>`."""
        known = self._templates.with_id(request.match_info["object"], "post")
        self._templates.edit(known, read_json(await request.read()))
        if known.status == "PENDING":
            self.review(known, edited=True)
        return success(id=known.id, name=known.name, category=known.category)

    async def unpause(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<template id>/unpause`."""
        known = self._templates.with_id(request.match_info["object"], "post")
        if known.status != "PAUSED":
            return reply({"success": False, "reason": "The template is not paused."})
        self._templates.unpause(known)
        return success()

    def review(self, known: Known, *, edited: bool = False) -> None:
        """Decide about a template in a while, unless reviews are on hold."""
        if self._rules.template_review != "hold":
            self._tasks.spawn(self._decide(known, edited=edited))

    def resume(self) -> None:
        """Go on with the reviews that were under way."""
        for known in self._templates.known.values():
            if known.status == "PENDING" and known.waba_id:
                self.review(known)

    async def _decide(self, known: Known, *, edited: bool) -> None:
        await asyncio.sleep(self._pace.review)
        if known.status != "PENDING" or self._templates.known.get(known.id) is not known:
            return
        if self._rules.template_review == "reject":
            self._templates.settle(known, "REJECTED", "INVALID_FORMAT")
            return
        self._templates.settle(known, "APPROVED")
        if edited and known.waba_id:
            self._tell(news.template_components(known, known.waba_id, at=self._clock()))

    def _fields(self, known: Known, request: web.Request) -> dict[str, Any]:
        fields = known.view()
        if "fields" not in request.query:
            return {name: fields[name] for name in DEFAULT_FIELDS}
        return {
            name: value
            for name, value in picked(dict.fromkeys(ABSENT) | fields, request, "a template").items()
            if value is not None
        }


def fits(known: Known, query: dict[str, str]) -> bool:
    """Whether a template is among those asked for."""
    text = " ".join(str(part.get("text", "")) for part in known.components)
    exact = {
        "status": known.status,
        "category": known.category,
        "language": known.language,
        "quality_score": known.quality,
    }
    for name, value in exact.items():
        wanted = {one.strip().upper() for one in query.get(name, "").split(",") if one.strip()}
        if wanted and value.upper() not in wanted:
            return False
    if bad := query.get("category", "").upper():
        unknown = {one.strip() for one in bad.split(",")} - set(CATEGORIES)
        if unknown:
            raise Refusal(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}")
    if query.get("name", "") not in known.name or query.get("content", "") not in text:
        return False
    either = query.get("name_or_content", "")
    return either in known.name or either in text
