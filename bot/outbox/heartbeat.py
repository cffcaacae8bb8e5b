"""Is anybody's alarm still on its way? Every process looks, and rings the operators itself when it is not.

The way of an alarm is: the database takes it, a worker looks at what is due, a letter leaves. Each part leaves a trace;
one that has been missing for minutes is told to the operators straight by SMS, past database and outbox. A process
that is dead tells nobody: run two, or let the hospital's monitoring ask `/readyz`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.sms import Sms, SmsPort
from bot.domain.clock import Clock
from bot.outbox.routes import client_id
from storage.database import Database
from storage.queries import alerts, cursors, outbox, tokens

log = structlog.get_logger()

BEAT: Final = "heartbeat"
LOOK_EVERY: Final = timedelta(seconds=30)
MISSING: Final = timedelta(minutes=5)  # then it is trouble
TOLD_AGAIN: Final = timedelta(minutes=30)
LOOKS: Final = 2  # in a row, before anybody is rung: one may fall into a restart
OPERATORS: Final = ("admin", "manager")
STAND_INS: Final = ("coordinator", "nurse")  # where no operator has a phone
TROUBLES: Final = {
    "database": "数据库没有响应",
    "worker": "后台任务已停止",
    "letters": "警报没有发出",
}
TEXT: Final = "【小护】系统异常：{trouble}，超过{minutes}分钟。护士可能收不到警报，请立即检查，其间请值守微信后台和电话。"
OVER: Final = "【小护】系统已恢复正常。"


@dataclass(slots=True)
class Heartbeat:
    """One process's watch."""

    database: Database
    clock: Clock
    machine_clock: Clock
    port: SmsPort | None
    looked_at: Callable[[], datetime | None] = lambda: None  # when this process's worker last looked
    patience: timedelta = timedelta(seconds=10)  # with the database, at one look
    _phones: tuple[str, ...] = ()
    _away_since: datetime | None = None
    _seen: tuple[str, int] = ("", 0)  # trouble, and at how many looks in a row
    _told: tuple[str, datetime] | None = None  # trouble, when
    _began_at: datetime | None = field(default=None)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Leave a trace, look for those of the others, and ring when one is missing."""
        now = self.machine_clock.now()
        self._began_at = self._began_at or now
        trouble = await self._trouble(now)
        name, times = self._seen
        self._seen = (trouble, times + 1 if trouble == name else 1)
        if trouble and self._seen[1] >= LOOKS:
            await self._tell(trouble, now)
        elif not trouble and self._told is not None:
            told, self._told = self._told, None
            log.warning("alarm_way_restored", trouble=told[0])
            await self._ring(f"over:{told[0]}:{told[1]:%Y%m%d%H%M}", OVER)

    async def _trouble(self, now: datetime) -> str:
        """What has been missing for minutes; empty: nothing."""
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                beat, stuck = await self.database.write(lambda db: self._traces(db, now))
        except Exception as error:
            log.error("heartbeat_without_database", error=type(error).__name__)
            self._away_since = self._away_since or now
            return "database" if now - self._away_since >= MISSING else ""
        self._away_since = None
        if beat is not None and now - beat >= MISSING:
            return "worker"
        return "letters" if stuck else ""

    def _traces(self, db: sa.Connection, now: datetime) -> tuple[datetime | None, bool]:
        """When any process's worker last looked, and whether an alarm has been waiting since long."""
        roles = OPERATORS if _phones(db, self.clock.now(), OPERATORS) else STAND_INS
        self._phones = _phones(db, self.clock.now(), roles)
        kept = cursors.read(db, BEAT)
        newest = datetime.fromisoformat(kept) if kept else None
        own = self.looked_at()
        if own is not None and (newest is None or own > newest):
            cursors.move(db, BEAT, own.astimezone(UTC).isoformat())
            newest = own
        elif newest is None:
            newest = self._began_at
        return newest, outbox.alarm_waits(db, self.clock.now() - MISSING)

    async def _tell(self, trouble: str, now: datetime) -> None:
        if self._told is not None and self._told[0] == trouble and now - self._told[1] < TOLD_AGAIN:
            return
        self._told = (trouble, now)
        log.critical("alarm_way_broken", trouble=trouble)
        if trouble != "database" and not await self._mine(trouble, now):
            return  # another process tells them
        minutes = int(MISSING / timedelta(minutes=1))
        await self._ring(
            f"{trouble}:{now:%Y%m%d%H%M}", TEXT.format(trouble=TROUBLES[trouble], minutes=minutes)
        )

    async def _mine(self, trouble: str, now: datetime) -> bool:
        until = now + TOLD_AGAIN - LOOK_EVERY
        with suppress(Exception):
            return await self.database.write(
                lambda db: tokens.take_lease(db, f"{BEAT}:{trouble}", client_id(str(id(self))), now, until)
            )
        return True

    async def _ring(self, reason: str, text: str) -> None:
        if self.port is None:
            return
        for phone in self._phones:
            number = client_id(f"{BEAT}:{reason}:{phone}")
            try:
                await self.port.send(Sms(number, self.clock.now(), phone, "alarm", text))
            except (Refused, Unreached, OutcomeUnknown) as error:
                log.error("heartbeat_alarm_failed", error=type(error).__name__)


def _phones(db: sa.Connection, now: datetime, roles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.phone for one in alerts.on_duty(db, now, roles) if one.phone)
