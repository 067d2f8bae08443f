"""The Graph API of forms: make, list, look at, change, upload, publish, give up, delete.

And for the chat page, `GET /simulator/forms/<message id>`: {"name", "definition"} of the form that
a message opens, both null where nobody has uploaded it.
"""

from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web

from bot.simulator.account_api import only
from bot.simulator.accounts import APP, Accounts
from bot.simulator.content import form_of
from bot.simulator.errors import NotSimulated, Refusal
from bot.simulator.forms import CATEGORIES, Form, Forms
from bot.simulator.gate import page, picked, reply, success
from bot.simulator.limits import read_json
from bot.simulator.phones import answer
from bot.simulator.world import World

DEFAULT_FIELDS = ("id", "name", "status", "categories", "validation_errors")
CREATES = {"name", "categories", "endpoint_uri", "clone_flow_id", "flow_json", "publish"}
CHANGES = {"name", "categories", "endpoint_uri", "application_id"}
UPLOADS = {"name", "asset_type", "file"}
LARGEST = 10 * 1024 * 1024
PREVIEW_LASTS = timedelta(days=30)


class FormApi:
    """Handlers of the routes of forms."""

    def __init__(self, *, forms: Forms, accounts: Accounts, world: World, base_url: Any) -> None:
        self._forms = forms
        self._accounts = accounts
        self._world = world
        self._base_url = base_url

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<WABA id>/flows`."""
        waba_id, given = request.match_info["object"], await parameters(request)
        only(given, CREATES, "flows")
        if not given.get("name"):
            raise Refusal(100, "The parameter name is required.")
        original = None
        if given.get("clone_flow_id"):
            original = self._forms.with_id(str(given["clone_flow_id"]), "post")
        chosen = categories(given) if original is None or "categories" in given else None
        form = self._forms.create(
            waba_id,
            str(given["name"]),
            chosen or (original.categories if original else []),
            endpoint=given.get("endpoint_uri"),
        )
        if original is not None and original.definition is not None:
            self._forms.upload(form, original.definition)
        if "flow_json" not in given:
            return reply({"id": form.id})
        errors = self._forms.upload(form, str(given["flow_json"]))
        if str(given.get("publish", "")).lower() == "true" and not errors:
            self._forms.publish(form)
        return reply({"id": form.id, "success": not errors, "validation_errors": errors})

    async def list_all(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<WABA id>/flows`."""
        forms = self._forms.of(request.match_info["object"])
        return reply(page([self._shown(one, request) for one in forms], request))

    def look_up(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<flow id>`."""
        return reply(self._shown(self._form(request), request))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<flow id>`: name, categories, endpoint."""
        form, given = self._form(request), await parameters(request)
        only(given, CHANGES, "a flow")
        if form.status not in ("DRAFT", "PUBLISHED"):
            raise Refusal(139001, "A flow that is deprecated or blocked cannot be changed.")
        if given.get("name") and given["name"] != form.name:
            self._forms.check_name(form.waba_id, str(given["name"]))
            form.name = str(given["name"])
        if "categories" in given:
            form.categories = categories(given)
        form.endpoint = given.get("endpoint_uri", form.endpoint)
        return success()

    def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<flow id>`: drafts only."""
        self._forms.delete(self._form(request))
        return success()

    async def assets(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<flow id>/assets`: where the definition can be fetched."""
        form = self._form(request)
        if form.definition is None:
            return reply({"data": []})
        url = f"{self._base_url()}/simulator/flow-json/{form.id}"
        asset = {"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}
        return reply(page([asset], request))

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<flow id>/assets`: the definition, as a file of a multipart form."""
        form, given = self._form(request), await parameters(request)
        only(given, UPLOADS, "the assets of a flow")
        if given.get("asset_type") != "FLOW_JSON" or given.get("name") != "flow.json":
            raise Refusal(100, "Only an asset flow.json of asset_type FLOW_JSON can be uploaded.")
        file = given.get("file")
        if not isinstance(file, web.FileField):
            raise Refusal(100, "The parameter file is required.")
        with file.file:
            data = file.file.read()
        if not data or len(data) > LARGEST:
            raise Refusal(100, f"Param file must have 1 to {LARGEST} bytes.")
        errors = self._forms.upload(form, data.decode("utf-8", "replace"))
        return success(validation_errors=errors)

    async def publish(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<flow id>/publish`."""
        self._forms.publish(self._form(request))
        return success()

    async def deprecate(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<flow id>/deprecate`."""
        self._forms.deprecate(self._form(request))
        return success()

    def routes(self) -> list[web.RouteDef]:
        """What the chat page asks, and where definitions can be fetched."""
        return [
            web.get("/simulator/forms/{message}", self.of_message),
            web.get("/simulator/flow-json/{form}", self.download),
        ]

    async def of_message(self, request: web.Request) -> web.StreamResponse:
        """The form that a message opens."""
        message = self._world.messages.get(request.match_info["message"])
        opened = form_of(message.kind, message.content) if message else None
        if message is None or opened is None:
            return answer({"error": "no form has this id"}, 404)
        waba_id = self._world.numbers[message.phone_number_id].waba_id
        form = self._forms.named(waba_id, opened)
        content = form.content if form else None
        return answer({"name": form.name if form else None, "definition": content})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A definition as it was uploaded."""
        form = self._forms.known.get(request.match_info["form"])
        if form is None or form.definition is None:
            raise web.HTTPNotFound(text="no such flow")
        return web.Response(text=form.definition, content_type="application/json")

    def _form(self, request: web.Request) -> Form:
        return self._forms.with_id(request.match_info["object"], request.method)

    def _shown(self, form: Form, request: web.Request) -> dict[str, Any]:
        account = self._accounts.accounts[form.waba_id]
        content = form.content or {}
        fields: dict[str, Any] = {
            "id": form.id,
            "name": form.name,
            "status": form.status,
            "categories": form.categories,
            "validation_errors": form.errors,
            "json_version": content.get("version"),
            "data_api_version": content.get("data_api_version"),
            "data_channel_uri": form.endpoint,
            "endpoint_uri": form.endpoint,
            "preview": {
                "preview_url": f"{self._base_url()}/simulator/flow-json/{form.id}",
                "expires_at": f"{self._world.clock() + PREVIEW_LASTS:%Y-%m-%dT%H:%M:%S+0000}",
            },
            "whatsapp_business_account": {"id": account.waba_id, "name": account.name},
            "application": dict(APP),
        }
        if "fields" not in request.query:
            return {name: fields[name] for name in DEFAULT_FIELDS}
        asked = request.query["fields"]
        if "metric" in asked or "health_status" in asked:
            raise NotSimulated("metrics and health of a flow")
        shown = picked(fields, without_arguments(request), "a flow")
        return {name: value for name, value in shown.items() if value is not None}


def without_arguments(request: web.Request) -> web.Request:
    """The request with `preview.invalidate(false)` and the like as plain names of fields."""
    names = [name.partition(".")[0] for name in request.query["fields"].split(",")]
    return request.clone(rel_url=request.rel_url.update_query(fields=",".join(names)))


async def parameters(request: web.Request) -> dict[str, Any]:
    """What a request asks for: in the query, as JSON, or as a form that may hold a file."""
    given: dict[str, Any] = dict(request.query)
    given.pop("access_token", None)
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given |= dict(await request.post())
    elif raw := await request.read():
        given |= read_json(raw) if raw.strip() else {}
    return given


def categories(given: dict[str, Any]) -> list[str]:
    """The categories of a form: a list, or one as JSON."""
    value = given.get("categories")
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = None
    if not isinstance(value, list) or not value or any(one not in CATEGORIES for one in value):
        allowed = ", ".join(CATEGORIES)
        raise Refusal(100, f"Param categories must be a list of some of {{{allowed}}}")
    return [str(one) for one in value]
