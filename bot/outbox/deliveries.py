"""What the platform says became of a template message, minutes or seconds after it took it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from bot.domain.letter import LetterState
from bot.domain.patient import Contact
from bot.outbox.outcomes import sent_messages
from storage.queries import outbox
from storage.rows import Row

log = structlog.get_logger()


def finished(db: sa.Connection, platform_id: str, status: str, now: datetime, *, contact: Contact) -> None:
    """A TEMPLATESENDJOBFINISH of this user's: delivered, or not by this way.

    The event may overtake the answer to our call, or come when that answer was lost: the letter is then still
    `sending`, and the only one on its way to this user.
    *status* is `success`, `failed:user block` or `failed: system failed`.
    Source: developers.weixin.qq.com, 模板消息 事件推送.
    """
    row = outbox.on_its_way(db, contact.id, "template", platform_id)
    if row is None:
        return
    if status != "success":
        _another_way(db, row, status.partition(":")[2].strip() or status, now)
        return
    if row.state != LetterState.SENT:
        outbox.keep_sent(db, sent_messages(row, (row.body["text"],), contact.account, contact.id, now))
    settled = {"state": LetterState.DELIVERED.value, "reason": "", "platform_id": platform_id}
    outbox.change_letters(db, [{"id": row.id, **settled, **_taken_from_sender(row)}])


def refused(db: sa.Connection, msgid: str, fail_type: str, now: datetime, *, contact: Contact) -> None:
    """A msg_send_fail of 微信客服: it took the message, and did not deliver it.

    Source: developer.work.weixin.qq.com, 微信客服 接收消息和事件.
    """
    row = outbox.on_its_way(db, contact.id, "kf", msgid)
    if row is not None:
        _another_way(db, row, fail_type, now)


def _another_way(db: sa.Connection, row: Row, why: str, now: datetime) -> None:
    log.warning("letter_not_delivered", letter=row.id, channel=row.channel, why=why)
    again = {
        "state": LetterState.QUEUED.value,
        "reason": f"{row.channel}:{why}",
        "tried": " ".join(sorted({*row.tried.split(), row.channel})),
        "attempts": 0,
        "not_before": now,
        "platform_id": "",
    }
    outbox.change_letters(db, [{"id": row.id, **again, **_taken_from_sender(row)}])


def _taken_from_sender(row: Row) -> dict[str, Any]:
    """Whoever is still waiting for the answer has no say any more."""
    return {"claimed_until": None, "fence": row.fence + 1}
