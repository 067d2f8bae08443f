"""What every request to the Graph API passes: its token, trouble on demand, its way to answer."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import orjson
from aiohttp import web

from bot.simulator.errors import NotSimulated, Refusal
from bot.simulator.faults import BEFORE, Armed, Faults, Occasion

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TokenState = Literal["valid", "expired", "revoked"]

VERSION = r"/{version:v\d+\.\d+}"
AFTER = frozenset({"accept_then_drop", "slow", "late_error"})
LOST_TOKENS: dict[str, tuple[int, str]] = {
    "expired": (463, "Error validating access token: Session has expired."),
    "revoked": (
        460,
        "Error validating access token: The session has been invalidated because the user "
        "changed their password or Facebook has changed the session for security reasons.",
    ),
}


class Gate:
    """Lets requests in. `token` can be made to expire, and to work again."""

    def __init__(self, *, token: str | None, faults: Faults) -> None:
        self.token: TokenState = "valid"  # noqa: S105  # a state, not a secret
        self._wanted = token
        self._issued: set[str] = set()
        self._faults = faults

    def issue(self, token: str) -> None:
        """Let in who has this token as well."""
        self._issued.add(token)

    def answered(self, handler: Handler, *, open_to_all: bool = False) -> Handler:
        """A handler behind the gate, whose refusals become answers."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if not open_to_all:
                    self._authorize(request)
                return await handler(request)
            except Refusal as refusal:
                return reply(refusal.body(), refusal.http)
            except NotSimulated as missing:
                return reply(missing.body(), 501)

        return answer

    async def spoiled_before(
        self, request: web.Request, occasion: Occasion
    ) -> web.StreamResponse | None:
        """The answer instead of doing anything, if that is ordered."""
        armed = self._faults.take(occasion, BEFORE)
        if armed is None:
            return None
        fault = armed.fault
        if fault.kind == "error":
            raise Refusal(fault.code or 1)
        if fault.kind == "http":
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return web.Response(status=fault.status, text="upstream error", headers=headers)
        return dropped(request)

    async def spoiled_after(
        self, request: web.Request, armed: Armed | None, answer: dict[str, Any]
    ) -> web.StreamResponse:
        """The answer to what was done, or what an ordered fault makes of it."""
        if armed and armed.fault.kind == "accept_then_drop":
            return dropped(request)
        if armed and armed.fault.kind == "slow":
            await asyncio.sleep(armed.fault.seconds)
        return reply(answer)

    def _authorize(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            token = request.query.get("access_token", "")
        if not token.strip():
            raise Refusal(190, "An access token is required to request this resource.")
        if self.token != "valid":  # noqa: S105  # a state, not a secret
            subcode, why = LOST_TOKENS[self.token]
            raise Refusal(190, why, subcode=subcode)
        wanted = self._wanted
        if token.strip() in self._issued:
            return
        if wanted is not None and not hmac.compare_digest(token.strip().encode(), wanted.encode()):
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token")


def reply(value: Any, status: int = 200) -> web.StreamResponse:
    """A JSON answer."""
    body = orjson.dumps(value)
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


def success(**more: Any) -> web.StreamResponse:
    """Meta's way of saying that it was done."""
    return reply({"success": True, **more})


def dropped(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def picked(known: dict[str, Any], request: web.Request, what: str) -> dict[str, Any]:
    """The fields that were asked for by `fields`, else all of them; unknown ones are refused."""
    asked = request.query.get("fields")
    if not asked:
        return known
    names = {name.strip() for name in asked.split(",")}
    if unknown := names - known.keys():
        raise NotSimulated(f"field {min(unknown)} of {what}")
    return {name: value for name, value in known.items() if name in names or name == "id"}


def page(rows: list[Any], request: web.Request) -> dict[str, Any]:
    """One page of a list: `limit` rows (25) after the cursor `after` or before `before`."""
    limit = _whole(request.query.get("limit"), 25)
    if "before" in request.query:
        end = _whole(request.query["before"], 0)
        start = max(0, end - limit)
    else:
        start = _whole(request.query.get("after"), 0)
        end = start + limit
    shown = rows[start:end]
    body: dict[str, Any] = {"data": shown}
    if shown:
        cursors = {"before": str(start), "after": str(start + len(shown))}
        body["paging"] = {"cursors": cursors}
        if end < len(rows):
            later = request.url.update_query(after=cursors["after"])
            body["paging"]["next"] = str(later.without_query_params("before"))
    return body


def _whole(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdecimal():
        raise Refusal(100, "Param limit, after and before must be what an earlier answer said.")
    return int(text)
