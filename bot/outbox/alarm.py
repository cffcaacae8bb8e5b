"""Alarms: the row, and the letters that wake a nurse, in the transaction of the message that caused them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.letter import Letter, Purpose
from bot.outbox import letters
from storage.queries import alerts

NURSES = ("nurse",)
NOTICE = "【小护】{level}级警报,请立即登录控制台处理。"  # no health text: it goes to phones


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
