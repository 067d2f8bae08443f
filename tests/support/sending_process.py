"""A process that does nothing but send; it is given the URLs of database, Redis and Graph API."""

from __future__ import annotations

import asyncio
import sys

from pydantic import SecretStr

from bot.sender import Sender
from bot.settings import Settings
from bot.whatsapp.client import GraphClient
from storage.clock import system_clock
from storage.pool import open_pool
from storage.redis import open_redis


async def send(database_url: str, redis_url: str, graph_url: str) -> None:
    """Send what is due until killed."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        whatsapp_api_url=graph_url,
        whatsapp_access_token=SecretStr("token"),
    )
    async with (
        await open_pool(database_url, size=4) as pool,
        open_redis(redis_url) as redis,
        GraphClient.open(settings) as client,
    ):
        await Sender(pool, redis, client, clock=system_clock, settings=settings).run()


if __name__ == "__main__":
    asyncio.run(send(*sys.argv[1:]))
