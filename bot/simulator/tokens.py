"""Access tokens of an official account: two APIs that hand them out, each with its own rules.

Source: developers.weixin.qq.com, 获取接口调用凭据, 获取稳定版接口调用凭据.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.simulator.clock import Clock
from bot.simulator.errors import ApiError

LIFE = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)
FORCED_A_DAY = 20
FORCED_APART = timedelta(seconds=30)
PREFIX = "68_"
LENGTH = 136


@dataclass(slots=True)
class Token:
    """*replaced_at* is the moment from which the platform says 40001 for it."""

    value: str
    expires_at: datetime
    replaced_at: datetime | None = None

    def left(self, now: datetime) -> int:
        return int((self.expires_at - now).total_seconds())


class TokenBook:
    """All tokens of one account. `/token` and `/stable_token` do not invalidate each other's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Token] = {}
        self._classic: Token | None = None
        self._stable: Token | None = None
        self._forced: list[datetime] = []

    def classic(self) -> Token:
        """A new token at every call; the one before it lives for five minutes more."""
        now = self._clock.now()
        if self._classic is not None:
            self._classic.replaced_at = min(self._classic.replaced_at or now + OVERLAP, now + OVERLAP)
        self._classic = self._new(now)
        return self._classic

    def stable(self, *, force: bool = False) -> Token:
        """The same token until its last five minutes. *force* replaces it and kills the old one at once.

        Raises ApiError 45009 for the 21st forced refresh of 24 hours; one within 30 seconds of the last
        does not refresh.
        """
        now = self._clock.now()
        if force and self._may_force(now):
            self._forced.append(now)
            if self._stable is not None:
                self._stable.replaced_at = now
            self._stable = self._new(now)
        elif self._stable is None or self._unusable(self._stable, now):
            self._stable = self._new(now)
        return self._stable

    def check(self, value: str) -> None:
        """Raises ApiError 41001 missing, 40014 malformed, 40001 replaced or unknown, 42001 expired."""
        if not value:
            raise ApiError(41001)
        if not value.startswith(PREFIX) or len(value) != LENGTH:
            raise ApiError(40014)
        token, now = self._known.get(value), self._clock.now()
        if token is None or (token.replaced_at is not None and now >= token.replaced_at):
            raise ApiError(40001)
        if now >= token.expires_at:
            raise ApiError(42001)

    def owns(self, value: str) -> bool:
        return value in self._known

    def kill(self) -> None:
        """Every token issued so far is dead from now on (40001), as when somebody resets the secret."""
        now = self._clock.now()
        for token in self._known.values():
            token.replaced_at = now

    def _may_force(self, now: datetime) -> bool:
        self._forced = [moment for moment in self._forced if now - moment < timedelta(days=1)]
        if self._forced and now - self._forced[-1] < FORCED_APART:
            return False
        if len(self._forced) >= FORCED_A_DAY:
            raise ApiError(45009)
        return True

    def _unusable(self, token: Token, now: datetime) -> bool:
        return token.replaced_at is not None or now > token.expires_at - OVERLAP

    def _new(self, now: datetime) -> Token:
        value = PREFIX + secrets.token_urlsafe(LENGTH)[: LENGTH - len(PREFIX)]
        self._known[value] = Token(value, now + LIFE)
        return self._known[value]
