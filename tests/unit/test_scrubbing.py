"""What is captured holds nothing personal, and is built as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given

from bot.operators.scrubbing import Scrubber
from bot.whatsapp.payloads import read
from tests.support.damage import damaged
from tests.support.payloads import (
    ANA,
    AT,
    CORPUS,
    change,
    contact,
    corpus,
    envelope,
    inbound,
    message,
    status,
)

NOW = datetime.fromtimestamp(AT, UTC)
SCRUBBER = Scrubber(b"a key")


def leaves(value: Any) -> Iterator[str]:
    """All texts and numbers of a JSON value."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif value is not None:
        yield str(value)


def first(body: Any) -> Any:
    """The first message of a body."""
    return body["entry"][0]["changes"][0]["value"]["messages"][0]


def said(text: str) -> str:
    """What is left of a text message."""
    return str(first(SCRUBBER.scrub(inbound(message(content={"body": text}))))["text"]["body"])


def test_names_numbers_and_words_are_gone() -> None:
    sent = message(content={"body": "I am Zoë Quill, call +49 170 1234567 or zoe@quill.example"})
    scrubbed = json.dumps(SCRUBBER.scrub(inbound(sent)), ensure_ascii=False)
    for personal in ("Zoë", "Quill", "170", "1234567", "zoe", "quill", ANA, "Ana", sent["id"]):
        assert personal not in scrubbed, personal


def test_the_words_that_the_bot_looks_for_stay() -> None:
    assert said("Hi, book a wax tomorrow at 3 please") == "Hi, book a xxx tomorrow at 3 please"
    assert said("Завтра в 15:30, Маша") == "Завтра в 15:30, Хххх"
    assert said("👍 12345") == "👍 00000"


def test_names_never_stay_even_when_they_are_words_of_ours() -> None:
    body = envelope(change(messages=[message()], contacts=[contact(name="June May")]))
    value = SCRUBBER.scrub(body)["entry"][0]["changes"][0]["value"]
    assert value["contacts"][0]["profile"]["name"] == "Xxxx Xxx"


def test_what_belongs_together_still_does() -> None:
    said = message()
    read_it = status(of=said["id"])
    tapped = message("interactive", {"type": "button_reply", "button_reply": {"id": "book:1"}})
    tapped["context"] = {"id": said["id"], "from": "15550100000"}
    body = envelope(change(messages=[said, tapped], statuses=[read_it], contacts=[contact()]))
    value = SCRUBBER.scrub(body)["entry"][0]["changes"][0]["value"]
    one, two = value["messages"]
    assert one["id"] == value["statuses"][0]["id"] == two["context"]["id"] != said["id"]
    assert one["from"] == value["contacts"][0]["wa_id"] == value["statuses"][0]["recipient_id"]
    assert re.fullmatch(r"15\d{9}", one["from"])
    assert two["interactive"]["button_reply"]["id"] == "book:1"
    assert value["metadata"]["phone_number_id"] == "100000000000001"


def test_another_key_makes_other_pseudonyms() -> None:
    body = inbound(message())
    assert (
        first(Scrubber(b"one").scrub(body))["from"] != first(Scrubber(b"two").scrub(body))["from"]
    )
    assert SCRUBBER.scrub(body) == Scrubber(b"a key").scrub(body)


@given(damaged())
def test_nothing_breaks_it_and_all_its_events_are_still_there(body: Any) -> None:
    before = read(json.dumps(body).encode(), received_at=NOW)
    after = read(json.dumps(SCRUBBER.scrub(body)).encode(), received_at=NOW)
    assert [one.kind for one in before] == [one.kind for one in after]
    assert [bool(one.identity) for one in before] == [bool(one.identity) for one in after]


@pytest.mark.skipif(
    not (CORPUS / "INDEX.md").exists(),
    reason="there is no corpus of webhooks here: WHATSAPP_CORPUS says where one is",
)
def test_the_whole_corpus_is_scrubbed_and_means_the_same() -> None:
    keys: dict[str, str] = {}
    for stored in corpus():
        scrubbed = SCRUBBER.scrub(stored.body)
        before = read(orjson.dumps(stored.body), received_at=NOW)
        after = read(orjson.dumps(scrubbed), received_at=NOW)
        assert [one.kind for one in before] == [one.kind for one in after], stored
        assert [one.phone_number_id for one in before] == [one.phone_number_id for one in after]
        for one, other in zip(before, after, strict=True):
            # The same event is the same afterwards, and two that differ still do.
            assert keys.setdefault(one.dedup_key, other.dedup_key) == other.dedup_key, stored
        text, left = json.dumps(stored.body), set(leaves(scrubbed))
        own = set(re.findall(r'"phone_number_id": ?"(\d+)"', text))
        phones = set(re.findall(r'"(?:from|wa_id|recipient_id)": ?"(\d{9,})"', text))
        assert not (phones - own) & left, stored
        names = set(re.findall(r'"profile": ?\{"name": ?"([^"]{4,})"', text))
        assert not names & left, stored
    kept = [key for key in keys if not key.split(":")[1].startswith("kept")]
    assert len({keys[key] for key in kept}) == len(kept)
