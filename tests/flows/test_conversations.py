"""Whatever customers do, in whatever order: an answer they can go on from, and never a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.whatsapp.render import render
from flows import effects as fx
from flows import events as ev
from flows.model import Slot
from flows.person import has_it
from flows.replies import decode, encode
from tests.support.chat import Chat, choices
from tests.support.happenings import happen
from tests.support.salon import Salon

QUIET = (ev.ReactionReceived, ev.MessageDeleted, ev.NumberChanged, ev.MessageEdited)
"""What may be met with silence at any time."""

OFFER = UUID(int=77)
SLOT = Slot(
    1, 1, datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 21, 16, tzinfo=UTC), 8200
)

TYPED = st.sampled_from(
    [
        "hi",
        "book",
        "haircut tomorrow at 3 with becky",
        "actually Saturday",
        "manicure and pedicure",
        "the 28th",
        "evening",
        "next week",
        "next week evening",
        "at 3",
        "anytime",
        "with kelly",
        "anyone",
        "colour",
        "yes",
        "no",
        "back",
        "cancel",
        "cancel my appointment",
        "can I come later?",
        "my visits",
        "stop",
        "start",
        "person",
        "language",
        "english",
        "привет",
        "хочу маникюр завтра",
        "русский",
        "where are you",
        "call us",
        "thanks",
        "1",
        "2",
        "3",
        "10",
        "99",
        "more times",
        "waitlist",
        "my waitlist",
        "waitlist for a colour tomorrow evening with kelly",
        "leave the list",
        "лист ожидания",
        "other time",
        "",
        " ",
        "\x00",
        "🙂",
        "x" * 5000,
        "{company} %s {0}",
    ]
)
SENT = st.sampled_from(
    [
        ev.MediaReceived("voice"),
        ev.MediaReceived("image", "haircut on friday"),
        ev.MediaReceived("sticker"),
        ev.MediaReceived("hologram"),
        ev.LocationReceived(0.0, 0.0),
        ev.ContactsReceived(1),
        ev.ContactsReceived(1, "12125550100"),
        ev.ReactionReceived("👍"),
        ev.MessageEdited("haircut tomorrow"),
        ev.MessageDeleted(),
        ev.FormAnswered("flow", "{}"),
        ev.NumberChanged(),
        ev.UnknownReceived("poll"),
        ev.UnknownReceived("request_welcome"),
        ev.PersonReplied(),
        ev.PersonReturned(),
        ev.SendFailed(131047),
        ev.PlaceOffered(1, OFFER, SLOT, SLOT.start),
        ev.PlaceOffered(1, OFFER, SLOT, SLOT.start - timedelta(hours=20), shared=True),
        ev.PlaceLost(1, OFFER, SLOT, taken=True),
        ev.PlaceLost(1, OFFER, SLOT),
        ev.TimerFired("offer_ends", "offer:1", {"waitlist_id": 1, "offer_id": str(OFFER)}),
        ev.TimerFired("waitlist_over", "waitlist:1:over", {"waitlist_id": 1}),
        ev.ReplyTapped(f"wait:take:1:{OFFER.hex}:1:1:29921310", ""),
        ev.ReplyTapped(f"wait:pass:1:{OFFER.hex}", ""),
        ev.ReplyTapped("wait:for:77:0:20261123:20261129:9", ""),
        ev.TurnFailed(),
        ev.TimerFired("dance", "dance:1", {"n": 1}),
        ev.ReplyTapped("not:ours", "Confirm"),
        ev.ReplyTapped("book:slot:1:0:99999999999:9", ""),
        ev.ReplyTapped("book:day:77:0:20261121", ""),
        ev.ReplyTapped("book:who:1:77", ""),
    ]
)
STARTS = st.sampled_from(
    [
        (),
        ("the services have long names",),
        ("the salon is in Moscow",),
        ("the salon has 12 services and 12 people",),
        ("one person works there, Kelly",),
        ("the salon offers one service, Colour",),
        ("the salon offers one service, Colour", "one person works there, Becky"),
        ("the salon has no phone",),
        ("all names are endless",),
        ("the customer has a visit: Women's cut with Becky on Wed 25 Nov 11:00",),
        (
            "the customer has a visit: Women's cut with Becky on Wed 25 Nov 11:00",
            "the customer has a visit: Manicure with Maria on Fri 20 Nov 16:00",
        ),
    ]
)
HAPPENED = st.sampled_from(
    [
        "6 minutes pass",
        "3 hours pass",
        "2 days pass",
        "1 week passes",
        "Everybody is booked up on Sat 21 Nov",
        "Everybody is booked up for weeks",
        "the business closes on Saturdays",
        "times are offered every 15 minutes",
        "popular times are 11:30, 18:00",
        "the first service ends",
        "the first person leaves",
        "a visit",
    ]
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("tap"), st.integers(0, 9)),
        st.tuples(st.just("old tap"), st.integers(0, 400)),
        st.tuples(st.just("type"), TYPED),
        st.tuples(st.just("send"), SENT),
        st.tuples(st.just("happen"), HAPPENED),
    ),
    max_size=25,
)


def _happen(salon: Salon, chat: Chat, what: str) -> None:
    match what:
        case "the first service ends":
            salon.change(services=salon.services[1:])
        case "the first person leaves":
            salon.change(staff=salon.staff[1:])
        case "a visit" if salon.catalog.bookable_services:
            service = salon.catalog.bookable_services[0]
            someone = salon.catalog.staff_for(service.id)[0]
            salon.book(chat.number, service.id, someone.id, salon.now + timedelta(hours=30))
        case "a visit":
            pass
        case _:
            happen(salon, what, chat)


def _event(chat: Chat, kind: str, what: object) -> ev.Event | None:
    """Return what the customer does, if it is possible."""
    match kind, what:
        case "type", str(text):
            return ev.TextReceived(text)
        case "tap", int(place) if chat.said:
            offered = choices(chat.last)
            return ev.ReplyTapped(*offered[place % len(offered)]) if offered else None
        case "old tap", int(place):
            offered = [choice for say in chat.said for choice in choices(say)]
            return ev.ReplyTapped(*offered[place % len(offered)]) if offered else None
        case "send", _:
            return what  # type: ignore[return-value]
        case _:
            return None


def _check(chat: Chat, event: ev.Event, said: list[fx.Say], *, person: bool, off: bool) -> None:
    for say in said:
        render(say)
        for id_, _ in choices(say):
            reply = decode(id_)
            assert reply is not None, f"{id_} cannot be read"
            assert encode(reply) == id_, "an id means something else when it is read"
    assert len(said) <= 1, "one message a turn"
    internal = isinstance(
        event,
        ev.PersonReplied | ev.PersonReturned | ev.SendFailed | ev.TimerFired | ev.PlaceOffered,
    )
    if not (person or off or internal or isinstance(event, QUIET)):
        assert said, f"{event} met with silence in {chat.step}"
    if said and not has_it(chat.context()):
        assert choices(said[-1]), f"a dead end: {said[-1].text}"


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(STARTS, ACTS)
def test_every_message_is_answered_once_with_a_way_on(
    starts: tuple[str, ...], acts: list[tuple[str, object]]
) -> None:
    salon = Salon()
    chat = Chat(salon)
    for sentence in starts:
        happen(salon, sentence, chat)
    for kind, what in acts:
        if kind == "happen":
            _happen(salon, chat, str(what))
        event = _event(chat, kind, what)
        if event is None:
            continue
        person, off = has_it(chat.context()), chat.opted_out
        said = chat.hear(event)
        _check(chat, event, said, person=person, off=off)
        salon.now += timedelta(seconds=20)
