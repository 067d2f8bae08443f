"""Answers what flows ask about the waitlist, and counts what becomes of its offers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeAlias

from bot import metrics
from flows import effects as fx
from flows.errors import NoCustomer
from flows.events import Answer, OfferPassed, OfferTaken, TimesOffered, WaitersFound
from flows.model import Catalog
from storage import desk, waitlist
from storage.clock import uuid7
from storage.dialogs import Dialog
from storage.pool import Connection

OfCustomer: TypeAlias = (
    fx.JoinWaitlist | fx.FindPlaces | fx.LeaveWaitlist | fx.TakeOffer | fx.PassOffer
)
OfDesk: TypeAlias = fx.FindWaiters | fx.OfferTimes

WRITES: Final = (
    fx.JoinWaitlist,
    fx.LeaveWaitlist,
    fx.TakeOffer,
    fx.PassOffer,
    fx.FindWaiters,
    fx.OfferTimes,
)
"""Asks of the waitlist whose answer changes something."""


def customer_of(dialog: Dialog) -> int:
    """Whose conversation it is; NoCustomer at the desk."""
    if dialog.customer_id is None:
        raise NoCustomer("the desk asked for what only a customer has")
    return dialog.customer_id


async def answer(
    conn: Connection,
    catalog: Catalog,
    dialog: Dialog,
    ask: OfCustomer | OfDesk,
    *,
    now: datetime,
) -> Answer:
    """Answer an ask of a customer about their place, or of the desk about all of them."""
    match ask:
        case fx.FindWaiters() | fx.OfferTimes():
            found = await _of_desk(conn, catalog, dialog, ask, now)
        case _:
            found = await _of_customer(conn, catalog, dialog, ask, now)
    _count(ask, found)
    return found


async def _of_customer(
    conn: Connection, catalog: Catalog, dialog: Dialog, ask: OfCustomer, now: datetime
) -> Answer:
    company_id, customer_id = dialog.company_id, customer_of(dialog)
    match ask:
        case fx.FindPlaces():
            return await waitlist.places(conn, company_id=company_id, customer_id=customer_id)
        case fx.LeaveWaitlist():
            return await waitlist.leave(conn, company_id, ask, now=now, customer_id=customer_id)
        case fx.PassOffer():
            return await waitlist.pass_on(conn, company_id, ask, now=now, customer_id=customer_id)
        case fx.JoinWaitlist():
            return await waitlist.join(
                conn, catalog, ask, now=now, customer_id=customer_id, conversation_id=dialog.id
            )
        case fx.TakeOffer():
            return await waitlist.take(
                conn,
                catalog,
                ask,
                now=now,
                customer_id=customer_id,
                conversation_id=dialog.id,
                new_id=uuid7(now),
            )


async def _of_desk(
    conn: Connection, catalog: Catalog, dialog: Dialog, ask: OfDesk, now: datetime
) -> Answer:
    match ask:
        case fx.FindWaiters():
            return await desk.find_waiters(
                conn, catalog, ask, now=now, conversation_id=dialog.id, inbox_id=dialog.pending.id
            )
        case fx.OfferTimes():
            return await desk.offer_times(conn, catalog, ask, now=now, conversation_id=dialog.id)


def _count(ask: OfCustomer | OfDesk, found: Answer) -> None:
    """Count what became of offers."""
    match ask, found:
        case fx.TakeOffer(), _:
            outcome = "taken" if isinstance(found, OfferTaken) else "late"
            metrics.OFFERS.labels(outcome).inc()
        case fx.PassOffer(outcome=outcome), OfferPassed():
            metrics.OFFERS.labels("lost" if outcome == "withdrawn" else outcome).inc()
        case _, WaitersFound(lost=lost):
            metrics.OFFERS.labels("lost").inc(len(lost))
        case _, TimesOffered(offers=offers):
            metrics.OFFERS.labels("made").inc(sum(len(one.waiters) for _, one in offers))
        case _:
            pass
