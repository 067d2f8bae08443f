"""The waitlist as customers meet it: the whole bot, real servers, several phones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.operators import waitlist
from bot.settings import Settings
from flows.events import OfferPicked
from storage import inbox
from storage.pool import Pool, connection
from tests.support.bot import another_process
from tests.support.graph import Bubble, Phone
from tests.support.waiting import EVENTUALLY, Lumi, booked_up, join, offer_to

SET_POLICY = "UPDATE companies SET settings = settings || $1"


@pytest.fixture
async def lumi(database_url: str, redis_url: str, pool: Pool) -> AsyncIterator[Lumi]:
    """The salon with nothing free."""
    async with booked_up(database_url, redis_url, pool) as lumi:
        yield lumi


async def answer(phone: Phone, button: str, *, on: Bubble | None = None) -> Bubble:
    """Tap and read the answer."""
    await phone.tap(button, on=on)
    return await phone.reply(seconds=EVENTUALLY)


async def taken(lumi: Lumi) -> object:
    """How many visits came from the waitlist."""
    return await lumi.value("SELECT count(*) FROM bookings WHERE source = 'waitlist'")


async def test_freed_time_is_offered_at_once_to_the_first_in_line_and_taken(lumi: Lumi) -> None:
    ben, cleo = lumi.customer("Ben"), lumi.customer("Cleo")
    joined = await join(ben, "waitlist for a women's cut with becky next week")
    assert "1st in line" in joined.text
    joined = await join(cleo, "waitlist for a women's cut next week")
    assert "2nd in line" in joined.text
    await lumi.free(11)
    await offer_to(ben)
    await cleo.quiet()
    booked = await answer(ben, "Take it")
    assert booked.text.startswith("Booked")
    again = await answer(ben, "Take it")
    assert again.text == booked.text, "a second tap finds the same visit"
    assert await taken(lumi) == 1
    await cleo.say("my waitlist")
    assert "1st in line" in (await cleo.reply(seconds=EVENTUALLY)).text


async def test_a_visit_that_is_cancelled_in_the_chat_goes_to_who_waits(lumi: Lumi) -> None:
    ana, ben = lumi.customer("Ana"), lumi.customer("Ben")
    await lumi.free(11)
    await ana.say(f"women's cut with becky on {lumi.day:%B %d} at 11")
    await ana.reply(seconds=EVENTUALLY)
    assert (await answer(ana, "Book it")).text.startswith("Booked")
    await join(ben, "waitlist for a women's cut next week")
    await answer(ana, "Cancel visit")
    assert (await answer(ana, "Yes, cancel it")).text.startswith("Cancelled")
    await offer_to(ben)


async def test_a_hold_that_lapses_goes_to_who_waits(lumi: Lumi) -> None:
    ana, ben = lumi.customer("Ana"), lumi.customer("Ben")
    await lumi.free(11)
    await ana.say(f"women's cut with becky on {lumi.day:%B %d} at 11")
    await ana.reply(seconds=EVENTUALLY)
    await join(ben, "waitlist for a women's cut next week")
    await ben.quiet()
    lumi.scene.pass_time(timedelta(minutes=6))
    await offer_to(ben)


async def test_silence_is_told_once_and_the_next_in_line_is_asked(lumi: Lumi) -> None:
    ben, cleo = lumi.customer("Ben"), lumi.customer("Cleo")
    await join(ben, "waitlist for a women's cut with becky next week")
    await join(cleo, "waitlist for a women's cut next week")
    await lumi.free(11)
    await offer_to(ben)
    lumi.scene.pass_time(timedelta(minutes=15))
    told = await ben.reply(seconds=EVENTUALLY)
    assert "I didn't hear from you" in told.text
    await offer_to(cleo)
    late = await answer(ben, "Take it")
    assert "isn't yours to take any more" in late.text
    assert (await answer(cleo, "Take it")).text.startswith("Booked")
    await ben.quiet()
    asked = await lumi.value("SELECT sum(times_notified) FROM waitlist")
    assert asked == 2


async def test_at_the_deadline_two_phones_get_one_visit(
    lumi: Lumi, database_url: str, redis_url: str
) -> None:
    await lumi.run(SET_POLICY, {"waitlist_policy": "everyone_at_once"})
    ben, cleo = lumi.customer("Ben"), lumi.customer("Cleo")
    await join(ben, "waitlist for a women's cut next week")
    await join(cleo, "waitlist for a women's cut next week")
    async with another_process(lumi.scene, database_url, redis_url):
        await lumi.free(11)
        await offer_to(ben)
        await offer_to(cleo)
        lumi.scene.pass_time(timedelta(minutes=15) - timedelta(seconds=1))
        answers = await asyncio.gather(answer(ben, "Take it"), answer(cleo, "Take it"))
        lumi.scene.pass_time(timedelta(seconds=2))
        won = [reply for reply in answers if reply.text.startswith("Booked")]
        lost = [reply for reply in answers if reply not in won]
        assert len(won) == 1
        assert "gone to somebody else" in lost[0].text or "isn't yours" in lost[0].text
        async with asyncio.timeout(EVENTUALLY):  # the desk takes the other offer back in its turn
            while await lumi.value("SELECT count(*) FROM waitlist WHERE status = 'active'") != 1:
                await asyncio.sleep(0.02)
    assert await taken(lumi) == 1


async def test_one_customer_with_two_phones_books_once_at_the_deadline(lumi: Lumi) -> None:
    ben = lumi.customer("Ben")
    await join(ben, "waitlist for a women's cut next week")
    await lumi.free(11)
    offer = await offer_to(ben)
    lumi.scene.pass_time(timedelta(minutes=15) - timedelta(milliseconds=300))
    await asyncio.gather(*(ben.tap("Take it", on=offer) for _ in range(3)))
    await asyncio.sleep(1.5)
    texts = [bubble.text for bubble in ben.bubbles]
    assert sum(text.startswith("Booked") for text in texts) >= 1
    assert await taken(lumi) == 1


async def test_a_time_that_is_sold_while_it_is_on_offer_is_told(lumi: Lumi) -> None:
    ben = lumi.customer("Ben")
    await join(ben, "waitlist for a women's cut next week")
    await lumi.free(11, hours=1)
    await offer_to(ben)
    async with connection(lumi.pool) as conn, conn.transaction():
        await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")
        await conn.execute(
            """
            INSERT INTO slot_claims (company_id, claim_id, staff_id, during, kind, created_at)
            VALUES ($1, gen_random_uuid(), $2, tstzrange($3, $4), 'external', now())
            """,
            lumi.company_id,
            lumi.becky,
            lumi.at(11),
            lumi.at(12),
        )
    told = await ben.reply(seconds=EVENTUALLY)
    assert "You keep your place on the list" in told.text
    late = await answer(ben, "Take it")
    assert "isn't yours to take any more" in late.text
    assert await taken(lumi) == 0


async def test_hours_that_change_take_an_offer_back_and_hours_that_are_added_make_one(
    lumi: Lumi,
) -> None:
    ben = lumi.customer("Ben")
    await join(ben, "waitlist for a women's cut with becky next week")
    await lumi.free(11)
    await offer_to(ben)
    await lumi.run(
        """
        INSERT INTO staff_schedules (company_id, staff_id, day, kind)
        VALUES ($1, $2, $3, 'replace')
        """,
        lumi.company_id,
        lumi.becky,
        lumi.day,
    )
    told = await ben.reply(seconds=EVENTUALLY)
    assert "can't be booked after all" in told.text
    await lumi.run("DELETE FROM staff_schedules")
    await offer_to(ben)


async def test_leaving_gives_the_offer_to_the_next_in_line(lumi: Lumi) -> None:
    ben, cleo = lumi.customer("Ben"), lumi.customer("Cleo")
    await join(ben, "waitlist for a women's cut next week")
    await join(cleo, "waitlist for a women's cut next week")
    await lumi.free(11)
    await offer_to(ben)
    await ben.say("leave the list")
    assert "off the waitlist" in (await ben.reply(seconds=EVENTUALLY)).text
    await offer_to(cleo)
    steps = await lumi.value(
        """
        SELECT string_agg(outcome, ' ' ORDER BY id) FROM waitlist_history
        WHERE waitlist_id = (SELECT min(id) FROM waitlist)
        """
    )
    assert str(steps).split() == ["joined", "offered", "left"]


async def picking(lumi: Lumi) -> tuple[Phone, Phone]:
    """Two wait, and a time has come free that is kept for staff to choose."""
    await lumi.run(SET_POLICY, {"waitlist_policy": "staff_picks", "pick_minutes": 20})
    ben, cleo = lumi.customer("Ben"), lumi.customer("Cleo")
    await join(ben, "waitlist for a women's cut next week")
    await join(cleo, "waitlist for a women's cut next week")
    await lumi.free(11)
    async with asyncio.timeout(EVENTUALLY):
        while not await lumi.value(KEPT):
            await asyncio.sleep(0.05)
    return ben, cleo


KEPT = """
    SELECT count(*) FROM slot_claims AS c
    JOIN dialog_contexts AS d ON d.id = c.conversation_id AND d.customer_id IS NULL
    WHERE c.kind = 'offer'
"""


async def test_staff_pick_whom_a_time_is_offered_to(
    lumi: Lumi, database_url: str, redis_url: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ben, cleo = await picking(lumi)
    other = lumi.customer("Dora")
    await other.say(f"women's cut {lumi.day:%d %b} at 11")
    assert "isn't free" in (await other.reply(seconds=EVENTUALLY)).text
    settings = Settings(database_url=SecretStr(database_url), redis_url=SecretStr(redis_url))
    company = lumi.company_id
    await waitlist.show(settings, company=company, entry=0, offer=0, json=True)
    shown = json.loads(capfdbinary.readouterr().out.splitlines()[-1])
    mine = await lumi.value("SELECT max(id) FROM waitlist")
    assert [one["entry"] for one in shown["choices"]][-1] == mine
    assert all(one["kept_until"] for one in shown["choices"])
    async with connection(lumi.pool) as conn:
        desk_id = await conn.fetchval("SELECT id FROM dialog_contexts WHERE customer_id IS NULL")
        await inbox.put_internal(
            conn,
            company,
            desk_id,
            OfferPicked(int(str(mine))),
            dedup_key="picked",
            now=lumi.scene.clock(),
        )
    await offer_to(cleo)
    await ben.quiet()
    assert await lumi.value(KEPT) == 0


async def test_what_staff_do_not_choose_about_goes_to_the_first_in_line(lumi: Lumi) -> None:
    ben, cleo = await picking(lumi)
    lumi.scene.pass_time(timedelta(minutes=21))
    await offer_to(ben)
    await ben.tap("Take it")
    assert "Booked" in (await ben.reply(seconds=EVENTUALLY)).text
    await cleo.quiet()
