"""One message on its way to Meta: what is sent, how often at once, and what became of it."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from bot import metrics
from bot.templates import TemplateBook
from bot.whatsapp.client import Accepted, GraphClient
from bot.whatsapp.errors import (
    IN_DOUBT_AT_MOST,
    Act,
    BadMedia,
    BadRecipient,
    BadTemplate,
    Doubtful,
    GraphError,
    OptedOut,
    TemplateUnusable,
    TooLate,
    Transient,
    WindowClosed,
)
from bot.whatsapp.render import put_media
from flows.effects import Attachment
from flows.values import valueclass
from storage.clock import Clock
from storage.outbox import Outcome, Outgoing, Result

log = structlog.get_logger("usual.sender")

_T = TypeVar("_T")

WINDOW: Final = timedelta(hours=24)
"""How long after the customer's last message anything may be sent."""
MOST_ATTEMPTS: Final = 40
"""How often a message is sent, whatever the reasons, before it is given up."""
TRIES_AT_ONCE: Final = 3
_SHORT_PAUSE_S: Final = 1.0
_GIVEN_UP: Final = 131000
_LONGEST_REMARK: Final = 500


@valueclass(frozen=True, slots=True)
class Delivered:
    """What became of a message, and the error that came instead of its id."""

    result: Result
    error: GraphError | None = None


class LeaseLost(Exception):
    """This process may not have the message any more: whether to send it is for others to say."""


def callback_data(row: Outgoing) -> str:
    """What Meta echoes in every status of a message: our own key for it."""
    return f"usual:{row.company_id}:{row.id}"


class Delivery:
    """Sends single messages; `may_send` says whether a row is still this process's own."""

    def __init__(
        self,
        client: GraphClient,
        clock: Clock,
        *,
        book: TemplateBook,
        in_doubt: timedelta,
        may_send: Callable[[Outgoing], bool],
    ) -> None:
        self._client, self._clock, self._book = client, clock, book
        self.in_doubt, self._may_send = in_doubt, may_send
        self._retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES_AT_ONCE),
            wait=wait_random_exponential(multiplier=0.2, max=_SHORT_PAUSE_S),
            retry=retry_if_exception(_passes_soon),
            before_sleep=_note_retry,
            reraise=True,
        )

    async def deliver(self, row: Outgoing) -> Delivered:
        """Send a message and say what became of it; raises nothing but cancellation."""
        if row.attempts > MOST_ATTEMPTS:
            return self._failed(row, GraphError(_GIVEN_UP, tries=0))
        try:
            return await self._deliver(row)
        except LeaseLost:
            return Delivered(put_back(row, self._clock()))
        except GraphError as error:
            return self._failed(row, error)

    async def _deliver(self, row: Outgoing) -> Delivered:
        now = self._clock()
        _refuse(row, now)
        if row.body.get("type") == "template" or _is_open(row, now):
            try:
                return _sent(row, await self._send(row, row.body), row.body)
            except WindowClosed:
                if not _templates(row):
                    raise
        return await self._send_template(row)

    async def _send_template(self, row: Outgoing) -> Delivered:
        """Send the first of the row's templates that is approved and taken."""
        error: GraphError = WindowClosed(131047)
        for template in _templates(row):
            name = template["name"], template["language"]["code"]
            if not await self._book.may_send(row.company_id, name, marketing=not row.marketing_off):
                error = TemplateUnusable(132015)
                continue
            body = {"type": "template", "template": template}
            try:
                return _sent(row, await self._post(row, body), body)
            except BadTemplate as refused:
                error = refused
                await self._book.refused(row.company_id, name, refused.code)
        raise error

    async def _send(self, row: Outgoing, body: Mapping[str, Any]) -> Accepted:
        if "attachment" in row.extras and body is row.body:
            return await self._send_with_file(row, body)
        return await self._post(row, body)

    async def _send_with_file(self, row: Outgoing, body: Mapping[str, Any]) -> Accepted:
        """A file that Meta does not take must not keep the words back."""
        media_id = None
        try:
            media_id = await self._at_once(lambda: self._upload(row))
            return await self._post(row, put_media(body, media_id))
        except BadMedia as error:
            _note_missing_file(row, error)
        except GraphError as error:
            if media_id is not None:
                raise
            _note_missing_file(row, error)
        return await self._post(row, put_media(body, None))

    async def _upload(self, row: Outgoing) -> str:
        try:
            return await self._client.upload(
                row.phone_number_id, Attachment(**row.extras["attachment"])
            )
        except Doubtful as error:
            if error.http is None or error.http == 200:
                raise  # it took all the time there was, or Meta is content and names no file
            raise Transient(http=error.http) from error  # done twice it does no harm

    async def _post(self, row: Outgoing, body: Mapping[str, Any]) -> Accepted:
        message = {**_envelope(row), **body}
        return await self._at_once(lambda: self._post_once(row, message))

    async def _at_once(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Call until it passes, if what is wrong may pass within a second."""
        try:
            return await call()
        except GraphError as error:
            if not _passes_soon(error):
                raise
            had: list[GraphError] = [error]

        async def again() -> _T:
            # The try that has failed is tenacity's first: sends that pass need not pay for it.
            if had:
                raise had.pop()
            return await call()

        return await self._retrying(again)

    async def _post_once(self, row: Outgoing, message: Mapping[str, Any]) -> Accepted:
        if not self._may_send(row):
            raise LeaseLost
        started = time.perf_counter()
        accepted = await self._client.send(row.phone_number_id, message)
        metrics.SEND_SECONDS.observe(time.perf_counter() - started)
        return accepted

    def _failed(self, row: Outgoing, error: GraphError) -> Delivered:
        now = self._clock()
        counted = row.attempts if error.tries is not None else row.attempts - 1
        over = error.tries is not None and row.attempts >= error.tries
        outcome: Outcome
        not_before = lease_until = None
        match error.act:
            case Act.RETRY | Act.SLOW if not over:
                outcome = "pending"
                not_before = now + timedelta(seconds=error.wait(row.attempts) * _jitter())
            case Act.DOUBT:
                outcome = "doubt"
                lease_until = now + self.in_doubt * 2 ** (min(row.attempts, IN_DOUBT_AT_MOST) - 1)
                # Once too often: if no status comes, it is not sent again.
                counted = MOST_ATTEMPTS if over else counted
            case Act.HOLD if not over:
                outcome, not_before = "held", now
            case _:
                outcome = "failed"
        remark = error.details.replace("\0", "")[:_LONGEST_REMARK] or None
        return Delivered(
            Result(
                row,
                outcome,
                counted,
                code=error.code,
                not_before=not_before,
                lease_until=lease_until,
                mark=error.mark,
                error=remark,
            ),
            error,
        )


def _sent(row: Outgoing, accepted: Accepted, body: Mapping[str, Any]) -> Delivered:
    said = None if body is row.body else body
    return Delivered(Result(row, "sent", row.attempts, wamid=accepted.wamid, body=said))


def put_back(row: Outgoing, not_before: datetime) -> Result:
    """The row as if it had not been taken."""
    return Result(row, "pending", row.attempts - 1, not_before=not_before)


def _refuse(row: Outgoing, now: datetime) -> None:
    """Raise what keeps a message from being sent at all, whatever way it would go."""
    until = row.extras.get("until")
    if until is not None and now > datetime.fromisoformat(until):
        raise TooLate
    if row.extras.get("marketing") and row.marketing_off:
        raise OptedOut(131050)


def _is_open(row: Outgoing, now: datetime) -> bool:
    """Tell whether anything may be sent, as far as we know: Meta knows better sometimes."""
    if row.extras.get("use_template") and _templates(row):
        return False
    heard = row.last_inbound_at
    return heard is not None and now - heard < WINDOW


def _templates(row: Outgoing) -> list[Mapping[str, Any]]:
    """The templates that say the same as the message, best first."""
    found = (row.extras.get("template"), row.extras.get("instead"))
    return [template for template in found if template]


def _envelope(row: Outgoing) -> dict[str, Any]:
    envelope = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": callback_data(row),
    }
    if row.phone is not None:
        envelope["to"] = row.phone
    elif row.bsuid is not None:
        envelope["recipient"] = row.bsuid
    else:
        raise BadRecipient
    return envelope


def _passes_soon(error: BaseException) -> bool:
    """Whether it is worth trying again at once."""
    if not isinstance(error, GraphError) or not error.at_once:
        return False
    return error.pause <= _SHORT_PAUSE_S and (error.tries is None or error.tries > TRIES_AT_ONCE)


def _jitter() -> float:
    return 1 + random.random() / 4  # noqa: S311  # nothing secret about it


def _note_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, GraphError):
        metrics.send_answered("retried", error=type(error).__name__)


def _note_missing_file(row: Outgoing, error: GraphError) -> None:
    log.warning(
        "attachment.dropped",
        company_id=row.company_id,
        outbox_id=row.id,
        code=error.code,
        error=type(error).__name__,
    )
