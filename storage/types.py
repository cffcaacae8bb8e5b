"""Column types: moments that know their zone, and text that is unreadable at rest."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite forgets time zones, so UTC goes in and UTC comes out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"naive datetime {value!r}: every moment here knows its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SealBroken(Exception):
    """A sealed value cannot be opened: another XIAOHU_SECRET_KEY wrote it, or it was altered."""


class Seal:
    """The keys of this process, made from XIAOHU_SECRET_KEY. Set once, at start, by `use`."""

    _cipher: AESGCM | None = None
    _index_key: bytes = b""

    @classmethod
    def use(cls, secret: str) -> None:
        """Derive the keys from the hospital's secret."""
        material = HKDF(SHA256(), 64, salt=None, info=b"xiaohu at rest v1").derive(secret.encode())
        cls._cipher = AESGCM(material[:32])
        cls._index_key = material[32:]

    @classmethod
    def close(cls, plain: bytes, place: str) -> bytes:
        """Encrypt for one place (table.column): a value moved elsewhere does not open."""
        if cls._cipher is None:
            raise SealBroken("XIAOHU_SECRET_KEY has not been read yet")
        nonce = os.urandom(12)
        return b"\x01" + nonce + cls._cipher.encrypt(nonce, plain, place.encode())

    @classmethod
    def open(cls, sealed: bytes, place: str) -> bytes:
        """Decrypt what `close` made.

        Raises:
            SealBroken: another key or place made it.
        """
        if cls._cipher is None:
            raise SealBroken("XIAOHU_SECRET_KEY has not been read yet")
        try:
            return cls._cipher.decrypt(sealed[1:13], sealed[13:], place.encode())
        except InvalidTag as error:
            raise SealBroken(f"{place}: written with another XIAOHU_SECRET_KEY, or altered") from error

    @classmethod
    def index(cls, value: str) -> str:
        """A keyed fingerprint: equal values can be found, none can be read back."""
        return hmac.new(cls._index_key, value.encode(), hashlib.sha256).hexdigest()[:40]


class SealedText(TypeDecorator[str]):
    """Text that is encrypted at rest. Cannot be searched: keep a `Seal.index` beside it."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        # Lone surrogates cannot be stored by anyone; a patient's text must not fail on them.
        return None if value is None else Seal.close(value.encode(errors="replace"), self.place)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else Seal.open(bytes(value), self.place).decode()


class SealedJSON(TypeDecorator[Any]):
    """A JSON value that is encrypted at rest."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else Seal.close(msgspec.json.encode(value), self.place)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(Seal.open(bytes(value), self.place))
