"""Templates: which ones a business has, how they are reviewed, paused, edited and deleted.

Without a list of declared templates, and until a business creates one, every name is taken to be
approved, and a message shows its name and parameters; otherwise unknown, pending, rejected, paused
and disabled templates are refused. Each change of a template is told to the business by a webhook.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.simulator import news
from bot.simulator.errors import NoSuchObject, Refusal
from bot.simulator.template_rules import Component, bad, read_category, read_components, read_life
from bot.simulator.webhooks import Notice
from storage.clock import Clock

TemplateStatus = Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"]
TemplateCategory = Literal["utility", "marketing", "authentication"]
Quality = Literal["UNKNOWN", "GREEN", "YELLOW", "RED"]

PAUSES = (timedelta(hours=3), timedelta(hours=6))
NAME_BLOCKED = timedelta(days=30)
MOST_CREATED_AN_HOUR = 100
MOST_TEMPLATES = 6_000
CHANGES = {"components", "category", "message_send_ttl_seconds"}
EDITABLE = frozenset({"APPROVED", "REJECTED", "PAUSED"})
NAME_IN_DELETION = (2388023, "Message template language is being deleted")
NAME_TAKEN = (2388024, "Content in this language already exists")
TOO_MANY = (2388019, "Message template limit exceeded")


@dataclass(frozen=True, slots=True)
class Template:
    """A template as a test or a demo declares it, in one language, for every account."""

    name: str
    body: str
    language: str = "en"
    category: TemplateCategory = "utility"
    status: TemplateStatus = "APPROVED"
    header: str | None = None
    footer: str | None = None
    buttons: tuple[str, ...] = field(default=())

    def components(self) -> list[Component]:
        """The same in Meta's components."""
        made: list[Component] = [{"type": "BODY", "text": self.body}]
        if self.header:
            made.insert(0, {"type": "HEADER", "format": "TEXT", "text": self.header})
        if self.footer:
            made.append({"type": "FOOTER", "text": self.footer})
        if self.buttons:
            replies = [{"type": "QUICK_REPLY", "text": text} for text in self.buttons]
            made.append({"type": "BUTTONS", "buttons": replies})
        return made


@dataclass(slots=True)
class Known:
    """A template as Meta keeps it. `waba_id` is None for one that every account has."""

    id: str
    waba_id: str | None
    name: str
    language: str
    category: str
    components: list[Component]
    at: datetime
    status: TemplateStatus = "PENDING"
    parameter_format: str = "POSITIONAL"
    ttl: int | None = None
    quality: Quality = "UNKNOWN"
    previous_category: str | None = None
    reason: str = "NONE"
    pauses: int = 0
    paused_until: datetime | None = None
    edits: list[datetime] = field(default_factory=list)

    def part(self, kind: str) -> Component | None:
        """The component of this type."""
        return next((one for one in self.components if one["type"] == kind), None)

    def view(self) -> dict[str, Any]:
        """Every field that can be asked for."""
        fields: dict[str, Any] = {
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "id": self.id,
            "rejected_reason": self.reason,
            "quality_score": {"score": self.quality, "date": int(self.at.timestamp())},
            "last_updated_time": (self.edits[-1] if self.edits else self.at).isoformat(),
        }
        if self.previous_category:
            fields["previous_category"] = self.previous_category
        if self.ttl is not None:
            fields["message_send_ttl_seconds"] = self.ttl
        return fields


@dataclass(frozen=True, slots=True)
class Gone:
    """A name and language that may not be used again for a while."""

    waba_id: str
    name: str
    language: str
    until: datetime


class Templates:
    """The templates of all accounts. `tell` posts a webhook."""

    def __init__(
        self,
        declared: Sequence[Template] | None,
        *,
        clock: Clock,
        tell: Callable[[Notice], object],
        wabas: Iterable[str] = (),
    ) -> None:
        self.known: dict[str, Known] = {}
        self.gone: list[Gone] = []
        self._clock, self.tell = clock, tell
        self._wabas = sorted(set(wabas))
        self._strict = declared is not None
        self._created: dict[str, list[datetime]] = {}
        for template in declared or ():
            self.declare(template)

    def declare(self, template: Template, *, waba_id: str | None = None) -> Known:
        """Add a template, or replace it: a change of status takes effect at once, untold."""
        self._strict = True
        seed = f"{waba_id}:{template.name}:{template.language}".encode()
        known = Known(
            id=str(10**15 + int.from_bytes(hashlib.sha256(seed).digest()[:6])),
            waba_id=waba_id,
            name=template.name,
            language=template.language,
            category=template.category.upper(),
            components=template.components(),
            at=self._clock(),
            status=template.status,
        )
        self.known[known.id] = known
        return known

    def is_strict(self, waba_id: str) -> bool:
        """Whether only known templates may be sent."""
        return self._strict or any(one.waba_id == waba_id for one in self.known.values())

    def of(self, waba_id: str) -> list[Known]:
        """All templates of an account, the newest first."""
        self.tick()
        found = [one for one in self.known.values() if one.waba_id in (None, waba_id)]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def find(self, waba_id: str, name: str, language: str) -> Known | None:
        """The template with this name in this language."""
        for one in self.of(waba_id):
            if (one.name, one.language) == (name, language):
                return one
        return None

    def with_id(self, template_id: str, method: str = "get") -> Known:
        """The template with this id."""
        self.tick()
        if template_id not in self.known:
            raise NoSuchObject(template_id, method)
        return self.known[template_id]

    def create(self, waba_id: str, definition: dict[str, Any]) -> Known:
        """Take in a checked definition, for review."""
        now = self._clock()
        name, language = definition["name"], definition["language"]
        recent = [at for at in self._created.get(waba_id, ()) if now - at < timedelta(hours=1)]
        if len(recent) >= MOST_CREATED_AN_HOUR:
            raise Refusal(80007, f"{MOST_CREATED_AN_HOUR} templates an hour may be created")
        if len(self.of(waba_id)) >= MOST_TEMPLATES:
            raise bad(f"An account has at most {MOST_TEMPLATES} templates.", TOO_MANY)
        if self.find(waba_id, name, language):
            raise bad(f"There is already {language} content for this template.", NAME_TAKEN)
        for one in self.gone:
            same = (one.waba_id, one.name, one.language) == (waba_id, name, language)
            if same and now < one.until:
                why = f"New {language} content can't be added while the existing one is deleted."
                raise bad(why, NAME_IN_DELETION)
        self._created[waba_id] = [*recent, now]
        known = Known(
            id=str(10**15 + secrets.randbelow(9 * 10**15)),
            waba_id=waba_id,
            name=name,
            language=language,
            category=definition["category"],
            components=definition["components"],
            at=now,
            parameter_format=definition["parameter_format"],
            ttl=definition["ttl"],
        )
        self.known[known.id] = known
        return known

    def edit(self, known: Known, change: dict[str, Any]) -> None:
        """Change components, category or life of a template; it is reviewed anew."""
        now = self._clock()
        if unknown := sorted(change.keys() - CHANGES):
            raise bad(f'Unexpected key "{unknown[0]}" on param "message_template".')
        if known.status not in EDITABLE:
            raise bad(f"A template that is {known.status} can't be edited.")
        category = read_category(change.get("category", known.category))
        if category != known.category and known.status == "APPROVED":
            raise bad("The category of an approved template can't be edited.")
        recent = [at for at in known.edits if now - at < timedelta(days=30)]
        if known.status == "APPROVED" and (
            len(recent) >= 10 or (recent and now - recent[-1] < timedelta(days=1))
        ):
            raise bad("An approved template can be edited once a day and ten times in 30 days.")
        if "message_send_ttl_seconds" in change:
            known.ttl = read_life(change["message_send_ttl_seconds"], category)
        if "components" in change:
            form = known.parameter_format
            known.components = read_components(change["components"], category, form)
            known.status, known.reason = "PENDING", "NONE"
        known.category = category
        known.edits = [*recent, now]

    def delete(self, waba_id: str, name: str, template_id: str | None) -> None:
        """Delete all languages of a name, or the one with this id."""
        found = [one for one in self.of(waba_id) if one.name == name]
        if template_id is not None:
            found = [one for one in found if one.id == template_id]
        if not found:
            raise bad(f"Message template {name} was not found.")
        for one in found:
            del self.known[one.id]
            if one.status not in ("PENDING", "REJECTED"):
                until = self._clock() + NAME_BLOCKED
                self.gone.append(Gone(waba_id, one.name, one.language, until))
            self._say(one, "PENDING_DELETION")
        self._strict = True

    def settle(self, known: Known, status: TemplateStatus, reason: str = "NONE") -> None:
        """Decide about a template and tell the business."""
        known.status = status
        known.reason = reason if status == "REJECTED" else "NONE"
        if status != "PAUSED":
            known.paused_until = None
            self._say(known, status)
            return
        if known.pauses == len(PAUSES):
            self.settle(known, "DISABLED")
            return
        known.paused_until = self._clock() + PAUSES[known.pauses]
        known.pauses += 1
        known.quality = "RED"
        self._say(known, "PAUSED", title=("FIRST_PAUSE", "SECOND_PAUSE")[known.pauses - 1])

    def unpause(self, known: Known) -> None:
        """End a pause before its time."""
        known.status, known.paused_until = "APPROVED", None
        self._say(known, "APPROVED", title="UNPAUSE")

    def rate(self, known: Known, quality: Quality) -> None:
        """Give a template another quality and tell the business."""
        before, known.quality = known.quality, quality
        for waba_id in self._owners(known):
            self.tell(news.template_quality(known, waba_id, before, at=self._clock()))

    def recategorize(self, known: Known, category: str) -> None:
        """Move a template to another category, as Meta does, and tell the business."""
        before, known.category = known.category, read_category(category)
        known.previous_category = before
        for waba_id in self._owners(known):
            self.tell(news.template_category(known, waba_id, before, at=self._clock()))

    def tick(self) -> None:
        """End the pauses whose time is over."""
        now = self._clock()
        for known in self.known.values():
            if known.status == "PAUSED" and known.paused_until and known.paused_until <= now:
                self.unpause(known)

    def _owners(self, known: Known) -> list[str]:
        return [known.waba_id] if known.waba_id else self._wabas

    def _say(self, known: Known, event: str, *, title: str | None = None) -> None:
        for waba_id in self._owners(known):
            notice = news.template_status(known, waba_id, event, at=self._clock(), title=title)
            self.tell(notice)
