"""Trouble on demand, webhook retries, media, and the phones' HTTP API."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator import Retries, Rules
from bot.simulator.changes import RESYNC, Changes
from storage.clock import ShiftedClock
from tests.support.business import Business, Client, graph_client, message
from tests.support.graph import SALON, Graph, Phone, running_graph


@pytest.fixture
async def ana(graph: Graph) -> Phone:
    phone = graph.customer("Ana")
    phone.open_window()
    return phone


@pytest.fixture
async def http(graph: Graph) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(graph.simulator.base_url) as session:
        yield session


def hello(phone: Phone) -> dict[str, Any]:
    return message(phone.number, "text", {"body": "Hello"})


async def test_an_ordered_error_is_answered_so_often_and_then_no_more(
    graph: Graph, client: Client, ana: Phone
) -> None:
    graph.fail("error", code=131016, times=2)
    codes = [(await client.send(hello(ana)))[0] for _ in range(3)]
    assert codes == [500, 500, 200]
    assert len(graph.sent) == 1


async def test_a_fault_may_be_meant_for_one_customer(
    graph: Graph, client: Client, ana: Phone
) -> None:
    bea = graph.customer("Bea")
    bea.open_window()
    graph.fail("error", code=131056, times=0, customer=ana.number)
    assert (await client.send(hello(bea)))[0] == 200
    assert (await client.send(hello(ana)))[0] == 400
    assert (await client.send(hello(ana)))[0] == 400
    graph.clear_faults()
    assert (await client.send(hello(ana)))[0] == 200


async def test_a_dropped_connection_leaves_nothing_and_one_dropped_later_leaves_the_message(
    graph: Graph, client: Client, ana: Phone
) -> None:
    graph.fail("drop")
    with pytest.raises(aiohttp.ClientError):
        await client.send(hello(ana))
    assert graph.sent == []
    graph.fail("accept_then_drop")
    with pytest.raises(aiohttp.ClientError):
        await client.send(hello(ana) | {"biz_opaque_callback_data": "row-1"})
    assert [one.callback_data for one in graph.sent] == ["row-1"]
    assert (await ana.reply()).text == "Hello"


async def test_a_slow_answer_comes_after_the_message(
    graph: Graph, client: Client, ana: Phone
) -> None:
    graph.fail("slow", seconds=0.3)
    sending = asyncio.create_task(client.send(hello(ana)))
    assert (await ana.reply(seconds=0.25)).text == "Hello"
    assert not sending.done()
    assert (await sending)[0] == 200


async def test_a_bare_server_error_has_no_graph_body(graph: Graph, ana: Phone) -> None:
    graph.fail("http", status=502)
    url = f"{graph.url}/{SALON.phone_number_id}/messages"
    headers = {"Authorization": "Bearer x"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=hello(ana)) as answer,
    ):
        assert (answer.status, answer.content_type) == (502, "text/plain")


async def test_a_late_error_is_accepted_and_fails_in_a_status(
    graph: Graph, business: Business, client: Client, ana: Phone
) -> None:
    graph.fail("late_error", code=131049)
    wamid = await client.text(ana.number, "Hello", biz_opaque_callback_data="row-1")
    await business.until(lambda: bool(business.statuses))
    (failed,) = business.statuses
    assert (failed["id"], failed["status"]) == (wamid, "failed")
    assert failed["errors"][0]["code"] == 131049
    assert failed["biz_opaque_callback_data"] == "row-1"
    assert "recipient_user_id" not in failed
    assert business.values[0]["contacts"] == [{"wa_id": ana.number}]
    await ana.quiet(seconds=0.05)


async def test_with_late_rules_a_closed_window_and_an_unknown_number_fail_in_a_status(
    business: Business,
) -> None:
    async with (
        running_graph(business.url, rules=Rules(late=True)) as graph,
        graph_client(graph) as client,
    ):
        await client.text(graph.customer().number, "Hello")
        await client.text("12125550177", "Hello")
        await business.until(lambda: len(business.statuses) == 2)
        codes = [one["errors"][0]["code"] for one in business.statuses]
        assert sorted(codes) == [131026, 131047]


async def test_faults_for_read_receipts_do_not_touch_messages(
    graph: Graph, client: Client, ana: Phone
) -> None:
    said = await ana.say("hi")
    graph.fail("error", code=131000, operation="read")
    assert (await client.send(hello(ana)))[0] == 200
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": said.id}
    assert (await client.send(receipt))[0] == 500
    assert (await client.send(receipt))[0] == 200


async def test_webhooks_are_repeated_until_they_are_answered_200(
    graph: Graph, business: Business
) -> None:
    business.answers = [500, 404, 202]
    ana = graph.customer()
    said = await ana.say("hi")
    assert [one["id"] for one in business.messages] == [said.id]
    assert graph.deliveries[0].attempts == 4
    assert said.status == "delivered"


async def test_webhooks_wait_for_a_business_that_is_not_there_yet(business: Business) -> None:
    async with running_graph(None) as graph:
        ana = graph.customer()
        said = await ana.say("hi", wait=False)
        await asyncio.sleep(0.1)
        assert said.status == "sent"
        graph.simulator.webhook_url = business.url
        await business.until(lambda: bool(business.messages))


async def test_webhooks_are_given_up_after_seven_days(clock: ShiftedClock) -> None:
    async with running_graph(
        "http://127.0.0.1:9/webhook",
        clock=clock,
        advance=clock.advance,
        retries=Retries(first=0.01),
    ) as graph:
        await graph.customer().say("hi", wait=False)
        await graph.simulator.advance(timedelta(days=8))
        (delivery,) = graph.deliveries
        await asyncio.wait_for(delivery.settled.wait(), 3)
        assert delivery.state == "given_up"


async def test_lost_statuses_are_lost_and_duplicates_come_twice(
    graph: Graph, business: Business, client: Client, ana: Phone
) -> None:
    graph.fail("lose", event="delivered")
    graph.fail("duplicate", event="sent")
    wamid = await client.text(ana.number, "Hello")
    await business.until(lambda: len(business.steps(wamid)) == 3)
    assert sorted(business.steps(wamid)) == ["read", "sent", "sent"]


async def test_reordered_statuses_come_last_one_first(
    graph: Graph, business: Business, client: Client, ana: Phone
) -> None:
    graph.fail("reorder", event="status", times=3)
    wamid = await client.text(ana.number, "Hello")
    await business.until(lambda: len(business.steps(wamid)) == 3)
    assert business.steps(wamid) == ["read", "delivered", "sent"]


async def test_delayed_messages_let_others_pass(graph: Graph, business: Business) -> None:
    ana = graph.customer()
    graph.fail("delay", event="message", seconds=0.2)
    first = await ana.say("one", wait=False)
    second = await ana.say("two")
    await business.until(lambda: len(business.messages) == 2)
    assert [one["id"] for one in business.messages] == [second.id, first.id]


async def test_held_messages_arrive_in_one_post(graph: Graph, business: Business) -> None:
    ana, bea = graph.customer("Ana"), graph.customer("Bea")
    graph.fail("batch", times=3)
    await ana.say("one", wait=False)
    await bea.say("two", wait=False)
    await ana.say("three", wait=False)
    await business.until(lambda: len(business.messages) == 3)
    (body,) = business.bodies
    assert len(body["entry"]) == 3


async def test_what_is_held_back_is_sent_when_the_fault_is_called_off(
    graph: Graph, business: Business
) -> None:
    graph.fail("batch", times=9)
    await graph.customer().say("one", wait=False)
    graph.clear_faults()
    await business.until(lambda: len(business.messages) == 1)


async def test_uploaded_media_can_be_sent_looked_up_and_fetched_with_the_token(
    graph: Graph, client: Client, ana: Phone
) -> None:
    calendar = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    status, answer = await upload(graph, calendar, "text/plain", "visit.ics")
    assert status == 200
    document = {"id": answer["id"], "filename": "visit.ics", "caption": "Your visit"}
    status, sent = await client.send(message(ana.number, "document", document))
    assert status == 200, sent
    assert (await ana.reply()).content == document
    async with aiohttp.ClientSession() as session:
        about = await session.get(f"{graph.url}/{answer['id']}", headers=client.headers)
        facts = await about.json()
        assert (facts["file_size"], facts["mime_type"]) == (len(calendar), "text/plain")
        assert (await session.get(facts["url"])).status == 401
        file = await session.get(facts["url"], headers=client.headers)
        assert await file.read() == calendar
        await graph.simulator.advance(timedelta(minutes=6))
        assert (await session.get(facts["url"], headers=client.headers)).status == 404


@pytest.mark.parametrize(
    ("size", "kind"), [(1, "text/calendar"), (5 * 2**20 + 1, "image/png"), (0, "image/png")]
)
async def test_uploads_that_meta_does_not_take_are_refused(
    graph: Graph, size: int, kind: str
) -> None:
    status, answer = await upload(graph, bytes(size), kind, "file")
    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_file_cannot_be_sent_as_something_it_is_not(
    graph: Graph, client: Client, ana: Phone
) -> None:
    _, answer = await upload(graph, b"x", "text/plain", "a.txt")
    status, answer = await client.send(message(ana.number, "image", {"id": answer["id"]}))
    assert (status, answer["error"]["code"]) == (400, 131053)


async def test_the_phones_can_be_used_over_http(
    graph: Graph, business: Business, http: aiohttp.ClientSession
) -> None:
    made = await http.post("/simulator/customers", json={"name": "Bea"})
    bea = await made.json()
    talk = f"/simulator/conversations/{bea['id']}/{SALON.phone_number_id}"
    said = await http.post(f"{talk}/messages", json={"text": "hi"})
    assert said.status == 201
    await business.until(lambda: len(business.messages) == 1)
    shown = await (await http.get(talk)).json()
    assert [one["content"]["body"] for one in shown["messages"]] == ["hi"]
    assert (await http.post(f"{talk}/messages", json={"text": " "})).status == 400
    assert (await http.post(f"{talk}/messages", data=b'{"text":"hi"}')).status == 415
    tap = {"message_id": "wamid.x", "choice_id": "y"}
    assert (await http.post(f"{talk}/tap", json=tap)).status == 404


async def test_faults_clock_and_sends_can_be_reached_over_http(
    graph: Graph, client: Client, ana: Phone, clock: ShiftedClock, http: aiohttp.ClientSession
) -> None:
    order = {"kind": "error", "code": 131056, "times": 1}
    assert (await http.post("/simulator/faults", json=order)).status == 201
    assert (await http.post("/simulator/faults", json={"kind": "error"})).status == 400
    assert (await client.send(hello(ana)))[1]["error"]["code"] == 131056
    before = clock()
    await http.post("/simulator/clock", json={"advance_seconds": 900})
    assert timedelta(minutes=15) <= clock() - before < timedelta(minutes=16)
    await client.text(ana.number, "Hello")
    sent = (await (await http.get("/simulator/sent")).json())["sent"]
    assert [one["body"]["text"]["body"] for one in sent] == ["Hello"]
    assert (await (await http.get("/simulator/sent?after=1")).json())["sent"] == []


async def test_changes_are_streamed_and_the_stream_ends_when_the_server_does(
    business: Business,
) -> None:
    async with aiohttp.ClientSession() as session:
        async with running_graph(business.url) as graph:
            ana = graph.customer()
            stream = await session.get(f"{graph.simulator.base_url}/simulator/events")
            assert await stream.content.readline() == b"retry: 1000\n"
            await ana.say("hi")
            lines = [await stream.content.readline() for _ in range(2)]
            assert b'"type":"message"' in lines[1]
        await stream.content.read()


async def test_a_reader_that_falls_behind_is_told_to_read_everything_again() -> None:
    changes = Changes()
    slow = changes.subscribe(room=2)
    for n in range(3):
        changes.publish({"type": "message", "n": n})
    assert await slow.next(0) == RESYNC
    assert await slow.next(0) is None
    changes.publish({"type": "message", "n": 3})
    assert await slow.next(0) == {"type": "message", "n": 3}
    changes.close()
    assert slow.closed


async def test_pages_and_files_carry_a_strict_policy(
    graph: Graph, client: Client, ana: Phone, http: aiohttp.ClientSession
) -> None:
    page = await http.get("/")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    _, answer = await upload(graph, b"<script>alert(1)</script>", "text/plain", "a.html")
    file = await http.get(f"/simulator/media/{answer['id']}")
    assert file.content_type == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


async def upload(graph: Graph, data: bytes, kind: str, name: str) -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("type", kind)
    form.add_field("file", io.BytesIO(data), filename=name, content_type=kind)
    url = f"{graph.url}/{SALON.phone_number_id}/media"
    headers = {"Authorization": "Bearer x"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, data=form) as answer,
    ):
        return answer.status, await answer.json()
