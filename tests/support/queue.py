"""The salon's waitlist in memory: what storage would answer about places and offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from flows import effects as fx
from flows import events as ev
from flows.hours import calendar_of, epoch
from flows.matching import starts_of
from flows.model import Slot, Span
from flows.model_waitlist import Kept, Offer, Place, Waiter, Wanted

if TYPE_CHECKING:
    from tests.support.salon import Salon

OfWaitlist = (
    fx.JoinWaitlist
    | fx.FindPlaces
    | fx.LeaveWaitlist
    | fx.TakeOffer
    | fx.PassOffer
    | fx.FindWaiters
    | fx.OfferTimes
)


@dataclass
class Entry:
    """Somebody's place."""

    id: int
    who: int
    service_id: int
    wanted: tuple[Wanted, ...]
    joined: datetime
    ends: datetime
    status: str = "active"
    declined: list[tuple[int, int, int]] = field(default_factory=list)
    offer: tuple[UUID, Slot] | None = None


@dataclass
class Queue:
    """All places, and the times that are on offer now."""

    salon: Salon
    entries: list[Entry] = field(default_factory=list)
    offers: dict[UUID, Slot] = field(default_factory=dict)
    taken: dict[UUID, UUID] = field(default_factory=dict)  # bookings by offer
    lost: list[tuple[int, ev.PlaceLost]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)  # for staff to choose
    found: ev.WaitersFound | None = None  # what the desk sees instead, where a test says so

    @property
    def waiting(self) -> list[Entry]:
        """Everybody who waits, in their order."""
        return [one for one in self.entries if one.status in ("active", "notified")]

    def waits(self, who: int, service_id: int | None = None) -> int | None:
        """The place of a customer, for a service or for anything."""
        mine = (e for e in self.waiting if e.who == who and service_id in (None, e.service_id))
        return next((entry.id for entry in mine), None)

    def sell(self, staff_id: int, start: datetime) -> None:
        """Somebody of the business gives a time away that is on offer."""
        for offer_id, slot in list(self.offers.items()):
            if (slot.staff_id, slot.start) == (staff_id, start):
                self._end(offer_id, taken=True)

    def answer(self, ask: OfWaitlist, who: int) -> ev.Answer:
        """Answer what a flow asks about the waitlist."""
        match ask:
            case fx.JoinWaitlist():
                return self._join(ask, who)
            case fx.FindPlaces():
                return ev.PlacesFound(tuple(self._place(e) for e in self.waiting if e.who == who))
            case fx.LeaveWaitlist(waitlist_id):
                return self._leave(waitlist_id, who)
            case fx.TakeOffer():
                return self._take(ask, who)
            case fx.PassOffer(waitlist_id, offer_id, outcome):
                return self._pass(waitlist_id, offer_id, outcome)
            case fx.FindWaiters(picked):
                return self._waiters(picked=picked)
            case fx.OfferTimes(offers, keep):
                taken = [offer.slot for offer in offers]
                self.kept = [
                    one for one in self.kept if not any(_meet(one.slot, it) for it in taken)
                ]
                self.kept += keep
                made = tuple((self._offer(offer), offer) for offer in offers)
                return ev.TimesOffered(made, kept=keep)

    def _place(self, entry: Entry) -> Place:
        ahead = [e for e in self.waiting if e.who != entry.who and e.id < entry.id]
        position = 1 + sum(self._compete(e, entry) for e in ahead)
        return Place(entry.id, entry.service_id, entry.wanted, position, entry.ends)

    def _compete(self, one: Entry, other: Entry) -> bool:
        """Tell whether two may want the same time of the same person."""
        able = {
            person.id
            for person in self.salon.catalog.staff_for(one.service_id)
            if other.service_id in person.offers
        }
        return any(
            a.first <= b.last
            and b.first <= a.last
            and (a.part == b.part or not (a.part and b.part))
            and any(
                a.staff_id in (None, id_)
                and b.staff_id in (None, id_)
                and id_ not in (a.but, b.but)
                for id_ in able
            )
            for a in one.wanted
            for b in other.wanted
        )

    def _join(self, ask: fx.JoinWaitlist, who: int) -> ev.Answer:
        free = self._free_for(ask.service_id, ask.wanted)
        if free and not ask.anyway:
            return ev.TimesStillFree(tuple(free[:8]))
        declined = [(slot.staff_id, epoch(slot.start), epoch(slot.start)) for slot in free]
        mine = [e for e in self.waiting if (e.who, e.service_id) == (who, ask.service_id)]
        if mine:
            known = ask.wanted in mine[0].wanted
            others = tuple(one for one in mine[0].wanted if one != ask.wanted)
            mine[0].wanted = (*others, ask.wanted)
            mine[0].declined += declined
            mine[0].ends = max(mine[0].ends, ask.ends)
            return ev.WaitlistJoined(self._place(mine[0]), "known" if known else "added")
        entry = Entry(
            len(self.entries) + 1, who, ask.service_id, (ask.wanted,), self.salon.now, ask.ends
        )
        entry.declined = declined
        self.entries.append(entry)
        return ev.WaitlistJoined(self._place(entry), "joined")

    def _free_for(self, service_id: int, wanted: Wanted) -> list[Slot]:
        spans = list(starts_of(wanted, calendar_of(self.salon.catalog)))
        found = self.salon.free(service_id, wanted.staff_id)
        found = [s for s in found if s.staff_id != wanted.but]
        return [s for s in found if any(low <= epoch(s.start) < high for low, high in spans)]

    def _leave(self, waitlist_id: int, who: int) -> ev.Answer:
        mine = [e for e in self.waiting if (e.id, e.who) == (waitlist_id, who)]
        if not mine:
            return ev.WaitlistLeft(None)
        place = self._place(mine[0])
        if mine[0].offer is not None:
            self._pass(waitlist_id, mine[0].offer[0])
        mine[0].status = "cancelled"
        return ev.WaitlistLeft(place)

    def _take(self, ask: fx.TakeOffer, who: int) -> ev.Answer:
        if ask.offer_id in self.taken:
            owner, visit = self.salon.visits[self.taken[ask.offer_id]]
            return ev.OfferTaken(visit) if owner == who else ev.OfferGone()
        entry = next((e for e in self.entries if e.id == ask.waitlist_id), None)
        mine = entry is not None and entry.offer is not None and entry.offer[0] == ask.offer_id
        slot = self.offers.pop(ask.offer_id) if mine and ask.offer_id in self.offers else ask.slot
        known = slot.service_id in self.salon.catalog.service_by_id
        free = self.salon.free(slot.service_id, slot.staff_id) if known else []
        if all(one.start != slot.start for one in free):
            return ev.OfferGone()
        visit = self.salon.book(who, slot.service_id, slot.staff_id, slot.start)
        self.taken[ask.offer_id] = visit.id
        if entry is not None:
            entry.status, entry.offer = "booked", None
        others = [e for e in self.waiting if e.offer and e.offer[0] == ask.offer_id]
        for one in others:
            self._release(one, taken=True)
        ahead = [
            v
            for owner, v in self.salon.visits.values()
            if owner == who and v.service_id == slot.service_id and v.status == "confirmed"
        ]
        later = sorted((v for v in ahead if v.start > visit.start), key=lambda v: v.start)
        return ev.OfferTaken(visit, later[0] if later else None, shared=bool(others))

    def _pass(self, waitlist_id: int, offer_id: UUID, outcome: str = "passed") -> ev.Answer:
        entry = next((e for e in self.entries if e.id == waitlist_id), None)
        if entry is None or entry.offer is None or entry.offer[0] != offer_id:
            return ev.OfferGone()
        slot = entry.offer[1]
        begins, ends = epoch(slot.start), epoch(slot.end)
        if outcome != "withdrawn":
            entry.declined.append((slot.staff_id, begins - (ends - begins) + 1, ends - 1))
        entry.status, entry.offer = "active", None
        if not any(e.offer and e.offer[0] == offer_id for e in self.entries):
            self.offers.pop(offer_id, None)
        return ev.OfferPassed(self._place(entry), slot)

    def _end(self, offer_id: UUID, *, taken: bool) -> None:
        self.offers.pop(offer_id, None)
        for entry in self.waiting:
            if entry.offer and entry.offer[0] == offer_id:
                self._release(entry, taken=taken)

    def _release(self, entry: Entry, *, taken: bool) -> None:
        assert entry.offer is not None
        offer_id, slot = entry.offer
        entry.status, entry.offer = "active", None
        self.lost.append((entry.who, ev.PlaceLost(entry.id, offer_id, slot, taken=taken)))

    def _waiters(self, *, picked: bool) -> ev.Answer:
        if self.found is not None:
            return self.found
        for offer_id, slot in list(self.offers.items()):
            if not self.salon.works(slot):
                self._end(offer_id, taken=False)
        lost, self.lost = tuple(self.lost), []
        waiters = tuple(self._waiter(entry) for entry in self.waiting)
        free = {
            service_id: {
                id_: [range(at, at + 1) for at in sorted(epoch(s.start) for s in found)]
                for id_ in [p.id for p in self.salon.catalog.staff_for(service_id)]
                for found in [self.salon.free(service_id, id_, kept=not picked)]
            }
            for service_id in {waiter.service_id for waiter in waiters}
        }
        return ev.WaitersFound(waiters, free, lost)

    def _waiter(self, entry: Entry) -> Waiter:
        offered = [e.offer[1] for e in self.waiting if e.who == entry.who and e.offer]
        visits = [
            visit
            for owner, visit in self.salon.visits.values()
            if owner == entry.who
            and visit.service_id != entry.service_id
            and visit.status == "confirmed"
        ]
        return Waiter(
            id=entry.id,
            customer_id=entry.who,
            conversation_id=entry.who,
            service_id=entry.service_id,
            wanted=entry.wanted,
            joined=entry.joined,
            offered=entry.offer is not None,
            silent=entry.who in self.salon.unreachable,
            person_until=self.salon.with_person.get(entry.who),
            declined=tuple(entry.declined),
            engaged=(
                *(Span(slot.start, slot.end) for slot in offered),
                *(Span(visit.start, visit.end) for visit in visits),
            ),
        )

    def _offer(self, offer: Offer) -> UUID:
        offer_id = self.salon.new_id()
        self.offers[offer_id] = offer.slot
        for waiter in offer.waiters:
            entry = next(e for e in self.entries if e.id == waiter.id)
            entry.status, entry.offer = "notified", (offer_id, offer.slot)
        return offer_id


def _meet(one: Slot, other: Slot) -> bool:
    return one.staff_id == other.staff_id and one.start < other.end and other.start < one.end
