"""Carries the world over a restart: who has a phone, what was said, which files were sent.

And how everybody stands: accounts and numbers, blocks and opt-outs, trouble that was ordered, the
last webhooks, and how far the clock was moved.
"""

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.simulator.accounts import Account, Accounts, Line
from bot.simulator.changes import Changes
from bot.simulator.courier import Courier, Delivery, State
from bot.simulator.faults import Fault, Faults
from bot.simulator.forms import Form, Forms
from bot.simulator.model import Conversation, Customer, Message, StoredMedia
from bot.simulator.recipients import uploaded_media
from bot.simulator.templates import Gone, Known, Templates
from bot.simulator.webhooks import Notice
from bot.simulator.world import World

SAVE_EVERY = 1.0
KEPT_PER_CONVERSATION = 500
KEPT_WEBHOOKS = 300


class Untold(BaseModel):
    """A status that the business has not acknowledged yet."""

    model_config = ConfigDict(from_attributes=True)

    waba_id: str
    field: str
    value: dict[str, Any]
    events: frozenset[str]
    customer: frozenset[str]
    time: int | None = None


class Told(BaseModel):
    """A webhook that was answered, lost or given up."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    notice: Untold
    at: datetime
    state: State
    attempts: int
    last_status: int | None


class Ordered(BaseModel):
    """Trouble that waits for its occasion; what lasts for seconds is over after a restart."""

    model_config = ConfigDict(from_attributes=True)

    fault: Fault
    left: int
    happened: int


class Talk(BaseModel):
    """How a customer and a business stand."""

    customer_id: str
    phone_number_id: str
    ad_tapped: datetime | None
    free_until: datetime | None
    blocked: bool
    no_marketing: bool


class Kept(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    customers: list[Customer]
    messages: list[Message]
    media: list[StoredMedia]
    untold: list[Untold]
    templates: list[Known] = []
    gone: list[Gone] = []
    clock_moves: list[tuple[datetime, timedelta]] = []
    told: list[Told] = []
    faults: list[Ordered] = []
    talks: list[Talk] = []
    accounts: list[Account] = []
    lines: list[Line] = []
    forms: list[Form] = []


class Keeper:
    """Keeps a world in a file: read once, written whenever something changed."""

    def __init__(
        self,
        path: Path,
        world: World,
        courier: Courier,
        templates: Templates,
        forms: Forms,
        accounts: Accounts,
        faults: Faults,
        changes: Changes,
    ) -> None:
        self._path = path
        self._accounts = accounts
        self._forms = forms
        self._faults = faults
        self._templates = templates
        self._world = world
        self._courier = courier
        self._changes = changes
        self._saved = 0

    def load(self) -> None:
        """Fill the world from the file; one that cannot be understood is put aside."""
        try:
            kept = Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValidationError:
            self._path.replace(self._path.with_suffix(".unreadable"))
            return
        restore(self._world, kept)
        self._accounts.restore(kept.accounts, kept.lines)
        self._forms.put_back(kept.forms)
        for one in kept.faults:
            self._faults.put_back(one.fault, left=one.left, happened=one.happened)
        self._courier.put_back([_delivery(one) for one in kept.told])
        self._templates.known |= {one.id: one for one in kept.templates}
        self._templates.gone += kept.gone
        for untold in kept.untold:
            self._courier.post(Notice(**dict(untold)))
        self._saved = self._changes.count

    async def run(self) -> None:
        """Save what changed, for ever."""
        while True:
            await asyncio.sleep(SAVE_EVERY)
            if self._changes.count != self._saved:
                self._saved = self._changes.count
                await asyncio.to_thread(self._write, self._snapshot())

    def save(self) -> None:
        """Save now."""
        self._write(self._snapshot())

    def _snapshot(self) -> bytes:
        kept = snapshot(self._world, self._courier, self._templates)
        kept.accounts = [*self._accounts.accounts.values()]
        kept.lines = [*self._accounts.lines.values()]
        kept.forms = [*self._forms.known.values()]
        kept.faults = [
            Ordered.model_validate(one) for one in self._faults.list() if one.until is None
        ]
        return kept.model_dump_json().encode()

    def _write(self, data: bytes) -> None:
        # A rename is whole or not at all: a kill in between leaves the file before.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".new")
        unfinished.write_bytes(data)
        os.replace(unfinished, self._path)


def clock_moved(path: Path) -> timedelta:
    """How far ahead the clock is of which a file tells; nothing where there is none."""
    try:
        kept = Kept.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return timedelta()
    return sum((by for _, by in kept.clock_moves), timedelta())


def snapshot(world: World, courier: Courier, templates: Templates) -> Kept:
    """The world without messages that are very old."""
    messages = [
        message
        for talk in world.conversations()
        if talk.customer.id in world.customers
        for message in talk.messages[-KEPT_PER_CONVERSATION:]
    ]
    used = {
        media_id
        for message in messages
        for _, media_id in uploaded_media(message.kind, message.content)
    }
    return Kept(
        customers=list(world.customers.values()),
        messages=messages,
        media=[one for one in world.media.values() if one.id in used],
        untold=[
            Untold.model_validate(one.notice)
            for one in courier.unsettled.values()
            if one.notice.answered is None
        ],
        templates=[one for one in templates.known.values() if one.waba_id is not None],
        gone=templates.gone,
        clock_moves=world.clock_moves,
        told=[
            Told.model_validate(one)
            for one in [*courier.deliveries][-KEPT_WEBHOOKS:]
            if one.settled.is_set()
        ],
        talks=[_standing(talk) for talk in world.conversations() if _stands(talk)],
    )


def _standing(talk: Conversation) -> Talk:
    return Talk(
        customer_id=talk.customer.id,
        phone_number_id=talk.number.phone_number_id,
        ad_tapped=talk.ad_tapped,
        free_until=talk.free_until,
        blocked=talk.blocked,
        no_marketing=talk.no_marketing,
    )


def _stands(talk: Conversation) -> bool:
    """Whether there is more to say of a conversation than what was written."""
    return bool(talk.ad_tapped or talk.free_until or talk.blocked or talk.no_marketing)


def _delivery(one: Told) -> Delivery:
    again = Delivery(one.number, Notice(**dict(one.notice)), one.at, one.state)
    again.attempts, again.last_status = one.attempts, one.last_status
    again.settled.set()
    return again


def restore(world: World, kept: Kept) -> None:
    """Put what was kept into an empty world; chats with numbers that are gone stay away."""
    for customer in kept.customers:
        world.take_in(customer)
    world.clock_moves = kept.clock_moves
    for media in kept.media:
        world.media[media.id] = media
    for message in kept.messages:
        number = world.numbers.get(message.phone_number_id)
        writer = world.customers.get(message.customer_id)
        if number and writer:
            world.put_back(world.conversation(writer, number), message)
    for one in kept.talks:
        number = world.numbers.get(one.phone_number_id)
        if number and one.customer_id in world.customers:
            talk = world.conversation(world.customers[one.customer_id], number)
            talk.ad_tapped, talk.free_until = one.ad_tapped, one.free_until
            talk.blocked, talk.no_marketing = one.blocked, one.no_marketing
