"""Alarms: the row, and the letters that wake a nurse, in the transaction of the message that caused them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.sms import Sms, SmsPort
from bot.domain.clock import Clock
from bot.domain.letter import Letter, Purpose
from bot.outbox import letters
from bot.outbox.routes import client_id
from storage.database import Database
from storage.queries import alerts

log = structlog.get_logger()

NURSES = ("nurse",)
LEARN_EVERY = timedelta(minutes=1)
NOTICE = "【小护】{level}级警报,请立即登录控制台处理。"  # no health text: it goes to phones
DIRECT_NOTICE = "【小护】紧急警报:有患者描述危险情况,系统暂时无法登记,请立即查看微信公众号后台。"


def raise_alert(db: sa.Connection, now: datetime, values: Mapping[str, Any], notice: str) -> int:
    """Raise an alarm and owe it to the nurses on duty; the number of the (perhaps earlier) alarm.

    The same danger sign of the same user, still open, stays one alarm: a storm must not hide the next one.
    `notice` is what staff read on WeCom and by SMS; it carries no health text.
    """
    known = alerts.open_alert(db, values["contact_id"], values["concept"], values["level"])
    if known is not None:
        return known
    number = alerts.add_alert(db, values)
    tell_nurses(db, now, number, values["level"], notice)
    return number


def tell_nurses(db: sa.Connection, now: datetime, alert_id: int, level: str, notice: str) -> None:
    """Level E goes to every nurse on duty by WeCom and by SMS; the others by WeCom."""
    for nurse in alerts.on_duty(db, now, NURSES):
        addresses = [f"wecom:{nurse.wecom_userid}"] if nurse.wecom_userid else []
        if nurse.phone and (level == "E" or not addresses):
            addresses.append(f"sms:{nurse.phone}")
        for address in addresses:
            channel = address.partition(":")[0]
            letters.put(
                db,
                Letter(
                    key=f"alert:{alert_id}:0:{nurse.name}:{channel}",
                    purpose=Purpose.ALARM,
                    text=f"{notice}警报编号 {alert_id}。",
                    not_before=now,
                    address=address,
                    plan="alert",
                    step=str(alert_id),
                    author="bot",
                ),
                now,
            )


def raise_unanswered(db: sa.Connection, now: datetime) -> int:
    """A safety check that nobody answered in time counts as happening: the nurses are told; how many there were."""
    unanswered = alerts.unanswered(db, now)
    for row in unanswered:
        alerts.change_alert(db, row.id, status="open", next_rung_at=None)
        tell_nurses(db, now, row.id, row.level, NOTICE.format(level=row.level))
    return len(unanswered)


def acknowledge(db: sa.Connection, alert_id: int, by: str, now: datetime) -> bool:
    """Somebody acts on it. Acknowledged is not solved: closing needs a disposition. False: it was not open."""
    return alerts.acknowledge(db, alert_id, by, now)


def acknowledge_by_wecom(db: sa.Connection, alert_id: int, userid: str, now: datetime) -> bool:
    """The same by the button of a WeCom card. Pressing again, by the same colleague, is still a yes."""
    by = alerts.user_of_wecom(db, userid) or userid
    return acknowledge(db, alert_id, by, now) or alerts.acknowledged_by(db, alert_id) == by


class DirectLine:
    """Rings the nurses on duty when the database cannot: straight by SMS, at phones learnt while it could."""

    def __init__(self, database: Database, clock: Clock, port: SmsPort | None) -> None:
        self._database = database
        self._clock = clock
        self._port = port
        self._phones: tuple[str, ...] = ()
        self._learnt_at: datetime | None = None

    async def learn(self) -> None:
        """Look who is on duty, once a minute."""
        now = self._clock.now()
        if self._port is None or (self._learnt_at is not None and now - self._learnt_at < LEARN_EVERY):
            return
        nurses = await self._database.read(lambda db: alerts.on_duty(db, now, NURSES))
        self._phones = tuple(nurse.phone for nurse in nurses if nurse.phone)
        self._learnt_at = now

    async def ring(self, reason: str) -> None:
        """Tell them all that somebody is in danger. The same reason twice has the same numbers."""
        await asyncio.gather(*(self._ring(reason, phone) for phone in self._phones))

    async def _ring(self, reason: str, phone: str) -> None:
        assert self._port is not None
        number = client_id(f"direct:{reason}:{phone}")
        try:
            await self._port.send(Sms(number, self._clock.now(), phone, "alarm", DIRECT_NOTICE))
        except (Refused, Unreached, OutcomeUnknown) as error:
            log.error("direct_alarm_failed", error=type(error).__name__)
