"""What a message says and offers, for those who read it as text: the terminal and the tests."""

from dataclasses import dataclass
from typing import Any, Literal

ChoiceKind = Literal["button", "row"]
PLACEHOLDERS = {
    "audio": "voice note",
    "image": "photo",
    "video": "video",
    "sticker": "sticker",
    "location": "location",
    "contacts": "contact",
    "unsupported": "unsupported message",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be tapped. `id` is what a tap of it is called by."""

    kind: ChoiceKind
    id: str
    title: str
    description: str = ""

    def __str__(self) -> str:
        if self.kind == "button":
            return f"[{self.title}]"
        note = f" | {self.description}" if self.description else ""
        return f"({self.title}{note})"


def choices_of(kind: str, content: Any) -> list[Choice]:
    """The reply buttons and list rows of a message, in order."""
    if kind == "template":
        buttons = content["shown"]["buttons"]
        return [Choice("button", one["payload"], one["title"]) for one in buttons]
    if kind != "interactive":
        return []
    action = content.get("action", {})
    buttons = [
        Choice("button", one["reply"]["id"], one["reply"]["title"]) for one in reply_buttons(action)
    ]
    rows = [
        Choice("row", row["id"], row["title"], row.get("description", ""))
        for section in action.get("sections", ())
        for row in section.get("rows", ())
    ]
    return buttons + rows


def reply_buttons(action: dict[str, Any]) -> list[dict[str, Any]]:
    """The reply buttons of an interactive message, those on its cards included."""
    cards = [card["action"] for card in action.get("cards", ())]
    return [button for one in (action, *cards) for button in one.get("buttons") or ()]


def form_of(kind: str, content: Any) -> dict[str, Any] | None:
    """How the form of a message opens; None when it has none."""
    found: dict[str, Any] | None = None
    if kind == "interactive" and content["type"] == "flow":
        found = content["action"]["parameters"]
    if kind == "template":
        links = content["shown"].get("links", ())
        found = next((one["parameters"] for one in links if one["kind"] == "flow"), None)
    return found


def text_of(kind: str, content: Any) -> str:
    """The words of a message, without its choices."""
    match kind:
        case "text":
            return str(content["body"])
        case "interactive":
            return _interactive_text(content)
        case "template":
            shown = content["shown"]
            parts = [shown.get("header"), shown["body"], shown.get("footer")]
            return "\n".join(part for part in parts if part)
        case "button":
            return str(content["text"])
        case "reaction":
            return str(content.get("emoji", ""))
        case "document":
            return f"📄 {content.get('filename', 'document')}"
        case _:
            return f"<{PLACEHOLDERS.get(kind, kind)}>"


def _interactive_text(content: dict[str, Any]) -> str:
    kind = content["type"]
    if kind in ("button_reply", "list_reply"):
        return str(content[kind]["title"])
    if kind == "nfm_reply":
        return str(content[kind]["body"])
    header = content.get("header", {})
    parts = [
        header.get("text"),
        content.get("body", {}).get("text"),
        content.get("footer", {}).get("text"),
    ]
    return "\n".join(part for part in parts if part)
