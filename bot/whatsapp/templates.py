"""Templates as the Graph API knows them: filled in to be sent, and declared to be approved.

The limits are Meta's; a text that does not fit is our bug, so it is refused and never cut.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bot.whatsapp.render import DoesNotFit, fit
from flows.effects import TemplateUse
from flows.templates import Template, examples, numbered, text

NAME: Final = 512
BODY: Final = 1024
FOOTER: Final = 60
BUTTONS: Final = 10
BUTTON_TITLE: Final = 25
PAYLOAD: Final = 256
WORDS_PER_VARIABLE: Final = 3
"""Meta refuses bodies that are little but variables and does not say where that begins."""

_NAME = re.compile(r"[a-z0-9_]+").fullmatch
_VARIABLE: Final = re.compile(r"\{\{\d+\}\}")
_TOGETHER: Final = re.compile(r"\}\}\W*\{\{")


def render_template(use: TemplateUse) -> dict[str, Any]:
    """The `template` object of a message."""
    components: list[dict[str, Any]] = []
    if use.params:
        filled = [
            {"type": "text", "text": fit(f"template.params[{n}]", value, BODY)}
            for n, value in enumerate(use.params)
        ]
        components.append({"type": "body", "parameters": filled})
    for n, payload in enumerate(use.payloads):
        answer = {"type": "payload", "payload": fit(f"template.payloads[{n}]", payload, PAYLOAD)}
        components.append(
            {"type": "button", "sub_type": "quick_reply", "index": n, "parameters": [answer]}
        )
    return {"name": use.name, "language": {"code": use.language}, "components": components}


def declaration(template: Template, language: str) -> dict[str, Any]:
    """The body that creates a template in a language; DoesNotFit where Meta would refuse it."""
    name = fit("template.name", template.name, NAME)
    if _NAME(name) is None:
        raise DoesNotFit("template.name", "is of small letters", limit=NAME, length=len(name))
    body: dict[str, Any] = {"type": "BODY", "text": _body(numbered(template, language))}
    shown = examples(template, language)
    if shown:
        body["example"] = {"body_text": [list(shown)]}
    components = [body]
    if template.footer is not None:
        footer = fit("template.footer", text(template.footer, language), FOOTER)
        components.append({"type": "FOOTER", "text": footer})
    if template.buttons:
        components.append({"type": "BUTTONS", "buttons": _buttons(template, language)})
    return {
        "name": name,
        "language": language,
        "category": template.category,
        "components": components,
    }


def _body(body: str) -> str:
    fit("template.body", body, BODY)
    found = _VARIABLE.findall(body)
    bare = body.rstrip(" .!?…")
    if body.startswith("{{") or bare.endswith("}}"):
        raise DoesNotFit("template.body", "has a variable at an end", limit=0, length=1)
    if _TOGETHER.search(body):
        raise DoesNotFit("template.body", "has variables side by side", limit=0, length=1)
    words = len(_VARIABLE.sub(" ", body).split())
    if words < WORDS_PER_VARIABLE * len(found):
        raise DoesNotFit("template.body", "is too short", limit=words, length=len(found))
    return body


def _buttons(template: Template, language: str) -> list[dict[str, str]]:
    titles = [text(button, language) for button in template.buttons]
    if len(titles) > BUTTONS or len(set(titles)) < len(titles):
        raise DoesNotFit("template.buttons", "are many or alike", limit=BUTTONS, length=len(titles))
    return [
        {"type": "QUICK_REPLY", "text": fit(f"template.buttons[{n}]", title, BUTTON_TITLE)}
        for n, title in enumerate(titles)
    ]
