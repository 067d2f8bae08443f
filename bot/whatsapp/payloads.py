"""Reads the webhooks that Meta posts into events, leniently: nothing that Meta signed is lost.

A body is `{entry[]{id, changes[]{field, value}}}`. Each message, status and echo in it becomes an
event, and whatever is not understood becomes one of kind `kept`, whole. Only a body that is no JSON
object at all is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from bot.whatsapp.bodies import parse
from bot.whatsapp.fields import digest, identifier, listed, mapped, moment, name, phone
from flows.values import valueclass
from storage.inbox import Identity, Kind, NewEvent

ACCOUNT_FIELDS: Final = frozenset(
    (
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "account_update",
        "business_capability_update",
        "business_username_update",
        "business_username_updates",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "template_correct_category_detection",
    )
)
"""Fields that tell about the business's account and numbers."""

NOTICE_FIELDS: Final = frozenset(
    (
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "template_category_update",
        "user_preferences",
    )
)
"""Fields that tell something to be noted: of templates, and of customers' wishes."""

OTHER_FIELDS: Final = frozenset(
    (
        "automatic_events",
        "calls",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "history",
        "messages",
        "messaging_handovers",
        "partner_solutions",
        "payment_configuration_update",
        "smb_app_state_sync",
        "smb_message_echoes",
        "standby",
    )
)
"""The other fields that have a name here; one that has not may call itself anything."""

UNKNOWN: Final = "unknown"
"""The name of all other fields."""

_KNOWN: Final = ACCOUNT_FIELDS | NOTICE_FIELDS | OTHER_FIELDS
_ECHOES: Final = "smb_message_echoes"
_MOVES: Final = ("user_changed_number", "user_changed_user_id", "customer_changed_number")
_ENTRY: Final = frozenset(("id", "time", "changes"))
_FRAME: Final = frozenset(("messaging_product", "metadata"))
_ITEMS: Final = frozenset(("messages", "statuses", "contacts"))
_ECHO_ITEMS: Final = frozenset(("message_echoes", "contacts"))

_Object: TypeAlias = dict[str, Any]


@valueclass(frozen=True, slots=True)
class _Source:
    """Where something stood in a body: whose it is, in which field, and when it came."""

    phone_number_id: str | None
    waba_id: str | None
    field: str
    received_at: datetime

    def event(
        self,
        kind: Kind,
        key: tuple[str, ...],
        event: _Object,
        *,
        timestamp: Any = None,
        identity: Identity | None = None,
        moved_to: Identity | None = None,
    ) -> NewEvent:
        """An event under a key that is Meta's own."""
        owner = self.phone_number_id or self.waba_id or "-"
        return NewEvent(
            phone_number_id=self.phone_number_id,
            waba_id=self.waba_id,
            kind=kind,
            dedup_key=":".join((owner, *key)),
            event=event,
            occurred_at=moment(timestamp, self.received_at),
            identity=identity,
            moved_to=moved_to,
            field=self.field,
        )

    def kept(self, event: _Object, *context: Any, kind: Kind = "kept") -> NewEvent:
        """An event under a key made of what it says; `context` tells it from its equals."""
        return self.event(kind, (kind, digest((event, context))), event)


def read(body: bytes, *, received_at: datetime) -> list[NewEvent]:
    """Read all events of a body; raises Malformed and nothing else."""
    envelope = parse(body)
    nowhere = _Source(None, None, UNKNOWN, received_at)
    if "entry" not in envelope:
        return [nowhere.kept({"body": envelope})]
    found: list[NewEvent] = []
    for entry in listed(envelope["entry"]):
        if isinstance(entry, dict):
            found += _read_entry(entry, received_at)
        else:
            found.append(nowhere.kept({"entry": entry}))
    return found


def _read_entry(entry: _Object, received_at: datetime) -> Iterator[NewEvent]:
    waba_id = identifier(entry.get("id"))
    for change in listed(entry.get("changes")):
        yield from _read_change(entry, waba_id, change, received_at)
    if not entry.keys() <= _ENTRY:
        rest = {key: item for key, item in entry.items() if key != "changes"}
        yield _Source(None, waba_id, UNKNOWN, received_at).kept({"entry": rest})


def _read_change(
    entry: _Object, waba_id: str | None, change: Any, received_at: datetime
) -> Iterator[NewEvent]:
    found = mapped(change)
    value = mapped(found.get("value"))
    number = identifier(mapped(value.get("metadata")).get("phone_number_id"))
    source = _Source(number, waba_id, _field(found), received_at)
    if value and source.field == "messages":
        yield from _read_messages(source, entry, found, value)
    elif value and source.field == _ECHOES:
        yield from _read_echoes(source, entry, found, value)
    elif source.field in NOTICE_FIELDS:
        event, time = {"change": change}, entry.get("time")
        key = ("notice", digest((event, waba_id, time)))
        yield source.event("notice", key, event, timestamp=time)
    else:
        kind: Kind = "account" if source.field in ACCOUNT_FIELDS else "kept"
        yield source.kept({"change": change}, waba_id, entry.get("time"), kind=kind)


def _field(change: _Object) -> str:
    field = change.get("field", "messages")
    known = isinstance(field, str) and field in _KNOWN
    return field if known else UNKNOWN


def _read_messages(
    source: _Source, entry: _Object, change: _Object, value: _Object
) -> Iterator[NewEvent]:
    messages, statuses = listed(value.get("messages")), listed(value.get("statuses"))
    contacts = [one for one in listed(value.get("contacts")) if isinstance(one, dict)]
    for message, contact in _paired(messages, contacts, "from", "from_user_id"):
        yield _read_message(source, message, contact)
    for status, contact in _paired(statuses, contacts, "recipient_id", "recipient_user_id"):
        yield _read_status(source, status, contact)
    read = _ITEMS if messages or statuses else _ITEMS - {"contacts"}
    yield from _read_rest(source, entry, change, read)


def _read_echoes(
    source: _Source, entry: _Object, change: _Object, value: _Object
) -> Iterator[NewEvent]:
    echoes = listed(value.get("message_echoes"))
    contacts = [one for one in listed(value.get("contacts")) if isinstance(one, dict)]
    for echo, contact in _paired(echoes, contacts, "to", "to_user_id"):
        yield _read_echo(source, echo, contact)
    read = _ECHO_ITEMS if echoes else _ECHO_ITEMS - {"contacts"}
    yield from _read_rest(source, entry, change, read)


def _read_rest(
    source: _Source, entry: _Object, change: _Object, read: frozenset[str]
) -> Iterator[NewEvent]:
    """What stands in a value beside the items: errors of the account, keys that are new."""
    value = change["value"]
    if value.keys() <= _FRAME | read:
        return
    rest = {key: item for key, item in value.items() if key not in read}
    if any(item for key, item in rest.items() if key not in _FRAME):
        left = {"change": {**change, "value": rest}}
        yield source.kept(left, entry.get("id"), entry.get("time"))


def _read_message(source: _Source, message: Any, contact: _Object | None) -> NewEvent:
    event = _with_contact("message", message, contact)
    if not isinstance(message, dict) or message.get("group_id"):
        return source.kept(event)
    identity = _identity(message, contact, "from", "from_user_id", "from_parent_user_id")
    kind: Kind = "message"
    moved_to = None
    if message.get("type") == "system":
        kind = "system"
        identity, moved_to = _move(mapped(message.get("system")), identity or Identity())
    if identity is None:
        return source.kept(event)
    return source.event(
        kind,
        ("in", identifier(message.get("id")) or digest(message)),
        event,
        timestamp=message.get("timestamp"),
        identity=identity,
        moved_to=moved_to,
    )


def _read_status(source: _Source, status: Any, contact: _Object | None) -> NewEvent:
    event = _with_contact("status", status, contact)
    found = mapped(status)
    wamid, reached = identifier(found.get("id")), identifier(found.get("status"))
    if wamid is None or reached is None or found.get("recipient_type") == "group":
        return source.kept(event)
    key = ("status", wamid, reached)
    return source.event("status", key, event, timestamp=found.get("timestamp"))


def _read_echo(source: _Source, echo: Any, contact: _Object | None) -> NewEvent:
    event = _with_contact("echo", echo, contact)
    found = mapped(echo)
    identity = _identity(found, contact, "to", "to_user_id", "to_parent_user_id")
    if identity is None:
        return source.kept(event)
    key = ("echo", identifier(found.get("id")) or digest(found))
    return source.event("echo", key, event, timestamp=found.get("timestamp"), identity=identity)


def _with_contact(kind: str, item: Any, contact: _Object | None) -> _Object:
    return {kind: item} if contact is None else {kind: item, "contact": contact}


def _paired(
    items: Sequence[Any], contacts: list[_Object], phone_key: str, id_key: str
) -> list[tuple[Any, _Object | None]]:
    """Give each item its contact, by id or number; one left over goes to an item left over."""
    if not contacts:
        return [(item, None) for item in items]
    by_name: dict[str | None, _Object] = {}
    for contact in contacts:
        by_name.setdefault(identifier(contact.get("user_id")), contact)
        by_name.setdefault(identifier(contact.get("wa_id")), contact)
    by_name.pop(None, None)
    found: list[_Object | None] = []
    for item in items:
        names = mapped(item)
        by_id = by_name.get(identifier(names.get(id_key)))
        found.append(by_id or by_name.get(identifier(names.get(phone_key))))
    if found.count(None) == 1:
        taken = {id(contact) for contact in found}
        free = [contact for contact in contacts if id(contact) not in taken]
        if len(free) == 1:
            found[found.index(None)] = free[0]
    return list(zip(items, found, strict=True))


def _identity(
    item: _Object, contact: _Object | None, phone_key: str, id_key: str, parent_key: str
) -> Identity | None:
    contact = contact or {}
    number = phone(item.get(phone_key)) or phone(contact.get("wa_id"))
    bsuid = identifier(item.get(id_key)) or identifier(contact.get("user_id"))
    if number is None and bsuid is None:
        return None
    profile = mapped(contact.get("profile"))
    return Identity(
        phone=number,
        bsuid=bsuid,
        parent_bsuid=identifier(item.get(parent_key)) or identifier(contact.get("parent_user_id")),
        username=name(profile.get("username")),
        profile_name=name(profile.get("name")),
    )


def _move(system: _Object, sender: Identity) -> tuple[Identity | None, Identity | None]:
    """Who a customer was and who they are now; nothing for other news, or where one is not said."""
    new_phone = phone(system.get("wa_id")) or phone(system.get("new_wa_id"))
    new_bsuid = identifier(system.get("user_id"))
    old_phone = sender.phone or phone(system.get("customer"))
    old_bsuid = identifier(system.get("previous_user_id")) or sender.bsuid
    if (
        system.get("type") not in _MOVES
        or (new_phone is None and new_bsuid is None)
        or (old_phone is None and old_bsuid is None)
    ):
        return None, None
    now = Identity(
        phone=new_phone or old_phone,
        bsuid=new_bsuid or old_bsuid,
        parent_bsuid=identifier(system.get("parent_user_id")),
    )
    return Identity(phone=old_phone, bsuid=old_bsuid), now
