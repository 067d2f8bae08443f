"""Our templates are such as Meta takes, in every language."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.whatsapp import templates as rendering
from bot.whatsapp.render import DoesNotFit, units
from bot.whatsapp.templates import declaration, render_template
from flows import templates, wording
from flows.catalogues import CATALOGUES
from flows.effects import TemplateUse
from flows.replies import OpenMenu, OpenVisits, TalkToUs
from flows.templates import TEMPLATES, VALUE, VISIT_REMINDER, Template, use
from flows.wording import sentence, speak

VALUES = {"company": "Salon Lumi", "what": "Cut with Ana", "when": "Tue, Nov 24, 6:00 PM"}
REPLIES = (OpenMenu(), OpenVisits(), TalkToUs())


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_template_is_within_metas_limits(template: Template, language: str) -> None:
    declared = declaration(template, language)
    (body,) = [part for part in declared["components"] if part["type"] == "BODY"]
    count = len(set(re.findall(r"\{\{(\d+)\}\}", body["text"])))
    assert [len(row) for row in body["example"]["body_text"]] == [count]
    assert "{" not in re.sub(r"\{\{\d+\}\}", "", body["text"])
    filled = re.sub(r"\{\{\d+\}\}", "Х" * VALUE, body["text"])
    assert units(filled) <= rendering.BODY


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_template_says_its_variables_in_the_order_of_the_language(
    template: Template, language: str
) -> None:
    said = [int(n) for n in re.findall(r"\{\{(\d+)\}\}", templates.numbered(template, language))]
    assert list(dict.fromkeys(said)) == list(range(1, len(set(said)) + 1))


def test_names_are_used_once() -> None:
    assert len({template.name for template in TEMPLATES}) == len(TEMPLATES)


def test_only_what_nobody_asked_for_is_marketing() -> None:
    assert [one.name for one in TEMPLATES if one.category == "MARKETING"] == ["usual_rebook"]


def test_a_filled_template_is_what_the_graph_api_takes() -> None:
    made = use(speak("en_US"), VISIT_REMINDER, VALUES, *REPLIES)
    assert made.params == ("Salon Lumi", "Cut with Ana", "Tue, Nov 24, 6:00 PM")
    assert render_template(made) == {
        "name": "usual_visit_reminder",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": one} for one in made.params]},
            *(
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": n,
                    "parameters": [{"type": "payload", "payload": payload}],
                }
                for n, payload in enumerate(("menu:home", "menu:visits", "menu:person"))
            ),
        ],
    }


def test_a_value_has_neither_lines_nor_an_end_beyond_its_limit() -> None:
    made = use(speak("ru"), VISIT_REMINDER, VALUES | {"what": "а\n\t б  " * 100}, *REPLIES)
    assert "\n" not in made.params[1]
    assert "  " not in made.params[1]
    assert units(made.params[1]) <= VALUE


def test_a_template_has_a_reply_for_every_button() -> None:
    with pytest.raises(ValueError, match="has 3 buttons"):
        use(speak("en"), VISIT_REMINDER, VALUES, OpenMenu())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{company} writes to you about your visit", "at an end"),
        ("Here is some long news for you from {company}!", "at an end"),
        ("Here is some long news from {company}, {what}, and so on and on", "side by side"),
        ("Hi {company} and {what} ok", "too short"),
    ],
)
def test_a_body_that_meta_would_refuse_is_refused(body: str, why: str) -> None:
    template = replace(VISIT_REMINDER, body=sentence(body))
    with pytest.raises(DoesNotFit, match=why):
        declaration(template, "en")


def test_a_name_of_other_letters_and_buttons_that_are_alike_are_refused() -> None:
    with pytest.raises(DoesNotFit, match="small letters"):
        declaration(replace(VISIT_REMINDER, name="Reminder"), "en")
    with pytest.raises(DoesNotFit, match="alike"):
        declaration(replace(VISIT_REMINDER, buttons=(wording.MENU, wording.MENU)), "en")
    with pytest.raises(DoesNotFit):
        render_template(TemplateUse("x", "en", payloads=("y" * 300,)))
