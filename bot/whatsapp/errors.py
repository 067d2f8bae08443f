"""What the Graph API answers instead of a message id, whose fault that is, and what is done.

    GraphError                     fault      retryable
    ├── Unreachable                network    yes  no connection, so nothing was sent
    ├── Doubtful                   network    no   no readable answer: it may have been accepted
    ├── Transient                  Meta       yes  trouble of theirs that passes
    ├── Throttled                  ours       yes  the number sends too fast
    │   └── PairThrottled          ours       yes  … to this recipient: only they wait
    ├── LimitReached               owner      yes  no more conversations may be opened today
    ├── AccountHeld                owner      no   nothing of this company passes for now
    │   └── AuthLost               owner      no   … because token or permission is gone
    └── Undeliverable              -          no   this message will never be taken
        ├── WindowClosed           nobody     no   after 24 hours of silence: templates only
        ├── BadRecipient           recipient  no   they cannot get this message
        │   ├── RecipientLost      recipient  no   … nor any other: not on WhatsApp
        │   ├── RecipientUnsupported          no   … without their phone number
        │   └── OptedOut           recipient  no   … for they stopped marketing
        ├── HeldBack               Meta       no   Meta chose not to deliver
        ├── BadMessage             ours       no   a body that Meta refuses
        │   └── BadMedia           ours       no   … because of its file
        ├── BadTemplate            owner      no   missing, paused or filled in wrongly
        │   └── TemplateUnusable   owner      no   … as we knew before we tried
        └── TooLate                nobody     no   pointless by now: not even tried

`TABLE` says which of these each of Meta's codes is. The code decides, for Meta answers 400 to most
things, throttling included; without a code that we know, the HTTP status does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple

import orjson

LONGEST_PAUSE: Final = 300.0


class Act(Enum):
    """What the sender does about an error."""

    RETRY = "retry"  # this message again, later
    SLOW = "slow"  # … and the whole number slower
    DOUBT = "doubt"  # wait whether a status tells that it was sent
    HOLD = "hold"  # nothing of the company until a probe passes
    TEMPLATE = "template"  # the template it may fall back to, else fail
    FAIL = "fail"  # tell the conversation


IN_DOUBT_AT_MOST: Final = 6
"""How often a message is sent that nobody has answered, nor told of by a status."""


class GraphError(Exception):
    """The Graph API did not take a message.

    `code` is Meta's, 0 where there was none. `pause` is the first wait in seconds, `tries` how
    often the message is sent at most (None: an attempt like this does not count). `details` may
    quote what was sent: never log it.
    """

    fault: ClassVar[str] = "Meta"
    retryable: ClassVar[bool] = False
    act: ClassVar[Act] = Act.FAIL
    growth: ClassVar[float] = 2.0
    # It may pass within a second: worth trying again before the message goes back.
    at_once: ClassVar[bool] = False
    # What an error says about the customer, for all messages to come.
    mark: ClassVar[str | None] = None

    def __init__(
        self,
        code: int = 0,
        *,
        http: int | None = None,
        pause: float = 1.0,
        tries: int | None = 12,
        details: str = "",
        trace: str = "",
    ) -> None:
        answered = f" (HTTP {http})" if http else ""
        super().__init__(f"{type(self).__name__} {code}{answered}")
        self.code, self.http = code, http
        self.pause, self.tries = pause, tries
        self.details, self.trace = details, trace

    def wait(self, attempts: int) -> float:
        """Seconds before the next attempt, after so many."""
        return min(LONGEST_PAUSE, self.growth ** min(attempts - 1, 16)) * self.pause


class Unreachable(GraphError):
    """There was no connection, so nothing was sent."""

    fault, retryable, act, at_once = "network", True, Act.RETRY, True


class Doubtful(GraphError):
    """There was no readable answer: the message may have been accepted.

    Each doubt lasts twice as long as the one before: an outage of a quarter of an hour costs nobody
    their answer.
    """

    fault, act = "network", Act.DOUBT


class Transient(GraphError):
    """Trouble of Meta's that passes."""

    retryable, act, at_once = True, Act.RETRY, True


class Throttled(GraphError):
    """The number sends too fast."""

    fault, retryable, act = "ours", True, Act.SLOW


class PairThrottled(Throttled):
    """Too many messages to one recipient: only they wait, four times longer each time."""

    act, growth = Act.RETRY, 4.0


class LimitReached(GraphError):
    """No more conversations may be opened in these 24 hours."""

    fault, retryable, act, growth = "owner", True, Act.RETRY, 1.0


class AccountHeld(GraphError):
    """Nothing of this company passes for now; `pause` is how long before it is tried again."""

    fault, act, growth = "owner", Act.HOLD, 1.0


class AuthLost(AccountHeld):
    """Token or permission is gone."""


class Undeliverable(GraphError):
    """This message will never be taken."""


class WindowClosed(Undeliverable):
    """After 24 hours of silence only templates may be sent."""

    fault, act = "nobody", Act.TEMPLATE


class BadRecipient(Undeliverable):
    """The recipient cannot get this message."""

    fault = "recipient"


class RecipientLost(BadRecipient):
    """The recipient cannot get any message: not on WhatsApp, or has blocked the business."""

    mark = "unreachable"


class RecipientUnsupported(BadRecipient):
    """The recipient cannot get this kind of message without their phone number."""


class OptedOut(BadRecipient):
    """The recipient stopped marketing messages."""

    mark = "opted_out"


class HeldBack(Undeliverable):
    """Meta chose not to deliver."""


class BadMessage(Undeliverable):
    """Meta refuses the body: our bug."""

    fault = "ours"


class BadMedia(BadMessage):
    """Meta refuses the file."""


class BadTemplate(Undeliverable):
    """The template is missing, paused or filled in wrongly."""

    fault = "owner"


class TemplateUnusable(BadTemplate):
    """No template for this message may be sent now: paused, refused or not there."""


class TooLate(Undeliverable):
    """The moment has passed for which the message was meant."""

    fault = "nobody"


class Case(NamedTuple):
    """What one code is; `pause` in seconds, `tries` None for trouble that is not the message's."""

    kind: type[GraphError]
    pause: float = 1.0
    tries: int | None = 12


def _each(case: Case, *codes: int) -> dict[int, Case]:
    return dict.fromkeys(codes, case)


TABLE: Final[Mapping[int, Case]] = {
    # Account and permissions.
    **_each(Case(AuthLost, 60, None), 0, 3, 10, 104, 131005, 190, *range(200, 300)),
    **_each(Case(AccountHeld, 60, None), 33, 803, 131031, 131037, 131042, 131045),
    **_each(Case(AccountHeld, 60, None), 133000, 133005, 133006, 133008, 133009, 133010, 133015),
    **_each(Case(AccountHeld, 900, None), 368, 131048, 133016),
    # Rates and limits.
    130429: Case(Throttled),
    **_each(Case(Throttled, 60), 4, 17, 80007),
    131056: Case(PairThrottled, 1, 8),
    131064: Case(LimitReached, 3600, 24),
    # Trouble at Meta's.
    **_each(Case(Transient, 1, 2), 1, 135000),
    131000: Case(Transient, 1, 6),
    **_each(Case(Transient), 2, 131016, 133004),
    131057: Case(Transient, 60),
    **_each(Case(Transient), 139102, 139103),
    # Recipients.
    131047: Case(WindowClosed),
    131026: Case(RecipientLost),
    131062: Case(RecipientUnsupported),
    131050: Case(OptedOut),
    **_each(Case(BadRecipient), 130497, 131021, 131030, 137000),
    **_each(Case(HeldBack), 130472, 131049),
    # What was sent.
    **_each(Case(BadMessage), 100, 131008, 131009, 131051, 131052, 132068, 132069, 139100, 139101),
    131053: Case(BadMedia),
    **_each(Case(BadTemplate), 131063, 132000, 132001, 132005, 132007, 132008, 132012),
    **_each(Case(BadTemplate), 132015, 132016, 132018),
    # Parts of the platform that we do not use: groups, calls, user names.
    **_each(Case(BadMessage), 131020, 131041, 131059, *range(131201, 131216)),
    **_each(Case(BadMessage), *range(138000, 138019), 147001),
}
"""Each code of Meta's as one class."""

_NO_SUCH_NUMBER: Final = (100, 33)  # code and subcode: the number is gone, or we may not see it


def from_answer(http: int, raw: bytes, *, retry_after: str | None = None) -> GraphError:
    """The error that an answer of the Graph API means, whatever it looks like."""
    wait = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return _made(_without_body(http), http=http, wait=wait)
    return from_error(error, http=http, wait=wait)


def from_error(error: Mapping[str, Any], *, http: int = 400, wait: float = 0.0) -> GraphError:
    """The error that an `error` object means, or an entry of a status's `errors`."""
    code = _whole(error.get("code"))
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    if (code, _whole(error.get("error_subcode"))) == _NO_SUCH_NUMBER:
        case = TABLE[33]
    elif code is None or code not in TABLE:
        passing = error.get("is_transient") is True
        case = Case(Transient) if passing else _by_http(http)
    else:
        case = TABLE[code]
    return _made(
        case,
        code or 0,
        http=http,
        wait=wait,
        details=str(details or error.get("error_user_msg") or error.get("message") or ""),
        trace=str(error.get("fbtrace_id") or ""),
    )


def _made(
    case: Case, code: int = 0, *, http: int, wait: float, details: str = "", trace: str = ""
) -> GraphError:
    pause = max(case.pause, wait)
    return case.kind(code, http=http, pause=pause, tries=case.tries, details=details, trace=trace)


def _by_http(http: int) -> Case:
    """What an error with a code that we do not know is."""
    match http:
        case 401:
            return Case(AuthLost, 60, None)
        case 403:
            # Not for ever: it may be about this one message after all.
            return Case(AccountHeld, 60, 5)
        case 429:
            return Case(Throttled)
        case _ if http >= 500:
            return Case(Transient)
        case _:
            return Case(BadMessage)


def _without_body(http: int) -> Case:
    """What an answer is that Meta's servers may not have written at all."""
    match http:
        case 401 | 403 | 429:
            return _by_http(http)
        case _ if http < 300 or http == 408 or http >= 500:
            return Case(Doubtful, 1, IN_DOUBT_AT_MOST)
        case _:
            return Case(Transient)  # a proxy, or a wrong address: somebody will mend it


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
