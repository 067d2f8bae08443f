"""Meta's limits for a carousel: cards with a picture, a few words and a button each."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bot.simulator.interactive import Button, Header, Interactive, LinkButton
from bot.simulator.limits import AnyCase, Strict, length, wrong


class CardBody(Strict):
    """The words of a card: short, on at most three lines."""

    text: Annotated[str, length(160)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Two line breaks at most."""
        if self.text.count("\n") > 2:
            raise wrong("a card has at most 2 line breaks")
        return self


class CardAction(Strict):
    """A link, or reply buttons."""

    name: Literal["cta_url"] | None = None
    parameters: LinkButton | None = None
    buttons: Annotated[list[Button], Field(min_length=1, max_length=2)] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        """One of the two."""
        if (self.parameters is None) == (self.buttons is None):
            raise wrong("a card has a link or reply buttons")
        return self


class Card(Strict):
    """One card of a carousel."""

    card_index: int
    type: Annotated[Literal["cta_url", "button"], AnyCase] = "cta_url"
    header: Header
    body: CardBody | None = None
    action: CardAction


class Cards(Strict):
    """Two to ten cards, all alike."""

    cards: Annotated[list[Card], Field(min_length=2, max_length=10)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Numbered from 0, with the same kind of picture and of button."""
        if [card.card_index for card in self.cards] != list(range(len(self.cards))):
            raise wrong("card_index counts from 0")
        kinds = {card.header.type for card in self.cards}
        if len(kinds) > 1 or not kinds <= {"image", "video"}:
            raise wrong("all cards have an image, or all a video")
        if len({card.action.buttons is None for card in self.cards}) > 1:
            raise wrong("all cards have the same kind of button")
        return self


class CarouselMessage(Interactive):
    """Cards to look through; no header, footer or buttons around them."""

    headers: ClassVar[frozenset[str]] = frozenset()

    action: Cards

    @model_validator(mode="after")
    def _bare(self) -> Self:
        """There is no footer either."""
        if self.footer:
            raise wrong("a carousel has no footer")
        return self
