"""The kinds of interactive messages, and which of them are simulated."""

from typing import Any

from bot.simulator.carousel import CarouselMessage
from bot.simulator.errors import NotSimulated, Refusal
from bot.simulator.interactive import (
    ButtonMessage,
    CatalogMessage,
    FormMessage,
    Interactive,
    LinkMessage,
    ListMessage,
    LocationRequest,
    NumberRequest,
    OrderMessage,
    ProductListMessage,
    ProductMessage,
)
from bot.simulator.limits import checked

KNOWN_BUT_NOT_SIMULATED = {
    "address_message",
    "call_permission_request",
    "voice_call",
}
MODELS: dict[str, type[Interactive]] = {
    "button": ButtonMessage,
    "list": ListMessage,
    "cta_url": LinkMessage,
    "location_request_message": LocationRequest,
    "request_contact_info": NumberRequest,
    "carousel": CarouselMessage,
    "flow": FormMessage,
    "product": ProductMessage,
    "product_list": ProductListMessage,
    "catalog_message": CatalogMessage,
    "order_details": OrderMessage,
    "order_status": OrderMessage,
}


def read_interactive(value: Any) -> dict[str, Any]:
    """The `interactive` object of a message, checked."""
    if not isinstance(value, dict):
        raise Refusal(131009, "interactive: an object is needed")
    if "type" not in value:
        raise Refusal(131008, "interactive.type is missing")
    kind = str(value["type"]).lower()
    if kind in KNOWN_BUT_NOT_SIMULATED:
        raise NotSimulated(f"interactive messages of type {kind}")
    if kind not in MODELS:
        raise Refusal(131009, f"interactive.type: {kind!r} is not a kind of interactive message")
    content = checked(MODELS[kind], value, at="interactive")
    return content.model_dump(exclude_none=True, exclude_defaults=True)
