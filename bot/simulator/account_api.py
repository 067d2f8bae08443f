"""The Graph API of accounts and numbers: what a client reads at start and an owner sets up."""

import re
import secrets
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from bot.simulator import news
from bot.simulator.account_fields import (
    ABSENT_NUMBER_FIELDS,
    DEFAULT_NUMBER_FIELDS,
    account_fields,
    number_fields,
    subscription,
)
from bot.simulator.accounts import Account, Accounts, Line
from bot.simulator.errors import NotSimulated, Refusal
from bot.simulator.gate import page, picked, reply, success
from bot.simulator.limits import read_json
from bot.simulator.model import Customer
from bot.simulator.webhooks import Notice
from bot.simulator.world import World

LONGEST_CALLBACK = 200
PROFILE = {"about": 139, "address": 256, "description": 512, "email": 128}


def names(text: str) -> frozenset[str]:
    """Words as a set."""
    return frozenset(text.split())


VERTICALS = names(
    """
    OTHER AUTO BEAUTY APPAREL EDU ENTERTAIN EVENT_PLAN FINANCE GROCERY GOVT HOTEL HEALTH NONPROFIT
    PROF_SERVICES RETAIL TRAVEL RESTAURANT ALCOHOL ONLINE_GAMBLING PHYSICAL_GAMBLING OTC_DRUGS
    UNDEFINED NOT_A_BIZ
    """
)
MOST_PROMPTS, LONGEST_PROMPT = 4, 80
MOST_COMMANDS, LONGEST_COMMAND, LONGEST_HINT = 30, 32, 256
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf]")
NUMBER_CHANGES = {"webhook_configuration", "new_display_name", "messaging_product", "pin"}


class AccountApi:
    """Handlers of the routes of accounts and numbers."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        world: World,
        session: aiohttp.ClientSession,
        tell: Callable[[Notice], object],
    ) -> None:
        self._accounts = accounts
        self._world = world
        self._session = session
        self._tell = tell

    # --- accounts ---

    async def look_up_account(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<WABA id>`."""
        account = self._account(request)
        if "fields" not in request.query:
            names = ("id", "name", "timezone_id", "message_template_namespace")
            fields = account_fields(account)
            return reply({name: fields[name] for name in names})
        return reply(picked(account_fields(account), request, "an account"))

    async def change_account(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<WABA id>`: name and time zone."""
        account, given = self._account(request), await parameters(request)
        only(given, {"name", "timezone_id"}, "an account")
        account.name = str(given.get("name", account.name))
        account.timezone_id = str(given.get("timezone_id", account.timezone_id))
        return success()

    async def numbers(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<WABA id>/phone_numbers`."""
        account = self._account(request)
        lines = self._accounts.numbers_of(account.waba_id)
        return reply(page([self._shown(line, request) for line in lines], request))

    async def subscriptions(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<WABA id>/subscribed_apps`."""
        account = self._account(request)
        data = [subscription(account)] if account.subscribed else []
        return reply({"data": data})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<WABA id>/subscribed_apps`, perhaps with an address of its own."""
        account, given = self._account(request), await parameters(request)
        only(given, {"override_callback_uri", "verify_token"}, "subscribed_apps")
        url = await self._callback(given)
        account.callback, account.subscribed = url, True
        return success(data=[subscription(account)]) if url else success()

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<WABA id>/subscribed_apps`: no webhooks any more."""
        account = self._account(request)
        account.subscribed, account.callback = False, None
        return success()

    # --- numbers ---

    def look_up_number(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<phone number id>`."""
        return reply(self._shown(self._line(request), request))

    async def change_number(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>`: display name, PIN, an address for webhooks."""
        line, given = self._line(request), await parameters(request)
        only(given, NUMBER_CHANGES, "a phone number")
        if "webhook_configuration" in given:
            line.callback = await self._callback(given["webhook_configuration"] or {})
        if "pin" in given:
            line.pin = checked_pin(given["pin"])
        if "new_display_name" in given:
            line.new_name = str(given["new_display_name"])
        return success()

    async def register(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/register`."""
        line, given = self._line(request), await parameters(request)
        product(given)
        pin = checked_pin(given.get("pin"))
        if not line.verified:
            raise Refusal(133015, "The phone number has to be verified first.")
        self._accounts.try_pin(line, pin)
        line.registered = True
        return success()

    async def deregister(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/deregister`."""
        self._line(request).registered = False
        return success()

    async def request_code(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/request_code`; the control API shows the code."""
        line, given = self._line(request), await parameters(request)
        if given.get("code_method") not in ("SMS", "VOICE") or not given.get("language"):
            raise Refusal(100, "The parameters code_method (SMS, VOICE) and language are required.")
        line.code = f"{secrets.randbelow(10**6):06}"
        return success()

    async def verify_code(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/verify_code`."""
        line, given = self._line(request), await parameters(request)
        if line.code is None or str(given.get("code")) != line.code:
            raise Refusal(136025, "The code is wrong.")
        line.code, line.verified = None, True
        return success(id=line.number.phone_number_id)

    async def profile(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<phone number id>/whatsapp_business_profile`."""
        line = self._line(request)
        known = {"messaging_product": "whatsapp", **line.profile}
        if asked := request.query.get("fields"):
            names = {name.strip() for name in asked.split(",")}
            all_names = {*PROFILE, "profile_picture_url", "websites", "vertical"}
            if unknown := names - all_names - {"messaging_product"}:
                raise NotSimulated(f"field {min(unknown)} of a business profile")
            names.add("messaging_product")
            known = {name: value for name, value in known.items() if name in names}
        return reply({"data": [known]})

    async def change_profile(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/whatsapp_business_profile`."""
        line, given = self._line(request), await parameters(request)
        product(given)
        only(given, {*PROFILE, "messaging_product", "websites", "vertical"}, "a business profile")
        for name, most in PROFILE.items():
            if len(str(given.get(name, ""))) > most:
                raise Refusal(100, f"Param {name} must be at most {most} characters long.")
        websites = given.get("websites", [])
        if not isinstance(websites, list) or len(websites) > 2:
            raise Refusal(100, "Param websites must be an array of at most 2 addresses.")
        if given.get("vertical", "OTHER") not in VERTICALS:
            raise Refusal(100, f"Param vertical must be one of {{{', '.join(sorted(VERTICALS))}}}")
        line.profile |= {name: one for name, one in given.items() if name != "messaging_product"}
        return success()

    async def automation(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/conversational_automation`."""
        line, given = self._line(request), await parameters(request)
        only(given, {"enable_welcome_message", "prompts", "commands"}, "conversational_automation")
        prompts, commands = given.get("prompts") or [], given.get("commands") or []
        if len(prompts) > MOST_PROMPTS or any(
            len(str(one)) > LONGEST_PROMPT or EMOJI.search(str(one)) for one in prompts
        ):
            rule = f"at most {MOST_PROMPTS} of {LONGEST_PROMPT} characters, without emoji"
            raise Refusal(100, f"Param prompts: {rule}.")
        if len(commands) > MOST_COMMANDS or any(
            len(str(one.get("command_name", ""))) > LONGEST_COMMAND
            or len(str(one.get("command_description", ""))) > LONGEST_HINT
            for one in commands
        ):
            rule = f"at most {MOST_COMMANDS} of {LONGEST_COMMAND} and {LONGEST_HINT} characters"
            raise Refusal(100, f"Param commands: {rule}.")
        line.components |= {name: value for name, value in given.items() if value is not None}
        return success()

    async def public_key(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<phone number id>/whatsapp_business_encryption`."""
        line = self._line(request)
        if line.public_key is None:
            return reply({"data": []})
        signed = {"business_public_key_signature_status": "VALID"}
        return reply({"data": [{"business_public_key": line.public_key, **signed}]})

    async def set_public_key(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/whatsapp_business_encryption`."""
        line, given = self._line(request), await parameters(request)
        key = str(given.get("business_public_key", ""))
        if not key.strip().startswith("-----BEGIN PUBLIC KEY-----"):
            raise Refusal(100, "Param business_public_key must be a public key in PEM format.")
        line.public_key = key
        return success()

    async def commerce(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<phone number id>/whatsapp_commerce_settings`."""
        line = self._line(request)
        known = {"is_cart_enabled": True, "is_catalog_visible": False} | line.commerce
        return reply({"data": [{"id": line.number.phone_number_id, **known}]})

    async def change_commerce(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/whatsapp_commerce_settings`."""
        line, given = self._line(request), await parameters(request)
        only(given, {"is_cart_enabled", "is_catalog_visible"}, "whatsapp_commerce_settings")
        line.commerce |= {name: str(value).lower() == "true" for name, value in given.items()}
        return success()

    async def blocked(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<phone number id>/block_users`."""
        line = self._line(request)
        found = [self._world.customers[one] for one in sorted(line.blocked)]
        return reply(page([blocked_user(one, line) for one in found], request))

    async def block(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/block_users`: nothing comes from them any more."""
        return await self._block(request, "added_users")

    async def unblock(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<phone number id>/block_users`."""
        return await self._block(request, "removed_users")

    async def _block(self, request: web.Request, what: str) -> web.StreamResponse:
        line, given = self._line(request), await parameters(request)
        product(given)
        users = given.get("block_users")
        if not isinstance(users, list) or not users:
            raise Refusal(100, "The parameter block_users is required.")
        done, failed = [], []
        for one in users:
            name = str(one.get("user") or one.get("user_id") or "")
            customer = self._world.by_phone(name) or self._world.by_user_id(name, line.number)
            if customer is None:
                why = {"code": 131021, "message": "User is not valid", "error_data": {}}
                failed.append({"input": name, "errors": [why]})
                continue
            (line.blocked.add if what == "added_users" else line.blocked.discard)(customer.id)
            key = "user_id" if "user_id" in one else "wa_id"
            known = customer.user_id(line.number) if key == "user_id" else customer.phone
            done.append({"input": name, key: known})
        body: dict[str, Any] = {"messaging_product": "whatsapp", "block_users": {what: done}}
        if failed:
            body["block_users"]["failed_users"] = failed
        return reply(body)

    def decide_name(self, line: Line, decision: str) -> None:
        """Accept or decline the display name that was asked for, and tell the business."""
        name = line.new_name or line.name
        if decision == "APPROVED":
            line.name = name
        line.new_name = None
        self._tell(news.number_name(line.number, decision, name, at=self._world.clock()))

    async def callback(self, url: str, token: str) -> str:
        """Ask an address to prove that it is the business's: 2200 if it does not."""
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        try:
            patience = aiohttp.ClientTimeout(total=5)
            async with self._session.get(url, params=query, timeout=patience) as answer:
                proved = answer.status == 200 and (await answer.text()).strip() == challenge
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            proved, status = False, 0
        if not proved:
            raise Refusal(
                2200,
                "Callback verification failed with the following errors: "
                f"HTTP Status Code = {status or 'none'}; the challenge did not come back.",
            )
        return url

    async def _callback(self, given: dict[str, Any]) -> str | None:
        url = given.get("override_callback_uri")
        if not url:
            return None
        if len(str(url)) > LONGEST_CALLBACK:
            limit = f"must be at most {LONGEST_CALLBACK} characters long"
            raise Refusal(100, f"Param override_callback_uri {limit}.")
        if not given.get("verify_token"):
            raise Refusal(100, "The parameter verify_token is required.")
        return await self.callback(str(url), str(given["verify_token"]))

    def _account(self, request: web.Request) -> Account:
        account = self._accounts.accounts[request.match_info["object"]]
        self._accounts.count_request(account.waba_id)
        return account

    def _line(self, request: web.Request) -> Line:
        return self._accounts.lines[request.match_info["object"]]

    def _shown(self, line: Line, request: web.Request) -> dict[str, Any]:
        fields = number_fields(line, self._accounts.of(line.number))
        if "fields" not in request.query:
            return {name: fields[name] for name in DEFAULT_NUMBER_FIELDS if name in fields}
        known = dict.fromkeys(ABSENT_NUMBER_FIELDS) | fields
        return {
            name: value
            for name, value in picked(known, request, "a phone number").items()
            if value is not None
        }


def blocked_user(customer: Customer, line: Line) -> dict[str, Any]:
    """A blocked customer, by phone number where the business may see it."""
    if customer.shows_phone:
        return {"messaging_product": "whatsapp", "wa_id": customer.phone}
    return {"messaging_product": "whatsapp", "user_id": customer.user_id(line.number)}


async def parameters(request: web.Request) -> dict[str, Any]:
    """What a request asks for, in the query, as JSON or as a form: the Graph API takes all."""
    given: dict[str, Any] = dict(request.query)
    given.pop("access_token", None)
    raw = await request.read()
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given |= dict(await request.post())
    elif raw.strip():
        given |= read_json(raw)
    return given


def only(given: dict[str, Any], known: set[str], what: str) -> None:
    """Refuse loudly what is not simulated, instead of dropping it."""
    if unknown := sorted(given.keys() - known):
        raise NotSimulated(f"parameter {unknown[0]} of {what}")


def product(given: dict[str, Any]) -> None:
    """Every change of a number names its product."""
    if given.get("messaging_product") != "whatsapp":
        raise Refusal(100, "The parameter messaging_product is required.")


def checked_pin(value: Any) -> str:
    """A PIN of six digits."""
    if not re.fullmatch(r"[0-9]{6}", str(value)):
        raise Refusal(100, "Param pin must be six digits.")
    return str(value)
