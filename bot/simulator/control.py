"""The rest of the simulator's own HTTP API: what Meta and the world may do to a business.

    GET    /simulator/faults                       trouble that waits for its occasion
    GET    /simulator/faults/catalogue             kinds of trouble: name, group, title,
                                                   note, `fault`
    POST   /simulator/faults                       order trouble: a `fault` as in the catalogue,
                                                   all of its fields are in bot.simulator.faults
    DELETE /simulator/faults                       call all off, send what was held back
    DELETE /simulator/faults/<id>                  call one off
    GET    /simulator/webhooks                     the last webhooks and how they were answered
    POST   /simulator/webhooks/<number>/again      post one of them once more
    GET    /simulator/token                        {"state"}
    POST   /simulator/token                        {"state": "valid" | "expired" | "revoked"}
    POST   /simulator/clock                        {"advance_seconds"}
    GET    /simulator/templates                    {"templates": [...]} of all accounts
    POST   /simulator/templates/<id>               {"status"?, "reason"?, "quality"?, "category"?}
    GET    /simulator/accounts                     {"accounts": [...], "numbers": [...]}
    POST   /simulator/accounts/<WABA id>           {"standing"?, "limit"?, "alert"?}
    POST   /simulator/numbers/<phone number id>    {"quality"?, "upgrade"?, "registered"?, "name"?}
    POST   /simulator/customers/<id>/new-user-id   a new business-scoped user id
    POST   /simulator/conversations/<customer>/<phone number id>/marketing  {"value": "stop" |
                                                   "resume"}
    POST   /simulator/conversations/<customer>/<phone number id>/block      {"blocked": bool}
    POST   /simulator/conversations/<customer>/<phone number id>/played     {"message_id"}

Whatever Meta would tell the business about such a change is told, by webhook. Bodies are JSON,
unknown keys are refused with 400, unknown ids with 404, and refusals are `{"error": text}`.
Faults, webhooks and the clock are served by bot.simulator.phones, with the phones themselves.
"""

from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from bot.simulator import news
from bot.simulator.account_api import AccountApi
from bot.simulator.accounts import TIERS, Accounts, Line, NumberQuality, Standing
from bot.simulator.courier import Courier
from bot.simulator.exchange import Exchange
from bot.simulator.faults import CATALOGUE
from bot.simulator.gate import Gate, Handler, TokenState
from bot.simulator.model import Conversation
from bot.simulator.phones import answer, answered, body_of
from bot.simulator.templates import Known, Quality, Templates, TemplateStatus
from bot.simulator.world import World

UPGRADE_LASTS = timedelta(minutes=1)
EVENTS: dict[Standing, str] = {
    "OK": "ACCOUNT_REINSTATED",
    "RESTRICTED": "ACCOUNT_RESTRICTION",
    "DISABLED": "DISABLED_UPDATE",
}


class Wish(BaseModel):
    """A body of this API."""

    model_config = ConfigDict(extra="forbid")


class TemplateWish(Wish):
    """What becomes of a template."""

    status: TemplateStatus | None = None
    reason: str = "INVALID_FORMAT"
    quality: Quality | None = None
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] | None = None


class AccountWish(Wish):
    """What becomes of an account; a limit of 0 is none."""

    standing: Standing | None = None
    limit: int | None = Field(default=None, ge=0)
    alert: str | None = None


class NumberWish(Wish):
    """What becomes of a number; `name` decides about the display name that was asked for."""

    quality: NumberQuality | None = None
    upgrade: bool = False
    registered: bool | None = None
    name: Literal["APPROVED", "DECLINED"] | None = None


class TokenWish(Wish):
    """Whether the token works."""

    state: TokenState


class MarketingWish(Wish):
    """What a customer wants to hear."""

    value: Literal["stop", "resume"]


class BlockWish(Wish):
    """Whether a customer has blocked the business."""

    blocked: bool


class PlayedWish(Wish):
    """Which voice note was played."""

    message_id: str


class ControlApi:
    """The routes above that bot.simulator.phones does not have."""

    def __init__(
        self,
        *,
        world: World,
        exchange: Exchange,
        courier: Courier,
        gate: Gate,
        accounts: Accounts,
        templates: Templates,
        account_api: AccountApi,
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._courier = courier
        self._gate = gate
        self._accounts = accounts
        self._templates = templates
        self._account_api = account_api

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        talk = "/simulator/conversations/{customer}/{number}"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/simulator/faults/catalogue", self.catalogue),
            ("POST", "/simulator/webhooks/{number}/again", self.post_again),
            ("GET", "/simulator/token", self.token),
            ("POST", "/simulator/token", self.set_token),
            ("GET", "/simulator/templates", self.templates),
            ("POST", "/simulator/templates/{id}", self.change_template),
            ("GET", "/simulator/accounts", self.accounts),
            ("POST", "/simulator/accounts/{id}", self.change_account),
            ("POST", "/simulator/numbers/{id}", self.change_number),
            ("POST", "/simulator/customers/{customer}/new-user-id", self.new_user_id),
            ("POST", talk + "/marketing", self.marketing),
            ("POST", talk + "/block", self.block),
            ("POST", talk + "/played", self.played),
        ]
        return [web.route(method, path, answered(one)) for method, path, one in routes]

    async def catalogue(self, _request: web.Request) -> web.StreamResponse:
        """Kinds of trouble for buttons."""
        return answer({"catalogue": CATALOGUE})

    async def post_again(self, request: web.Request) -> web.StreamResponse:
        """Post a webhook once more, as Meta does when another app did not answer 200."""
        for delivery in self._courier.deliveries:
            if str(delivery.number) == request.match_info["number"]:
                self._courier.again(delivery)
                return answer(delivery.view())
        raise web.HTTPNotFound(text="no such webhook")

    async def token(self, _request: web.Request) -> web.StreamResponse:
        """Whether the token works."""
        return answer({"state": self._gate.token})

    async def set_token(self, request: web.Request) -> web.StreamResponse:
        """Let the token expire, revoke it, or make it work again."""
        self._gate.token = (await body_of(request, TokenWish)).state
        return answer({"state": self._gate.token})

    async def templates(self, _request: web.Request) -> web.StreamResponse:
        """All templates."""
        self._templates.tick()
        return answer({"templates": [template_view(one) for one in self._templates.known.values()]})

    async def change_template(self, request: web.Request) -> web.StreamResponse:
        """Approve, reject, pause, disable, rate or recategorize a template."""
        known = self._templates.known.get(request.match_info["id"])
        if known is None:
            raise web.HTTPNotFound(text="no such template")
        wish = await body_of(request, TemplateWish)
        if wish.quality is not None:
            self._templates.rate(known, wish.quality)
        if wish.category is not None:
            self._templates.recategorize(known, wish.category)
        if wish.status == "APPROVED" and known.status == "PAUSED":
            self._templates.unpause(known)
        elif wish.status is not None:
            self._templates.settle(known, wish.status, wish.reason)
        return answer(template_view(known))

    async def accounts(self, _request: web.Request) -> web.StreamResponse:
        """All accounts and numbers, as Meta sees them."""
        return answer(
            {
                "accounts": [
                    {
                        "id": one.waba_id,
                        "name": one.name,
                        "standing": one.standing,
                        "limit": one.limit,
                        "subscribed": one.subscribed,
                        "callback": one.callback,
                    }
                    for one in self._accounts.accounts.values()
                ],
                "numbers": [number_view(one) for one in self._accounts.lines.values()],
            }
        )

    async def change_account(self, request: web.Request) -> web.StreamResponse:
        """Restrict, disable or reinstate an account, move its limit, raise an alert."""
        account = self._accounts.accounts.get(request.match_info["id"])
        if account is None:
            raise web.HTTPNotFound(text="no such account")
        wish, now = await body_of(request, AccountWish), self._world.clock()
        if wish.standing is not None:
            account.standing = wish.standing
            more = standing_details(wish.standing, now + timedelta(days=7))
            event = EVENTS[wish.standing]
            self._courier.post(news.account(account.waba_id, event, at=now, **more))
        if wish.limit is not None:
            account.limit = wish.limit or None
            notice = news.capability(account.waba_id, wish.limit or -1, at=now)
            self._courier.post(notice)
        if wish.alert is not None:
            alert = news.account_alert(account.waba_id, wish.alert, severity="WARNING", at=now)
            self._courier.post(alert)
        return await self.accounts(request)

    async def change_number(self, request: web.Request) -> web.StreamResponse:
        """Rate a number, upgrade it (no sends for a minute), register it, decide on its name."""
        line = self._accounts.lines.get(request.match_info["id"])
        if line is None:
            raise web.HTTPNotFound(text="no such business number")
        wish, now = await body_of(request, NumberWish), self._world.clock()
        limit = self._accounts.of(line.number).limit
        tier = TIERS.get(limit, f"TIER_{limit}")
        if wish.quality is not None:
            flagged = "FLAGGED" if wish.quality == "RED" else "UNFLAGGED"
            line.quality = wish.quality
            self._courier.post(news.number_quality(line.number, flagged, tier, at=now))
        if wish.upgrade:
            line.upgrading_until = now + UPGRADE_LASTS
            event = "THROUGHPUT_UPGRADE"
            self._courier.post(news.number_quality(line.number, event, tier, at=now))
        if wish.registered is not None:
            line.registered = wish.registered
        if wish.name is not None:
            self._account_api.decide_name(line, wish.name)
        return answer(number_view(line))

    async def new_user_id(self, request: web.Request) -> web.StreamResponse:
        """Give a customer another business-scoped user id."""
        customer = self._world.customers.get(request.match_info["customer"])
        if customer is None:
            raise web.HTTPNotFound(text="no such customer")
        self._exchange.change_user_id(customer)
        return answer(customer.view())

    async def marketing(self, request: web.Request) -> web.StreamResponse:
        """Stop or resume marketing messages."""
        talk, wish = self._talk(request), await body_of(request, MarketingWish)
        self._exchange.wish_about_marketing(talk, wish.value)
        return answer({"no_marketing": talk.no_marketing})

    async def block(self, request: web.Request) -> web.StreamResponse:
        """Block the business or let it write again."""
        talk, wish = self._talk(request), await body_of(request, BlockWish)
        talk.blocked = wish.blocked
        return answer({"blocked": talk.blocked})

    async def played(self, request: web.Request) -> web.StreamResponse:
        """Play a voice note of the business."""
        talk, wish = self._talk(request), await body_of(request, PlayedWish)
        message = self._world.messages.get(wish.message_id)
        if message is None or message.kind != "audio" or message not in talk.messages:
            raise web.HTTPNotFound(text="no such voice note")
        self._exchange.play(talk, message)
        return answer(message.view())

    def _talk(self, request: web.Request) -> Conversation:
        customer = self._world.customers.get(request.match_info["customer"])
        number = self._world.numbers.get(request.match_info["number"])
        if customer is None or number is None:
            raise web.HTTPNotFound(text="no such conversation")
        return self._world.conversation(customer, number)


def template_view(known: Known) -> dict[str, Any]:
    """A template as JSON."""
    until = known.paused_until
    return {
        **known.view(),
        "waba_id": known.waba_id,
        "paused_until": until.isoformat() if until else None,
    }


def number_view(line: Line) -> dict[str, Any]:
    """A number as JSON; `code` is what was sent to verify it."""
    return {
        "id": line.number.phone_number_id,
        "name": line.name,
        "new_name": line.new_name,
        "quality": line.quality,
        "registered": line.registered,
        "upgrading": line.upgrading_until.isoformat() if line.upgrading_until else None,
        "code": line.code,
        "callback": line.callback,
    }


def standing_details(standing: Standing, until: Any) -> dict[str, Any]:
    """What the webhook says about a new standing."""
    day = f"{until:%B %d, %Y}"
    if standing == "DISABLED":
        return {"ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": day}}
    if standing == "RESTRICTED":
        restriction = {
            "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
            "expiration": int(until.timestamp()),
        }
        return {"restriction_info": [restriction]}
    return {}
