"""Messages that were sent, and webhooks that tell what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.delivery import callback_data
from bot.statuses import Statuses
from storage.outbox import Outgoing
from storage.pool import connection
from tests.support.outgoing import Talk, hear, status_webhook
from tests.support.sending import Bench


async def sent(bench: Bench, *, extras: Mapping[str, Any] | None = None) -> tuple[Talk, Outgoing]:
    """A message that is sent, by a process that has ended since."""
    process = await bench.process()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", extras=extras)
    process.sender.wake()
    await bench.status(row, "sent")
    await process.stop()
    return talk, row


async def held_back(bench: Bench, status: str) -> tuple[Talk, Outgoing]:
    """A message that went out, and whose row stands otherwise."""
    talk, row = await sent(bench)
    lease = bench.clock() + timedelta(seconds=30) if status in {"sending", "doubt"} else None
    async with connection(bench.pool) as conn:
        await conn.execute(
            "UPDATE outbox SET status = $1, lease_until = $2, settled_at = NULL, wamid = NULL",
            status,
            lease,
        )
        await conn.execute("UPDATE messages SET status = 'queued', wamid = NULL, sent_at = NULL")
    return talk, row


def about(
    bench: Bench, row: Outgoing, status: str, *, at: int = 0, echo: bool = True, **more: Any
) -> dict[str, Any]:
    """A status of the only message that was sent."""
    found = {
        "id": bench.graph.sent[-1].wamid,
        "status": status,
        "timestamp": str(int(bench.clock().timestamp()) + at),
        "recipient_id": row.phone,
        **more,
    }
    return found | {"biz_opaque_callback_data": callback_data(row)} if echo else found


def failure(bench: Bench, row: Outgoing, code: int) -> dict[str, Any]:
    errors = [{"code": code, "title": "It failed", "error_data": {"details": "Because"}}]
    return about(bench, row, "failed", errors=errors)


async def tell(
    bench: Bench, worker: Statuses, company_id: int, *statuses: Mapping[str, Any]
) -> None:
    """Take statuses in and handle them."""
    await hear(bench.pool, company_id, status_webhook(*statuses), now=bench.clock())
    await worker.drain()


async def left(bench: Bench) -> list[str]:
    """How the statuses in the inbox stand."""
    async with connection(bench.pool) as conn:
        rows = await conn.fetch("SELECT status FROM inbox WHERE kind = 'status' ORDER BY id")
    return [row["status"] for row in rows]
