"""Webhook bodies as Meta writes them, and the corpus of stored ones."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from tests.support.checkout import CHECKOUT

NUMBER: Final = "100000000000001"
WABA: Final = "200000000000001"
ANA: Final = "15551230001"
AT: Final = 1_795_000_000  # seconds since 1970

CORPUS: Final = Path(
    os.environ.get("WHATSAPP_CORPUS", CHECKOUT.parent / "shared" / "data" / "whatsapp")
)
"""Stored webhooks of many projects, where somebody has them."""

_numbers = itertools.count(1)


def wamid() -> str:
    """A message id that no other message of the test run has."""
    return f"wamid.TEST{next(_numbers)}"


def message(
    kind: str = "text", content: Any = None, *, sender: str | None = ANA, **more: Any
) -> dict[str, Any]:
    """An inbound message; `sender=None` is one without a phone number."""
    given = {} if sender is None else {"from": sender}
    found = {"body": "hi"} if content is None else content
    return {**given, "id": wamid(), "timestamp": str(AT), "type": kind, kind: found, **more}


def contact(
    wa_id: str | None = ANA, *, name: str = "Ana", user_id: str | None = None, **more: Any
) -> dict[str, Any]:
    """What stands in `contacts`."""
    known = {"wa_id": wa_id, "user_id": user_id}
    return {"profile": {"name": name}, **{k: v for k, v in known.items() if v}, **more}


def status(state: str = "sent", *, of: str | None = None, **more: Any) -> dict[str, Any]:
    """What stands in `statuses`."""
    message_id = of or wamid()
    return {"id": message_id, "status": state, "timestamp": str(AT), "recipient_id": ANA, **more}


def value(*, number: str = NUMBER, **items: Any) -> dict[str, Any]:
    """The value of a change."""
    metadata = {"display_phone_number": "15550100000", "phone_number_id": number}
    return {"messaging_product": "whatsapp", "metadata": metadata, **items}


def change(field: str = "messages", *, number: str = NUMBER, **items: Any) -> dict[str, Any]:
    """A change of a field that names its number."""
    return {"field": field, "value": value(number=number, **items)}


def envelope(*changes: Any, waba: str = WABA, **more: Any) -> dict[str, Any]:
    """A body with one entry."""
    entry = {"id": waba, "changes": list(changes), **more}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def inbound(*messages: dict[str, Any], **items: Any) -> dict[str, Any]:
    """A body with messages, each with its sender's contact."""
    senders = dict.fromkeys(one["from"] for one in messages if "from" in one)
    contacts = [contact(sender) for sender in senders]
    return envelope(change(messages=list(messages), **{"contacts": contacts, **items}))


@dataclass(frozen=True)
class Stored:
    """A webhook of the corpus as a whole body."""

    file: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return self.file


def corpus() -> Iterator[Stored]:
    """All webhooks of the corpus; what is stored of a body in part is completed to one."""
    index = (CORPUS / "INDEX.md").read_text(encoding="utf-8")
    for line in index.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 6 or not cells[0].startswith("payloads/"):
            continue
        name, _, part, *_ = cells
        if part not in {"full", "entry-only", "change", "value"}:
            continue
        found = orjson.loads((CORPUS / name).read_bytes())
        yield Stored(name, _completed(found, part))


def _completed(found: Any, part: str) -> Any:
    match part:
        case "full" | "entry-only":
            return found
        case "change":
            return envelope(found)
        case _:
            return envelope({"field": "messages", "value": {**value(), **found}})
