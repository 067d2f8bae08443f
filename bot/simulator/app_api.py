"""The Graph API of the one app: its token, and where its webhooks go and about what."""

import hmac
import secrets
from typing import Any

from aiohttp import web

from bot.simulator.account_api import AccountApi, only, parameters
from bot.simulator.accounts import APP
from bot.simulator.courier import Courier
from bot.simulator.errors import NoSuchObject, Refusal
from bot.simulator.gate import Gate, reply, success

OBJECT = "whatsapp_business_account"


class AppApi:
    """Handlers of the routes of the app."""

    def __init__(
        self, *, app_secret: str, gate: Gate, courier: Courier, account_api: AccountApi
    ) -> None:
        self._app_secret = app_secret
        self._gate = gate
        self._courier = courier
        self._account_api = account_api

    async def token(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/oauth/access_token`: a token for who knows the app's secret."""
        given = await parameters(request)
        if given.get("grant_type", "client_credentials") != "client_credentials":
            raise Refusal(100, "Invalid grant_type")
        secret = str(given.get("client_secret", ""))
        if not hmac.compare_digest(secret.encode(), self._app_secret.encode()):
            raise Refusal(1, "Error validating client secret.")
        token = f"{given.get('client_id')}|{secrets.token_urlsafe(20)}"
        self._gate.issue(token)
        return reply({"access_token": token, "token_type": "bearer"})

    async def subscriptions(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<app id>/subscriptions`."""
        self._own(request)
        if self._courier.url is None:
            return reply({"data": []})
        fields = sorted(self._courier.fields or ())
        entry: dict[str, Any] = {
            "object": OBJECT,
            "callback_url": self._courier.url,
            "active": True,
            "fields": [{"name": name, "version": request.match_info["version"]} for name in fields],
        }
        return reply({"data": [entry]})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<app id>/subscriptions`: the address has to answer its challenge."""
        self._own(request)
        given = await parameters(request)
        wanted = {"object", "callback_url", "verify_token", "fields", "include_values"}
        only(given, wanted, "subscriptions")
        if given.get("object") != OBJECT:
            raise Refusal(100, f"Param object must be {OBJECT}.")
        for name in ("callback_url", "verify_token"):
            if not given.get(name):
                raise Refusal(100, f"The parameter {name} is required.")
        url, token = str(given["callback_url"]), str(given["verify_token"])
        self._courier.url = await self._account_api.callback(url, token)
        fields = str(given.get("fields") or "")
        self._courier.fields = frozenset(fields.split(",")) if fields else None
        return success()

    def _own(self, request: web.Request) -> None:
        if request.match_info["object"] != APP["id"]:
            raise NoSuchObject(request.match_info["object"], request.method)
