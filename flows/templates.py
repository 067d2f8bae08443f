"""The templates: messages that Meta has approved, for when 24 hours of silence allow no others.

Each is declared here once and said in every language that we have; its texts stand in
`flows.wording`, its variables are the placeholders of its body. What Meta has approved under a name
cannot take another number of variables: whoever adds or removes one gives the template a new name.
`usual templates sync` makes them at Meta, and bot.delivery sends them where the window is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Final, Literal

from flows import wording as words
from flows import wording_unasked as t
from flows import wording_waitlist as waitlist
from flows.catalogues import CATALOGUES
from flows.effects import TemplateUse
from flows.formats import fit
from flows.replies import Reply, encode
from flows.values import valueclass
from flows.wording import Message, Words, speak

Category = Literal["UTILITY", "MARKETING"]
VALUE: Final = 160
"""The longest that a variable is filled with, in UTF-16 units."""


@valueclass(frozen=True, slots=True)
class Template:
    """A template in all languages; `examples` show those who approve it what its variables are."""

    name: str
    category: Category
    body: Message
    buttons: tuple[Message, ...] = ()
    footer: Message | None = None


_EXAMPLES: Final[Mapping[str, Message | datetime]] = {
    "company": t.EXAMPLE_COMPANY,
    "what": t.EXAMPLE_VISIT,
    "when": datetime(2026, 11, 24, 18, 0, tzinfo=UTC),
    "first": datetime(2026, 11, 24, 18, 0, tzinfo=UTC),
    "second": datetime(2026, 11, 25, 10, 30, tzinfo=UTC),
    "until": datetime(2026, 11, 24, 14, 45, tzinfo=UTC),
    "ago": t.EXAMPLE_AGO,
}

# Utility by Meta's rules, for each is about one visit or place on the list that the customer has
# asked for; the suggestion to come again is marketing, because nobody asked for it.
VISIT_REMINDER: Final = Template(
    "usual_visit_reminder",
    "UTILITY",
    t.VISIT_REMINDER,
    (t.CONFIRM, words.CHANGE, words.CANCEL_VISIT),
)
VISIT_SOON: Final = Template(
    "usual_visit_soon", "UTILITY", t.VISIT_SOON, (t.CONFIRM, words.CHANGE, words.CANCEL_VISIT)
)
WAITLIST_OFFER: Final = Template(
    "usual_waitlist_offer", "UTILITY", t.WAITLIST_OFFER, (t.TAKE_IT, t.PASS)
)
OFFER_EXPIRED: Final = Template("usual_offer_expired", "UTILITY", t.OFFER_EXPIRED, (t.LEAVE_LIST,))
WAIT_OVER: Final = Template(
    "usual_waitlist_over",
    "UTILITY",
    t.WAIT_OVER_TEMPLATE,
    (words.BOOK_A_VISIT, waitlist.JOIN_WAITLIST),
)
VISIT_RATING: Final = Template(
    "usual_visit_rating", "UTILITY", t.VISIT_RATING, (t.RATED_GOOD, t.RATED_FAIR, t.RATED_BAD)
)
REBOOK: Final = Template(
    "usual_rebook",
    "MARKETING",
    t.REBOOK_TEMPLATE,
    (t.THE_FIRST, t.THE_SECOND, t.NOT_NOW),
    t.STOP_FOOTER,
)
PERSON: Final = Template("usual_person", "UTILITY", t.PERSON_TEMPLATE, (t.READ_IT,))
"""Opens the conversation for a person, or for us where a template of its own is paused."""

TEMPLATES: Final = (
    VISIT_REMINDER,
    VISIT_SOON,
    WAITLIST_OFFER,
    OFFER_EXPIRED,
    WAIT_OVER,
    VISIT_RATING,
    REBOOK,
    PERSON,
)
"""All templates that we have."""


def use(
    w: Words,
    template: Template,
    values: Mapping[str, str],
    *replies: Reply,
    instead: TemplateUse | None = None,
) -> TemplateUse:
    """Fill a template in a language: `values` by the names of its variables, a reply per button."""
    if len(replies) != len(template.buttons):
        raise ValueError(f"{template.name} has {len(template.buttons)} buttons")
    return TemplateUse(
        template.name,
        w.language,
        params=tuple(fit(values[name], VALUE) for name in variables(template, w.language)),
        payloads=tuple(encode(reply) for reply in replies),
        instead=instead,
    )


def variables(template: Template, language: str) -> tuple[str, ...]:
    """Return the names of a template's variables, in the order in which a language says them."""
    parts = Formatter().parse(text(template.body, language))
    return tuple(dict.fromkeys(name for _, name, _, _ in parts if name))


def numbered(template: Template, language: str) -> str:
    """Return the body with `{{1}}`, `{{2}}`… where its variables are."""
    places = {name: f"{{{{{n}}}}}" for n, name in enumerate(variables(template, language), 1)}
    return text(template.body, language).format_map(places)


def examples(template: Template, language: str) -> tuple[str, ...]:
    """Return what its variables may be filled with, in their order."""
    w = speak(language)
    return tuple(_example(w, _EXAMPLES[name]) for name in variables(template, language))


def text(message: Message, language: str) -> str:
    """Return a text of a template in a language, its placeholders as they are."""
    return CATALOGUES[language].gettext(message.source)


def _example(w: Words, value: Message | datetime) -> str:
    return w(value) if isinstance(value, Message) else w.moment(value, value.date())
