"""Reading what Meta posts: everything in it, whatever it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bot.whatsapp.payloads import read
from storage.inbox import Identity, NewEvent
from tests.support.payloads import (
    ANA,
    AT,
    NUMBER,
    WABA,
    change,
    contact,
    envelope,
    inbound,
    message,
    status,
)

NOW = datetime.fromtimestamp(AT, UTC) + timedelta(seconds=2)
SENT = datetime.fromtimestamp(AT, UTC)
BSUID = "US.13491208655302741918"


def events(body: Any) -> list[NewEvent]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(raw, received_at=NOW)


def the_event(body: Any) -> NewEvent:
    (found,) = events(body)
    return found


def test_a_message_is_kept_whole_with_its_contact_and_known_by_its_id() -> None:
    sent = message(mystery={"new": [1, None]})
    assert the_event(inbound(sent)) == NewEvent(
        phone_number_id=NUMBER,
        waba_id=WABA,
        kind="message",
        dedup_key=f"{NUMBER}:in:{sent['id']}",
        event={"message": sent, "contact": contact()},
        occurred_at=SENT,
        identity=Identity(phone=ANA, profile_name="Ana"),
    )


def test_a_status_is_known_by_its_message_and_what_it_says() -> None:
    said = status("delivered")
    found = the_event(envelope(change(statuses=[said], contacts=[contact()])))
    assert (found.kind, found.dedup_key) == ("status", f"{NUMBER}:status:{said['id']}:delivered")
    assert found.event == {"status": said, "contact": contact()}
    assert found.identity is None


def test_a_message_and_a_status_with_one_id_are_two_events() -> None:
    sent = message()
    body = envelope(change(messages=[sent], statuses=[status(of=sent["id"])]))
    assert len({event.dedup_key for event in events(body)}) == 2


def test_every_entry_change_message_and_status_is_read() -> None:
    body = envelope(
        change(messages=[message(), message()], statuses=[status(), status()]),
        change(number="2", messages=[message()]),
    )
    body["entry"] += envelope(change(statuses=[status()]), waba="other")["entry"]
    found = events(body)
    assert [event.kind for event in found] == [
        *("message", "message", "status", "status"),
        *("message", "status"),
    ]
    assert [event.waba_id for event in found] == [WABA] * 5 + ["other"]
    assert found[4].phone_number_id == "2"


def test_contacts_are_matched_by_number_and_id_and_not_by_position() -> None:
    ana = message()
    bo = message(sender=None, from_user_id=BSUID)
    contacts = [contact(None, name="Bo", user_id=BSUID), contact(ANA, name="Ana")]
    found = events(envelope(change(messages=[ana, bo], contacts=contacts)))
    assert [event.identity and event.identity.profile_name for event in found] == ["Ana", "Bo"]


def test_the_only_contact_left_belongs_to_the_only_message_left() -> None:
    # Numbers of some countries are written in two ways.
    body = envelope(
        change(
            messages=[message(), message(sender="5541988887777")],
            contacts=[contact("554188887777", name="Caio", user_id="BR.1"), contact()],
        )
    )
    assert events(body)[1].identity == Identity(
        phone="5541988887777", bsuid="BR.1", profile_name="Caio"
    )


def test_nobody_gets_the_contact_of_another_one() -> None:
    body = envelope(change(messages=[message(), message(sender="1555")], contacts=[contact()]))
    assert events(body)[1].identity == Identity(phone="1555")


def test_a_customer_without_a_number_is_known_by_the_business_scoped_id() -> None:
    card = contact(None, name="Bo", user_id=BSUID, parent_user_id="US.ENT.1")
    card["profile"]["username"] = "bo"
    sent = message(sender=None, from_user_id=BSUID)
    assert the_event(envelope(change(messages=[sent], contacts=[card]))).identity == Identity(
        bsuid=BSUID, parent_bsuid="US.ENT.1", username="bo", profile_name="Bo"
    )


def test_a_number_that_stands_in_the_contact_alone_is_taken_from_there() -> None:
    sent = message(sender=None)
    body = envelope(change(messages=[sent], contacts=[contact(user_id=BSUID)]))
    assert the_event(body).identity == Identity(phone=ANA, bsuid=BSUID, profile_name="Ana")


@pytest.mark.parametrize(
    ("given", "digits"),
    [
        ("+1 (555) 123-0001", "15551230001"),
        (15551230001, "15551230001"),
        ("PHONE_NUMBER", None),
        ("1555x", None),
        ("", None),
        ("٣٤٥", None),
        ("1" * 21, None),
        (["1555"], None),
        (True, None),
    ],
)
def test_a_phone_number_is_its_digits(given: Any, digits: str | None) -> None:
    found = the_event(envelope(change(messages=[message(sender=given)])))
    assert (found.identity.phone if found.identity else None) == digits


def test_a_message_from_nobody_is_kept() -> None:
    found = the_event(envelope(change(messages=[message(sender=None)])))
    assert (found.kind, found.identity) == ("kept", None)


def test_a_message_of_a_group_is_kept() -> None:
    found = the_event(inbound(message(group_id="G1")))
    assert (found.kind, found.identity) == ("kept", None)


def test_a_message_without_an_id_is_known_by_what_it_says() -> None:
    sent = message()
    del sent["id"]
    first, again = the_event(inbound(sent)), the_event(inbound(dict(reversed(sent.items()))))
    other = the_event(inbound({**sent, "timestamp": "1795000001"}))
    assert first.kind == "message"
    assert first.dedup_key == again.dedup_key != other.dedup_key


@pytest.mark.parametrize(
    "timestamp", [None, "", "soon", "1e9", {}, [], True, -1, 0, "9" * 5000, 10**18, AT * 1000]
)
def test_a_time_that_cannot_be_is_the_time_of_arrival(timestamp: Any) -> None:
    assert the_event(inbound(message(timestamp=timestamp))).occurred_at == NOW


@pytest.mark.parametrize("timestamp", [str(AT), AT, float(AT)])
def test_a_time_is_a_number_of_seconds_however_it_is_written(timestamp: Any) -> None:
    assert the_event(inbound(message(timestamp=timestamp))).occurred_at == SENT


def test_what_the_business_wrote_by_hand_concerns_who_got_it() -> None:
    echo = message(sender="15550100000", to=ANA)
    found = the_event(envelope(change("smb_message_echoes", message_echoes=[echo])))
    assert (found.kind, found.dedup_key) == ("echo", f"{NUMBER}:echo:{echo['id']}")
    assert found.identity == Identity(phone=ANA)
    assert found.event == {"echo": echo}


@pytest.mark.parametrize(
    ("system", "sender", "old", "new"),
    [
        (
            {"type": "user_changed_number", "wa_id": "1999", "user_id": "US.2"},
            {"sender": ANA},
            Identity(phone=ANA),
            Identity(phone="1999", bsuid="US.2"),
        ),
        (
            {"type": "user_changed_number", "new_wa_id": "1999"},
            {"sender": ANA, "from_user_id": "US.1"},
            Identity(phone=ANA, bsuid="US.1"),
            Identity(phone="1999", bsuid="US.1"),
        ),
        (
            {"type": "user_changed_user_id", "previous_user_id": "US.1", "user_id": "US.2"},
            {"sender": None},
            Identity(bsuid="US.1"),
            Identity(bsuid="US.2"),
        ),
        (
            {"type": "user_changed_user_id", "user_id": "US.2", "parent_user_id": "US.ENT.2"},
            {"sender": ANA},
            Identity(phone=ANA),
            Identity(phone=ANA, bsuid="US.2", parent_bsuid="US.ENT.2"),
        ),
        (
            {"type": "customer_changed_number", "customer": "1555", "wa_id": "1999"},
            {"sender": None},
            Identity(phone="1555"),
            Identity(phone="1999"),
        ),
    ],
)
def test_a_changed_number_says_who_somebody_was_and_is(
    system: dict[str, Any], sender: dict[str, Any], old: Identity, new: Identity
) -> None:
    found = the_event(envelope(change(messages=[message("system", system, **sender)])))
    assert (found.kind, found.identity, found.moved_to) == ("system", old, new)


@pytest.mark.parametrize(
    "system",
    [
        {"type": "customer_identity_changed", "wa_id": ANA},
        {"type": ["user_changed_number"], "wa_id": "1999"},
        {"type": "user_changed_number"},
        {},
        "moved",
        None,
    ],
)
def test_other_news_of_the_system_is_kept(system: Any) -> None:
    body = envelope(change(messages=[{**message("system"), "system": system}]))
    assert the_event(body).kind == "kept"


def test_news_of_the_account_is_told_from_what_is_of_no_use() -> None:
    paused = {"event": "PAUSED", "message_template_id": 1}
    body = envelope(
        {"field": "message_template_status_update", "value": paused},
        change("calls", calls=[{"id": "wacid.1"}]),
        {"field": "holograms", "value": paused},
        time=AT,
    )
    assert [(event.kind, event.field) for event in events(body)] == [
        ("notice", "message_template_status_update"),
        ("kept", "calls"),
        ("kept", "unknown"),
    ]
    assert events(body)[0].event == {"change": body["entry"][0]["changes"][0]}


def test_the_same_news_at_another_time_is_other_news() -> None:
    change_ = {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}
    first, later = envelope(change_, time=AT), envelope(change_, time=AT + 60)
    assert the_event(first).dedup_key == the_event(first).dedup_key
    assert the_event(first).dedup_key != the_event(later).dedup_key


def test_errors_and_new_keys_beside_messages_are_kept_without_them() -> None:
    error = {"code": 130429, "title": "Rate limit hit"}
    body = envelope(change(messages=[message()], errors=[error], novelty={"a": 1}, nothing=[]))
    first, rest = events(body)
    assert (first.kind, rest.kind) == ("message", "kept")
    left = rest.event["change"]["value"]
    assert (left["errors"], left["novelty"]) == ([error], {"a": 1})
    assert "messages" not in left


def test_an_entry_with_more_than_changes_is_kept_without_them() -> None:
    body = envelope(change(messages=[message()]), messaging=[{"mid": "1"}])
    assert [event.kind for event in events(body)] == ["message", "kept"]
    assert events(body)[1].event == {"entry": {"id": WABA, "messaging": [{"mid": "1"}]}}


@pytest.mark.parametrize("empty", [{"entry": []}, {"entry": {}}, envelope(), {"entry": None}])
def test_nothing_is_nothing(empty: Any) -> None:
    assert events(empty) == []


def test_one_where_a_list_belongs_is_a_list_of_one() -> None:
    body = {"entry": {"id": WABA, "changes": change(messages=message(), contacts=contact())}}
    assert the_event(body).kind == "message"


@pytest.mark.parametrize(
    "odd",
    [
        {"hello": "world"},
        {"entry": "x"},
        {"entry": [1]},
        envelope("x"),
        envelope({"field": "messages", "value": None}),
        envelope({"field": "messages"}),
        envelope({"field": {}, "value": {"a": 1}}),
        envelope(change(messages="x")),
        envelope(change(messages=[None])),
        envelope(change(statuses=[{}])),
        envelope(change(statuses=[{"id": "1", "status": ""}])),
        envelope(change("smb_message_echoes", message_echoes=[7])),
        envelope(change(contacts=[contact()])),
    ],
)
def test_what_is_not_understood_is_kept_whole(odd: Any) -> None:
    found = the_event(odd)
    assert found.kind == "kept"
    assert the_event(odd).dedup_key == found.dedup_key


def test_a_field_that_is_missing_is_about_messages() -> None:
    body = envelope({"value": change(messages=[message()])["value"]})
    assert the_event(body).kind == "message"


def test_an_id_too_long_for_an_index_is_known_by_its_digest() -> None:
    found = the_event(inbound(message(id="w" * 5000, from_user_id="u" * 5000)))
    assert len(found.dedup_key) < 300
    assert found.identity is not None
    assert found.identity.bsuid is not None
    assert len(found.identity.bsuid) == 32


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(events(inbound(*(message() for _ in range(1000))))) == 1000


def test_whatever_is_read_can_be_written() -> None:
    deepest = b'{"a":' * 245 + b"1" + b"}" * 245
    assert orjson.dumps([{"event": the_event(deepest).event}])
