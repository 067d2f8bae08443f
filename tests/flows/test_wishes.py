"""What a sentence wishes for: names of the catalogue, somebody, a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from flows.model import Service, Wish
from flows.wishes import Wished, understand
from tests.support.chat import Chat
from tests.support.lumi import HAIR, SERVICES, STAFF, person
from tests.support.salon import Salon

WOMENS, MENS, COLOUR, MANICURE, PEDICURE = (service.id for service in SERVICES)
BECKY, KELLY, MARIA = (someone.id for someone in STAFF)
SATURDAY = Wish(date(2026, 11, 21))


def understood(text: str, salon: Salon | None = None, locale: str = "en_US") -> Wished | None:
    return understand(text, Chat(salon or Salon(), locale=locale).context())


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("manicure", Wished((MANICURE,))),
        ("I'd like a manicure please", Wished((MANICURE,))),
        ("manicur", Wished((MANICURE,))),
        ("pedicures", Wished((PEDICURE,))),
        ("womens cut", Wished((WOMENS,))),
        ("haircut", Wished((WOMENS, MENS))),
        ("haircut with becky", Wished((WOMENS, MENS), staff_id=BECKY)),
        ("haircutt", Wished((WOMENS, MENS))),
        ("with Kelly", Wished(staff_id=KELLY)),
        ("beckys free?", Wished(staff_id=BECKY)),
        ("anyone", Wished(anyone=True)),
        ("tomorrow", Wished(wish=SATURDAY)),
        ("colour tomorrow", Wished((COLOUR,), wish=SATURDAY)),
        (
            "men's cut tomorrow at 3 with becky",
            Wished((MENS,), staff_id=BECKY, wish=Wish(SATURDAY.day, time(15))),
        ),
        ("manicure and pedicure", Wished((MANICURE, PEDICURE), several=True, in_turn=True)),
        (
            "women's cut and a manicur",
            Wished((WOMENS, MANICURE), several=True, in_turn=True),
        ),
        ("haircut and manicure", Wished((WOMENS, MENS, MANICURE), several=True)),
        ("colour and a haircut", Wished((COLOUR, WOMENS, MENS), several=True)),
        ("is anyone free tomorrow?", Wished(anyone=True, wish=SATURDAY)),
    ],
)
def test_a_sentence_is_understood(text: str, wished: Wished) -> None:
    assert understood(text) == wished


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("мужская стрижка", Wished((MENS,))),
        ("запишите на женскую стрижку", Wished((WOMENS,))),
        ("стрижка", Wished((WOMENS, MENS))),
        ("маникюр завтра", Wished((MANICURE,), wish=SATURDAY)),
        ("к любому", Wished(anyone=True)),
    ],
)
def test_a_russian_sentence_is_understood(text: str, wished: Wished) -> None:
    assert understood(text, locale="ru") == wished


@pytest.mark.parametrize("text", ["hello there", "what a lovely day it was", "", "2", "???"])
def test_small_talk_is_no_wish(text: str) -> None:
    assert understood(text) is None


def test_the_longer_of_two_names_wins_when_all_of_it_was_said() -> None:
    gel = Service(9, "Gel manicure", 60, 5000)
    salon = Salon(services=(*SERVICES, gel))
    nails = replace(STAFF[2], offers={**STAFF[2].offers, 9: STAFF[2].offers[4]})
    salon.change(staff=(*STAFF[:2], nails))
    assert understood("gel manicure", salon) == Wished((9,))
    assert understood("manicure", salon) == Wished((MANICURE,))


def test_small_words_in_a_name_do_not_count() -> None:
    salon = Salon(services=(replace(SERVICES[3], name="Manicure with massage"), *SERVICES[:3]))
    assert understood("with kelly", salon) == Wished(staff_id=KELLY)
    assert understood("manicure and massage", salon) == Wished((MANICURE,))


def test_a_category_stands_for_what_is_in_it() -> None:
    services = tuple(replace(s, category="Nails" if s.id > 3 else "Hair") for s in SERVICES)
    assert understood("nails", Salon(services=services)) == Wished((MANICURE, PEDICURE))


def test_a_word_about_time_is_not_taken_for_a_service() -> None:
    evening = Service(9, "Evening make-up", 60, 5000)
    salon = Salon(services=(*SERVICES, evening))
    artist = replace(STAFF[2], offers={**STAFF[2].offers, 9: STAFF[2].offers[4]})
    salon.change(staff=(*STAFF[:2], artist))
    assert understood("tomorrow evening", salon) == Wished(wish=replace(SATURDAY, part="evening"))
    assert understood("evening make-up", salon) == Wished((9,))


def test_a_name_that_is_also_a_month_needs_a_with() -> None:
    may = person(9, "May", HAIR, range(1, 7), 9, 18)
    salon = Salon(staff=(*STAFF, may))
    assert understood("with May please", salon) == Wished(staff_id=9)
    assert understood("on May 3", salon) == Wished(wish=Wish(date(2027, 5, 3)))


def test_two_people_of_one_name_are_not_guessed_between() -> None:
    berg = person(8, "Anna Berg", HAIR, range(1, 7), 9, 18)
    dahl = person(9, "Anna Dahl", HAIR, range(1, 7), 9, 18)
    salon = Salon(staff=(berg, dahl))
    assert understood("with anna", salon) is None
    assert understood("with anna dahl", salon) == Wished(staff_id=9)


def test_a_number_that_means_something_else_leaves_the_time_open() -> None:
    assert understood("manicure for 2 tests tomorrow") == Wished((MANICURE,))
