"""What we say as the body of a Graph API message, held to every limit that Meta states.

Lengths are counted in UTF-16 units (an emoji is two): Meta does not say how it counts, and this is
the strict reading. A text that does not fit is our bug, so it is refused and never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from flows.effects import Attachment, Say, Section, Sheet

TEXT: Final = 4096
CAPTION: Final = 1024
BODY: Final = 1024  # one page of Meta's says 4,096 for lists, another 1,024
FOOTER: Final = 60
FILENAME: Final = 240
BUTTONS: Final = 3
BUTTON_TITLE: Final = 20
BUTTON_ID: Final = 256
SHEET_BUTTON: Final = 20
SECTIONS: Final = 10
SECTION_TITLE: Final = 24
ROWS: Final = 10  # in all sections together
ROW_TITLE: Final = 24
ROW_NOTE: Final = 72
ROW_ID: Final = 200


class DoesNotFit(Exception):
    """Meta would refuse this message: a mistake of the flow that said it.

    Names the field, the limit and the length that was there, never the text.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, field: str, rule: str, *, limit: int, length: int) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field
        self.limit = limit
        self.length = length


def render(say: Say) -> dict[str, Any]:
    """The message without its recipient: `type` and the object of that name.

    An attachment stands in it without its media id, which the upload gives (`put_media`).
    """
    if say.buttons and say.sheet is not None:
        raise DoesNotFit("buttons", "cannot go with a list", limit=0, length=len(say.buttons))
    if say.buttons:
        return _interactive(say, "button", _buttons(say))
    if say.sheet is not None:
        return _interactive(say, "list", _list(say.sheet))
    if say.footer:
        raise _too_long("footer", 0, units(say.footer))  # plain text has none
    if say.attachment is not None:
        document = _document(say.attachment)
        document["caption"] = fit("document.caption", say.text, CAPTION)
        return {"type": "document", "document": document}
    return {
        "type": "text",
        "text": {"body": fit("text.body", say.text, TEXT), "preview_url": False},
    }


def put_media(body: Mapping[str, Any], media_id: str | None) -> dict[str, Any]:
    """The same message with its uploaded attachment, or without any (None)."""
    if body["type"] == "document":
        document = body["document"]
        if media_id is not None:
            return {**body, "document": {"id": media_id, **document}}
        return {"type": "text", "text": {"body": document["caption"], "preview_url": False}}
    if "header" not in body.get("interactive", ()):
        return dict(body)
    interactive = dict(body["interactive"])
    header = interactive.pop("header")
    if media_id is not None:
        document = {"id": media_id, **header["document"]}
        interactive = {
            "type": interactive.pop("type"),
            "header": {"type": "document", "document": document},
            **interactive,
        }
    return {**body, "interactive": interactive}


def units(text: str) -> int:
    """How long a text is in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(field: str, text: str, limit: int) -> str:
    """The text, if it is not blank and not longer than `limit`; else DoesNotFit."""
    if not text or text.isspace():
        raise DoesNotFit(field, "must not be empty", limit=limit, length=0)
    if 2 * len(text) > limit and (length := units(text)) > limit:
        raise _too_long(field, limit, length)
    return text


def _interactive(say: Say, kind: str, action: dict[str, Any]) -> dict[str, Any]:
    interactive: dict[str, Any] = {"type": kind}
    if say.attachment is not None:
        if kind == "list":  # its header can be nothing but text
            raise DoesNotFit("header", "of a list cannot be a file", limit=0, length=1)
        interactive["header"] = {"type": "document", "document": _document(say.attachment)}
    interactive["body"] = {"text": fit("interactive.body", say.text, BODY)}
    if say.footer:
        interactive["footer"] = {"text": fit("interactive.footer", say.footer, FOOTER)}
    interactive["action"] = action
    return {"type": "interactive", "interactive": interactive}


def _document(attachment: Attachment) -> dict[str, Any]:
    return {"filename": fit("document.filename", attachment.filename, FILENAME)}


def _buttons(say: Say) -> dict[str, Any]:
    _count("buttons", len(say.buttons), BUTTONS)
    _differ("button titles", [button.title for button in say.buttons])
    _differ("button ids", [button.id for button in say.buttons])
    return {
        "buttons": [
            {
                "type": "reply",
                "reply": {
                    "id": _reply_id(f"buttons[{n}].id", button.id, BUTTON_ID),
                    "title": fit(f"buttons[{n}].title", button.title, BUTTON_TITLE),
                },
            }
            for n, button in enumerate(say.buttons)
        ]
    }


def _list(sheet: Sheet) -> dict[str, Any]:
    rows = [row for section in sheet.sections for row in section.rows]
    _count("sections", len(sheet.sections), SECTIONS)
    _count("rows", len(rows), ROWS)
    _differ("row titles", [row.title for row in rows])
    _differ("row ids", [row.id for row in rows])
    alone = len(sheet.sections) == 1
    return {
        "button": fit("list.button", sheet.button, SHEET_BUTTON),
        "sections": [
            _section(f"sections[{n}]", section, alone=alone)
            for n, section in enumerate(sheet.sections)
        ],
    }


def _section(field: str, section: Section, *, alone: bool) -> dict[str, Any]:
    _count(f"{field}.rows", len(section.rows), ROWS)
    rows = []
    for n, row in enumerate(section.rows):
        name = f"{field}.rows[{n}]"
        rendered = {
            "id": _reply_id(f"{name}.id", row.id, ROW_ID),
            "title": fit(f"{name}.title", row.title, ROW_TITLE),
        }
        if row.note:
            rendered["description"] = fit(f"{name}.description", row.note, ROW_NOTE)
        rows.append(rendered)
    if alone and not section.title:
        return {"rows": rows}
    return {"title": fit(f"{field}.title", section.title, SECTION_TITLE), "rows": rows}


def _reply_id(field: str, text: str, limit: int) -> str:
    if text != text.strip():
        raise DoesNotFit(field, "begins or ends with a space", limit=limit, length=units(text))
    return fit(field, text, limit)


def _count(field: str, count: int, limit: int) -> None:
    if not 1 <= count <= limit:
        raise DoesNotFit(field, f"are {count}, 1 to {limit} are allowed", limit=limit, length=count)


def _differ(field: str, texts: Iterable[str]) -> None:
    listed = list(texts)
    distinct = len(set(listed))
    if distinct < len(listed):
        raise DoesNotFit(field, "must differ", limit=distinct, length=len(listed))


def _too_long(field: str, limit: int, length: int) -> DoesNotFit:
    rule = f"takes {length} UTF-16 units, {limit} are allowed"
    return DoesNotFit(field, rule, limit=limit, length=length)
