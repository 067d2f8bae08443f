"""Meta's limits for interactive messages: buttons, lists, links, location requests, forms, shop."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bot.simulator.limits import (
    AnyCase,
    Document,
    Link,
    Picture,
    Strict,
    length,
    wrong,
)

MOST_ROWS = 10


class Header(Strict):
    """What stands above the body: a line of text or a medium."""

    type: Annotated[Literal["text", "image", "video", "document"], AnyCase]
    text: Annotated[str, length(60)] | None = None
    sub_text: Annotated[str, length(60)] | None = None
    image: Picture | None = None
    video: Picture | None = None
    document: Document | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        """What the type names has to be there."""
        if getattr(self, self.type) is None:
            raise wrong(f"header of type {self.type} without {self.type}")
        return self


class Body(Strict):
    """The message itself."""

    text: Annotated[str, length(1024)]


class Footer(Strict):
    """The small grey line below."""

    text: Annotated[str, length(60)]


class Interactive(Strict):
    """What all kinds share. `headers` says which headers a kind may have."""

    headers: ClassVar[frozenset[str]] = frozenset({"text", "image", "video", "document"})

    type: Annotated[str, AnyCase]
    header: Header | None = None
    body: Body
    footer: Footer | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Only the headers of this kind."""
        if self.header and self.header.type not in self.headers:
            raise wrong(f"header of type {self.header.type} is not allowed here")
        return self


class Reply(Strict):
    """What a reply button says and sends back."""

    id: Annotated[str, length(256)]
    title: Annotated[str, length(20)]


class Button(Strict):
    """A reply button."""

    type: Annotated[Literal["reply"], AnyCase]
    reply: Reply


class Buttons(Strict):
    """One to three reply buttons."""

    buttons: Annotated[list[Button], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Titles and ids are unique, ids have no white space around them."""
        replies = [button.reply for button in self.buttons]
        _unique("button titles", [reply.title for reply in replies])
        _unique("button ids", [reply.id for reply in replies])
        if any(reply.id != reply.id.strip() for reply in replies):
            raise wrong("button ids must not begin or end with a space")
        return self


class ButtonMessage(Interactive):
    """A body with reply buttons under it."""

    action: Buttons


class Row(Strict):
    """A row of a list."""

    id: Annotated[str, length(200)]
    title: Annotated[str, length(24)]
    description: Annotated[str, length(72, least=0)] | None = None


class Section(Strict):
    """Rows under a title."""

    title: Annotated[str, length(24)] | None = None
    rows: Annotated[list[Row], Field(min_length=1)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Rows of one section can be told apart."""
        _unique("row titles", [row.title for row in self.rows])
        return self


class Sections(Strict):
    """A button that opens sections of rows."""

    button: Annotated[str, length(20)]
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Ten rows in all, each with its own id; titles when there are several sections."""
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > MOST_ROWS:
            raise wrong(f"total row count exceeds the maximum of {MOST_ROWS}")
        _unique("row ids", [row.id for row in rows])
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise wrong("sections need a title when there is more than one")
        return self


class ListMessage(Interactive):
    """A body with a list behind a button."""

    headers: ClassVar[frozenset[str]] = frozenset({"text"})

    action: Sections


class LinkButton(Strict):
    """Label and address of a link button."""

    display_text: Annotated[str, length(20)]
    url: Link


class OpenLink(Strict):
    """The action of a link message."""

    name: Literal["cta_url"]
    parameters: LinkButton


class LinkMessage(Interactive):
    """A body with a button that opens a web page."""

    action: OpenLink


class SendLocation(Strict):
    """The action of a location request."""

    name: Literal["send_location"]


class LocationRequest(Interactive):
    """A body with a button that sends the place one is at."""

    headers: ClassVar[frozenset[str]] = frozenset()

    action: SendLocation


class ShareNumber(Strict):
    """The action of a question for the phone number."""

    name: Literal["request_contact_info"]


class NumberRequest(Interactive):
    """A body with a button that sends the customer's phone number."""

    headers: ClassVar[frozenset[str]] = frozenset()

    action: ShareNumber


class FormParameters(Strict):
    """Which form opens and with what."""

    flow_message_version: Literal["3"]
    flow_cta: Annotated[str, length(30)]
    flow_id: str | None = None
    flow_name: str | None = None
    flow_token: str = "unused"  # noqa: S105  # Meta's default value, no secret
    mode: Literal["draft", "published"] = "published"
    flow_action: Literal["navigate", "data_exchange"] = "navigate"
    flow_action_payload: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        """One name for the form, not two."""
        if (self.flow_id is None) == (self.flow_name is None):
            raise wrong("exactly one of flow_id and flow_name is needed")
        return self


class OpenForm(Strict):
    """The action of a form message."""

    name: Literal["flow"]
    parameters: FormParameters


class FormMessage(Interactive):
    """A body with a button that opens a form (a WhatsApp Flow)."""

    action: OpenForm


class Product(Strict):
    """One product of the catalogue."""

    catalog_id: str
    product_retailer_id: str


class ProductMessage(Interactive):
    """One product; the body may be missing."""

    headers: ClassVar[frozenset[str]] = frozenset()

    body: Body | None = None  # type: ignore[assignment]  # the one kind that has none
    action: Product


class ProductItem(Strict):
    """A product in a section."""

    product_retailer_id: str


class ProductSection(Strict):
    """Products under a title."""

    title: Annotated[str, length(24)] | None = None
    product_items: Annotated[list[ProductItem], Field(min_length=1, max_length=30)]


class Products(Strict):
    """Sections of products."""

    catalog_id: str
    sections: Annotated[list[ProductSection], Field(min_length=1, max_length=10)]


class ProductListMessage(Interactive):
    """Several products; the header is needed."""

    headers: ClassVar[frozenset[str]] = frozenset({"text"})

    header: Header
    action: Products


class CatalogAction(Strict):
    """Opens the whole catalogue."""

    name: Literal["catalog_message"]
    parameters: dict[str, Any] | None = None


class CatalogMessage(Interactive):
    """A body with a button that opens the catalogue."""

    action: CatalogAction


class OrderAction(Strict):
    """What an order message shows; its prices are not checked."""

    name: Literal["review_and_pay", "review_order"]
    parameters: dict[str, Any]


class OrderMessage(Interactive):
    """An order to pay, or how it stands."""

    action: OrderAction


def _unique(what: str, values: list[str]) -> None:
    if len(set(values)) < len(values):
        raise wrong(f"duplicated {what}")
