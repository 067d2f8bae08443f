"""Template messages: the parameters that a business sends, held to the template they fill."""

import re
from typing import Annotated, Any

from pydantic import Field

from bot.simulator import template_rules
from bot.simulator.errors import Refusal
from bot.simulator.limits import AnyCase, Document, Picture, Strict, checked, length
from bot.simulator.templates import Known, Templates

LONGEST_FILLED_BODY = 1024
REFUSALS: dict[str, tuple[int, str]] = {
    "PENDING": (132001, "is not approved yet"),
    "REJECTED": (132001, "was rejected"),
    "PAUSED": (132015, "is paused because of low quality"),
    "DISABLED": (132016, "is disabled"),
}
TEXT_KINDS = frozenset({"text", "currency", "date_time"})
BAD_WHITE_SPACE = re.compile(r"[\n\t]| {5,}")


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

    type: Annotated[str, AnyCase]
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

    def of(self, kind: str) -> list[Parameter]:
        """The parameters of the components of one type."""
        return [one for part in self.components if part.type == kind for one in part.parameters]

    def buttons(self) -> dict[int, Component]:
        """The button components by their index."""
        return {part.index or 0: part for part in self.components if part.type == "button"}


KINDS = frozenset({"header", "body", "footer", "button", "carousel", "limited_time_offer"})


def read_template(templates: Templates, waba_id: str, value: Any) -> dict[str, Any]:
    """The `template` object of a message, checked, with the texts that the phone shows.

    `shown` has the body, maybe a header, a footer and media, the quick replies as `buttons` with
    what a tap of them sends back, and the other buttons as `links`.
    """
    body = checked(TemplateBody, value, at="template")
    for n, part in enumerate(body.components):
        if part.type not in KINDS:
            raise Refusal(131009, f"template.components[{n}].type: {part.type!r} is none")
    content = body.model_dump(exclude_none=True, exclude_defaults=True)
    known = templates.find(waba_id, body.name, body.language.code)
    if known is None and not templates.is_strict(waba_id):
        content["shown"] = _undeclared(body)
        return content
    if known is None:
        raise Refusal(132001, f"template name ({body.name}) does not exist in {body.language.code}")
    if known.status in REFUSALS:
        code, why = REFUSALS[known.status]
        raise Refusal(code, f"template ({body.name}) {why}")
    content["category"] = known.category.lower()
    content["shown"] = _filled(known, body)
    return content


def _undeclared(body: TemplateBody) -> dict[str, Any]:
    values = [one.shown() for one in body.of("body")]
    buttons = [
        reply(part, f"Button {index}")
        for index, part in sorted(body.buttons().items())
        if part.sub_type in (None, "quick_reply")
    ]
    return {"body": "\n".join([f"[{body.name}]", *values]), "buttons": buttons}


def _filled(known: Known, body: TemplateBody) -> dict[str, Any]:
    text = (known.part("BODY") or {})["text"]
    shown: dict[str, Any] = {"body": fill(known, "body", text, body.of("body"))}
    if len(shown["body"]) > LONGEST_FILLED_BODY:
        details = f"body: {len(shown['body'])} characters, {LONGEST_FILLED_BODY} are allowed"
        raise Refusal(132005, details)
    shown |= _header(known, body)
    if footer := known.part("FOOTER"):
        shown["footer"] = footer["text"]
    return shown | _buttons(known, body)


def fill(known: Known, where: str, text: str, parameters: list[Parameter]) -> str:
    """A text with its variables replaced: 132000 for the number, 132012 for the form."""
    names = template_rules.variables(text)
    if len(parameters) != len(names):
        raise Refusal(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not match the "
            f"expected number of params ({len(names)})",
        )
    named = known.parameter_format == "NAMED"
    if not named and parameters and all(one.parameter_name for one in parameters):
        named = True  # a declared template does not say which of the two it is
    values: dict[str, str] = {}
    for name, one in zip(names, parameters, strict=True):
        if one.type not in TEXT_KINDS:
            raise Refusal(132012, f"{where}: expected TEXT, received {one.type.upper()}")
        if named and one.parameter_name is None:
            raise Refusal(132012, f"{where}: parameter_name is missing")
        value = one.shown()
        if not value.strip():
            raise Refusal(131008, f"{where}: the text of a parameter is missing")
        if BAD_WHITE_SPACE.search(value):
            raise Refusal(
                132018,
                "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
            )
        values[(one.parameter_name or name) if named else name] = value
    if missing := [name for name in names if name not in values]:
        raise Refusal(132012, f"{where}: parameter {missing[0]} is missing")
    return template_rules.VARIABLE.sub(lambda match: values[match[1]], text)


def _header(known: Known, body: TemplateBody) -> dict[str, Any]:
    header, given = known.part("HEADER"), body.of("header")
    if header is None:
        if given:
            raise Refusal(132018, "header: the template has none")
        return {}
    layout = header["format"]
    if layout == "TEXT":
        return {"header": fill(known, "header", header["text"], given)}
    wanted = layout.lower()
    if len(given) != 1 or given[0].type != wanted or getattr(given[0], wanted) is None:
        received = given[0].type.upper() if given else "UNKNOWN"
        raise Refusal(132012, f"header: Format mismatch, expected {layout}, received {received}")
    value = getattr(given[0], wanted)
    media = value if isinstance(value, dict) else value.model_dump(exclude_none=True)
    return {"media": {"kind": wanted, **media}}


def _buttons(known: Known, body: TemplateBody) -> dict[str, Any]:
    declared = (known.part("BUTTONS") or {"buttons": []})["buttons"]
    given = body.buttons()
    if outside := [index for index in given if not 0 <= index < len(declared)]:
        raise Refusal(132018, f"buttons: there is no button at index {outside[0]}")
    replies, links = [], []
    for n, button in enumerate(declared):
        part = given.get(n)
        kind = button["type"].lower()
        wanted = "url" if kind == "otp" else kind
        if part and part.sub_type not in (None, wanted, *(["copy_code"] if kind == "otp" else [])):
            raise Refusal(132012, f"buttons: the button at index {n} is of type {kind}")
        if kind == "quick_reply":
            replies.append(reply(part, button["text"]))
        else:
            links.append({"kind": kind, "title": button["text"], **_link(button, part, n)})
    return {"buttons": replies, "links": links} if links else {"buttons": replies}


def _link(button: dict[str, Any], part: Component | None, n: int) -> dict[str, Any]:
    values = part.parameters if part else []
    first = values[0] if values else None
    match button["type"]:
        case "URL":
            names = template_rules.variables(button["url"])
            if names and (first is None or not first.shown()):
                raise Refusal(
                    131008, f"buttons: Button at index {n} of type Url requires a parameter"
                )
            if first and not names:
                raise Refusal(132000, f"buttons: the url at index {n} takes no parameter")
            value = first.shown() if first else ""
            return {"url": template_rules.VARIABLE.sub(lambda _: value, button["url"])}
        case "PHONE_NUMBER":
            return {"phone_number": str(button["phone_number"])}
        case "COPY_CODE":
            if first is None or not first.coupon_code:
                raise Refusal(131008, f"buttons: the button at index {n} requires a coupon_code")
            return {"code": first.coupon_code}
        case "OTP":
            if first is None or not first.shown():
                raise Refusal(131008, f"buttons: the button at index {n} requires the code")
            return {"code": first.shown(), "otp_type": str(button["otp_type"]).upper()}
        case "FLOW":
            return {"parameters": _form(button, first)}
        case _:
            return {}


def _form(button: dict[str, Any], given: Parameter | None) -> dict[str, Any]:
    """What the form of a button opens with, as messages without a template say it."""
    action = (given.action if given else None) or {}
    payload = {"screen": button.get("navigate_screen"), "data": action.get("flow_action_data")}
    return {
        **{name: button[name] for name in ("flow_id", "flow_name") if name in button},
        "flow_cta": button["text"],
        "flow_token": action.get("flow_token", "unused"),
        "flow_action": str(button.get("flow_action", "navigate")).lower(),
        "flow_action_payload": {name: one for name, one in payload.items() if one is not None},
    }


def reply(part: Component | None, title: str) -> dict[str, Any]:
    """A quick reply as the phone shows it, with what a tap sends back."""
    first = part.parameters[0] if part and part.parameters else None
    payload = first.payload if first and first.payload else title
    return {"title": title, "payload": payload}
