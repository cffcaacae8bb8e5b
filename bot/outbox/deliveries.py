"""What the platform says became of a template message, minutes or seconds after it took it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog

from bot.domain.letter import LetterState
from bot.domain.patient import Contact
from bot.outbox.outcomes import sent_messages
from storage.queries import outbox

log = structlog.get_logger()


def finished(db: sa.Connection, platform_id: str, status: str, now: datetime, *, contact: Contact) -> None:
    """A TEMPLATESENDJOBFINISH of this user's: delivered, or not by this way.

    The event may overtake the answer to our call, or come when that answer was lost: the letter is then still
    `sending`, and the only one on its way to this user.
    *status* is `success`, `failed:user block` or `failed: system failed`.
    Source: developers.weixin.qq.com, 模板消息 事件推送.
    """
    row = outbox.on_its_way(db, contact.id, platform_id)
    if row is None:
        return
    # Whoever is still waiting for the answer has no say any more.
    change = {"id": row.id, "platform_id": platform_id, "claimed_until": None, "fence": row.fence + 1}
    if status == "success":
        if row.state != LetterState.SENT:
            outbox.keep_sent(db, sent_messages(row, (row.body["text"],), contact.account, contact.id, now))
        outbox.change_letters(db, [{**change, "state": LetterState.DELIVERED.value, "reason": ""}])
        return
    log.warning("template_not_delivered", letter=row.id, status=status)
    tried = " ".join(sorted({*row.tried.split(), "template"}))
    outbox.change_letters(
        db,
        [
            {
                **change,
                "state": LetterState.QUEUED.value,
                "reason": f"template:{status.partition(':')[2].strip() or status}",
                "tried": tried,
                "attempts": 0,
                "not_before": now,
                "platform_id": "",
            }
        ],
    )
