"""What a stored event means to a flow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.whatsapp.translate import message_facts, to_event
from flows.events import (
    ContactsReceived,
    Event,
    FormAnswered,
    LocationReceived,
    MediaReceived,
    MessageDeleted,
    MessageEdited,
    NumberChanged,
    PersonReplied,
    ReactionReceived,
    ReplyTapped,
    TextReceived,
    UnknownReceived,
)
from tests.support.payloads import message

CARD = {"name": {"formatted_name": "Bo"}, "phones": [{"phone": "+1 555-123", "wa_id": "1555123"}]}
OWN_CARD = {**CARD, "origin": "contact_request"}


def interactive(kind: str, **reply: Any) -> dict[str, Any]:
    return message("interactive", {"type": kind, kind: reply})


@pytest.mark.parametrize(
    ("sent", "event"),
    [
        (message("text", {"body": "Tomorrow at 5?"}), TextReceived("Tomorrow at 5?")),
        (message("text", {"body": ""}), TextReceived("")),
        (
            interactive("button_reply", id="menu:book", title="Book"),
            ReplyTapped("menu:book", "Book"),
        ),
        (
            interactive("list_reply", id="book:slot:7", title="9:00", description="Ana"),
            ReplyTapped("book:slot:7", "9:00"),
        ),
        (
            interactive("nfm_reply", name="flow", body="Sent", response_json='{"a":1}'),
            FormAnswered("flow", '{"a":1}'),
        ),
        (
            interactive("call_permission_reply", response="accept"),
            UnknownReceived("interactive"),
        ),
        (message("button", {"text": "Yes", "payload": "visit:ok"}), ReplyTapped("visit:ok", "Yes")),
        (message("button", {"text": "Yes"}), TextReceived("Yes")),
        (message("image", {"id": "1", "caption": "so"}), MediaReceived("image", "so")),
        (message("video", {"id": "1"}), MediaReceived("video")),
        (message("document", {"id": "1", "filename": "../x"}), MediaReceived("document")),
        (message("sticker", {"id": "1", "animated": True}), MediaReceived("sticker")),
        (message("audio", {"id": "1", "voice": True}), MediaReceived("voice")),
        (message("audio", {"id": "1", "voice": False}), MediaReceived("audio")),
        (
            message("location", {"latitude": 56.9, "longitude": "24.1", "name": "Home"}),
            LocationReceived(56.9, 24.1),
        ),
        (message("location", {"latitude": 56.9}), UnknownReceived("location")),
        (message("contacts", [CARD, CARD]), ContactsReceived(2)),
        (message("contacts", [OWN_CARD]), ContactsReceived(1, own_phone="1555123")),
        (message("reaction", {"message_id": "wamid.1", "emoji": "👍"}), ReactionReceived("👍")),
        (message("reaction", {"message_id": "wamid.1"}), ReactionReceived("")),
        (
            message("edit", {"message": {"type": "text", "text": {"body": "at 6"}}}),
            MessageEdited("at 6"),
        ),
        (message("revoke", {"original_message_id": "wamid.1"}), MessageDeleted()),
        (message("system", {"type": "user_changed_number"}), NumberChanged()),
        (message("order", {"catalog_id": "1"}), UnknownReceived("order")),
        (message("unsupported", {"type": "poll"}), UnknownReceived("poll")),
        (message("hologram", {"id": "1"}), UnknownReceived("hologram")),
        (message("request_welcome"), TextReceived("")),
    ],
)
def test_a_message_becomes_what_it_means(sent: dict[str, Any], event: Event) -> None:
    assert to_event({"message": sent}) == event


def test_what_was_written_by_hand_is_a_reply_of_a_person() -> None:
    assert to_event({"echo": message(to="1555")}) == PersonReplied()


def test_a_missing_type_is_guessed_from_the_content() -> None:
    sent = message("location", {"latitude": 1, "longitude": 2})
    del sent["type"]
    assert to_event({"message": sent}) == LocationReceived(1, 2)


def test_the_facts_of_a_message_are_its_id_type_and_what_it_replies_to() -> None:
    sent = message(context={"from": "1555", "id": "wamid.ours"})
    assert message_facts({"message": sent}) == (sent["id"], "text", "wamid.ours")


def test_a_forwarded_message_replies_to_nothing() -> None:
    sent = message(context={"forwarded": True})
    assert message_facts({"message": sent}) == (sent["id"], "text", None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
kinds = st.sampled_from(
    ["text", "interactive", "button", "image", "audio", "location", "contacts", "reaction", "edit"]
)


@given(kind=kinds | json_values, content=json_values, event=json_values)
def test_no_json_raises(kind: Any, content: Any, event: Any) -> None:
    inner = {"message": {"type": kind, str(kind): content, "interactive": content}}
    for whole in (inner, {"message": event}, {"message": {"text": event, "context": event}}):
        to_event(whole)
        wamid, type_, _ = message_facts(whole)
        assert wamid is None or isinstance(wamid, str)
        assert type_
