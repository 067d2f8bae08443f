"""Takes out of a webhook who somebody is and what they wrote, and leaves how it is built.

Theory of operation
-------------------
Every text is taken to be personal unless its key says what it is. Ids, phone numbers and user ids
get another one of the same form, always the same for the same (`key` decides which), so that a
status still belongs to its message and a message to its customer. Words become letters x of the
same number and script; in what a customer writes, the bot's own vocabulary stays, because without
"tomorrow at 3" a replay would not say the same. What a business is known by to Meta (phone number
id, account, template) and what the bot itself put into a button stays: it tells nothing about a
customer and decides what becomes of a replay.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import orjson

from flows import keywords, when_words
from flows.plain import plain


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Texts that Meta chooses from a list of its own, and ids of the business.
_KEPT: Final = _names(
    """
    object field messaging_product type status event timestamp time category pricing_model
    mime_type phone_number_id origin source_type media_type country_code language decision reason
    event_type value_type recipient_type quality_score previous_quality_score new_quality_score
    previous_category new_category correct_category current_limit old_limit
    max_daily_conversations_per_business message_template_id message_template_name
    message_template_language message_template_category waba_ban_state restriction_type
    alert_severity alert_status alert_type entity_type response_source direction version action
    expiration_timestamp expiration currency
    """
)
_PHONES: Final = _names(
    """
    from to wa_id recipient_id recipient_participant_id participant_recipient_id customer
    new_wa_id phone phone_number display_phone_number input
    """
)
_USER_IDS: Final = _names(
    """
    user_id parent_user_id from_user_id from_parent_user_id recipient_user_id
    recipient_parent_user_id previous_user_id previous_parent_user_id to_user_id to_parent_user_id
    """
)
_IDS: Final = _names(
    """
    id message_id original_message_id group_id flow_token catalog_id ctwa_clid source_id identity
    identity_key_hash hash acknowledged sha256 product_retailer_id entity_id meta_msg_id
    """
)
_WRITTEN: Final = frozenset({"body", "caption", "text", "title", "description", "name"})
_OURS: Final = frozenset({"button_reply", "list_reply", "button"})
_PLACES: Final = frozenset({"latitude", "longitude"})
_OUR_KEY: Final = re.compile(r"usual:\d+:\d+")
_BSUID: Final = re.compile(r"([A-Z]{2}\.(?:ENT\.)?)(\w+)", re.ASCII)
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+|.", re.DOTALL)
_LETTERS: Final[Mapping[str, str]] = {
    "CYRILLIC": "х",
    "HEBREW": "א",
    "ARABIC": "ب",
    "GREEK": "χ",
    "DEVANAGARI": "क",
    "CJK": "字",
    "HIRAGANA": "あ",
    "KATAKANA": "ア",
    "HANGUL": "가",
    "THAI": "ก",
}
_LARGEST_KEPT: Final = 99_999
_DIGITS_KEPT: Final = 2


class Scrubber:
    """Scrubs webhooks, all of them alike; another key makes other pseudonyms."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def scrub(self, body: Any) -> Any:
        """The body of a webhook, or any part of one, without anything personal."""
        return self._value(body, (), written=True)

    def _value(self, value: Any, path: tuple[str, ...], *, written: bool) -> Any:
        match value:
            case dict():
                named = written and "profile" not in path and "contacts" not in path[-1:]
                return {
                    self._name(key): self._value(one, (*path, key), written=named)
                    for key, one in value.items()
                }
            case list():
                return [self._value(one, path, written=written) for one in value]
            case str():
                return self._text(value, path, written=written)
            case bool() | None:
                return value
            case _:
                return self._number(value, path)

    def _name(self, key: str) -> str:
        """Keys are Meta's; one that is not made of letters may be something else."""
        return key if re.fullmatch(r"[A-Za-z_]{1,64}", key) else self._id(key)

    def _text(self, text: str, path: tuple[str, ...], *, written: bool) -> str:
        key = path[-1] if path else ""
        if key in _KEPT or (key == "value" and "user_preferences" in path):
            return text
        if key == "id" and (path[-2:] in (("entry", "id"),) or path[-2] in _OURS):
            return text
        if key == "payload" and path[-2:-1] == ("button",):
            return text
        special = self._special(key)
        if special is not None:
            return special(text)
        return self._words(text, known=written and key in _WRITTEN)

    def _special(self, key: str) -> Callable[[str], str] | None:
        if key in _PHONES:
            return self._phone
        if key in _USER_IDS:
            return self._user_id
        if key in _IDS:
            return self._id
        if key in ("url", "link", "href") or key.endswith(("_url", "_uri")):
            return self._url
        if key == "biz_opaque_callback_data":
            return lambda text: text if _OUR_KEY.fullmatch(text) else self._id(text)
        return self._json if key == "response_json" else None

    def _number(self, number: int | float, path: tuple[str, ...]) -> int | float:
        key = path[-1] if path else ""
        if key in _PLACES:
            return 0.5
        if key in _KEPT or -_LARGEST_KEPT <= number <= _LARGEST_KEPT:
            return number
        return self._digest(str(number), 10**9) if isinstance(number, int) else 0.5

    def _digest(self, text: str, below: int) -> int:
        digest = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
        return int.from_bytes(digest) % below

    def _phone(self, text: str) -> str:
        """Another number in the same country, as far as the first two digits tell one."""
        digits = re.sub(r"[^0-9]", "", text)
        if not digits:
            return self._words(text, known=False)
        kept = digits[:2]
        left = max(len(digits) - 2, 0)
        made = f"{self._digest(digits, 10**left):0{left}}" if left else ""
        return ("+" if text.startswith("+") else "") + kept + made

    def _user_id(self, text: str) -> str:
        found = _BSUID.fullmatch(text)
        if found is None:
            return self._id(text)
        left = len(found[2])
        return found[1] + f"{self._digest(text, 10**left):0{left}}"

    def _id(self, text: str) -> str:
        """Another id, digits for digits; Meta's of a message hold the phone number in base64."""
        if not text:
            return text
        if text.isascii() and text.isdigit():
            return f"{self._digest(text, 10 ** len(text)):0{len(text)}}"
        raw = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
        prefix = "wamid." if text.startswith("wamid.") else ""
        return prefix + base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def _url(self, text: str) -> str:
        return f"https://example.com/{self._id(text)[:16]}" if text else text

    def _json(self, text: str) -> str:
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self._words(text, known=False)
        return orjson.dumps(self._value(found, (), written=False)).decode()

    def _words(self, text: str, *, known: bool) -> str:
        tokens = _TOKEN.findall(text)
        return "".join(one if known and _is_known(one) else _blank(one) for one in tokens)


def _blank(token: str) -> str:
    """A word without what it says: as long, in the same script, upper and lower case."""
    if token[0].isdigit():
        return token if len(token) <= _DIGITS_KEPT else "0" * len(token)
    return "".join(_letter(char) for char in token)


@cache
def _letter(char: str) -> str:
    if not char.isalpha():
        return char
    script = unicodedata.name(char, "LATIN").partition(" ")[0]
    letter = _LETTERS.get(script, "x")
    return letter.upper() if char.isupper() else letter


def _is_known(token: str) -> bool:
    return plain(token) in vocabulary()


@cache
def vocabulary() -> frozenset[str]:
    """Every word that the bot looks for in what customers write."""
    words: set[str] = set()
    for lexicon in vars(keywords).values():
        if isinstance(lexicon, keywords.Lexicon):
            words |= set(lexicon.words())
    for table in vars(when_words).values():
        if isinstance(table, when_words.Vocabulary):
            texts = [*table.codes.values(), *table.weekdays, *table.months, *table.numbers]
            words |= {word for text in texts for word in re.split(r"[|\s]+", plain(text)) if word}
    return frozenset(words)
