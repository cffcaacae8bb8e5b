"""The tray of text messages and voice calls that reach phones through the hospital's SMS port."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
FIELDS = ("id", "at", "to", "kind", "text")


class BadSms(ValueError):
    """The posted message lacks what an SMS needs."""


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message or voice call, as the server posted it. *received_at* is the simulator's time."""

    id: str
    at: str
    to: str
    kind: str
    text: str
    received_at: datetime

    @property
    def code(self) -> str | None:
        """The one-time code: the only run of exactly six digits."""
        found = CODE.findall(self.text)
        return found[0] if len(found) == 1 else None

    def as_json(self) -> dict[str, str]:
        return {
            "id": self.id,
            "at": self.received_at.isoformat(),
            "to": self.to,
            "kind": self.kind,
            "text": self.text,
        }


class SmsTray:
    """Messages in the order they came. A message posted twice with one id is shown once."""

    def __init__(self, watcher: Callable[[Sms], None]) -> None:
        self._messages: dict[str, Sms] = {}
        self._watcher = watcher

    def __iter__(self) -> Iterator[Sms]:
        return iter(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)

    def accept(self, posted: Any, now: datetime) -> Sms:
        """Take a message from the port. Raises BadSms."""
        if not isinstance(posted, dict) or any(not posted.get(name) for name in FIELDS):
            raise BadSms(f"an SMS is a JSON object with {', '.join(FIELDS)}")
        sms = Sms(**{name: str(posted[name]) for name in FIELDS}, received_at=now)
        if sms.id not in self._messages:
            self._messages[sms.id] = sms
            self._watcher(sms)
        return self._messages[sms.id]

    def to(self, phone: str) -> list[Sms]:
        return [sms for sms in self if sms.to == phone]

    def newest_code(self, phone: str) -> str:
        """The code of the last message to *phone* that holds one. Raises LookupError."""
        for sms in reversed(self.to(phone)):
            if sms.code is not None:
                return sms.code
        raise LookupError(f"no code was sent to {phone}")
