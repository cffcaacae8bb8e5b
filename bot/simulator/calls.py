"""The log of everything the server under test has called."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class ApiCall:
    """*host* is wechat or wecom; *answer* is None when the platform hung up or stayed silent."""

    at: datetime
    host: str
    path: str
    query: dict[str, str]
    body: Any
    answer: Any


class CallLog:
    """The latest calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[ApiCall] = deque(maxlen=REMEMBERED)

    def add(self, call: ApiCall) -> None:
        self._calls.append(call)

    def __iter__(self) -> Iterator[ApiCall]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def to(self, path: str, host: str = "") -> list[ApiCall]:
        """Calls of one API, by the end of its path: `platform.calls.to("message/custom/send")`."""
        return [c for c in self._calls if c.path.endswith(path) and host in ("", c.host)]

    def newest(self, count: int) -> list[ApiCall]:
        """The last *count* calls, oldest first."""
        return list(self._calls)[-count:]

    def clear(self) -> None:
        self._calls.clear()
