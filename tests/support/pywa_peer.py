"""Somebody else's WhatsApp library, pywa, at both ends of the fake Graph API."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pywa
import pywa_async
from pywa import handlers

from tests.support.graph import APP_SECRET, SALON, Graph

HANDLERS = (
    handlers.MessageHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.MessageStatusHandler,
    handlers.PhoneNumberChangeHandler,
    handlers.TemplateStatusUpdateHandler,
    handlers.TemplateCategoryUpdateHandler,
    handlers.TemplateQualityUpdateHandler,
    handlers.TemplateComponentsUpdateHandler,
    handlers.UserMarketingPreferencesHandler,
    handlers.FlowCompletionHandler,
    handlers.EditedMessageHandler,
    handlers.DeletedMessageHandler,
    handlers.AccountUpdateHandler,
)


class ToSimulator(httpx.AsyncHTTPTransport):
    """Sends what is meant for Meta to a simulator."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base = httpx.URL(base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Change the host and nothing else."""
        request.url = request.url.copy_with(
            scheme=self._base.scheme, host=self._base.host, port=self._base.port
        )
        request.headers["Host"] = f"{self._base.host}:{self._base.port}"
        return await super().handle_async_request(request)


@asynccontextmanager
async def pywa_client(graph: Graph) -> AsyncIterator[pywa_async.WhatsApp]:
    """A client of the fake Graph API."""
    transport = ToSimulator(graph.simulator.base_url)
    async with httpx.AsyncClient(transport=transport) as session:
        yield pywa_async.WhatsApp(
            phone_id=SALON.phone_number_id,
            waba_id=SALON.waba_id,
            token="token",  # noqa: S106
            session=session,
        )


class Reader:
    """Reads webhooks with pywa; what it could not read is an error."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self._complaints: list[str] = []
        self._wa = pywa.WhatsApp(
            phone_id=SALON.phone_number_id,
            waba_id=SALON.waba_id,
            token="token",  # noqa: S106
            app_secret=APP_SECRET,
            verify_token="verify",  # noqa: S106
            skip_duplicate_updates=False,
        )
        self._wa.add_handlers(*(kind(self._take) for kind in HANDLERS))

    def _take(self, _wa: pywa.WhatsApp, update: Any) -> None:
        self.updates.append(update)

    def read(self, raw: bytes, signature: str) -> Any:
        """The update that a webhook is to pywa; AssertionError when it is none."""
        assert self._wa.webhook_update_validator(raw, signature) is None
        known = len(self.updates)
        with complaints() as found:
            answer = self._wa.webhook_update_handler(raw)
        assert (answer[1], found) == (200, []), raw
        assert len(self.updates) == known + 1, raw
        return self.updates[-1]


class _Listening(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else ""
        self._found.append(f"{record.getMessage()} {error!r}")


class complaints:  # noqa: N801  # used like a function
    """What pywa logs as a warning or worse while it reads."""

    def __enter__(self) -> list[str]:
        self._found: list[str] = []
        self._handler = _Listening(self._found)
        logging.getLogger("pywa").addHandler(self._handler)
        return self._found

    def __exit__(self, *_: object) -> None:
        logging.getLogger("pywa").removeHandler(self._handler)


def kinds(updates: list[Any]) -> Iterator[str]:
    """The names of updates' classes."""
    for update in updates:
        yield type(update).__name__
