"""Daily quotas of a newly registered account, counted anew from midnight in Beijing.

Source: developers.weixin.qq.com, 接口调用频次限制说明.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from bot.simulator.errors import ApiError

BEIJING = timezone(timedelta(hours=8))

# API → (a day, a day on a sandbox account)
DAILY: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "/cgi-bin/token": (2000, 200),
        "/cgi-bin/stable_token": (500_000, 500_000),
        "/cgi-bin/menu/create": (1000, 100),
        "/cgi-bin/menu/get": (10_000, 1000),
        "/cgi-bin/menu/delete": (1000, 100),
        "/cgi-bin/menu/addconditional": (2000, 2000),
        "/cgi-bin/menu/delconditional": (2000, 2000),
        "/cgi-bin/menu/trymatch": (20_000, 20_000),
        "/cgi-bin/media/upload": (100_000, 500),
        "/cgi-bin/media/get": (200_000, 1000),
        "/cgi-bin/message/custom/send": (500_000, 50_000),
        "/cgi-bin/message/template/send": (100_000, 100_000),
        "/cgi-bin/message/mass/sendall": (100, 100),
        "/cgi-bin/message/mass/send": (100, 100),
        "/cgi-bin/message/mass/delete": (10, 10),
        "/cgi-bin/message/mass/preview": (100, 100),
        "/cgi-bin/qrcode/create": (100_000, 10_000),
        "/cgi-bin/user/get": (500, 100),
        "/cgi-bin/user/info": (5_000_000, 500_000),
        "/cgi-bin/user/info/updateremark": (10_000, 10_000),
        "/cgi-bin/draft/add": (1000, 1000),
    }
)

CLEARS_A_MONTH = 10


class DailyQuota:
    """How often each API has been called today. *limits* may be lowered by a test."""

    def __init__(self, *, sandbox: bool) -> None:
        self.limits = {path: pair[1 if sandbox else 0] for path, pair in DAILY.items()}
        self._used: Counter[str] = Counter()
        self._day: object = None
        self._clears: Counter[tuple[int, int]] = Counter()

    def use(self, path: str, now: datetime) -> None:
        """Count one call. Raises ApiError 45009 over the limit."""
        limit = self.limits.get(path)
        if limit is None:
            return
        self._roll(now)
        if self._used[path] >= limit:
            raise ApiError(45009)
        self._used[path] += 1

    def used(self, path: str, now: datetime) -> int:
        self._roll(now)
        return self._used[path]

    def clear(self, now: datetime) -> None:
        """Start all counters again. Raises ApiError 48006 for the eleventh time in a month."""
        local = now.astimezone(BEIJING)
        month = (local.year, local.month)
        if self._clears[month] >= CLEARS_A_MONTH:
            raise ApiError(48006)
        self._clears[month] += 1
        self._used.clear()

    def _roll(self, now: datetime) -> None:
        today = now.astimezone(BEIJING).date()
        if today != self._day:
            self._day = today
            self._used.clear()
