"""The ledger of customer-service messages one user may still be sent (客服消息, rule of June 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from types import MappingProxyType

from bot.simulator.errors import ApiError

OUT_OF_WINDOW = 45015
OUT_OF_COUNT = 45047


class Trigger(Enum):
    """What a user did. Opening a page or sharing a place opens nothing.

    Tapping an item of a msgmenu is a menu click, although it arrives as a text.
    """

    MESSAGE = auto()
    MENU_CLICK = auto()
    FOLLOW = auto()
    SCAN = auto()


# trigger → how many messages, for how long
OPENS: Mapping[Trigger, tuple[int, timedelta]] = MappingProxyType(
    {
        Trigger.MESSAGE: (5, timedelta(hours=48)),
        Trigger.MENU_CLICK: (3, timedelta(minutes=1)),
        Trigger.FOLLOW: (3, timedelta(minutes=1)),
        Trigger.SCAN: (3, timedelta(minutes=1)),
    }
)


@dataclass(slots=True)
class Window:
    """How many messages are left, and until when."""

    remaining: int = 0
    deadline: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.deadline is not None and now <= self.deadline

    def opened_by(self, trigger: Trigger, now: datetime) -> None:
        """A new action raises count and deadline to its own maximum; nothing is added up."""
        if not self.is_open(now):
            self.remaining, self.deadline = 0, None
        messages, lasts = OPENS[trigger]
        until = now + lasts
        self.remaining = max(self.remaining, messages)
        self.deadline = until if self.deadline is None else max(self.deadline, until)

    def take(self, now: datetime) -> None:
        """Use up one message. Raises ApiError 45015 outside the time, 45047 over the count."""
        if not self.is_open(now):
            raise ApiError(OUT_OF_WINDOW)
        if self.remaining == 0:
            raise ApiError(OUT_OF_COUNT)
        self.remaining -= 1

    def shut(self) -> None:
        self.remaining, self.deadline = 0, None
