"""The Graph API as a few calls over one session of kept-alive connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from bot.settings import Settings
from bot.whatsapp.errors import IN_DOUBT_AT_MOST, Doubtful, GraphError, Unreachable, from_answer
from flows.effects import Attachment
from flows.values import valueclass

CONNECTIONS: Final = 128
_PATIENCE: Final = aiohttp.ClientTimeout(total=20, connect=5)
_LITTLE_PATIENCE: Final = aiohttp.ClientTimeout(total=1)

_MOST_PAGES: Final = 100
_TEMPLATE_FIELDS: Final = (
    "id,name,language,status,category,quality_score,rejected_reason,components"
)

LONGEST_CALL: Final = 20.0
"""Seconds after which every call has an outcome."""

# What Meta takes as a document; the rest of text goes up as plain text under its own file name.
_DOCUMENTS: Final = frozenset(
    (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    )
)
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,  # refused, unknown host, TLS
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


@valueclass(frozen=True, slots=True)
class Accepted:
    """Meta has taken a message; how it knows the recipient may differ from what we sent."""

    wamid: str
    wa_id: str | None = None
    user_id: str | None = None


class GraphClient:
    """Calls to the Graph API; every one returns or raises GraphError within `LONGEST_CALL`."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, token: str | None) -> None:
        self._session = session
        self._base = URL(base_url)
        self._urls: dict[str, URL] = {}
        self._auth = CIMultiDict({"User-Agent": "usual", "Accept-Encoding": "identity"})
        if token:
            self._auth["Authorization"] = f"Bearer {token}"
        self._headers = CIMultiDict({**self._auth, "Content-Type": "application/json"})

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[GraphClient]:
        """A client for the address, version and token of the settings, closed at the end."""
        token = settings.whatsapp_access_token
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=60),
            timeout=_PATIENCE,
            # Work per request that nobody here needs.
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        )
        async with session:
            base_url = f"{settings.whatsapp_api_url}/{settings.whatsapp_api_version}"
            yield cls(session, base_url, token.get_secret_value() if token else None)

    async def send(self, phone_number_id: str, body: Mapping[str, Any]) -> Accepted:
        """Send a message; Doubtful if it may have been accepted all the same."""
        answer = await self._post(
            self._url(phone_number_id), orjson.dumps(body), self._headers, _PATIENCE
        )
        accepted = _accepted(answer)
        if accepted is None:
            raise Doubtful(http=200, tries=IN_DOUBT_AT_MOST)
        return accepted

    async def mark_read(self, phone_number_id: str, wamid: str, *, typing: bool) -> None:
        """Show a message and all before it as read, and perhaps that an answer is being typed."""
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": wamid,
        }
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._post(
            self._url(phone_number_id), orjson.dumps(body), self._headers, _LITTLE_PATIENCE
        )

    async def upload(self, phone_number_id: str, attachment: Attachment) -> str:
        """Upload a file and return its media id, good for 30 days."""
        kind = attachment.mime_type if attachment.mime_type in _DOCUMENTS else "text/plain"
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", kind)
        form.add_field(
            "file",
            attachment.content.encode(),
            filename=attachment.filename,
            content_type=kind,
        )
        answer = await self._post(
            self._base / phone_number_id / "media", form, self._auth, _PATIENCE
        )
        media_id = answer.get("id")
        if not isinstance(media_id, str | int) or not media_id:
            raise Doubtful(http=200, tries=IN_DOUBT_AT_MOST)
        return str(media_id)

    async def templates(self, waba_id: str) -> list[Mapping[str, Any]]:
        """All templates of an account, as Meta describes them, page after page."""
        found: list[Mapping[str, Any]] = []
        query = {"fields": _TEMPLATE_FIELDS, "limit": "100"}
        for _ in range(_MOST_PAGES):
            url = (self._base / waba_id / "message_templates").with_query(query)
            page = await self._call("GET", url, None, self._auth, _PATIENCE)
            rows = page.get("data")
            found += (
                [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            )
            paging = page.get("paging")
            after = _after(paging) if isinstance(paging, dict) else None
            if after is None or after == query.get("after"):
                break
            query["after"] = after
        return found

    async def create_template(self, waba_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask Meta to approve a template; returns its id, status and category."""
        return await self._manage(self._base / waba_id / "message_templates", body)

    async def edit_template(self, template_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give a template another text, to be approved anew."""
        return await self._manage(self._base / template_id, body)

    async def _manage(self, url: URL, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._post(url, orjson.dumps(body), self._headers, _PATIENCE)

    def _url(self, phone_number_id: str) -> URL:
        url = self._urls.get(phone_number_id)
        if url is None:
            url = self._urls[phone_number_id] = self._base / phone_number_id / "messages"
        return url

    async def _post(
        self,
        url: URL,
        data: bytes | aiohttp.FormData,
        headers: CIMultiDict[str],
        patience: aiohttp.ClientTimeout,
    ) -> Mapping[str, Any]:
        return await self._call("POST", url, data, headers, patience)

    async def _call(
        self,
        method: str,
        url: URL,
        data: bytes | aiohttp.FormData | None,
        headers: CIMultiDict[str],
        patience: aiohttp.ClientTimeout,
    ) -> Mapping[str, Any]:
        http = 0
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, timeout=patience, allow_redirects=False
            ) as answer:
                http = answer.status
                raw = await answer.read()
        except _NOT_SENT:
            raise Unreachable from None
        except (aiohttp.ClientError, OSError):  # TimeoutError is one
            raise _cut_off(http) from None
        if http != 200:
            raise from_answer(http, raw, retry_after=answer.headers.get("Retry-After"))
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        return body if isinstance(body, dict) else {}


def _cut_off(http: int) -> GraphError:
    """What an answer means of which at most the status has arrived."""
    return (
        from_answer(http, b"")
        if 400 <= http < 500
        else Doubtful(http=http or None, tries=IN_DOUBT_AT_MOST)
    )


def _after(paging: Mapping[str, Any]) -> str | None:
    """Where the next page begins, if there is one."""
    cursors = paging.get("cursors")
    if not paging.get("next") or not isinstance(cursors, dict):
        return None
    return _text(cursors, "after")


def _accepted(answer: Mapping[str, Any]) -> Accepted | None:
    message = _first(answer, "messages")
    wamid = message.get("id")
    if not isinstance(wamid, str) or not wamid.isprintable() or not wamid:
        return None
    contact = _first(answer, "contacts")
    return Accepted(wamid, _text(contact, "wa_id"), _text(contact, "user_id"))


def _first(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = answer.get(key)
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return found[0]
    return {}


def _text(found: Mapping[str, Any], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) else None
