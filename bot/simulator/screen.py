"""What somebody's phone shows, bubble by bubble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    """Where a bubble stands: right, left, or as a grey line in the middle."""

    MINE = "mine"
    THEIRS = "theirs"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing on the screen.

    *kind* is the message type (text, image, news, msgmenu, template …, `failure` for the platform's own
    "cannot serve now" line); *via* is the way it came (passive, custom, template, subscribe, mass, app, kf);
    *text* is everything readable in it, *content* the rest as JSON.
    """

    number: int
    at: datetime
    side: Side
    kind: str
    text: str
    via: str = ""
    content: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "side": self.side.value,
            "kind": self.kind,
            "text": self.text,
            "via": self.via,
            "content": self.content,
        }


Watcher = Callable[["Screen", Bubble], None]


class Screen:
    """All bubbles of one chat, oldest first. `"预约成功" in user.screen` looks in what was received."""

    def __init__(self, owner: str, watcher: Watcher) -> None:
        self.owner = owner
        self._bubbles: list[Bubble] = []
        self._watcher = watcher
        self._waiting: list[asyncio.Future[None]] = []

    def __iter__(self) -> Iterator[Bubble]:
        return iter(self._bubbles)

    def __len__(self) -> int:
        return len(self._bubbles)

    def __contains__(self, words: str) -> bool:
        return any(words in text for text in self.texts)

    @property
    def received(self) -> list[Bubble]:
        """Everything but the owner's own messages."""
        return [bubble for bubble in self._bubbles if bubble.side is not Side.MINE]

    @property
    def texts(self) -> list[str]:
        """The readable text of everything received."""
        return [bubble.text for bubble in self.received]

    @property
    def newest(self) -> Bubble | None:
        """The last thing received."""
        return next((b for b in reversed(self._bubbles) if b.side is not Side.MINE), None)

    async def wait_for(
        self, words: str = "", *, kind: str = "", since: int = 0, within: float = 5.0
    ) -> Bubble:
        """The first received bubble after number *since* that contains *words* and is of *kind*.

        Waits for it up to *within* seconds of real time. Raises TimeoutError.
        """
        async with asyncio.timeout(within):
            while True:
                for bubble in self._bubbles[since:]:
                    fits = words in bubble.text and kind in ("", bubble.kind)
                    if fits and bubble.side is not Side.MINE:
                        return bubble
                change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(change)
                await change

    def show(self, at: datetime, side: Side, kind: str, text: str, via: str = "", **content: Any) -> Bubble:
        """Append a bubble and tell whoever watches."""
        bubble = Bubble(len(self._bubbles) + 1, at, side, kind, text, via, content)
        self._bubbles.append(bubble)
        self._tell(bubble)
        return bubble

    def replace(self, bubble: Bubble) -> None:
        """Put a changed bubble where the one of the same number stands (a card that was updated)."""
        self._bubbles[bubble.number - 1] = bubble
        self._tell(bubble)

    def _tell(self, bubble: Bubble) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)
        self._watcher(self, bubble)
