"""What Meta checks in the definition of a form (Flow JSON) when it is uploaded.

Which screens there are and how one gets from one to the next, which components they have, what
those need and how long their texts may be. What stands in an expression is not checked.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from bot.simulator.form_places import Path, Places

VERSIONS = re.compile(r"(2\.1|3\.[01]|4\.0|5\.[01]|6\.[0-3]|7\.[0-3])")
SCREEN_ID = re.compile(r"[A-Za-z_]+")
MOST_COMPONENTS = 50
ACTIONS = frozenset({"navigate", "complete", "data_exchange", "open_url", "update_data"})
ANYWHERE = frozenset({"type", "visible"})
SCREEN = frozenset(
    {"id", "title", "layout", "terminal", "success", "data", "refresh_on_back", "sensitive"}
)
TOP = frozenset({"version", "screens", "data_api_version", "routing_model", "data_channel_uri"})


class Part(NamedTuple):
    """What a component needs and may have, and how long its texts may be."""

    needs: frozenset[str]
    may: frozenset[str]
    limits: dict[str, int]


def _part(needs: str, may: str = "", **limits: int) -> Part:
    longest = {name.replace("_", "-"): most for name, most in limits.items()}
    return Part(frozenset(needs.split()), frozenset(may.split()), longest)


_INPUT = "required enabled helper-text init-value error-message"
_CHOICE = "label description required enabled init-value error-message on-select-action"
COMPONENTS = {
    "TextHeading": _part("text", text=80),
    "TextSubheading": _part("text", text=80),
    "TextBody": _part("text", "font-weight strikethrough markdown", text=4096),
    "TextCaption": _part("text", "font-weight strikethrough markdown", text=4096),
    "RichText": _part("text"),
    "TextInput": _part(
        "name label",
        f"{_INPUT} input-type pattern label-variant min-chars max-chars",
        label=20,
        helper_text=80,
    ),
    "TextArea": _part(
        "name label", f"{_INPUT} label-variant min-length max-length", label=20, helper_text=80
    ),
    "CheckboxGroup": _part(
        "name data-source",
        f"{_CHOICE} min-selected-items max-selected-items on-unselect-action media-size",
        label=30,
    ),
    "ChipsSelector": _part(
        "name data-source",
        f"{_CHOICE} min-selected-items max-selected-items on-unselect-action",
        label=80,
    ),
    "RadioButtonsGroup": _part(
        "name data-source", f"{_CHOICE} on-unselect-action media-size", label=30
    ),
    "Dropdown": _part("name label data-source", f"{_CHOICE} on-unselect-action", label=20),
    "DatePicker": _part(
        "name label",
        f"{_INPUT} min-date max-date unavailable-dates on-select-action",
        label=40,
        helper_text=80,
    ),
    "CalendarPicker": _part(
        "name label",
        f"{_INPUT} title description mode min-date max-date unavailable-dates include-days "
        "min-days max-days on-select-action",
        helper_text=80,
    ),
    "OptIn": _part(
        "name label",
        "required init-value on-click-action on-select-action on-unselect-action",
        label=120,
    ),
    "EmbeddedLink": _part("text on-click-action", text=25),
    "NavigationList": _part("name list-items", "label description media-size on-click-action"),
    "Image": _part("src", "width height scale-type aspect-ratio alt-text"),
    "ImageCarousel": _part("images", "aspect-ratio scale-type"),
    "PhotoPicker": _part("name label", "description photo-source enabled error-message", label=80),
    "DocumentPicker": _part("name label", "description enabled error-message", label=80),
    "Footer": _part(
        "label on-click-action", "left-caption center-caption right-caption enabled", label=35
    ),
    "Form": _part("name children", "init-values error-messages"),
    "If": _part("condition then", "else"),
    "Switch": _part("value cases"),
}
OPTIONS = {"Dropdown": 200, "CheckboxGroup": 20, "RadioButtonsGroup": 20, "ChipsSelector": 20}
AT_THE_START = {"line_start": 1, "line_end": 1, "column_start": 1, "column_end": 1}
PICKERS = ("min-selected-items", "max-selected-items", "photo-source", "min-uploaded-photos")


def check(text: str) -> list[dict[str, Any]]:
    """Everything that is wrong with a definition, in Meta's shape; nothing when it is right."""
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        where = {"line_start": error.lineno, "line_end": error.lineno}
        where |= {"column_start": error.colno, "column_end": error.colno}
        return [_error("INVALID_JSON", "PARSING_ERROR", f"Not JSON: {error.msg}.", where)]
    except RecursionError:
        return [_error("INVALID_JSON", "PARSING_ERROR", "Nested too deep.", AT_THE_START)]
    if not isinstance(definition, dict):
        return [_error("INVALID_JSON", "PARSING_ERROR", "An object is needed.", AT_THE_START)]
    places = Places(text)
    return [
        _error(name, "FLOW_JSON_ERROR" if name in _OF_FORMS else "JSON_SCHEMA_ERROR", why, where)
        for name, path, why in _complaints(definition)
        for where in [places.of(path)]
    ]


def screens_of(definition: dict[str, Any]) -> list[str]:
    """The ids of the screens of a definition, in order."""
    return [str(screen["id"]) for screen in definition["screens"]]


Complaint = tuple[str, Path, str]
_OF_FORMS = frozenset({"DUPLICATE_SCREEN_IDS", "MISSING_FOOTER", "INVALID_NAVIGATION"})


def _error(name: str, kind: str, why: str, where: dict[str, Any]) -> dict[str, Any]:
    return {"error": name, "error_type": kind, "message": why, **where}


def _complaints(definition: dict[str, Any]) -> Iterator[Complaint]:
    yield from _unknown(definition, (), TOP)
    version = definition.get("version")
    if not isinstance(version, str) or not VERSIONS.fullmatch(version):
        yield ("INVALID_PROPERTY_VALUE", ("version",), "version is none that can be used.")
    screens = definition.get("screens")
    if not isinstance(screens, list) or not screens:
        yield _missing((), "screens")
        return
    ids = [one.get("id") for one in screens if isinstance(one, dict)]
    for number, screen in enumerate(screens):
        path: Path = ("screens", number)
        if not isinstance(screen, dict):
            yield ("INVALID_PROPERTY_TYPE", path, "A screen is an object.")
            continue
        yield from _screen(screen, path, ids, endpoint="data_api_version" in definition)
    if not any(isinstance(one, dict) and one.get("terminal") for one in screens):
        yield ("MISSING_TERMINAL_SCREEN", ("screens",), "One screen at least has to be terminal.")


def _screen(
    screen: dict[str, Any], path: Path, ids: list[Any], *, endpoint: bool
) -> Iterator[Complaint]:
    yield from _unknown(screen, path, SCREEN)
    name = screen.get("id")
    if not isinstance(name, str) or not SCREEN_ID.fullmatch(name) or name == "SUCCESS":
        why = "id needs letters and underscores, and may not be SUCCESS."
        yield ("INVALID_PROPERTY_VALUE", (*path, "id"), why)
    elif ids.count(name) > 1:
        yield ("DUPLICATE_SCREEN_IDS", (*path, "id"), f"Several screens are called {name}.")
    layout = screen.get("layout")
    if not isinstance(layout, dict) or layout.get("type") != "SingleColumnLayout":
        yield _missing(path, "layout of type SingleColumnLayout")
        return
    children: Path = (*path, "layout", "children")
    parts = list(_walk(layout.get("children"), children))
    if not parts:
        yield _missing((*path, "layout"), "children")
    if len(parts) > MOST_COMPONENTS:
        why = f"A screen has at most {MOST_COMPONENTS} components."
        yield ("INVALID_PROPERTY_VALUE", children, why)
    for part, where in parts:
        yield from _component(part, where, ids, endpoint=endpoint)
    footers = [part for part, _ in parts if isinstance(part, dict) and part.get("type") == "Footer"]
    if screen.get("terminal") and not footers:
        yield ("MISSING_FOOTER", path, "A terminal screen needs a Footer.")


def _walk(children: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """All components of a screen, those within others too."""
    for number, part in enumerate(children if isinstance(children, list) else ()):
        where: Path = (*path, number)
        yield part, where
        if not isinstance(part, dict):
            continue
        for name in ("children", "then", "else"):
            yield from _walk(part.get(name), (*where, name))
        cases = part.get("cases")
        for name, case in cases.items() if isinstance(cases, dict) else ():
            yield from _walk(case, (*where, "cases", name))


def _component(part: Any, path: Path, ids: list[Any], *, endpoint: bool) -> Iterator[Complaint]:
    kind = part.get("type") if isinstance(part, dict) else None
    known = COMPONENTS.get(kind) if isinstance(kind, str) else None
    if known is None:
        yield ("INVALID_PROPERTY_VALUE", (*path, "type"), f"There is no component {kind!r}.")
        return
    yield from _unknown(part, path, ANYWHERE | known.needs | known.may | set(PICKERS))
    for name in sorted(known.needs - part.keys()):
        yield _missing(path, name)
    for name, most in known.limits.items():
        text = part.get(name)
        if isinstance(text, str) and "${" not in text and len(text) > most:
            why = f"{name} is longer than {most} characters."
            yield ("INVALID_PROPERTY_VALUE", (*path, name), why)
    options = part.get("data-source")
    if isinstance(options, list) and not 1 <= len(options) <= OPTIONS.get(str(kind), 200):
        most = OPTIONS.get(str(kind), 200)
        why = f"data-source has 1 to {most} options."
        yield ("INVALID_PROPERTY_VALUE", (*path, "data-source"), why)
    for name in ("on-click-action", "on-select-action", "on-unselect-action"):
        if name in part:
            yield from _action(part[name], (*path, name), ids, endpoint=endpoint)


def _action(action: Any, path: Path, ids: list[Any], *, endpoint: bool) -> Iterator[Complaint]:
    name = action.get("name") if isinstance(action, dict) else None
    if name not in ACTIONS:
        yield ("INVALID_PROPERTY_VALUE", (*path, "name"), f"There is no action {name!r}.")
    elif name == "navigate":
        target = action.get("next")
        screen = target.get("name") if isinstance(target, dict) else None
        if screen not in ids:
            yield ("INVALID_NAVIGATION", (*path, "next"), f"There is no screen {screen!r}.")
    elif name == "data_exchange" and not endpoint:
        why = "data_exchange needs a data_api_version."
        yield ("INVALID_PROPERTY_VALUE", (*path, "name"), why)


def _unknown(
    value: dict[str, Any], path: Path, known: frozenset[str] | set[str]
) -> Iterator[Complaint]:
    place = "/".join(("$root", *map(str, path)))
    for name in value.keys() - known:
        why = f'The property "{name}" cannot be specified at "{place}".'
        yield ("INVALID_PROPERTY", (*path, name), why)


def _missing(path: Path, name: str) -> Complaint:
    place = "/".join(("$root", *map(str, path)))
    return ("MISSING_REQUIRED_PROPERTY", path, f'The property "{name}" is needed at "{place}".')
