"""Bad days on demand: what the platform's API may do instead of answering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """*DROPPED* does what was asked and then hangs up: the caller cannot know."""

    ERROR = "error"
    HTTP = "http"
    GARBAGE = "garbage"
    HANG = "hang"
    RESET = "reset"
    DROPPED = "dropped"
    DEAD_TOKEN = "dead-token"  # noqa: S105 – a name


@dataclass(slots=True)
class Fault:
    """Happens to the next *times* calls whose path contains *path*; for ever when *times* is None.

    *code* is the errcode of an ERROR or the status of an HTTP fault.
    """

    kind: FaultKind
    path: str = ""
    host: str = ""
    code: int = 0
    times: int | None = 1
    fields: dict[str, Any] = field(default_factory=dict)


class Faults:
    """The faults waiting to happen. Each method adds one and returns it; `clear()` ends all."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def add(self, fault: Fault) -> Fault:
        self._waiting.append(fault)
        return fault

    def refuse(self, path: str, code: int, *, times: int | None = 1, **fields: Any) -> Fault:
        """Answer with an errcode: -1, 45009, 43117, 40001 …"""
        return self.add(Fault(FaultKind.ERROR, path, code=code, times=times, fields=fields))

    def status(self, path: str, status: int = 502, *, times: int | None = 1) -> Fault:
        """Answer with an HTTP status and an HTML page."""
        return self.add(Fault(FaultKind.HTTP, path, code=status, times=times))

    def garbage(self, path: str, *, times: int | None = 1) -> Fault:
        """Answer 200 with something that is no JSON."""
        return self.add(Fault(FaultKind.GARBAGE, path, times=times))

    def hang(self, path: str, *, times: int | None = 1) -> Fault:
        """Accept the request and never answer."""
        return self.add(Fault(FaultKind.HANG, path, times=times))

    def reset(self, path: str, *, times: int | None = 1) -> Fault:
        """Hang up before anything is done."""
        return self.add(Fault(FaultKind.RESET, path, times=times))

    def drop_answer(self, path: str, *, times: int | None = 1) -> Fault:
        """Do what was asked, then hang up without an answer."""
        return self.add(Fault(FaultKind.DROPPED, path, times=times))

    def kill_token(self, path: str = "", *, times: int | None = 1) -> Fault:
        """Kill all tokens of the account as the call arrives: it is answered 40001."""
        return self.add(Fault(FaultKind.DEAD_TOKEN, path, times=times))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, host: str, path: str) -> Fault | None:
        """The fault that befalls this call, used up by one."""
        for fault in self._waiting:
            if fault.path in path and fault.host in ("", host):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None
