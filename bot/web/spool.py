"""The last resort: what the database could not take is kept in a file, synced to the disk, until it can."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from bot.domain.inbound import Inbound
from storage.types import Seal, SealBroken

log = structlog.get_logger()

PLACE = "spool"


class Kept(msgspec.Struct, frozen=True):
    """One message or event that waits for the database."""

    inbound: Inbound
    said: str = ""  # what the patient read in the meantime


class Spool:
    """Sealed lines in one file, which several processes may share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def keep(self, *messages: Kept) -> None:
        """Write down, and return when it is on the disk.

        Raises:
            OSError: the disk is full or gone; the platform must try again.
        """
        lines = b"".join(_line(one) for one in messages)
        with self._alone(), self._path.open("ab+") as file:
            if file.tell() and not _ends_with_newline(file.fileno(), file.tell()):
                lines = b"\n" + lines  # a crash cut the last line off: it must not spoil this one
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def waiting(self) -> list[Kept | None]:
        """What is kept, in the order it came; None for a line that nobody can read any more."""
        if not self._path.exists():
            return []
        with self._alone():
            lines = self._path.read_bytes().split(b"\n")
        return [_read(line) for line in lines[:-1]]

    def done(self, count: int) -> None:
        """The first `count` are in the database now, or set aside."""
        with self._alone():
            rest = self._path.read_bytes().split(b"\n")[count:]
            self._replace(b"\n".join(rest))

    def set_aside(self, message: Kept) -> None:
        """Keep a message that nothing can be done with in a file of its own, for somebody to look at."""
        with self._alone(), self._path.with_suffix(".failed").open("ab") as file:
            file.write(_line(message))
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether it is ours to empty the spool: only one process does it at a time."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".turn").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self._path.with_suffix(".lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _replace(self, content: bytes) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _line(message: Kept) -> bytes:
    return Seal.close(msgspec.json.encode(message), PLACE).hex().encode() + b"\n"


def _read(line: bytes) -> Kept | None:
    try:
        return msgspec.json.decode(Seal.open(bytes.fromhex(line.decode()), PLACE), type=Kept)
    except (ValueError, SealBroken, msgspec.DecodeError):
        if line:
            log.error("spool_line_unreadable", length=len(line))
        return None


def _ends_with_newline(file: int, size: int) -> bool:
    return os.pread(file, 1, size - 1) == b"\n"
