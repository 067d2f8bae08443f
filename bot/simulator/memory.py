"""Carries the world over a restart: who has a phone, what was said, which files were sent."""

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.simulator.changes import Changes
from bot.simulator.courier import Courier
from bot.simulator.model import Customer, Message, StoredMedia
from bot.simulator.recipients import uploaded_media
from bot.simulator.templates import Gone, Known, Templates
from bot.simulator.webhooks import Notice
from bot.simulator.world import World

SAVE_EVERY = 1.0
KEPT_PER_CONVERSATION = 500


class Untold(BaseModel):
    """A status that the business has not acknowledged yet."""

    waba_id: str
    field: str
    value: dict[str, Any]
    events: frozenset[str]
    customer: frozenset[str]
    time: int | None = None


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


class Keeper:
    """Keeps a world in a file: read once, written whenever something changed."""

    def __init__(
        self,
        path: Path,
        world: World,
        courier: Courier,
        templates: Templates,
        changes: Changes,
    ) -> None:
        self._path = path
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
        self._templates.known |= {one.id: one for one in kept.templates}
        self._templates.gone += kept.gone
        for one in kept.untold:
            self._courier.post(Notice(**dict(one)))
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
        return snapshot(self._world, self._courier, self._templates)

    def _write(self, data: bytes) -> None:
        # A rename is whole or not at all: a kill in between leaves the file before.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".new")
        unfinished.write_bytes(data)
        os.replace(unfinished, self._path)


def snapshot(world: World, courier: Courier, templates: Templates) -> bytes:
    """The world as JSON, without messages that are very old."""
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
    kept = Kept(
        customers=list(world.customers.values()),
        messages=messages,
        media=[one for one in world.media.values() if one.id in used],
        untold=[
            Untold.model_validate(one.notice, from_attributes=True)
            for one in courier.unsettled.values()
            if one.notice.answered is None
        ],
        templates=[one for one in templates.known.values() if one.waba_id is not None],
        gone=templates.gone,
        clock_moves=world.clock_moves,
    )
    return kept.model_dump_json().encode()


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
