"""Templates: which ones a business has, whether they may be sent, and what they say when filled.

Without a list of declared templates every name is taken to be approved, and a message shows its
name and parameters; with one, unknown, pending, paused and disabled templates are refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.simulator.errors import Refusal
from bot.simulator.limits import AnyCase, Document, Picture, Strict, checked, length

TemplateStatus = Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"]
TemplateCategory = Literal["utility", "marketing", "authentication"]
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LONGEST_FILLED_BODY = 1024
REFUSALS: dict[str, tuple[int, str]] = {
    "PENDING": (132001, "is not approved yet"),
    "REJECTED": (132001, "was rejected"),
    "PAUSED": (132015, "is paused because of low quality"),
    "DISABLED": (132016, "is disabled"),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A template as the business declared it, in one language."""

    name: str
    body: str
    language: str = "en"
    category: TemplateCategory = "utility"
    status: TemplateStatus = "APPROVED"
    header: str | None = None
    footer: str | None = None
    buttons: tuple[str, ...] = field(default=())

    def variables(self) -> list[str]:
        """Names or numbers of the body's variables, each once, in order."""
        return list(dict.fromkeys(VARIABLE.findall(self.body)))


class Language(Strict):
    """The language asked for."""

    code: str
    policy: str | None = None


class Parameter(Strict):
    """A value that fills a variable, a header or a button."""

    type: Annotated[str, AnyCase]
    parameter_name: str | None = None
    text: str | bool | None = None
    payload: Annotated[str, length(256)] | None = None
    currency: dict[str, Any] | None = None
    date_time: dict[str, Any] | None = None
    image: Picture | None = None
    video: Picture | None = None
    document: Document | None = None
    location: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    coupon_code: str | None = None
    limited_time_offer: dict[str, Any] | None = None
    product: dict[str, Any] | None = None

    def shown(self) -> str:
        """The value as a reader sees it."""
        if self.text is not None:
            return str(self.text)
        for rich in (self.currency, self.date_time):
            if rich:
                return str(rich.get("fallback_value", ""))
        return ""


class Component(Strict):
    """The parameters of one part of the template."""

    type: Annotated[
        Literal["header", "body", "footer", "button", "carousel", "limited_time_offer"], AnyCase
    ]
    sub_type: Annotated[str | None, AnyCase] = None
    index: int | None = None
    parameters: Annotated[list[Parameter], Field(default_factory=list)]
    cards: Annotated[list[dict[str, Any]], Field(default_factory=list)]


class TemplateBody(Strict):
    """The `template` object of a message."""

    name: Annotated[str, length(512)]
    language: Language
    components: Annotated[list[Component], Field(default_factory=list)]
    namespace: str | None = None

    def of(self, kind: str) -> list[Component]:
        """The components of one type."""
        return [part for part in self.components if part.type == kind]


class Templates:
    """The templates of a business account."""

    def __init__(self, declared: Sequence[Template] | None) -> None:
        self._declared = (
            None if declared is None else {(one.name, one.language): one for one in declared}
        )

    def declare(self, template: Template) -> None:
        """Add a template, or replace it: a change of status takes effect at once."""
        if self._declared is None:
            self._declared = {}
        self._declared[template.name, template.language] = template

    def read(self, value: Any) -> dict[str, Any]:
        """The `template` object of a message, checked, with the texts that the phone shows."""
        body = checked(TemplateBody, value, at="template")
        content = body.model_dump(exclude_none=True, exclude_defaults=True)
        content["shown"] = self._undeclared(body) if self._declared is None else self._fill(body)
        return content

    def category(self, content: dict[str, Any]) -> TemplateCategory:
        """The price category of an accepted template message."""
        known = (self._declared or {}).get((content["name"], content["language"]["code"]))
        return known.category if known else "utility"

    def _undeclared(self, body: TemplateBody) -> dict[str, Any]:
        values = [one.shown() for part in body.of("body") for one in part.parameters]
        buttons = [button(part, f"Button {part.index}") for part in body.of("button")]
        text = "\n".join([f"[{body.name}]", *values])
        return {"body": text, "buttons": buttons}

    def _fill(self, body: TemplateBody) -> dict[str, Any]:
        template = self._declared and self._declared.get((body.name, body.language.code))
        if not template:
            raise Refusal(
                132001, f"template name ({body.name}) does not exist in {body.language.code}"
            )
        if template.status in REFUSALS:
            code, why = REFUSALS[template.status]
            raise Refusal(code, f"template ({body.name}) {why}")
        text = filled(template, [one for part in body.of("body") for one in part.parameters])
        by_index = {part.index: part for part in body.of("button")}
        shown: dict[str, Any] = {
            "body": text,
            "buttons": [button(by_index.get(n), title) for n, title in enumerate(template.buttons)],
        }
        if template.header:
            shown["header"] = template.header
        if template.footer:
            shown["footer"] = template.footer
        return shown


def filled(template: Template, parameters: list[Parameter]) -> str:
    """The body with its variables replaced; 132000 when their number does not match."""
    names = template.variables()
    if len(parameters) != len(names):
        raise Refusal(
            132000,
            f"body: number of localizable_params ({len(parameters)}) does not match the "
            f"expected number of params ({len(names)})",
        )
    named = all(one.parameter_name for one in parameters)
    values = {
        (one.parameter_name if named else name): one.shown()
        for name, one in zip(names, parameters, strict=True)
    }
    if missing := [name for name in names if name not in values]:
        raise Refusal(132012, f"body: parameter {missing[0]} is missing")
    text = VARIABLE.sub(lambda match: values[match[1]], template.body)
    if len(text) > LONGEST_FILLED_BODY:
        raise Refusal(132005, f"body: {len(text)} characters, {LONGEST_FILLED_BODY} are allowed")
    return text


def button(part: Component | None, title: str) -> dict[str, Any]:
    """A template's button as the phone shows it, with what a tap sends back."""
    first = part.parameters[0] if part and part.parameters else None
    payload = first.payload if first and first.payload else title
    return {"title": title, "payload": payload}
