"""The Graph API: messages and read receipts, and the routes of everything else.

What an id in a path is (a number, an account, a template, a file) decides what answers. Anything
that Meta does and this does not is refused with 501 and what is missing.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.simulator.account_api import AccountApi
from bot.simulator.accounts import Accounts
from bot.simulator.app_api import AppApi
from bot.simulator.errors import NoSuchObject, NotSimulated, Refusal
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Faults, Occasion
from bot.simulator.filling import read_template
from bot.simulator.form_api import FormApi
from bot.simulator.forms import Forms
from bot.simulator.gate import AFTER, VERSION, Gate, Handler
from bot.simulator.interactive_kinds import read_interactive
from bot.simulator.limits import Sending, read_json, read_mark_read, read_sending
from bot.simulator.media_api import MediaApi
from bot.simulator.model import Customer, Message, Number
from bot.simulator.rates import Rates
from bot.simulator.recipients import Recipients
from bot.simulator.template_api import TemplateApi
from bot.simulator.templates import Templates
from bot.simulator.world import World

Route = tuple[str, str, Handler]


class GraphApi:
    """The routes under `/v<version>/`."""

    def __init__(
        self,
        *,
        world: World,
        exchange: Exchange,
        templates: Templates,
        forms: Forms,
        accounts: Accounts,
        rates: Rates,
        faults: Faults,
        gate: Gate,
        recipients: Recipients,
        apis: tuple[AccountApi, TemplateApi, MediaApi, AppApi, FormApi],
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._templates = templates
        self._forms = forms
        self._accounts = accounts
        self._rates = rates
        self._faults = faults
        self._gate = gate
        self._recipients = recipients
        self._account_api, self._template_api, self._media_api, self._app_api = apis[:4]
        self._form_api = apis[4]

    def routes(self) -> list[web.RouteDef]:
        """All routes, with one at the end that refuses what is not simulated."""
        routes = [
            *self._number_routes(),
            *self._account_routes(),
            ("GET", "/{object}/subscriptions", self._app_api.subscriptions),
            ("POST", "/{object}/subscriptions", self._app_api.subscribe),
            ("POST", "/{object}/unpause", self._template_api.unpause),
            ("GET", "/{object}/assets", self._form_api.assets),
            ("POST", "/{object}/assets", self._form_api.upload),
            ("POST", "/{object}/publish", self._form_api.publish),
            ("POST", "/{object}/deprecate", self._form_api.deprecate),
            ("GET", "/{object}", self.look_up),
            ("POST", "/{object}", self.change),
            ("DELETE", "/{object}", self.delete),
        ]
        answered = self._gate.answered
        token = answered(self._app_api.token, open_to_all=True)
        return [
            web.get(VERSION + "/oauth/access_token", token),
            *(web.route(method, VERSION + path, answered(one)) for method, path, one in routes),
            web.get("/media-file/{object}", answered(self._media_api.download)),
            web.route("*", VERSION + "/{tail:.*}", answered(self.refuse)),
        ]

    def _number_routes(self) -> list[Route]:
        api = self._account_api
        routes = [
            ("POST", "messages", self.send),
            ("POST", "marketing_messages", self.send_marketing),
            ("POST", "media", self._media_api.upload),
            ("POST", "register", api.register),
            ("POST", "deregister", api.deregister),
            ("POST", "request_code", api.request_code),
            ("POST", "verify_code", api.verify_code),
            ("GET", "whatsapp_business_profile", api.profile),
            ("POST", "whatsapp_business_profile", api.change_profile),
            ("POST", "conversational_automation", api.automation),
            ("GET", "whatsapp_business_encryption", api.public_key),
            ("POST", "whatsapp_business_encryption", api.set_public_key),
            ("GET", "whatsapp_commerce_settings", api.commerce),
            ("POST", "whatsapp_commerce_settings", api.change_commerce),
            ("GET", "block_users", api.blocked),
            ("POST", "block_users", api.block),
            ("DELETE", "block_users", api.unblock),
        ]
        known = self._world.numbers
        return [(m, "/{object}/" + path, known_in(known, one)) for m, path, one in routes]

    def _account_routes(self) -> list[Route]:
        api, templates, forms = self._account_api, self._template_api, self._form_api
        routes = [
            ("GET", "phone_numbers", api.numbers),
            ("GET", "subscribed_apps", api.subscriptions),
            ("POST", "subscribed_apps", api.subscribe),
            ("DELETE", "subscribed_apps", api.unsubscribe),
            ("GET", "message_templates", self._counted(templates.list_all)),
            ("POST", "message_templates", self._counted(templates.create)),
            ("DELETE", "message_templates", self._counted(templates.delete)),
            ("GET", "flows", self._counted(forms.list_all)),
            ("POST", "flows", self._counted(forms.create)),
        ]
        known = self._accounts.accounts
        return [(m, "/{object}/" + path, known_in(known, one)) for m, path, one in routes]

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<id>`."""
        object_id = request.match_info["object"]
        if object_id in self._world.numbers:
            return self._account_api.look_up_number(request)
        if object_id in self._accounts.accounts:
            return await self._account_api.look_up_account(request)
        if object_id in self._templates.known:
            return self._template_api.look_up(request)
        if object_id in self._forms.known:
            return self._form_api.look_up(request)
        return await self._media_api.look_up(request)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<id>`."""
        object_id = request.match_info["object"]
        if object_id in self._world.numbers:
            return await self._account_api.change_number(request)
        if object_id in self._accounts.accounts:
            return await self._account_api.change_account(request)
        if object_id in self._forms.known:
            return await self._form_api.change(request)
        return await self._template_api.edit(request)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<id>`: of a file or a form."""
        if request.match_info["object"] in self._forms.known:
            return self._form_api.delete(request)
        return await self._media_api.delete(request)

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """Everything else of the Graph API."""
        raise NotSimulated(f"{request.method} {request.match_info['tail']}")

    async def send(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/messages`: a message or a read receipt."""
        number = self._world.numbers[request.match_info["object"]]
        body = read_json(await request.read())
        if "status" in body:
            return await self._mark_read(request, number, body)
        return await self._send(request, number, body)

    async def send_marketing(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/marketing_messages`: marketing templates only."""
        number = self._world.numbers[request.match_info["object"]]
        body = read_json(await request.read())
        if str(body.get("type", "")).lower() != "template":
            raise Refusal(131009, "type: only templates can be sent as marketing messages")
        return await self._send(request, number, body, only="marketing")

    async def _send(
        self, request: web.Request, number: Number, body: dict[str, Any], only: str = ""
    ) -> web.StreamResponse:
        names = self._recipients.names(number, body)
        if spoiled := await self._gate.spoiled_before(request, Occasion("send", names)):
            return spoiled
        self._rates.take_number(number)
        sending = read_sending(
            body,
            {
                "interactive": lambda value: self._forms.admit(
                    number.waba_id, read_interactive(value)
                ),
                "template": lambda value: read_template(self._templates, number.waba_id, value),
            },
        )
        if only and sending.content.get("category", only) != only:
            raise Refusal(131009, f"template: only {only} templates can be sent here")
        if only:
            sending.content["category"] = "marketing_lite"
        self._accounts.admit(number, template=sending.kind == "template")
        customer = self._recipients.find(number, sending)
        target = self._reaction_target(number, sending)
        late = self._recipients.admit(number, customer, sending)
        after = self._faults.take(Occasion("send", names), AFTER)
        if after and after.fault.kind == "late_error":
            late = after.fault.code
        message = self._exchange.to_customer(customer, number, sending, late_error=late)
        if target is not None:
            self._exchange.react(target, sending.content.get("emoji", ""))
        self._world.record(message, sending.to or sending.recipient or "", body)
        answer = accepted(sending, customer, message)
        return await self._gate.spoiled_after(request, after, answer)

    async def _mark_read(
        self, request: web.Request, number: Number, body: dict[str, Any]
    ) -> web.StreamResponse:
        if spoiled := await self._gate.spoiled_before(request, Occasion("read")):
            return spoiled
        receipt = read_mark_read(body)
        message = self._world.messages.get(receipt.message_id)
        ours = message and message.phone_number_id == number.phone_number_id
        if not message or not ours or message.author != "customer":
            raise Refusal(131009, "message_id: no message of a customer has this id")
        self._exchange.read_by_business(message, typing=receipt.typing_indicator is not None)
        after = self._faults.take(Occasion("read"), AFTER)
        return await self._gate.spoiled_after(request, after, {"success": True})

    def _reaction_target(self, number: Number, sending: Sending) -> Message | None:
        if sending.kind != "reaction":
            return None
        target = self._world.messages.get(sending.content["message_id"])
        if target is None or target.phone_number_id != number.phone_number_id:
            raise Refusal(131009, "reaction.message_id: no message has this id")
        if target.kind == "reaction" or self._world.is_old(target):
            why = "a reaction, or older than 30 days"
            raise Refusal(131009, f"reaction.message_id: the message is {why}")
        return target

    def _counted(self, handler: Handler) -> Handler:
        async def counting(request: web.Request) -> web.StreamResponse:
            self._accounts.count_request(request.match_info["object"])
            return await handler(request)

        return counting


def known_in(
    objects: dict[str, Any], handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> Handler:
    """A handler for objects that exist; others have no such thing, whatever they are."""

    async def checking(request: web.Request) -> web.StreamResponse:
        object_id = request.match_info["object"]
        if object_id not in objects:
            raise NoSuchObject(object_id, request.method)
        return await handler(request)

    return checking


def accepted(sending: Sending, customer: Customer, message: Message) -> dict[str, Any]:
    """The answer to an accepted message."""
    contact = {"input": sending.to or sending.recipient or ""}
    if sending.to is not None:
        contact["wa_id"] = customer.phone
    else:
        contact["user_id"] = contact["input"]
    sent: dict[str, Any] = {"id": message.id}
    if sending.kind == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
