"""Webhooks as Meta posts them in 2026, made up at random; what is private in them is remembered."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import orjson

from tests.support.payloads import WABA, change, envelope, wamid

UNKNOWN = "100000000009999"
NUMBERS = ("100000000000001", "100000000000002", UNKNOWN)
PRICES: tuple[dict[str, Any] | None, ...] = (
    None,
    {"billable": True, "pricing_model": "CBP", "category": "service"},
    {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"},
    {"pricing_model": "PMP", "category": "service", "type": "free_customer_service"},
    {"pricing_model": "PMP", "category": "marketing_lite", "type": "free_entry_point"},
    {"pricing_model": "PMP", "category": "general_purpose_ai", "type": "by_token", "tokens": 912},
    {"pricing_model": "PMP", "category": "authentication-international", "type": "regular"},
)


class Inventor:
    """Makes things up; the same seed makes up the same."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311
        self.private: set[str] = set()
        self.expected: list[str] = []  # parts of dedup keys: one row each
        self.asked: set[tuple[str, str]] = set()  # number and phone of who wants an answer
        self.others = 0  # rows whose keys are digests
        self._n = 0

    def secret(self, kind: str) -> str:
        """Something that no log may hold."""
        self._n += 1
        made = f"{kind} zq{self.chance.getrandbits(48):012x}{self._n}"
        self.private.add(made.split(" ", 1)[1])
        return made

    def _at(self) -> str:
        """A moment of the last minute: what is older than a day is answered by nothing."""
        return str(int(time.time()) - self.chance.randint(0, 60))

    def person(self) -> dict[str, Any]:
        """A customer: with a number, with an id, with both, perhaps with a username."""
        self._n += 1
        digits = f"1555{self.chance.randrange(10**7):07}"
        bsuid = f"US.{self.chance.getrandbits(80):024d}"
        self.private |= {digits, bsuid}
        shown = self.chance.choice(["both", "phone", "bsuid", "parent"])
        keys: dict[str, Any] = {}
        who: dict[str, Any] = {"profile": {"name": self.secret("Zera")}}
        if shown in ("both", "phone"):
            keys["from"] = who["wa_id"] = digits
        if shown != "phone":
            keys["from_user_id"] = who["user_id"] = bsuid
            who["profile"]["username"] = self.secret("u").replace(" ", "")
            self.private.add(who["profile"]["username"])
        if shown == "parent":
            keys["from_parent_user_id"] = who["parent_user_id"] = f"US.ENT.{self._n:018}"
        return {"keys": keys, "contact": who}

    def message(self, person: dict[str, Any], number: str) -> dict[str, Any]:
        """A message of any type."""
        kind, content = self.chance.choice(self._contents())()
        made = {**person["keys"], "id": wamid(), "timestamp": self._at(), "type": kind}
        if content is not None:
            made[kind] = content
        extras = self._extras().items()
        made |= {key: more for key, more in extras if self.chance.random() < 0.15}
        if kind == "unsupported":
            made["errors"] = [{"code": 131051, "title": self.secret("no")}]
        if made.get("group_id"):
            self.others += 1
        else:
            self.expected.append(f"{number}:in:{made['id']}")
            if kind == "text" and "from" in made and number != UNKNOWN:
                self.asked.add((number, made["from"]))
        return made

    def _extras(self) -> dict[str, Any]:
        return {
            "context": {"from": "15550100000", "id": wamid(), "forwarded": True},
            "referral": {
                "source_url": "https://fb.me/x",
                "source_type": "ad",
                "headline": self.secret("ad"),
                "welcome_message": {"text": self.secret("welcome")},
            },
            "identity": {"acknowledged": True, "created_timestamp": 1, "hash": "hash"},
            "group_id": f"g{self.chance.getrandbits(40)}",
            "errors": [{"code": 131052, "error_data": {"details": self.secret("too large")}}],
            "a_key_of_next_year": {"nested": [1, {"text": self.secret("new")}]},
        }

    def _contents(self) -> list[Any]:
        say = self.secret
        media = {"id": "1", "mime_type": "x/y", "sha256": "00", "url": "https://lookaside"}
        card = {"name": {"formatted_name": say("Card")}, "phones": [{"phone": "+1 (555) 01-0"}]}
        form = orjson.dumps({"flow_token": "t", "text": say("form")}).decode()
        return [
            lambda: ("text", {"body": say("hello")}),
            lambda: ("text", {"body": f"hi \0 {say('nul')} \U0001f600"}),
            lambda: ("image", {**media, "caption": say("look")}),
            lambda: ("audio", {**media, "voice": True}),
            lambda: ("document", {**media, "filename": say("../etc")}),
            lambda: ("sticker", {**media, "animated": True}),
            lambda: ("location", {"latitude": "40.7", "longitude": -74, "name": say("home")}),
            lambda: ("contacts", [{**card, "origin": "contact_request"}, card]),
            lambda: ("button", {"text": say("yes")}),
            lambda: ("button", {"text": say("yes"), "payload": say("p")}),
            lambda: ("reaction", {"message_id": wamid()}),
            lambda: ("reaction", {"message_id": wamid(), "emoji": "❤️"}),
            lambda: ("interactive", {"type": "list_reply", "list_reply": {"id": say("row")}}),
            lambda: (
                "interactive",
                {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": form}},
            ),
            lambda: (
                "interactive",
                {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            ),
            lambda: (
                "order",
                {
                    "catalog_id": "1",
                    "text": say("two please"),
                    "product_items": [{"product_retailer_id": "a", "quantity": "2"}],
                },
            ),
            lambda: (
                "edit",
                {
                    "original_message_id": wamid(),
                    "message": {"type": "text", "text": {"body": say("better")}},
                },
            ),
            lambda: ("revoke", {"original_message_id": wamid()}),
            lambda: ("unsupported", {"type": "poll"}),
            lambda: ("request_welcome", None),
            lambda: ("payment_method", {"payment_method": {"type": "pix", "key": say("pix")}}),
            lambda: ("ephemeral", None),
            lambda: ("poll_of_next_year", {"question": say("which")}),
        ]

    def status(self, number: str) -> dict[str, Any]:
        """What became of a message; of one in a group, at times."""
        reached = self.chance.choice(["sent", "delivered", "read", "failed", "played", "pondered"])
        person = self.person()["keys"]
        made: dict[str, Any] = {"id": wamid(), "status": reached, "timestamp": self._at()}
        names = {"from": "recipient_id", "from_user_id": "recipient_user_id"}
        made |= {names[key]: value for key, value in person.items() if key in names}
        price = self.chance.choice(PRICES)
        if price is not None:
            made["pricing"] = price
        if reached == "failed":
            made["errors"] = [{"code": 131026, "error_data": {"details": self.secret("no")}}]
        if self.chance.random() < 0.3:
            made["biz_opaque_callback_data"] = self.chance.choice(["usual:1:999999", "theirs", ""])
        if self.chance.random() < 0.1:
            made |= {"recipient_type": "group", "participant_recipient_id": "15550000000"}
            self.others += 1
        else:
            self.expected.append(f"{number}:status:{made['id']}:{reached}")
        return made

    def account(self) -> dict[str, Any]:
        """A change of any other field."""
        field = self.chance.choice(
            [
                *("calls", "group_lifecycle_update", "history", "standby", "flows"),
                *("account_update", "user_preferences", "messaging_handovers", "security"),
                *("message_template_status_update", "payment_configuration_update", "of_2027"),
            ]
        )
        number = self.person()["keys"]
        value: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": self.chance.choice(NUMBERS)},
            "event": self.chance.choice(["APPROVED", "DISABLED_UPDATE", "terminate"]),
            "calls": [{"id": wamid(), **number, "session": {"sdp": self.secret("v=0")}}],
            "user_preferences": [{"user_id": "US.1", "category": "marketing_messages", **number}],
        }
        self.others += 1
        return {"field": field, "value": value}

    def value(self) -> dict[str, Any]:
        """A change with messages and statuses of several people; errors beside them, at times."""
        number = self.chance.choice(NUMBERS)
        people = [self.person() for _ in range(self.chance.randint(1, 3))]
        messages = [
            self.message(self.chance.choice(people), number)
            for _ in range(self.chance.randint(0, 3))
        ]
        statuses = [self.status(number) for _ in range(self.chance.randint(0, 3))]
        items: dict[str, Any] = {"contacts": [one["contact"] for one in people]}
        if messages:
            items["messages"] = messages
        if statuses:
            items["statuses"] = statuses
        if self.chance.random() < 0.2 or not (messages or statuses):
            items["errors"] = [{"code": 130429, "title": self.secret("slow down")}]
            self.others += 1
        self.chance.shuffle(items["contacts"])
        return change(number=number, **items)

    def body(self, *, most: int = 3) -> dict[str, Any]:
        """A whole webhook: several entries, several changes."""
        entries = []
        for _ in range(self.chance.randint(1, most)):
            makers = [self.value, self.value, self.account]
            changes = [self.chance.choice(makers)() for _ in range(self.chance.randint(1, 3))]
            entries += envelope(*changes, waba=WABA, time=int(self._at()))["entry"]
        return {"object": "whatsapp_business_account", "entry": entries}
