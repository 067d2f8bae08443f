"""What Meta checks when a template is created or edited: name, language, components, examples.

A definition that passes comes back in one spelling: types in capitals, no keys without a value.
One that does not is refused with code 100 and, where Meta names one, a subcode and two sentences
for the person who wrote it.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

from bot.simulator.errors import NotSimulated, Refusal

Component = dict[str, Any]
ParameterFormat = Literal["POSITIONAL", "NAMED"]

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
HEADER_FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTONS = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP", "FLOW", "REQUEST_CONTACT_INFO")
SHOP_BUTTONS = ("CATALOG", "MPM", "SPM")
OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
MOST_OF_A_KIND = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "OTP": 1, "FLOW": 1}
MOST_BUTTONS = 10
LIVES: dict[str, tuple[int, int]] = {
    "AUTHENTICATION": (30, 900),
    "UTILITY": (30, 43_200),
    "MARKETING": (43_200, 2_592_000),
}
KEYS = {"name", "language", "category", "components", "parameter_format", "allow_category_change"}
KEYS |= {"message_send_ttl_seconds", "cta_url_link_tracking_opted_out"}
OTHER_KEYS = {"library_template_name", "library_template_button_inputs", "sub_category"}
OTHER_KEYS |= {"bid_spec", "degrees_of_freedom_spec", "creative_sourcing_spec", "display_format"}
# Refusals of definitions: error_subcode and error_user_title.
TOO_LONG = (2388040, "Character limit exceeded")
BAD_HEADER = (2388047, "Message header format is incorrect")
BAD_BODY = (2388072, "Message body format is incorrect")
BAD_FOOTER = (2388073, "Message footer format is incorrect")
NO_FIELD = (2388043, "Message template components are missing an expected field")
TOO_DENSE = (2388293, "Parameter to words ratio exceeds the limit")
AT_THE_EDGE = (2388299, "Leading or trailing parameters are not allowed")


def bad(why: str, kind: tuple[int, str] | None = None) -> Refusal:
    """Code 100 for a definition."""
    if kind is None:
        return Refusal(100, why)
    return Refusal(100, "Invalid parameter", subcode=kind[0], user=(kind[1], why))


def read_definition(body: dict[str, Any]) -> dict[str, Any]:
    """Check the body of a creation; components come back in one spelling."""
    if unsupported := sorted(OTHER_KEYS & body.keys()):
        raise NotSimulated(f"{unsupported[0]} of a template")
    if unknown := sorted(body.keys() - KEYS):
        raise bad(f'Unexpected key "{unknown[0]}" on param "message_template".')
    for key in ("name", "language", "category", "components"):
        if not body.get(key):
            raise bad(f"The parameter {key} is required.")
    name, language = body["name"], body["language"]
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_]{1,512}", name):
        raise bad("name: lower-case letters, digits and underscores, at most 512")
    if not isinstance(language, str) or not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,3})?", language):
        raise bad("Param language must be a language that templates can have.")
    category = read_category(body["category"])
    form = str(body.get("parameter_format") or "POSITIONAL").upper()
    if form not in ("POSITIONAL", "NAMED"):
        raise bad("Param parameter_format must be one of {NAMED, POSITIONAL}")
    return {
        "name": name,
        "language": language,
        "category": category,
        "parameter_format": form,
        "ttl": read_life(body.get("message_send_ttl_seconds"), category),
        "components": read_components(body["components"], category, form),
    }


def read_category(value: Any) -> str:
    """The category in capitals."""
    category = str(value).upper()
    if category not in CATEGORIES:
        allowed = ", ".join(CATEGORIES)
        raise bad(f"Param category must be one of {{{allowed}}} - got {str(value)[:40]!r}.")
    return category


def read_life(value: Any, category: str) -> int | None:
    """How many seconds a message may stay undelivered; -1 is Meta's own word for 30 days."""
    if value is None or value == -1:
        return None
    least, most = LIVES[category]
    if not isinstance(value, int) or not least <= value <= most:
        raise bad(f"message_send_ttl_seconds: {least} to {most} for {category} templates")
    return value


def read_components(value: Any, category: str, form: str) -> list[Component]:
    """All components, checked and in one spelling."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad("Param components must be an array.")
    found: dict[str, Component] = {}
    for one in value:
        kind = str(one.get("type", "")).upper()
        if kind in ("CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"):
            raise NotSimulated(f"template components of type {kind}")
        if kind not in READERS:
            raise bad(f"components: {kind[:40]!r} is not a type of component")
        if kind in found:
            raise bad(f"components: there is more than one {kind}")
        found[kind] = READERS[kind](one, category, form)
    if "BODY" not in found:
        raise bad("components: a BODY is needed", NO_FIELD)
    if category == "AUTHENTICATION" and "HEADER" in found:
        raise bad("Authentication templates have no header.", BAD_HEADER)
    _check_otp(found, category)
    return list(found.values())


def variables(text: str) -> list[str]:
    """Names or numbers of the variables in a text, each once, in order."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def units(text: str) -> int:
    """How long a text is in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text(one: Component, most: int, kind: tuple[int, str], where: str) -> str:
    text = one.get("text")
    if not isinstance(text, str) or not text.strip():
        raise bad(f"{where}: the text is missing", NO_FIELD)
    if units(text) > most:
        raise bad(f"{where}: {units(text)} characters, {most} are allowed", TOO_LONG)
    if "{{" in VARIABLE.sub("", text) or "}}" in VARIABLE.sub("", text):
        raise bad(f"{where}: a variable is not written as {{{{1}}}} or {{{{name}}}}", kind)
    return text


def _check_numbering(text: str, form: str, kind: tuple[int, str], where: str) -> None:
    names = variables(text)
    if form == "POSITIONAL":
        if names != [str(n) for n in range(1, len(names) + 1)]:
            raise bad(f"{where}: variables are numbered {{{{1}}}}, {{{{2}}}}, … in order", kind)
    elif any(not re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names):
        raise bad(f"{where}: names have lower-case letters, digits and underscores", kind)


def _named_examples(example: Any, key: str) -> list[str]:
    given = example.get(key) if isinstance(example, dict) else None
    named = given if isinstance(given, list) else []
    return [str(one.get("param_name")) for one in named if isinstance(one, dict)]


def _header(one: Component, _category: str, form: str) -> Component:
    layout = str(one.get("format", "")).upper()
    if layout not in HEADER_FORMATS:
        raise bad(f"header: the format is one of {', '.join(HEADER_FORMATS)}", BAD_HEADER)
    made: Component = {"type": "HEADER", "format": layout}
    example = one.get("example")
    if layout == "TEXT":
        text = _text(one, 60, BAD_HEADER, "header")
        _check_numbering(text, form, BAD_HEADER, "header")
        names = variables(text)
        if len(names) > 1:
            raise bad("header: one variable is allowed", BAD_HEADER)
        if re.search(r"[*_~\n]", VARIABLE.sub("", text)):
            raise bad("header: no new lines and no formatting", BAD_HEADER)
        key = "header_text" if form == "POSITIONAL" else "header_text_named_params"
        if names and not (isinstance(example, dict) and example.get(key)):
            raise bad("header: an example for the variable is needed", NO_FIELD)
        made["text"] = text
    elif layout != "LOCATION":
        handles = example.get("header_handle") if isinstance(example, dict) else None
        if not handles:
            raise bad("header: example.header_handle is needed", NO_FIELD)
    return {**made, "example": example} if example else made


def _body(one: Component, category: str, form: str) -> Component:
    if category == "AUTHENTICATION":
        if "text" in one:
            raise bad("Authentication templates have a text of Meta's own.", BAD_BODY)
        safe = bool(one.get("add_security_recommendation"))
        text = "*{{1}}* is your verification code."
        more = " For your security, do not share this code." if safe else ""
        return {"type": "BODY", "text": text + more, "add_security_recommendation": safe}
    text = _text(one, 1024, BAD_BODY, "body")
    _check_numbering(text, form, BAD_BODY, "body")
    names = variables(text)
    _check_variables(text, names)
    made: Component = {"type": "BODY", "text": text}
    if names:
        made["example"] = _body_example(one.get("example"), names, form)
    return made


def _check_variables(text: str, names: Sequence[str]) -> None:
    bare = text.strip()
    if bare.startswith("{{") or bare.endswith("}}"):
        raise bad("body: variables can't be at the start or end of the template.", AT_THE_EDGE)
    if re.search(r"\}\}\s*\{\{", text):
        raise bad("body: two variables stand next to each other", BAD_BODY)
    # Meta keeps the exact ratio to itself; this is the one that people have found out.
    words = len(VARIABLE.sub(" ", text).split())
    if names and words < 2 * len(names) + 1:
        raise bad("body: too many variables for the length of the text", TOO_DENSE)
    if re.search(r"\n{3,}", text):
        raise bad("body: more than two line breaks in a row", BAD_BODY)


def _body_example(example: Any, names: Sequence[str], form: str) -> dict[str, Any]:
    if form == "NAMED":
        if set(_named_examples(example, "body_text_named_params")) != set(names):
            raise bad("body: an example for each named variable is needed", NO_FIELD)
    else:
        rows = example.get("body_text") if isinstance(example, dict) else None
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else rows
        if not isinstance(row, list) or len(row) != len(names):
            raise bad("body: example.body_text needs a value for each variable", NO_FIELD)
    return dict(example)


def _footer(one: Component, category: str, _form: str) -> Component:
    if category == "AUTHENTICATION":
        minutes = one.get("code_expiration_minutes")
        if not isinstance(minutes, int) or not 1 <= minutes <= 90:
            raise bad("footer: code_expiration_minutes is 1 to 90", BAD_FOOTER)
        text = f"This code expires in {minutes} minutes."
        return {"type": "FOOTER", "text": text, "code_expiration_minutes": minutes}
    text = _text(one, 60, BAD_FOOTER, "footer")
    if variables(text):
        raise bad("footer: no variables", BAD_FOOTER)
    return {"type": "FOOTER", "text": text}


def _buttons(one: Component, _category: str, form: str) -> Component:
    given = one.get("buttons")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_BUTTONS:
        raise bad(f"buttons: 1 to {MOST_BUTTONS}", NO_FIELD)
    made = [_button(button, n, form) for n, button in enumerate(given)]
    kinds = [button["type"] for button in made]
    for kind, most in MOST_OF_A_KIND.items():
        if kinds.count(kind) > most:
            raise bad(f"buttons: at most {most} of type {kind}")
    replies = [n for n, kind in enumerate(kinds) if kind == "QUICK_REPLY"]
    if replies and replies[-1] - replies[0] + 1 != len(replies):
        raise bad("buttons: quick replies have to stand together")
    texts = [button["text"] for button in made if "text" in button]
    if len(set(texts)) < len(texts):
        raise bad("buttons: two have the same text")
    return {"type": "BUTTONS", "buttons": made}


def _button(value: Any, n: int, form: str) -> Component:
    if not isinstance(value, dict):
        raise bad(f"buttons[{n}]: an object is needed")
    kind = str(value.get("type", "")).upper()
    if kind in SHOP_BUTTONS or kind in ("VOICE_CALL", "APP"):
        raise NotSimulated(f"template buttons of type {kind}")
    if kind not in BUTTONS:
        raise bad(f"buttons[{n}]: {kind[:40]!r} is not a type of button")
    made = {**value, "type": kind}
    if kind in ("COPY_CODE", "OTP", "REQUEST_CONTACT_INFO"):
        made.setdefault("text", "Copy code" if kind != "REQUEST_CONTACT_INFO" else "Share number")
    made["text"] = _text(made, 25, BAD_BODY, f"buttons[{n}]")
    if variables(made["text"]):
        raise bad(f"buttons[{n}]: no variables in the text")
    if kind == "URL":
        _check_url(made, n, form)
    if kind == "PHONE_NUMBER" and not re.fullmatch(r"\+?\d{5,20}", str(made.get("phone_number"))):
        raise bad(f"buttons[{n}]: phone_number has at most 20 digits")
    if kind == "OTP" and str(made.get("otp_type", "")).upper() not in OTP_TYPES:
        raise bad(f"buttons[{n}]: otp_type is one of {', '.join(OTP_TYPES)}")
    if kind == "FLOW" and not (made.keys() & {"flow_id", "flow_name", "flow_json"}):
        raise bad(f"buttons[{n}]: flow_id, flow_name or flow_json is needed")
    return made


def _check_url(button: Component, n: int, form: str) -> None:
    url = button.get("url")
    if not isinstance(url, str) or not re.match(r"(?i:https?)://.+", url) or len(url) > 2000:
        raise bad(f"buttons[{n}]: url is a web address of at most 2000 characters")
    names = variables(url)
    if len(names) > 1 or (names and not url.rstrip().endswith("}}")):
        raise bad(f"buttons[{n}]: one variable, at the end of the url")
    if names and not button.get("example"):
        raise bad(f"buttons[{n}]: an example of the url is needed", NO_FIELD)
    _check_numbering(url, form, BAD_BODY, f"buttons[{n}]")


def _check_otp(found: dict[str, Component], category: str) -> None:
    buttons = found.get("BUTTONS", {}).get("buttons", ())
    otp = [button for button in buttons if button["type"] == "OTP"]
    if category == "AUTHENTICATION" and (len(otp), len(buttons)) != (1, 1):
        raise bad("Authentication templates have one OTP button and no other.")
    if category != "AUTHENTICATION" and otp:
        raise bad("Only authentication templates have an OTP button.")


READERS = {"HEADER": _header, "BODY": _body, "FOOTER": _footer, "BUTTONS": _buttons}
