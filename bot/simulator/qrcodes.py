"""带参数二维码: codes that tell where somebody scanned.

Source: developers.weixin.qq.com, 生成带参数的二维码.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.simulator.clock import Clock
from bot.simulator.endpoint import Answer, Call, Endpoint, Json
from bot.simulator.errors import ApiError

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount

DEFAULT_SECONDS, MOST_SECONDS = 60, 2_592_000
PERMANENT = 100_000
SCENE_CHARACTERS = 64
LARGEST_SCENE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class QrCode:
    ticket: str
    scene: str
    expires_at: datetime | None


class QrBook:
    """All codes of an account by ticket. *most_permanent* may be lowered by a test."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: dict[str, QrCode] = {}
        self._permanent = 0
        self.most_permanent = PERMANENT

    def add(self, scene: str, lasts: timedelta | None) -> QrCode:
        if lasts is None:
            if self._permanent >= self.most_permanent:
                raise ApiError(45029)
            self._permanent += 1
        expires = None if lasts is None else self._clock.now() + lasts
        code = QrCode("gQ" + secrets.token_urlsafe(64), scene, expires)
        self._codes[code.ticket] = code
        return code

    def find(self, ticket: str) -> QrCode | None:
        """The code of a ticket, None when there is none or it has expired."""
        code = self._codes.get(ticket)
        if code is None or (code.expires_at is not None and self._clock.now() > code.expires_at):
            return None
        return code

    def ticket_of(self, scene: str) -> str:
        """The newest valid ticket of a scene; one is made up for a code that hangs somewhere already."""
        for code in reversed(self._codes.values()):
            if code.scene == scene and self.find(code.ticket) is not None:
                return code.ticket
        return "gQ" + scene.encode().hex()


def create(call: Call[OfficialAccount]) -> Answer:
    action = call.body.get("action_name")
    scene = (call.part("action_info", 40053).get("scene") or {}) if action else {}
    temporary = action in ("QR_SCENE", "QR_STR_SCENE")
    if action in ("QR_SCENE", "QR_LIMIT_SCENE"):
        name = _number(scene, LARGEST_SCENE if temporary else PERMANENT)
    elif action in ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE"):
        name = _text(scene)
    else:
        raise ApiError(40053)
    seconds = call.number("expire_seconds", DEFAULT_SECONDS)
    if temporary and not 0 < seconds <= MOST_SECONDS:
        raise ApiError(40097)
    code = call.subject.qrcodes.add(name, timedelta(seconds=seconds) if temporary else None)
    answer: Json = {"ticket": code.ticket, "url": f"http://weixin.qq.com/q/{code.ticket[2:14]}"}
    return {**answer, "expire_seconds": seconds} if temporary else answer


def _number(scene: Json, largest: int) -> str:
    number = scene.get("scene_id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= largest:
        raise ApiError(40053)
    return str(number)


def _text(scene: Json) -> str:
    text = scene.get("scene_str")
    if not isinstance(text, str) or not 0 < len(text) <= SCENE_CHARACTERS:
        raise ApiError(40053)
    return text


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (Endpoint("POST", "/cgi-bin/qrcode/create", create),)
