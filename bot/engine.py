"""The engine: the only place where flows and storage meet.

Theory of operation
-------------------
A conversation's events wait in the inbox. `take_turn` takes the oldest: it loads the conversation,
lets the flow run, answers what the flow asks, and writes everything the flow wanted (messages and
their outbox rows, the next state) and that the event is handled: in one statement, which is a
transaction by itself and is shared with other conversations that are ready at the same moment. Asks
that write, such as booking a slot, begin a transaction first, so that they and the turn are
committed together: commit or nothing. (Not a hold: it lapses by itself, and a turn taken again
holds the same.) Nothing is sent inside: what went into the outbox is handed to the sender after the
commit.

Turns of a conversation follow each other, whatever the number of workers. One process takes them
one at a time; between processes that statement is the fence: it writes nothing when the event was
handled or a turn taken meanwhile, and the turn starts anew from what is true now (StaleTurn). No
turn writes to another conversation: what concerns that one is an inbox row for it. Lock order is
fixed: claim, then events by id, then timers by key, then conversations, then outbox.

A timer is an event like any other. What it says is out of date when it was moved or cancelled
since: then it is set by without a turn, and the fence sees to it that no turn slips in between.

The desk is the one conversation of a company that has no customer; its turns are taken just so.

When a flow raises, the turn is rolled back and the event tried again with growing pauses, then
parked (`inbox.status = 'dead'`); the customer gets an apology and a person (TurnFailed).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias, get_args

import structlog

from bot import failures, reports
from bot.answers import FREES, answer, begins
from bot.outcome import Outcome, gather, outgoing, perform
from bot.together import Together
from bot.turns import Watcher, report_of
from bot.whatsapp.translate import message_facts, to_event
from flows import registry
from flows.areas import seen_from
from flows.effects import Ask, ReleaseHolds
from flows.events import Answer, Event, Inbound, PersonReplied, TurnFailed
from flows.machine import Context, State, Turn
from flows.model import Catalog
from flows.stored import load_event
from flows.values import valueclass
from flows.visits import Taken as TakenTime
from storage import dialogs, inbox, waitlist
from storage.catalog import CatalogCache
from storage.clock import Clock
from storage.dialogs import Dialog, Heard, Key, Saved, TimerOp, TurnRecord
from storage.errors import Conflict, StorageError
from storage.outbox import LEASE, Outgoing
from storage.pool import Pool, Work, connection, transaction
from storage.popular import popular_times
from storage.slots import Sight
from storage.taken import Look, taken

log = structlog.get_logger("usual.engine")

_FROM_CUSTOMERS: Final = frozenset(("message", "system"))
STATE_LIVES: Final = timedelta(days=7)
"""How long a conversation stays where it is when nothing more is said."""


class Outlet(Protocol):
    """Who sends what a turn said: bot.sender.Sender."""

    def deliver(self, sends: list[Outgoing]) -> None:
        """Send rows that are committed and leased to this process."""

    def holds(self, waiting: Sequence[int]) -> bool:
        """Tell whether all these unsettled outbox rows are in this process's hands."""

    def nudge(self, company_id: int, conversation_id: int) -> None:
        """Look for rows of this conversation that wait behind what another process is sending."""

    def mark_read(
        self,
        *,
        company_id: int,
        conversation_id: int,
        phone_number_id: str,
        wamid: str,
        typing: bool,
    ) -> None:
        """Show the customer that their message was seen, before any reply."""


class Followers(Protocol):
    """Who is told what a turn brought about elsewhere: bot.runtime."""

    def wake(self, keys: Collection[Key]) -> None:
        """Look at these conversations: they have been told something."""

    def armed(self, company_id: int, ops: Sequence[TimerOp]) -> None:
        """Take note of timers that were armed, moved or cancelled."""


_INBOUND: Final = get_args(Inbound)


class StaleTurn(Conflict):
    """Somebody else handled the event or took a turn meanwhile."""


_Ready: TypeAlias = tuple[Dialog, TurnRecord]


@valueclass(frozen=True, slots=True)
class Taken:
    """What became of one try: whether a turn was taken, and whether another event waits."""

    turn: bool
    more: bool


NOTHING: Final = Taken(turn=False, more=False)


class Engine:
    """Takes turns; any number of tasks and processes may do so at once."""

    def __init__(
        self,
        pool: Pool,
        catalogs: CatalogCache,
        outlet: Outlet,
        clock: Clock,
        followers: Followers | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._pool, self._catalogs, self._outlet, self._clock = pool, catalogs, outlet, clock
        self._followers, self._watcher = followers, watcher
        self._loads: Together[Key, Dialog | None] = Together(self._load)
        self._saves: Together[tuple[Dialog, TurnRecord], Saved | None] = Together(
            self._save, under_way=lambda: self._under_way
        )
        self._under_way = 0
        looks: Together[Look, TakenTime] = Together(self._look)
        self._sight = Sight(looks.do, self._popular)

    async def take_turn(self, company_id: int, conversation_id: int) -> Taken:
        """Carry the conversation's oldest event to rest and commit all it did, or nothing.

        Raises StorageError (retryable or not) and whatever a broken flow raises.
        """
        self._under_way += 1
        try:
            return await self._take_turn(company_id, conversation_id)
        finally:
            self._under_way -= 1

    async def _take_turn(self, company_id: int, conversation_id: int) -> Taken:
        started = time.perf_counter()
        now = self._clock()
        dialog = await self._loads.do((company_id, conversation_id))
        if dialog is None or _waits(dialog, now):
            return NOTHING
        if dialog.stale:
            return await self._set_by(dialog, now)
        event, heard = _read(dialog)
        async with Work(self._pool) as unit:
            catalog = await self._catalog(unit, dialog)
            self._show_seen(dialog, catalog, heard, now)
            turn, step_from = _start(dialog, catalog, event, now)
            asked = await _answered(turn, unit, self._sight, dialog, now)
            outcome = gather(turn.effects, dialog.person_until)
            if outcome.others:
                await unit.begin()
                await perform(await unit.open(), dialog, outcome.others, now=now)
            record = self._record(dialog, turn, outcome, heard, now)
            together = not unit.begun
            saved: Saved | None = None
            if not together:
                (saved,) = await dialogs.save(await unit.open(), [(dialog, record)])
                _fence(saved)
        if together:  # with the connection given back: others need it for theirs
            saved = await self._saves.do((dialog, record))
        self._follow(dialog, catalog, record, _fence(saved))
        reports.alerted(dialog, outcome.alerts)
        seconds = time.perf_counter() - started
        reports.committed(dialog, event, turn, step_from, len(asked), seconds, heard)
        if self._watcher is not None:
            self._watcher(report_of(dialog, record, event, turn, asked, seconds))
        if _frees([ask for ask, _ in asked], outcome):
            await self._tell_desk(dialog.company_id)
        return Taken(turn=True, more=dialog.more)

    async def _tell_desk(self, company_id: int) -> None:
        """Wake the desk at once if the turn freed time that somebody waits for.

        The sweep would find it, too: whatever goes wrong here is no trouble of the turn's.
        """
        if self._followers is None:
            return
        try:
            async with connection(self._pool) as conn:
                desk_id = await waitlist.desk_with_news(conn, company_id)
        except StorageError as error:
            log.warning("desk.not_woken", company_id=company_id, error=type(error).__name__)
            return
        if desk_id is not None:
            self._followers.wake({(company_id, desk_id)})

    def _follow(self, dialog: Dialog, catalog: Catalog, record: TurnRecord, saved: Saved) -> None:
        """Pass on what is committed to those who go on from it."""
        ids = saved.outbox_ids
        if ids and record.lease_until is not None:
            self._outlet.deliver([outgoing(dialog, catalog, record, ids[0])])
        elif ids:
            self._outlet.nudge(dialog.company_id, dialog.id)
        if self._followers is None:
            return
        if saved.told:
            self._followers.wake({(dialog.company_id, told) for told in saved.told})
        if record.timers:
            self._followers.armed(dialog.company_id, record.timers)

    async def _set_by(self, dialog: Dialog, now: datetime) -> Taken:
        async with connection(self._pool) as conn:
            await inbox.set_by(conn, dialog.company_id, dialog.pending.id, now=now)
        log.info(
            "timer.stale",
            company_id=dialog.company_id,
            conversation_id=dialog.id,
            timer=dialog.pending.event.get("name"),
        )
        return Taken(turn=False, more=dialog.more)

    async def _catalog(self, unit: Work, dialog: Dialog) -> Catalog:
        kept = self._catalogs.kept(dialog.company_id, dialog.catalog_version)
        if kept is not None:
            return kept
        return await self._catalogs.get(
            await unit.open(), dialog.company_id, dialog.catalog_version
        )

    async def _load(self, keys: Sequence[Key]) -> list[Dialog | None]:
        async with connection(self._pool) as conn:
            return await dialogs.load(conn, keys)

    async def _look(self, looks: Sequence[Look]) -> list[TakenTime]:
        async with connection(self._pool) as conn:
            return await taken(conn, looks)

    async def _popular(self, catalog: Catalog, now: datetime) -> frozenset[int]:
        async with connection(self._pool) as conn:
            return await popular_times(conn, catalog, now)

    async def _save(self, turns: Sequence[tuple[Dialog, TurnRecord]]) -> list[Saved | None]:
        async with connection(self._pool) as conn:
            return await dialogs.save(conn, turns)

    async def set_aside(self, company_id: int, conversation_id: int, error: Exception) -> None:
        """Put off the event that a turn failed on, or park it when it has failed too often."""
        async with transaction(self._pool) as conn:
            await failures.set_aside(
                conn, company_id, conversation_id, type(error).__name__, now=self._clock()
            )

    def _record(
        self, dialog: Dialog, turn: Turn, outcome: Outcome, heard: Heard | None, now: datetime
    ) -> TurnRecord:
        person_until = outcome.person_until
        return TurnRecord(
            now=now,
            state=registry.dump_state(turn.state),
            status="person" if person_until is not None and person_until > now else "active",
            locale=outcome.locale,
            inbound_at=dialog.pending.occurred_at if heard else None,
            person_until=person_until,
            expires_at=None if dialog.customer_id is None else now + STATE_LIVES,
            heard=heard,
            bodies=outcome.bodies,
            extras=outcome.extras,
            records=outcome.records,
            lease_until=now + LEASE if self._outlet.holds(dialog.waiting_sends) else None,
            timers=list(outcome.timers.values()),
            reminders=outcome.reminders,
            tells=outcome.tells,
        )

    def _show_seen(
        self, dialog: Dialog, catalog: Catalog, heard: Heard | None, now: datetime
    ) -> None:
        if heard is None or heard.wamid is None:
            return
        if dialog.person_until is not None and dialog.person_until > now:
            return  # the person who has the conversation has not seen it yet
        self._outlet.mark_read(
            company_id=dialog.company_id,
            conversation_id=dialog.id,
            phone_number_id=catalog.company.phone_number_id,
            wamid=heard.wamid,
            typing=True,
        )


async def _answered(
    turn: Turn, unit: Work, sees: Sight, dialog: Dialog, now: datetime
) -> Sequence[tuple[Ask, Answer]]:
    """Answer what a turn asks until it rests; returns what that was, each with its answer."""
    asked: list[tuple[Ask, Answer]] = []
    while (ask := turn.ask) is not None:
        catalog = turn.ctx.catalog
        if begins(catalog, ask):
            await unit.begin()
        said = await answer(unit, sees, catalog, dialog, ask, now=now)
        asked.append((ask, said))
        turn.answer(said)
    return asked


def _fence(saved: Saved | None) -> Saved:
    if saved is None:
        raise StaleTurn
    return saved


def _waits(dialog: Dialog, now: datetime) -> bool:
    """Whether the event is to be tried again later; what was never tried has come, and is due."""
    return dialog.pending.attempts > 0 and dialog.pending.not_before > now


def _read(dialog: Dialog) -> tuple[Event, Heard | None]:
    """Understand the stored event; messages also say what is kept of them."""
    stored = dialog.pending
    if stored.kind == "echo":
        return PersonReplied(), None
    if stored.kind not in _FROM_CUSTOMERS:
        return load_event(stored.kind, stored.event), None
    wamid, kind, in_reply_to = message_facts(stored.event)
    return to_event(stored.event), Heard(wamid, kind, in_reply_to)


def _start(dialog: Dialog, catalog: Catalog, event: Event, now: datetime) -> tuple[Turn, str]:
    state = _state(dialog, event, now)
    ctx = Context(
        now=now,
        catalog=seen_from(catalog, dialog.area_id),
        customer=dialog.customer(now),
        locale=dialog.locale or catalog.company.locale,
        turn=dialog.turn,
        person_until=dialog.person_until,
        conversation_id=dialog.id,
        heard_at=now if isinstance(event, _INBOUND) else dialog.last_inbound_at,
    )
    at_desk = dialog.customer_id is None
    fallbacks = registry.DESK_FALLBACKS if at_desk else registry.FALLBACKS
    turn = Turn(
        registry.STEPS,
        fallbacks,
        state,
        event,
        ctx,
        consequences=registry.CONSEQUENCES,
        rest=registry.REST,
    )
    return turn, state.step


def _state(dialog: Dialog, event: Event, now: datetime) -> State:
    if isinstance(event, TurnFailed):  # the stored state may be what the turn failed on
        return registry.DESK if dialog.customer_id is None else registry.INITIAL
    if dialog.customer_id and dialog.expires_at is not None and dialog.expires_at <= now:
        return registry.INITIAL  # housekeeping has not come by yet
    return registry.load_state(dialog.state)


def _frees(asked: Sequence[Ask], outcome: Outcome) -> bool:
    """Whether the turn may have freed time that somebody waits for."""
    return any(isinstance(ask, FREES) for ask in asked) or any(
        isinstance(effect, ReleaseHolds) for effect in outcome.others
    )
