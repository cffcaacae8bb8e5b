"""One API of the platform: its path, who may call it, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Generic, TypeAlias, TypeVar

from bot.simulator.errors import ApiError
from bot.simulator.media import Upload

Subject = TypeVar("Subject")
Json: TypeAlias = dict[str, Any]

OK: Json = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True, slots=True)
class Binary:
    """A file instead of JSON."""

    content: bytes
    content_type: str
    filename: str = ""


Answer: TypeAlias = Json | Binary


class Credential(Enum):
    """What a call shows to say whom it is for."""

    TOKEN = auto()
    SECRET_IN_QUERY = auto()
    SECRET_IN_BODY = auto()
    APP_ID_IN_QUERY = auto()
    USER_TOKEN = auto()


@dataclass(frozen=True, slots=True)
class Call(Generic[Subject]):
    """One call: *subject* is the account or app it acts for, *body* the JSON object of a POST."""

    subject: Subject
    query: Mapping[str, str]
    body: Json
    now: datetime
    upload: Upload | None = None

    def text(self, name: str, code: int = 40035) -> str:
        """A non-empty string of the body. Raises ApiError *code*."""
        return text_in(self.body, name, code)

    def number(self, name: str, default: int, code: int = 40035) -> int:
        """An integer of the body. Raises ApiError *code*."""
        value = self.body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError(code, f"{name} is not a number")
        return value

    def items(self, name: str, code: int = 40035) -> list[Any]:
        """A non-empty list of the body. Raises ApiError *code*."""
        value = self.body.get(name)
        if not isinstance(value, list) or not value:
            raise ApiError(code, f"{name} is not a list")
        return value

    def part(self, name: str, code: int = 40035) -> Json:
        """An object of the body. Raises ApiError *code*."""
        value = self.body.get(name)
        if not isinstance(value, dict):
            raise ApiError(code, f"{name} is missing")
        return value


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Subject]):
    """*method* is checked as the platform does (43001, 43002); *verified* keeps others out (48001)."""

    method: str
    path: str
    answer: Callable[[Call[Subject]], Answer]
    credential: Credential = Credential.TOKEN
    verified: bool = False


def text_in(part: Mapping[str, Any], name: str, code: int = 40035) -> str:
    """A non-empty string of a JSON object. Raises ApiError *code*."""
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(code, f"{name} is missing")
    return value


def byte_length(text: str) -> int:
    """Length in UTF-8 bytes, the unit of most of the platform's limits."""
    return len(text.encode())
