"""The webhook: what Meta posts goes into the inbox, and is answered 200 only then.

GET                                           200 with the challenge, or 403
POST  the signature is missing or odd         401  before the body is read
      the body is longer than allowed         413  without reading on
      it does not arrive in time              408
      the signature is wrong                  401
      it is no JSON object                    400
      the events cannot be stored now         503  Meta will post them again
      the events are committed                200
"""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot import metrics
from bot.intake import Intake
from bot.settings import Settings
from bot.whatsapp import payloads, signature
from bot.whatsapp.bodies import Malformed
from storage.errors import StorageError

log = structlog.get_logger("usual.webhook")

PATH: Final = "/webhook"
BODY_WITHIN: Final = timedelta(seconds=20)
"""How long a body may take to arrive."""
_SAFE: Final = {"X-Content-Type-Options": "nosniff"}


def add_routes(
    app: web.Application,
    settings: Settings,
    intake: Intake,
    *,
    body_within: timedelta = BODY_WITHIN,
) -> None:
    """Add the webhook to an application."""
    webhook = Webhook(settings, intake, body_within)
    app.router.add_get(PATH, webhook.verify)
    app.router.add_post(PATH, webhook.receive, expect_handler=webhook.expect)


class _Refused(Exception):
    """The request is answered by an error; `outcome` is what it counts as."""

    def __init__(self, status: int, outcome: str) -> None:
        super().__init__(outcome)
        self.status, self.outcome = status, outcome


class Webhook:
    """Handles both methods."""

    def __init__(self, settings: Settings, intake: Intake, body_within: timedelta) -> None:
        self._secrets = settings.app_secrets
        token = settings.whatsapp_verify_token
        self._verify_token = token.get_secret_value().encode() if token else None
        self._most_bytes = settings.webhook_max_bytes
        self._intake, self._body_within = intake, body_within
        self._accepted = metrics.WEBHOOKS.labels("accepted")

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the challenge that proves to Meta that the address is ours."""
        given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
        if (
            self._verify_token is None
            or request.query.get("hub.mode") != "subscribe"
            or not hmac.compare_digest(given, self._verify_token)
        ):
            log.warning("webhook.refused", reason="bad_verify_token")
            return web.Response(status=403, headers=_SAFE)
        log.info("webhook.verified")
        challenge = request.query.get("hub.challenge", "").encode("utf-8", "replace")
        return web.Response(body=challenge, content_type="text/plain", headers=_SAFE)

    async def expect(self, request: web.Request) -> web.Response | None:
        """Ask a cautious client for the body, unless it is refused by its headers alone."""
        try:
            self._claimed(request)
        except _Refused as refused:
            return _refuse(refused.status, refused.outcome)
        if request.headers["Expect"].lower() != "100-continue":
            return web.Response(status=417)
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        return None

    async def receive(self, request: web.Request) -> web.Response:
        """Take in what Meta posts."""
        try:
            body = await self._signed_body(request)
            await self._intake.receive(payloads.read(body, received_at=self._intake.clock()))
        except _Refused as refused:
            return _refuse(refused.status, refused.outcome)
        except Malformed:
            return _refuse(400, "malformed")
        except StorageError as error:
            log.warning("webhook.failed", error=error, sqlstate=error.sqlstate, query=error.query)
            metrics.WEBHOOKS.labels("failed").inc()
            return web.Response(status=503, headers={"Retry-After": "1"})
        self._accepted.inc()
        return web.Response()

    def _claimed(self, request: web.Request) -> bytes:
        claimed = signature.parse(request.headers.get(signature.HEADER))
        if claimed is None:
            raise _Refused(401, "bad_signature")
        if (request.content_length or 0) > self._most_bytes:
            raise _Refused(413, "too_large")
        return claimed

    async def _signed_body(self, request: web.Request) -> bytes:
        claimed = self._claimed(request)
        body = await self._body(request)
        if not signature.is_right(claimed, body, self._secrets):
            raise _Refused(401, "bad_signature")
        return body

    async def _body(self, request: web.Request) -> bytes:
        stream = request.content
        if stream.is_eof():  # all of it has come with the headers
            body = stream.read_nowait()
            if len(body) > self._most_bytes:
                raise _Refused(413, "too_large")
            return body
        parts = bytearray()
        try:
            async with asyncio.timeout(self._body_within.total_seconds()):
                while part := await stream.readany():
                    parts += part
                    if len(parts) > self._most_bytes:
                        raise _Refused(413, "too_large")
        except TimeoutError:
            raise _Refused(408, "incomplete") from None
        except (HttpProcessingError, web.RequestPayloadError, OSError):
            raise _Refused(400, "incomplete") from None
        return bytes(parts)


def _refuse(status: int, outcome: str) -> web.Response:
    metrics.WEBHOOKS.labels(outcome).inc()
    log.warning("webhook.refused", reason=outcome)
    response = web.Response(status=status)
    response.force_close()  # part of the body may be on its way still
    return response
