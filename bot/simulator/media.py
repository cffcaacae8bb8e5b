"""Temporary media: kept for three days, then invalid."""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.simulator.clock import Clock
from bot.simulator.errors import ApiError

KEPT = timedelta(days=3)

# type → (most bytes, file endings). The image size is 10 MB on one half of the page and 2 MB on the other.
UPLOADS: Mapping[str, tuple[int, tuple[str, ...]]] = MappingProxyType(
    {
        "image": (10 * 1024 * 1024, (".png", ".jpg", ".jpeg", ".gif")),
        "voice": (2 * 1024 * 1024, (".amr", ".mp3")),
        "video": (10 * 1024 * 1024, (".mp4",)),
        "thumb": (64 * 1024, (".jpg",)),
    }
)
WECOM_UPLOADS: Mapping[str, tuple[int, tuple[str, ...]]] = MappingProxyType(
    {
        "image": (10 * 1024 * 1024, (".png", ".jpg", ".jpeg")),
        "voice": (2 * 1024 * 1024, (".amr",)),
        "video": (10 * 1024 * 1024, (".mp4",)),
        "file": (20 * 1024 * 1024, ("",)),
    }
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Media:
    id: str
    kind: str
    file: Upload
    created_at: datetime


class MediaStore:
    """Files by media_id, those users send and those the server uploads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, Media] = {}

    def keep(self, kind: str, file: Upload) -> Media:
        media = Media(secrets.token_urlsafe(48), kind, file, self._clock.now())
        self._files[media.id] = media
        return media

    def upload(self, kind: str, file: Upload, rules: Mapping[str, tuple[int, tuple[str, ...]]]) -> Media:
        """Keep a file the server sent. Raises ApiError 40004 for a wrong type, 40006 for a wrong size."""
        if kind not in rules:
            raise ApiError(40004)
        most, endings = rules[kind]
        if not file.filename.lower().endswith(endings):
            raise ApiError(40004)
        if not 0 < len(file.content) <= most:
            raise ApiError(40006)
        return self.keep(kind, file)

    def get(self, media_id: str) -> Media:
        """Raises ApiError 40007 when unknown or older than three days."""
        media = self._files.get(media_id)
        if media is None or self._clock.now() - media.created_at > KEPT:
            raise ApiError(40007)
        return media

    def has(self, media_id: str) -> bool:
        try:
            self.get(media_id)
        except ApiError:
            return False
        return True


def plain_picture(width: int = 64, height: int = 48, colour: tuple[int, int, int] = (7, 193, 96)) -> bytes:
    """A PNG in one colour, for users who send a picture without saying which."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(colour) * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


SILENCE = b"#!AMR\n" + b"\x7c" + bytes(31)
"""One frame of an AMR voice note."""
