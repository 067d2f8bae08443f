"""What happened to one message: the wire's side from here, the bot's own side from the bot."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.simulator.courier import Courier
from bot.simulator.model import Message
from bot.simulator.phones import answer, answered
from bot.simulator.world import World

Trace = Callable[[str, str], Awaitable[dict[str, Any] | None]]
"""Asks the bot what it knows of a message, by phone_number_id and wamid."""


class InspectorApi:
    """`GET /simulator/trace?message=<wamid>`."""

    def __init__(
        self, *, world: World, courier: Courier, trace: Callable[[], Trace | None]
    ) -> None:
        self._world = world
        self._courier = courier
        self._trace = trace

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.get("/simulator/trace", answered(self.trace))]

    async def trace(self, request: web.Request) -> web.StreamResponse:
        """All that is known; `bot` is null where no bot tells, or where it knows nothing."""
        message = self._world.messages.get(request.query.get("message", ""))
        if message is None:
            raise web.HTTPNotFound(text="no such message")
        ask = self._trace()
        return answer(
            {
                "message": message.view(),
                "times": {step: at.isoformat() for step, at in message.times.items()},
                "webhooks": [
                    one.view()
                    for one in self._courier.deliveries
                    if about(message, one.notice.value)
                ],
                "requests": [one.view() for one in self._world.sent if one.wamid == message.id],
                "bot": ask and await ask(message.phone_number_id, message.id),
            }
        )


def about(message: Message, value: dict[str, Any]) -> bool:
    """Whether a webhook's value tells of a message."""
    entries = [*value.get("messages", ()), *value.get("statuses", ())]
    return any(one.get("id") == message.id for one in entries)
