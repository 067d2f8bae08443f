"""What is always done when a turn comes to rest, whatever flow it was in."""

from __future__ import annotations

from dataclasses import replace

from flows.asking import Asking, Back, Idle
from flows.idle import watch
from flows.machine import Context, State, Step
from flows.reminder import Rating, Reminded
from flows.several import handed_on, offer_next


def rest(began: State, before: State, step: Step[State], ctx: Context) -> Step[State]:
    """Return to what was going on where a step says so, and see that nobody is left waiting."""
    step = handed_on(before, step, ctx)
    if step.ask is not None:
        return step
    if isinstance(step.state, Back):
        step = replace(step, state=_back(began, step.state))
    return watch(began, offer_next(began, step, ctx), ctx)


def _back(before: State, back: Back) -> State:
    if not back.offered:
        return before
    if isinstance(before, Asking) and not isinstance(before, Reminded | Rating):
        return before.model_copy(update={"offered": back.offered})
    return Idle(offered=back.offered)  # that question is answered
