"""The forms of businesses (Meta's product "WhatsApp Flows"): drafts, published and given up.

Until a business makes one, every form that a message names is taken to be there, and the chat page
asks for its answer as JSON; then unknown and unpublished ones are refused.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.simulator import news
from bot.simulator.errors import NoSuchObject, Refusal
from bot.simulator.form_rules import check, screens_of
from bot.simulator.webhooks import Notice
from storage.clock import Clock

FormStatus = Literal["DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED"]
CATEGORIES = (
    "SIGN_UP",
    "SIGN_IN",
    "APPOINTMENT_BOOKING",
    "LEAD_GENERATION",
    "CONTACT_US",
    "CUSTOMER_SUPPORT",
    "SURVEY",
    "OTHER",
)


@dataclass(slots=True)
class Form:
    """A form as Meta keeps it; `definition` is its Flow JSON as it was uploaded."""

    id: str
    waba_id: str
    name: str
    categories: list[str]
    at: datetime
    status: FormStatus = "DRAFT"
    endpoint: str | None = None
    definition: str | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def content(self) -> dict[str, Any] | None:
        """What can be drawn; None where nothing was uploaded, or nothing valid."""
        if self.definition is None or self.errors:
            return None
        found: dict[str, Any] = json.loads(self.definition)
        return found


class Forms:
    """All of them. `tell` passes on what a business is told by webhook."""

    def __init__(self, *, clock: Clock, tell: Callable[[Notice], object]) -> None:
        self.known: dict[str, Form] = {}
        self._clock = clock
        self._tell = tell

    def create(
        self, waba_id: str, name: str, categories: list[str], *, endpoint: str | None = None
    ) -> Form:
        """Make a draft."""
        self.check_name(waba_id, name)
        number = str(secrets.randbelow(9 * 10**14) + 10**14)
        form = Form(number, waba_id, name, categories, self._clock(), endpoint=endpoint)
        self.known[form.id] = form
        self._tell(news.form_status(form, None, at=self._clock()))
        return form

    def check_name(self, waba_id: str, name: str) -> None:
        """Refuse a name that the account has used."""
        if any(one.name == name for one in self.of(waba_id)):
            raise Refusal(100, "Flow name is not unique: the account has a flow of this name.")

    def of(self, waba_id: str) -> list[Form]:
        """The forms of an account, the newest first."""
        return [one for one in reversed(self.known.values()) if one.waba_id == waba_id]

    def with_id(self, form_id: str, method: str) -> Form:
        """A form, or the answer to an id that is none."""
        if form_id not in self.known:
            raise NoSuchObject(form_id, method)
        return self.known[form_id]

    def upload(self, form: Form, definition: str) -> list[dict[str, Any]]:
        """Take a definition in; answers with what is wrong with it."""
        if form.status in ("DEPRECATED", "BLOCKED"):
            raise Refusal(139001, "A flow that is deprecated or blocked cannot be changed.")
        errors = check(definition)
        if form.status != "DRAFT" and errors:
            return errors  # what is published stays as it is
        form.definition, form.errors = definition, errors
        return errors

    def publish(self, form: Form) -> None:
        """Publish a draft."""
        if form.status != "DRAFT":
            raise Refusal(139002, "Only a draft can be published.")
        if form.content is None:
            raise Refusal(139002, "A flow needs a flow.json without validation errors.")
        if "data_api_version" in form.content and not form.endpoint:
            raise Refusal(139002, "A flow with a data_api_version needs an endpoint_uri.")
        self.settle(form, "PUBLISHED")

    def deprecate(self, form: Form) -> None:
        """Give a published form up."""
        if form.status in ("DRAFT", "DEPRECATED"):
            raise Refusal(139003, "Only a published flow can be deprecated.")
        self.settle(form, "DEPRECATED")

    def delete(self, form: Form) -> None:
        """Delete a draft."""
        if form.status != "DRAFT":
            raise Refusal(139004, "Only a draft can be deleted.")
        del self.known[form.id]

    def settle(self, form: Form, status: FormStatus) -> None:
        """Move a form to another status, and tell the business."""
        before, form.status = form.status, status
        self._tell(news.form_status(form, before, at=self._clock()))

    def named(self, waba_id: str, parameters: dict[str, Any]) -> Form | None:
        """The form that a message opens, by id or name."""
        wanted = {parameters.get("flow_id"), parameters.get("flow_name")} - {None}
        return next((one for one in self.of(waba_id) if wanted & {one.id, one.name}), None)

    def admit(self, waba_id: str, interactive: dict[str, Any]) -> dict[str, Any]:
        """Refuse a message with a form that cannot be opened."""
        if interactive["type"] != "flow" or not self.of(waba_id):
            return interactive
        parameters = interactive["action"]["parameters"]
        form = self.named(waba_id, parameters)
        if form is None:
            raise Refusal(131009, "flow_id, flow_name: the account has no such flow")
        if form.status == "BLOCKED":
            raise Refusal(132068, "The flow is blocked.")
        if form.status == "THROTTLED":
            raise Refusal(132069, "The flow is throttled.")
        draft = parameters.get("mode") == "draft"
        if form.status != ("DRAFT" if draft else "PUBLISHED"):
            raise Refusal(131009, f"mode: the flow is {form.status.lower()}")
        check_opening(form, parameters)
        return interactive

    def put_back(self, forms: Iterable[Form]) -> None:
        """Have forms that were there before."""
        self.known |= {one.id: one for one in forms}


def check_opening(form: Form, parameters: dict[str, Any]) -> None:
    """Refuse to open a form on a screen that it does not have."""
    screen = (parameters.get("flow_action_payload") or {}).get("screen")
    content = form.content
    if content is None or parameters.get("flow_action") == "data_exchange":
        return
    if screen is not None and screen not in screens_of(content):
        raise Refusal(131009, f"flow_action_payload.screen: there is no screen {screen}")
