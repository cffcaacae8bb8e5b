"""The customer-service window: how many messages a user may still get, and until when.

Source: developers.weixin.qq.com, 发送客服消息, in force since 2023-06.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from bot.channels.limits import CUSTOMER_SERVICE_AFTER_MESSAGE, CUSTOMER_SERVICE_AFTER_TAP, KF_AFTER_MESSAGE


class Doing(Enum):
    """What moves the window."""

    MESSAGE = auto()  # the user wrote
    TAP = auto()  # tapped a menu, scanned a code, followed
    CUSTOMER_WROTE = auto()  # to a 微信客服 account
    SENT = auto()  # one message went out in the window
    LEFT = auto()  # unfollowed


OPENS: Final = {
    Doing.MESSAGE: CUSTOMER_SERVICE_AFTER_MESSAGE,
    Doing.TAP: CUSTOMER_SERVICE_AFTER_TAP,
    Doing.CUSTOMER_WROTE: KF_AFTER_MESSAGE,
}
TAPS: Final = frozenset({"click", "scancode_push", "scancode_waitmsg", "scan", "subscribe"})


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happened between a user and an account."""

    at: datetime
    doing: Doing


@dataclass(frozen=True, slots=True)
class Window:
    """What is left. `until` is the last moment; None: shut."""

    left: int = 0
    until: datetime | None = None

    def holds(self, count: int, now: datetime) -> bool:
        """Whether *count* messages may go out now."""
        return self.until is not None and now <= self.until and self.left >= count


def window(actions: Iterable[Action]) -> Window:
    """Fold what happened, oldest first.

    An action raises what is left, and how long, to its own maximum; nothing is ever added up.
    """
    left, until = 0, None
    for action in actions:
        if until is not None and action.at > until:
            left, until = 0, None
        if action.doing is Doing.LEFT:
            left, until = 0, None
        elif action.doing is Doing.SENT:
            left = max(0, left - 1)
        else:
            most, lasts = OPENS[action.doing]
            left = max(left, most)
            until = max(until or action.at, action.at + lasts)
    return Window(left, until)


def doing_of(account: str, direction: str, kind: str, payload: Mapping[str, Any] | None) -> Doing | None:
    """What a row of the conversation did to the window; None: nothing."""
    if direction == "out":
        return Doing.SENT
    if account.startswith("kf/"):
        return None if kind.startswith("event:") else Doing.CUSTOMER_WROTE
    if kind.startswith("event:"):
        event = kind.removeprefix("event:").lower()
        if event == "unsubscribe":
            return Doing.LEFT
        return Doing.TAP if event in TAPS else None
    # A tap on an item of a menu message comes as a text, but counts as a menu tap.
    return Doing.TAP if payload and payload.get("bizmsgmenuid") else Doing.MESSAGE
