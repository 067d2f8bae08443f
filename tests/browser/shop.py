"""A small business at the other end of the chat page: it answers all and remembers nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.simulator import Number, Pace
from storage.clock import ShiftedClock
from tests.support.business import Business, Client, graph_client, message, running_business
from tests.support.graph import SALON, Graph, running_graph

GARAGE = Number("100000000000002", "Garage Nord", "+1 555 010 0001", waba_id="200000000000002")
HOSTILE = """<img src=x onerror="document.title='owned'"> & <b>no tags</b>
*bold* _italic_ ~gone~ `code` snake_case_name 2*3*4
```several
lines```
- one
- two
> quoted
https://example.com/?a=1&b=2."""
SERVICES = {
    "Hair": [("Women's cut", "60 min, $82"), ("Men's cut", "30 min, $40"), ("Colour", "from $140")],
    "Care": [("Manicure", "45 min, $35"), ("Brows", "")],
}
CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"


def buttons(text: str, *titles: str) -> dict[str, Any]:
    made = [{"type": "reply", "reply": {"id": title, "title": title}} for title in titles]
    return {"type": "button", "body": {"text": text}, "action": {"buttons": made}}


def services() -> dict[str, Any]:
    sections = [
        {
            "title": title,
            "rows": [
                {"id": name, "title": name} | ({"description": note} if note else {})
                for name, note in rows
            ],
        }
        for title, rows in SERVICES.items()
    ]
    return {
        "type": "list",
        "header": {"type": "text", "text": "Services"},
        "body": {"text": "What would you like?"},
        "footer": {"text": "Prices include a wash"},
        "action": {"button": "Choose a service", "sections": sections},
    }


class Shop:
    """Everything that a test of the page needs."""

    def __init__(self, graph: Graph, business: Business, client: Client) -> None:
        self.graph = graph
        self.business = business
        self.client = client
        self.thinks = 0.0
        self._answers: set[asyncio.Task[None]] = set()
        business.on_message = self._receive

    @property
    def url(self) -> str:
        return self.graph.simulator.base_url + "/"

    def kinds(self) -> list[str]:
        return [one["type"] for one in self.business.messages]

    async def _receive(self, value: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(value))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, value: dict[str, Any]) -> None:
        (inbound,) = value["messages"]
        number = value["metadata"]["phone_number_id"]
        receipt = {"status": "read", "message_id": inbound["id"]}
        typing = {"typing_indicator": {"type": "text"}}
        await self.client.send(
            {"messaging_product": "whatsapp", **receipt, **typing}, number=number
        )
        await asyncio.sleep(self.thinks)
        for kind, content in self._reply(inbound):
            body = message("", kind, content) | {"recipient": inbound["from_user_id"]}
            del body["to"]
            status, answer = await self.client.send(body, number=number)
            assert status == 200, answer

    def _reply(self, inbound: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        match said(inbound):
            case "hi":
                welcome = "Welcome to *Salon Lumi*. I can book you in right here."
                titles = ("Book a visit", "My visits", "Talk to us")
                return [("interactive", buttons(welcome, *titles))]
            case "Book a visit":
                return [("interactive", services())]
            case "Women's cut" | "Men's cut" | "Brows" as service:
                question = (
                    f"{service} with Kelly\n*Sat 21 Nov, 11:30* · 60 min · $82\n\n"
                    "I keep it for you for 5 minutes."
                )
                return [("interactive", buttons(question, "Book it", "Other time", "Cancel"))]
            case "Book it":
                return self._booked()
            case "hostile":
                return [("text", {"body": HOSTILE})]
            case "quiet":
                return []
            case other:
                return [("text", {"body": f"You said: {other}"})]

    def _booked(self) -> list[tuple[str, dict[str, Any]]]:
        text = "Booked ✔ *A1B2C3*\nSat 21 Nov, 11:30, Women's cut with Kelly\n12 Lark Street"
        file = self.graph.simulator.world.keep_media("text/plain", CALENDAR, "visit.ics")
        return [("text", {"body": text}), ("document", {"id": file.id, "filename": "visit.ics"})]


def said(inbound: dict[str, Any]) -> str:
    if inbound["type"] == "text":
        return str(inbound["text"]["body"])
    if inbound["type"] == "interactive":
        reply = inbound["interactive"]
        return str(reply[reply["type"]].get("title", reply["type"]))
    return str(inbound["type"])


@asynccontextmanager
async def running_shop() -> AsyncIterator[Shop]:
    """A shop with two numbers, on a clock that can be moved."""
    clock = ShiftedClock()
    async with (
        running_business() as business,
        running_graph(
            business.url,
            clock=clock,
            advance=clock.advance,
            numbers=(SALON, GARAGE),
            pace=Pace(sent=0.01, delivered=0.02, read=0.02),
        ) as graph,
        graph_client(graph) as client,
    ):
        yield Shop(graph, business, client)
