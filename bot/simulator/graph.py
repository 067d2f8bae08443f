"""The Graph API: messages, read receipts and media, answered the way Meta answers."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web

from bot.simulator.errors import NoSuchObject, NotSimulated, Refusal
from bot.simulator.exchange import Exchange
from bot.simulator.faults import BEFORE, Armed, Faults, Occasion
from bot.simulator.interactive import read_interactive
from bot.simulator.limits import Sending, read_json, read_mark_read, read_sending
from bot.simulator.model import Customer, Message, Number, StoredMedia
from bot.simulator.rates import Rates
from bot.simulator.recipients import Recipients
from bot.simulator.settings import Rules
from bot.simulator.templates import Templates
from bot.simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VERSION = r"/{version:v\d+\.\d+}"
AFTER = frozenset({"accept_then_drop", "slow", "late_error"})
MEDIA_URL_LASTS = timedelta(minutes=5)
MEGABYTE = 2**20
UPLOADS: dict[str, int] = {
    "audio/aac": 16 * MEGABYTE,
    "audio/mp4": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
    "audio/amr": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
    "audio/opus": 16 * MEGABYTE,
    "application/vnd.ms-powerpoint": 100 * MEGABYTE,
    "application/msword": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": 100 * MEGABYTE,
    "application/pdf": 100 * MEGABYTE,
    "text/plain": 100 * MEGABYTE,
    "application/vnd.ms-excel": 100 * MEGABYTE,
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": 500 * 1024,
    "video/mp4": 16 * MEGABYTE,
    "video/3gpp": 16 * MEGABYTE,
}
LARGEST_UPLOAD = 101 * MEGABYTE


class GraphApi:
    """The routes under `/v<version>/`."""

    def __init__(
        self,
        *,
        world: World,
        exchange: Exchange,
        templates: Templates,
        rates: Rates,
        faults: Faults,
        rules: Rules,
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._templates = templates
        self._rates = rates
        self._faults = faults
        self._rules = rules
        self._recipients = Recipients(world=world, exchange=exchange, rates=rates, rules=rules)
        self._url_key = secrets.token_bytes(16)

    def routes(self) -> list[web.RouteDef]:
        """All routes, with one at the end that refuses what is not simulated."""
        return [
            web.post(VERSION + "/{object}/messages", self._answered(self.send)),
            web.post(VERSION + "/{object}/media", self._answered(self.upload)),
            web.get(VERSION + "/{object}", self._answered(self.look_up)),
            web.delete(VERSION + "/{object}", self._answered(self.delete)),
            web.get("/media-file/{object}", self._answered(self.download)),
            web.route("*", VERSION + "/{tail:.*}", self._answered(self.refuse)),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/messages`: a message or a read receipt."""
        number = self._number(request)
        body = read_json(await request.read())
        if "status" in body:
            return await self._mark_read(request, number, body)
        names = self._recipients.names(number, body)
        if spoiled := await self._spoiled_before(request, Occasion("send", names)):
            return spoiled
        self._rates.take_number(number)
        sending = read_sending(
            body, {"interactive": read_interactive, "template": self._templates.read}
        )
        customer = self._recipients.find(number, sending)
        target = self._reaction_target(sending)
        late = self._recipients.admit(number, customer, sending)
        after = self._faults.take(Occasion("send", names), AFTER)
        if after and after.fault.kind == "late_error":
            late = after.fault.code
        message = self._exchange.to_customer(customer, number, sending, late_error=late)
        if target is not None:
            self._exchange.react(target, sending.content.get("emoji", ""))
        self._world.record(message, sending.to or sending.recipient or "", body)
        return await self._spoiled_after(request, after, accepted(sending, customer, message))

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/media`: a file, as multipart form."""
        self._number(request)
        form = await request.post()
        if spoiled := await self._spoiled_before(request, Occasion("upload")):
            return spoiled
        if form.get("messaging_product") != "whatsapp":
            raise Refusal(100, "The parameter messaging_product is required.")
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise Refusal(100, "The parameter file is required.")
        declared = form.get("type")
        kind = declared if isinstance(declared, str) else file.content_type
        with file.file:
            data = file.file.read()
        check_upload(kind, data)
        media = self._world.keep_media(kind, data, file.filename)
        return web.json_response({"id": media.id})

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<id>`: where a file can be fetched, or what a number is."""
        self._authorize(request)
        object_id = request.match_info["object"]
        if object_id in self._world.numbers:
            return web.json_response(number_fields(self._world.numbers[object_id], request))
        media = self._media(request)
        expires = int((self._world.clock() + MEDIA_URL_LASTS).timestamp())
        url = request.url.origin() / "media-file" / media.id
        url = url.with_query(ext=str(expires), hash=self._url_hash(media.id, expires))
        return web.json_response(
            {
                "url": str(url),
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "file_size": len(media.data),
                "id": media.id,
                "messaging_product": "whatsapp",
            }
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        """`GET <url of a file>`: the file itself; needs the token, for five minutes."""
        self._authorize(request)
        media = self._media(request)
        if spoiled := await self._spoiled_before(request, Occasion("download")):
            return spoiled
        ext = request.query.get("ext", "")
        expires = int(ext) if ext.isdecimal() else 0
        right = self._url_hash(media.id, expires)
        fresh = expires >= self._world.clock().timestamp()
        if not fresh or not hmac.compare_digest(right, request.query.get("hash", "")):
            return web.Response(status=404, text="URL expired")
        return web.Response(body=media.data, headers={"Content-Type": media.mime_type})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<media id>`."""
        self._authorize(request)
        media = self._media(request)
        del self._world.media[media.id]
        return web.json_response({"success": True})

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """Everything else of the Graph API."""
        self._authorize(request)
        raise NotSimulated(f"{request.method} {request.match_info['tail']}")

    async def _mark_read(
        self, request: web.Request, number: Number, body: dict[str, Any]
    ) -> web.StreamResponse:
        if spoiled := await self._spoiled_before(request, Occasion("read")):
            return spoiled
        receipt = read_mark_read(body)
        message = self._world.messages.get(receipt.message_id)
        ours = message and message.phone_number_id == number.phone_number_id
        if not message or not ours or message.author != "customer":
            raise Refusal(131009, "message_id: no message of a customer has this id")
        self._exchange.read_by_business(message, typing=receipt.typing_indicator is not None)
        after = self._faults.take(Occasion("read"), AFTER)
        return await self._spoiled_after(request, after, {"success": True})

    def _reaction_target(self, sending: Sending) -> Message | None:
        if sending.kind != "reaction":
            return None
        target = self._world.messages.get(sending.content["message_id"])
        if target is None:
            raise Refusal(131009, "reaction.message_id: no message has this id")
        return target

    async def _spoiled_before(
        self, request: web.Request, occasion: Occasion
    ) -> web.StreamResponse | None:
        armed = self._faults.take(occasion, BEFORE)
        if armed is None:
            return None
        fault = armed.fault
        if fault.kind == "error":
            raise Refusal(fault.code or 1)
        if fault.kind == "http":
            return web.Response(status=fault.status, text="upstream error")
        return dropped(request)

    async def _spoiled_after(
        self, request: web.Request, armed: Armed | None, answer: dict[str, Any]
    ) -> web.StreamResponse:
        if armed and armed.fault.kind == "accept_then_drop":
            return dropped(request)
        if armed and armed.fault.kind == "slow":
            await asyncio.sleep(armed.fault.seconds)
        return web.json_response(body=orjson.dumps(answer))

    def _number(self, request: web.Request) -> Number:
        self._authorize(request)
        object_id = request.match_info["object"]
        number = self._world.numbers.get(object_id)
        if number is None:
            raise NoSuchObject(object_id, request.method)
        return number

    def _media(self, request: web.Request) -> StoredMedia:
        media = self._world.media_with(request.match_info["object"])
        if media is None:
            raise NoSuchObject(request.match_info["object"], request.method)
        return media

    def _authorize(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        wanted = self._rules.token
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal(190, "An access token is required to request this resource.")
        if wanted is not None and not hmac.compare_digest(token.strip().encode(), wanted.encode()):
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token")

    def _url_hash(self, media_id: str, expires: int) -> str:
        return hmac.new(
            self._url_key, f"{media_id}:{expires}".encode(), hashlib.sha256
        ).hexdigest()[:32]

    def _answered(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refusal as refusal:
                return web.json_response(refusal.body(), status=refusal.http)
            except NotSimulated as missing:
                return web.json_response(missing.body(), status=501)

        return answer


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


def number_fields(number: Number, request: web.Request) -> dict[str, Any]:
    """What Meta says about a phone number; `fields` picks some of it."""
    known = {
        "verified_name": number.name,
        "display_phone_number": number.display_phone,
        "code_verification_status": "VERIFIED",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "id": number.phone_number_id,
    }
    asked = request.query.get("fields")
    if not asked:
        return known
    names = {name.strip() for name in asked.split(",")}
    if unknown := names - known.keys():
        raise NotSimulated(f"field {min(unknown)} of a phone number")
    return {name: value for name, value in known.items() if name in names or name == "id"}


def check_upload(mime_type: str, data: bytes) -> None:
    """The type and size of an uploaded file, or code 100."""
    plain = mime_type.partition(";")[0].strip().lower()
    if plain not in UPLOADS:
        allowed = ", ".join(UPLOADS)
        raise Refusal(
            100,
            f"Param file must be a file with one of the following types: {allowed}. "
            f"Received file of type '{plain}'.",
        )
    if not data:
        raise Refusal(100, "Param file must not be empty.")
    if len(data) > UPLOADS[plain]:
        raise Refusal(100, f"Param file must be at most {UPLOADS[plain]} bytes long.")


def dropped(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
