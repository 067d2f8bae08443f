"""Asking the open question once more: after something we could not use, or in another language."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from flows import wording as t
from flows.asking import Asking, Idle, shown, words
from flows.cards import held
from flows.draft import (
    NO_WISH,
    ChoosingArea,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Draft,
    order_of,
)
from flows.effects import (
    Ask,
    FindEarliest,
    FindPlaces,
    FindVisit,
    FindVisits,
    Say,
)
from flows.greeting import menu_buttons
from flows.lists import services
from flows.machine import Context, State, Step
from flows.manage import CancellingVisit, ChoosingVisit, ViewingVisit, open_visit
from flows.offers import offer
from flows.ordering import days_of, go_on, is_offered, times_of
from flows.places import Joining, Offered, Places
from flows.reminder import Reminded
from flows.waitlist import wait
from flows.where import question

A = TypeVar("A", bound=Asking)


def ask_again(state: State, ctx: Context, intro: str = "", misses: int = 0) -> Step[Asking]:
    """Ask the question of a state again, after an introduction; lists are looked up anew."""
    if isinstance(state, Draft) and not isinstance(state, ChoosingArea | ChoosingService):
        order = replace(order_of(state), wish=NO_WISH)
        if order.service_id is None or not is_offered(ctx, order.service_id, order.staff_id):
            return go_on(ctx, order)
    match state:
        case ChoosingService() if ctx.catalog.bookable_services:
            state = _with(state, intro, misses)
            return shown(state, services(ctx, state))
        case ChoosingArea() | Confirming():
            asked = question(ctx) if isinstance(state, ChoosingArea) else held(ctx, state)
            return shown(_with(state, intro, misses), asked)
        case CancellingVisit(booking_id=booking_id):
            return _step(open_visit(booking_id, "cancel", intro), misses)
        case Reminded(booking_id=booking_id):
            return _step(open_visit(booking_id, intro=intro), misses)
        case Joining():
            return wait(ctx, state, intro=intro, misses=misses)
        case Offered(until=until) if until is not None and until > ctx.now:
            state = _with(state, intro, misses)
            return shown(state, offer(ctx, state, until))
        case (
            ChoosingStaff()
            | ChoosingDay()
            | ChoosingTime()
            | ChoosingVisit()
            | ViewingVisit()
            | Places()
        ):
            return Step(_with(state, intro, misses), ask=_question(state))
        case _:
            idle = Idle(misses=misses, intro=intro)
            return shown(idle, Say(words(ctx)(t.MENU_HINT), menu_buttons(ctx)))


def _with(state: A, intro: str, misses: int) -> A:
    return state.model_copy(update={"intro": intro, "misses": misses})


def _step(step: Step[ViewingVisit], misses: int) -> Step[ViewingVisit]:
    return Step(_with(step.state, step.state.intro, misses), step.effects, step.ask)


def _question(
    state: ChoosingStaff | ChoosingDay | ChoosingTime | ChoosingVisit | ViewingVisit | Places,
) -> Ask:
    match state:
        case ChoosingStaff():
            return FindEarliest(state.service_id, state.also, state.not_by)
        case ChoosingDay():
            return days_of(state)
        case ChoosingTime():
            return times_of(state)
        case ChoosingVisit():
            return FindVisits(past=state.past)
        case ViewingVisit():
            return FindVisit(state.booking_id)
        case Places():
            return FindPlaces()
