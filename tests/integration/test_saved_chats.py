"""Chats saved as tests, and played again: against the same bot, another day, a changed bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from bot.simulator.playback import Patience, Played, replay, run
from bot.simulator.terminal import ChatError
from tests.flows.test_transcripts import TRANSCRIPTS
from tests.support.bot import Scene, running_scene
from tests.support.graph import SALON, Phone

QUICK = Patience(answer=10.0, silence=0.3)
NUMBER = SALON.phone_number_id
ZONE = ZoneInfo("America/New_York")


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """A bot with nobody talking to it yet."""
    async with running_scene(database_url, redis_url) as scene:
        yield scene


async def tap(phone: Phone, title: str) -> None:
    await phone.tap(title)
    await phone.reply()


async def book(phone: Phone, *, who: str = "Anyone") -> None:
    """From hi to booked, by the first row of each list but the days'."""
    await phone.say("hi")
    await phone.reply()
    await tap(phone, "Book a visit")
    await tap(phone, "Women's cut")
    await tap(phone, who)
    await tap(phone, phone.last.rows[2])
    await tap(phone, phone.last.rows[0])
    await tap(phone, "Book it")


async def saved(scene: Scene, *phones: Phone) -> str:
    query = [("number", NUMBER), *(("customer", one.customer.id) for one in phones)]
    async with (
        aiohttp.ClientSession(scene.graph.simulator.base_url) as session,
        session.get("/simulator/transcript", params=query) as answer,
    ):
        assert answer.status == 200
        assert "chat.txt" in answer.headers["Content-Disposition"]
        return await answer.text()


async def play(scene: Scene, text: str, *, exact: bool = False) -> Played:
    return await replay(
        scene.graph.simulator.base_url,
        text,
        phone_number_id=NUMBER,
        exact=exact,
        patience=QUICK,
    )


async def test_a_booking_saved_as_a_test_goes_again_as_written(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await book(ana)
    text = await saved(scene, ana)
    assert text.startswith("# With Salon Lumi, ")
    assert "\n> hi\n< Welcome to Salon Lumi. I can book you in right here.\n" in text
    assert "\n> [Book it]\n< Booked ✔ " in text
    played = await play(scene, text)
    assert played.same, played.difference("chat.txt")
    assert played.answers == 7
    assert not (await play(scene, text, exact=True)).same, "the time is taken, the code another"


async def test_it_goes_again_on_another_day(scene: Scene) -> None:
    # On a Tuesday morning; then on a Saturday night, before two days on which Becky is not there.
    now = scene.clock().astimezone(ZONE)
    tuesday = now.date() + timedelta(days=(2 - now.isoweekday()) % 7 or 7)
    scene.pass_time(datetime.combine(tuesday, time(10), ZONE) - now)
    ana = scene.graph.customer("Ana")
    await book(ana, who="Becky")
    text = await saved(scene, ana)
    scene.pass_time(timedelta(days=4, hours=10))
    played = await play(scene, text)
    assert played.same, played.difference("chat.txt")


async def test_a_difference_is_shown(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await book(ana)
    text = (await saved(scene, ana)).replace("I can book you in", "You may book yourself in")
    played = await play(scene, text)
    assert not played.same
    shown = played.difference("chat.txt")
    assert "-< Welcome to Salon Lumi. You may book yourself in right here.\n" in shown
    assert "+< Welcome to Salon Lumi. I can book you in right here.\n" in shown


async def test_two_phones_silence_and_time_are_saved_and_played(scene: Scene) -> None:
    ana = scene.graph.customer("Ana Maria")
    ben = scene.graph.customer("Ben", hides_phone=True)
    await ana.say("can I talk to a person?")
    await ana.reply()
    await ana.say("hello?\nanybody?")
    await ana.quiet()
    await scene.graph.simulator.changes.until(lambda: len(scene.graph.sent) == 1, 1)
    scene.graph.simulator.world.note_clock_move(timedelta(minutes=15))
    scene.clock.advance(timedelta(minutes=15))
    await ben.say("(not a tap)")
    await ben.reply()
    await ben.send("voice")
    await ben.reply()
    await ben.react("👍", ben.last)
    text = await saved(scene, ana, ben)
    lines = text.splitlines()
    assert "* Ben hides the number" in lines
    assert "Ana> hello?⏎anybody?" in lines
    assert lines[lines.index("Ana> hello?⏎anybody?") + 1] == "Ana< (silence)"
    assert "* 15 minutes pass" in lines
    assert "Ben> \\(not a tap)" in lines
    assert "Ben> <voice note>" in lines
    assert lines[-2:] == ["Ben> <reaction> 👍", "Ben< (silence)"]
    played = await play(scene, text)
    assert played.same, played.difference("chat.txt")


async def test_an_old_list_is_tapped_again(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    first = await ana.reply()
    await ana.say("hi")
    await ana.reply()
    await ana.tap("My visits", on=first)
    await ana.reply()
    text = await saved(scene, ana)
    assert "\n> [My visits] again\n" in text
    played = await play(scene, text)
    assert played.same, played.difference("chat.txt")


async def test_transcripts_of_the_flows_can_be_read(scene: Scene) -> None:
    """The newcomer of tests/flows books at another salon on another day: the words are the same."""
    (newcomer,) = [path for path in TRANSCRIPTS if path.stem == "stop_in_the_middle"]
    script = newcomer.read_text("utf-8")
    with pytest.raises(ChatError, match="cannot tap"):
        await play(scene, "> hi\n< x\n> [No such button]\n")
    played = await play(scene, script.partition("> ok then")[0])
    assert "START switches messages on again" in played.went


async def test_what_cannot_be_played_says_so(scene: Scene) -> None:
    for text, why in {
        "* the business closes on Fridays\n": "Only tests can let this happen",
        "nonsense\n": "Line 1 is not one of a transcript",
        "> <carrier pigeon>\n": "cannot send <carrier pigeon>",
    }.items():
        with pytest.raises(ChatError, match=why):
            await play(scene, text)


async def test_files_are_played_and_the_exit_code_says_how_it_went(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, other, broken = (tmp_path / f"{name}.txt" for name in ("good", "other", "broken"))
    good.write_text(
        "> hi\n< Welcome to Salon Lumi. I can book you in right here.\n"
        "  [Book a visit] [My visits] [Talk to us]\n"
    )
    other.write_text("> hi\n< Good evening.\n")
    broken.write_text("* pigs fly\n")
    url = scene.graph.simulator.base_url
    capsys.readouterr()
    assert await run(url, [good], phone_number_id=NUMBER, exact=True) == 0
    assert "good.txt: as written, answers: 1" in capsys.readouterr().out
    assert await run(url, [good, other], phone_number_id=NUMBER, exact=True) == 1
    assert "-< Good evening.\n+< Welcome to Salon Lumi." in capsys.readouterr().out
    assert await run(url, [broken, other], phone_number_id=NUMBER, exact=True) == 2
    assert "pigs fly" in capsys.readouterr().err


async def test_nobodys_chat_cannot_be_saved(scene: Scene) -> None:
    async with aiohttp.ClientSession(scene.graph.simulator.base_url) as session:
        for query, status in {
            "": 400,
            f"number={NUMBER}": 400,
            f"number={NUMBER}&customer=x": 404,
        }.items():
            async with session.get(f"/simulator/transcript?{query}") as answer:
                assert answer.status == status
