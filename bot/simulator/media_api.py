"""The Graph API of media: upload, look up, download, delete.

A file named by `link` in a message is never fetched: it counts as reachable. A late error 131053
(see `bot.simulator.faults`) plays one that is not.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta

from aiohttp import web
from yarl import URL

from bot.simulator.errors import NoSuchObject, Refusal
from bot.simulator.faults import Faults, Occasion
from bot.simulator.gate import AFTER, Gate, reply, success
from bot.simulator.model import StoredMedia
from bot.simulator.world import World

MEDIA_URL_LASTS = timedelta(minutes=5)
MEGABYTE = 2**20
UPLOADS: dict[str, int] = {
    "audio/aac": 16 * MEGABYTE,
    "audio/mp4": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
    "audio/amr": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
    "audio/opus": 16 * MEGABYTE,
    "application/vnd.ms-powerpoint": 100 * MEGABYTE,
    "application/msword": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": 100 * MEGABYTE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": 100 * MEGABYTE,
    "application/pdf": 100 * MEGABYTE,
    "text/plain": 100 * MEGABYTE,
    "application/vnd.ms-excel": 100 * MEGABYTE,
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": 500 * 1024,
    "video/mp4": 16 * MEGABYTE,
    "video/3gpp": 16 * MEGABYTE,
}
LARGEST_UPLOAD = 101 * MEGABYTE


class MediaApi:
    """Handlers of the media routes."""

    def __init__(
        self, *, world: World, gate: Gate, faults: Faults, base_url: Callable[[], str]
    ) -> None:
        self._world = world
        self._gate = gate
        self._faults = faults
        self._base_url = base_url
        self._url_key = secrets.token_bytes(16)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """`POST /<version>/<phone number id>/media`: a file, as multipart form."""
        form = await request.post()
        if spoiled := await self._gate.spoiled_before(request, Occasion("upload")):
            return spoiled
        if form.get("messaging_product") != "whatsapp":
            raise Refusal(100, "The parameter messaging_product is required.")
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise Refusal(100, "The parameter file is required.")
        declared = form.get("type")
        kind = declared if isinstance(declared, str) else file.content_type
        with file.file:
            data = file.file.read()
        check_upload(kind, data)
        media = self._world.keep_media(kind, data, file.filename)
        after = self._faults.take(Occasion("upload"), AFTER)
        return await self._gate.spoiled_after(request, after, {"id": media.id})

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        """`GET /<version>/<media id>`: where a file can be fetched for five minutes."""
        media = self._media(request)
        return reply(
            {
                "url": self.url(media),
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "file_size": len(media.data),
                "id": media.id,
                "messaging_product": "whatsapp",
            }
        )

    def url(self, media: StoredMedia) -> str:
        """The address of a file, good for five minutes."""
        expires = int((self._world.clock() + MEDIA_URL_LASTS).timestamp())
        url = URL(self._base_url()) / "media-file" / media.id
        return str(url.with_query(ext=str(expires), hash=self._url_hash(media.id, expires)))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """`GET <url of a file>`: the file itself; needs the token, for five minutes."""
        media = self._media(request)
        if spoiled := await self._gate.spoiled_before(request, Occasion("download")):
            return spoiled
        ext = request.query.get("ext", "")
        expires = int(ext) if ext.isdecimal() else 0
        right = self._url_hash(media.id, expires)
        fresh = expires >= self._world.clock().timestamp()
        if not fresh or not hmac.compare_digest(right, request.query.get("hash", "")):
            return web.Response(status=404, text="URL expired")
        return web.Response(body=media.data, headers={"Content-Type": media.mime_type})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /<version>/<media id>`."""
        media = self._media(request)
        del self._world.media[media.id]
        return success()

    def _media(self, request: web.Request) -> StoredMedia:
        media = self._world.media_with(request.match_info["object"])
        asked = request.query.get("phone_number_id")
        if media is None or (asked is not None and asked not in self._world.numbers):
            raise NoSuchObject(request.match_info["object"], request.method)
        return media

    def _url_hash(self, media_id: str, expires: int) -> str:
        return hmac.new(
            self._url_key, f"{media_id}:{expires}".encode(), hashlib.sha256
        ).hexdigest()[:32]


def check_upload(mime_type: str, data: bytes) -> None:
    """The type and size of an uploaded file, or code 100."""
    plain = mime_type.partition(";")[0].strip().lower()
    if plain not in UPLOADS:
        allowed = ", ".join(UPLOADS)
        raise Refusal(
            100,
            f"Param file must be a file with one of the following types: {allowed}. "
            f"Received file of type '{plain}'.",
        )
    if not data:
        raise Refusal(100, "Param file must not be empty.")
    if len(data) > UPLOADS[plain]:
        raise Refusal(100, f"Param file must be at most {UPLOADS[plain]} bytes long.")
