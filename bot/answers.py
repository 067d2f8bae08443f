"""Answers what flows ask: each ask has one function of storage that knows."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot import metrics, waiting
from bot.waiting import customer_of
from flows import effects as fx
from flows.events import Answer, SlotTaken
from flows.model import Catalog
from storage import bookings, lateness, slots, visits
from storage.clock import uuid7
from storage.dialogs import Dialog
from storage.pool import Connection, Work
from storage.search import is_guarded
from storage.slots import Sight, sight

_WRITES: Final = (
    fx.BookSlot,
    fx.MoveVisit,
    fx.CancelVisit,
    fx.ConfirmVisit,
    fx.CompleteVisit,
    fx.RateVisit,
    fx.NoteLate,
    *waiting.WRITES,
)
FREES: Final = (fx.MoveVisit, fx.CancelVisit, *waiting.WRITES)
"""Asks that may free time which somebody waits for: the database tells the desk if they do."""


def begins(catalog: Catalog, ask: fx.Ask) -> bool:
    """Tell whether the answer changes what has to be committed together with the turn.

    A hold has not: it ends by itself, and the same turn taken again holds the same in its place. So
    nobody's gate is kept closed while the turn goes on. Where more than one person's time decides
    it takes several statements, and a transaction.
    """
    if isinstance(ask, fx.HoldSlot):
        return is_guarded(catalog, (ask.service_id, *ask.also), ask.staff_id)
    return isinstance(ask, _WRITES)


async def answer(
    unit: Work, sees: Sight, catalog: Catalog, dialog: Dialog, ask: fx.Ask, *, now: datetime
) -> Answer:
    """Answer an ask, in a transaction if it `begins` one; losing a race is an answer, no error.

    Free times are looked for with `sees`, but not by who has a connection in hand: others could
    wait for it who look together.
    """
    metrics.ASKS.labels(type(ask).__name__).inc()
    if isinstance(ask, fx.FindEarliest | fx.FindDays | fx.FindTimes | fx.FindNearest):
        sees = sight(await unit.open()) if unit.is_open else sees
        return await slots.answer(sees, catalog, ask, now=now, conversation_id=dialog.id)
    conn = await unit.open()
    match ask:
        case fx.FindVisits():
            return await bookings.visits(
                conn, catalog, ask, now=now, customer_id=customer_of(dialog)
            )
        case fx.FindVisit():
            return await bookings.visit(conn, catalog, ask, customer_id=customer_of(dialog))
        case fx.CancelVisit():
            return await bookings.cancel(
                conn, catalog, ask, now=now, customer_id=customer_of(dialog)
            )
        case fx.ConfirmVisit() | fx.CompleteVisit() | fx.RateVisit() | fx.NoteLate():
            return await _note(conn, catalog, dialog, ask, now)
        case fx.HoldSlot() | fx.BookSlot() | fx.MoveVisit():
            found = await _claim(conn, catalog, dialog, ask, now)
            if isinstance(found, SlotTaken):
                metrics.SLOTS_LOST.inc()
            return found
        case _:
            return await waiting.answer(conn, catalog, dialog, ask, now=now)


async def _note(
    conn: Connection,
    catalog: Catalog,
    dialog: Dialog,
    ask: fx.ConfirmVisit | fx.CompleteVisit | fx.RateVisit | fx.NoteLate,
    now: datetime,
) -> Answer:
    customer_id = customer_of(dialog)
    match ask:
        case fx.ConfirmVisit():
            return await visits.confirm(conn, catalog, ask, now=now, customer_id=customer_id)
        case fx.CompleteVisit():
            return await visits.complete(conn, catalog, ask, now=now, customer_id=customer_id)
        case fx.RateVisit():
            return await visits.rate(conn, catalog, ask, now=now, customer_id=customer_id)
        case fx.NoteLate():
            return await lateness.note(conn, catalog, ask, now=now, customer_id=customer_id)


async def _claim(
    conn: Connection,
    catalog: Catalog,
    dialog: Dialog,
    ask: fx.HoldSlot | fx.BookSlot | fx.MoveVisit,
    now: datetime,
) -> Answer:
    match ask:
        case fx.HoldSlot():
            return await bookings.hold(
                conn, catalog, ask, now=now, conversation_id=dialog.id, new_id=uuid7(now)
            )
        case fx.BookSlot():
            return await bookings.book(
                conn,
                catalog,
                ask,
                now=now,
                customer_id=customer_of(dialog),
                conversation_id=dialog.id,
                new_id=uuid7(now),
            )
        case fx.MoveVisit():
            return await bookings.move(
                conn,
                catalog,
                ask,
                now=now,
                customer_id=customer_of(dialog),
                conversation_id=dialog.id,
            )
