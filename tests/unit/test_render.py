"""What we say becomes bodies that Meta accepts, or is refused before Meta sees it."""

from dataclasses import replace

import pytest

from bot.whatsapp.render import DoesNotFit, put_media, render, units
from flows.effects import Attachment, Button, Row, Say, Section, Sheet

CALENDAR = Attachment("visit.ics", "text/calendar", "BEGIN:VCALENDAR")
BUTTONS = (Button("yes", "Yes"), Button("no", "No"))
SHEET = Sheet("Choose", (Section("", (Row("a", "Haircut", "45 min"), Row("b", "Shave"))),))


def rows(count: int) -> tuple[Row, ...]:
    return tuple(Row(f"r{n}", f"Row {n}") for n in range(count))


def sheet(*sections: Section) -> Say:
    return Say("Which one?", sheet=Sheet("Choose", sections))


def test_text_is_sent_without_a_link_preview() -> None:
    assert render(Say("Hello")) == {"type": "text", "text": {"body": "Hello", "preview_url": False}}


def test_buttons_become_reply_buttons_with_a_footer() -> None:
    assert render(Say("Sure?", buttons=BUTTONS, footer="Held until 10:05")) == {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "body": {"text": "Sure?"},
            "footer": {"text": "Held until 10:05"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                    {"type": "reply", "reply": {"id": "no", "title": "No"}},
                ]
            },
        },
    }


def test_a_sheet_becomes_a_list_and_empty_second_lines_are_left_out() -> None:
    assert render(Say("Which one?", sheet=SHEET)) == {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "body": {"text": "Which one?"},
            "action": {
                "button": "Choose",
                "sections": [
                    {
                        "rows": [
                            {"id": "a", "title": "Haircut", "description": "45 min"},
                            {"id": "b", "title": "Shave"},
                        ]
                    }
                ],
            },
        },
    }


def test_several_sections_keep_their_titles() -> None:
    body = render(sheet(Section("Morning", rows(1)), Section("Evening", (Row("e", "18:00"),))))
    titles = [section["title"] for section in body["interactive"]["action"]["sections"]]
    assert titles == ["Morning", "Evening"]


def test_a_file_with_plain_text_becomes_a_document_with_a_caption() -> None:
    body = render(Say("See you then", attachment=CALENDAR))
    assert body == {
        "type": "document",
        "document": {"filename": "visit.ics", "caption": "See you then"},
    }
    assert put_media(body, "77")["document"]["id"] == "77"
    assert "id" not in body["document"]


def test_a_document_that_could_not_be_uploaded_is_sent_as_its_text() -> None:
    body = put_media(render(Say("See you then", attachment=CALENDAR)), None)
    assert body == render(Say("See you then"))


def test_a_file_with_buttons_stands_in_the_header() -> None:
    said = Say("See you then", buttons=BUTTONS, attachment=CALENDAR)
    body = put_media(render(said), "77")["interactive"]
    assert body["header"] == {
        "type": "document",
        "document": {"id": "77", "filename": "visit.ics"},
    }
    assert put_media(render(said), None) == render(replace(said, attachment=None))


def test_messages_without_a_file_are_left_alone() -> None:
    body = render(Say("Sure?", buttons=BUTTONS))
    assert put_media(body, None) == body


FULL = (
    Say("x" * 4096),
    Say("x" * 1024, attachment=CALENDAR),
    Say("x", attachment=replace(CALENDAR, filename="x" * 240)),
    Say("x" * 1024, buttons=BUTTONS),
    Say("x", buttons=BUTTONS, footer="x" * 60),
    Say("x", buttons=(*BUTTONS, Button("3", "3"))),
    Say("x", buttons=(Button("x" * 256, "x" * 20),)),
    Say("x" * 1024, sheet=SHEET),
    Say("x", sheet=replace(SHEET, button="x" * 20)),
    sheet(Section("", rows(10))),
    sheet(*(Section("x" * 24, (row,)) for row in rows(10))),
    sheet(Section("", (Row("x" * 200, "x" * 24, "x" * 72),))),
)


@pytest.mark.parametrize("say", FULL)
def test_what_just_fits_is_sent(say: Say) -> None:
    assert render(say)


TOO_MUCH = (
    (Say("x" * 4097), "text.body", 4096, 4097),
    (Say("x" * 1025, attachment=CALENDAR), "document.caption", 1024, 1025),
    (
        Say("x", attachment=replace(CALENDAR, filename="x" * 241)),
        "document.filename",
        240,
        241,
    ),
    (Say("x" * 1025, buttons=BUTTONS), "interactive.body", 1024, 1025),
    (Say("x", buttons=BUTTONS, footer="x" * 61), "interactive.footer", 60, 61),
    (Say("x", footer="hello"), "footer", 0, 5),
    (Say("x", buttons=(*BUTTONS, Button("3", "3"), Button("4", "4"))), "buttons", 3, 4),
    (Say("x", buttons=(Button("x" * 257, "x"),)), "buttons[0].id", 256, 257),
    (Say("x", buttons=(BUTTONS[0], Button("n", "x" * 21))), "buttons[1].title", 20, 21),
    (Say("x", buttons=BUTTONS, sheet=SHEET), "buttons", 0, 2),
    (Say("x" * 1025, sheet=SHEET), "interactive.body", 1024, 1025),
    (Say("x", sheet=SHEET, attachment=CALENDAR), "header", 0, 1),
    (Say("x", sheet=replace(SHEET, button="x" * 21)), "list.button", 20, 21),
    (sheet(), "sections", 10, 0),
    (sheet(Section("", rows(11))), "rows", 10, 11),
    (sheet(*(Section(str(n), rows(1)) for n in range(11))), "sections", 10, 11),
    (sheet(Section("a", rows(6)), Section("b", rows(5))), "rows", 10, 11),
    (sheet(Section("x" * 25, rows(1))), "sections[0].title", 24, 25),
    (sheet(Section("a", rows(1)), Section("", rows(1))), "row titles", 1, 2),
    (sheet(Section("", (Row("x" * 201, "x"),))), "sections[0].rows[0].id", 200, 201),
    (sheet(Section("", (Row("x", "x" * 25),))), "sections[0].rows[0].title", 24, 25),
    (sheet(Section("", (Row("x", "x", "x" * 73),))), "sections[0].rows[0].description", 72, 73),
)


@pytest.mark.parametrize(("say", "field", "limit", "length"), TOO_MUCH)
def test_what_does_not_fit_is_refused_by_name(
    say: Say, field: str, limit: int, length: int
) -> None:
    with pytest.raises(DoesNotFit) as refused:
        render(say)
    assert (refused.value.field, refused.value.limit, refused.value.length) == (
        field,
        limit,
        length,
    )


NOT_THERE = (
    Say(" \n"),
    Say("", buttons=BUTTONS),
    Say("x", buttons=(Button("a", ""),)),
    Say("x", buttons=(Button("", "a"),)),
    Say("x", sheet=replace(SHEET, button="")),
    sheet(Section("", ())),
    sheet(Section("", (Row("a", ""),))),
    sheet(Section("a", rows(1)), Section("", (Row("other", "Other"),))),
    Say("x", attachment=replace(CALENDAR, filename="")),
)


@pytest.mark.parametrize("say", NOT_THERE)
def test_what_is_missing_is_refused(say: Say) -> None:
    with pytest.raises(DoesNotFit):
        render(say)


ALIKE = (
    Say("x", buttons=(Button("a", "Yes"), Button("b", "Yes"))),
    Say("x", buttons=(Button("a", "Yes"), Button("a", "No"))),
    sheet(Section("", (Row("a", "Anna"), Row("b", "Anna")))),
    sheet(Section("", (Row("a", "Anna"), Row("a", "Boris")))),
    sheet(Section("1", (Row("a", "Anna"),)), Section("2", (Row("b", "Anna"),))),
)


@pytest.mark.parametrize("say", ALIKE)
def test_titles_and_ids_of_one_message_differ(say: Say) -> None:
    with pytest.raises(DoesNotFit, match="must differ"):
        render(say)


@pytest.mark.parametrize("reply_id", [" a", "a ", "a\n"])
def test_ids_have_no_space_around_them(reply_id: str) -> None:
    with pytest.raises(DoesNotFit):
        render(Say("x", buttons=(Button(reply_id, "x"),)))


def test_an_emoji_counts_as_two() -> None:
    assert units("a💈") == 3
    assert render(Say("x", buttons=(Button("a", "💈" * 10),)))
    with pytest.raises(DoesNotFit):
        render(Say("x", buttons=(Button("a", "💈" * 10 + "!"),)))


def test_a_refusal_does_not_tell_the_text() -> None:
    with pytest.raises(DoesNotFit) as refused:
        render(Say("x", buttons=(Button("a", "Maria's secret wish to be blonde"),)))
    assert "Maria" not in str(refused.value)
    assert str(refused.value) == "buttons[0].title takes 32 UTF-16 units, 20 are allowed"
