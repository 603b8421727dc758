"""The fleet's figures, read from the database for Prometheus: by every scheduler, so that none is missed."""

from __future__ import annotations

from datetime import datetime
from math import nan

import metrics
from services.view_night import NightView, Tonight, view_night


def show_fleet(now: datetime) -> None:
    """Read them and let this process tell them."""
    show(view_night(now))


def show(view: NightView) -> None:
    """Let this process tell what a view holds."""
    metrics.SEEN_AT.set(view.at.timestamp())
    if view.tonight:
        _show_night(view.tonight, view.at)
    else:
        metrics.NIGHTS.clear()
        metrics.NIGHT_DONE_RATIO.set(1)
    for state, count in view.postings.items():
        metrics.POSTINGS.labels(state).set(count)
    metrics.UNCERTAIN_OLDEST.set(view.age(view.uncertain))
    for outbox, unsent in view.outboxes.items():
        metrics.OUTBOX_PENDING.labels(outbox).set(unsent.count)
        metrics.OUTBOX_OLDEST.labels(outbox).set(view.age(unsent))
    for lane, waiting in view.lanes.items():
        metrics.LANE_WAITING.labels(lane).set(waiting.count)
        metrics.LANE_OLDEST.labels(lane).set(view.age(waiting))
    for state, count in view.connections.items():
        metrics.CONNECTIONS.labels(state).set(count)
    for checked in view.invariants:
        metrics.INVARIANT_VIOLATIONS.labels(checked.name).set(checked.violations)
    _show_the_rest(view)


def _show_night(night: Tonight, now: datetime) -> None:
    for state, count in night.states.items():
        metrics.NIGHTS.labels(state).set(count)
    metrics.NIGHT_DONE_RATIO.set(night.done_ratio)
    metrics.NIGHT_AGE.set((now - night.due_at).total_seconds())
    metrics.DEADLINE_REMAINING.set((night.deadline - now).total_seconds())
    metrics.POSTED_TONIGHT.set(night.posted)


def _show_the_rest(view: NightView) -> None:
    metrics.WORKING.set(view.working)
    metrics.UNKNOWN_ZONES.set(len(view.without_zone))
    metrics.QONTO_CALLS_LEFT.set(0 if view.qonto_until else view.qonto_calls_left)
    metrics.APP_CALLS_LEFT.set(view.app_calls_left)
    metrics.DAY_CALLS_LEFT.set(nan if view.day_calls_left is None else view.day_calls_left)
    metrics.ACCESS_REFUSED.set(view.refused.connections)
    metrics.ENDS_HELD_BACK.set(view.refused.held_back)
    metrics.PAUSED.set(view.tenants_paused)
    metrics.CIRCUIT_OPEN.set(view.is_circuit_open)
    metrics.QUARANTINED.set(view.quarantine.count)
    metrics.QUARANTINED_OLDEST.set(view.age(view.quarantine))
    metrics.EVENTS_UNHANDLED.set(view.events.count)
    metrics.EVENTS_OLDEST.set(view.age(view.events))
    if view.invariants:
        metrics.INVARIANTS_CHECKED.set(min(one.checked_at for one in view.invariants).timestamp())
