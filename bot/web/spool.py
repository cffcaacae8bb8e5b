"""The last resort: what the database could not take is kept in a file, synced to the disk, until it can."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from bot.domain.inbound import Inbound
from storage.types import Seal

PLACE = "spool"


class Spool:
    """Sealed lines in one file. Taking empties it; what fails again is put back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def keep(self, *inbounds: Inbound) -> None:
        """Write down, and return when it is on the disk.

        Raises:
            OSError: the disk is full or gone; the platform must try again.
        """
        lines = b"".join(
            Seal.close(msgspec.json.encode(one), PLACE).hex().encode() + b"\n" for one in inbounds
        )
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())

    def waiting(self) -> list[Inbound]:
        """What is kept, in the order it came; a line cut off by a crash is left out."""
        with self._lock:
            if not self._path.exists():
                return []
            lines = self._path.read_bytes().split(b"\n")
        return [
            msgspec.json.decode(Seal.open(bytes.fromhex(line.decode()), PLACE), type=Inbound)
            for line in lines[:-1]
        ]

    def done(self, count: int) -> None:
        """The first `count` are in the database now."""
        with self._lock:
            rest = self._path.read_bytes().split(b"\n")[count:]
            fresh = self._path.with_suffix(".new")
            with fresh.open("wb") as file:
                file.write(b"\n".join(rest))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
