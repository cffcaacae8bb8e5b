"""Whose time it is. The simulator never reads the wall clock by itself: it is handed one of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


@runtime_checkable
class MovableClock(Clock, Protocol):
    """A clock that a test or a visitor of the demo can move forward."""

    def advance(self, step: timedelta) -> datetime:
        """Move forward by *step* and return the new present. Raises ValueError for a step backwards."""
        ...


class ManualClock:
    """Stands still until it is moved: 90 days pass in a test without waiting."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock starts at an aware moment")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> datetime:
        _forward(step)
        self._now += step
        return self._now


class OffsetClock:
    """Runs like the system's clock, ahead of it by what it has been moved so far."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, step: timedelta) -> datetime:
        _forward(step)
        self._offset += step
        return self.now()


def _forward(step: timedelta) -> None:
    if step < timedelta():
        raise ValueError("time only moves forward")
