"""What is done to several conversations at once: how many will change is said before, and it can be undone after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console.inbox import lint, mentions, undo
from bot.console.inbox.handing import HELD, tomorrow_at_eight
from bot.console.inbox.pages import row_facts
from bot.console.pages import ZONE, shown
from bot.console.people import STAFF, Staff, conversation_for
from bot.console.services import RECEPTION
from bot.conversation import desk
from bot.outbox.wording import Wording
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import alerts, audit
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads
from storage.queries import desk as conversations
from storage.queries import staff as users
from storage.rows import Row

ACTIONS: Final[Mapping[str, str]] = {
    "take": "全部接手",
    "assign": "指派给同事",
    "snooze": "稍后处理（明早8点）",
    "tag": "打标签",
    "call": "加电话任务",
    "release": "交还小护并办结",
}
MOST: Final = 100
LABEL_LENGTH: Final = 30
CALL_WITHIN: Final = timedelta(hours=4)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do, to which conversations, with what."""

    action: str
    ids: Sequence[int]
    to: str  # a colleague, a tag, or why to call
    text: str  # said to the patients before it ends

    @classmethod
    async def of(cls, request: web.Request) -> Wish:
        """Read the form."""
        form = await request.post()
        ids = [int(str(one)) for one in form.getall("id", []) if str(one).isdigit()][:MOST]
        action = str(form.get("action", ""))
        if action not in ACTIONS:
            raise web.HTTPUnprocessableEntity
        to, text = (str(form.get(name, "")).strip() for name in ("to", "text"))
        return cls(action, ids, to[:200], text[:500])


@dataclass(slots=True)
class Work:
    """Somebody doing it, now."""

    db: sa.Connection
    staff: Staff
    now: datetime
    zone: ZoneInfo
    wording: Wording
    wish: Wish
    memory: undo.Memory

    def to(self, row: Row) -> None:
        """Do it to one of them."""
        getattr(self, f"_{self.wish.action}")(row)

    def _take(self, row: Row) -> None:
        desk.take(self.db, row.id, self.staff.name)

    def _assign(self, row: Row) -> None:
        to = self.wish.to
        desk.pass_on(self.db, row.id, to)
        threads.add_note(self.db, row.id, self.now, "event", self.staff.name, f"指派给 {to}", [to])
        mentions.tell(self.db, [to], row.id, self.now)

    def _snooze(self, row: Row) -> None:
        at = tomorrow_at_eight(self.now, self.zone)
        inbox_rows.snooze(self.db, row.id, at, self.staff.name, self.now)

    def _tag(self, row: Row) -> None:
        label = self.wish.to[:LABEL_LENGTH]
        for one in inbox_rows.people(self.db, [row.id]).get(row.id, [])[:1]:
            if threads.add_tag(self.db, one.code, label, self.staff.name, self.now):
                self.memory.tags.append((one.code, label))
            audit.append(self.db, self.staff.name, "tag", f"patient:{one.code}", label, self.now)

    def _call(self, row: Row) -> None:
        people = inbox_rows.people(self.db, [row.id]).get(row.id, [])
        key = f"call:bulk:{row.id}:{self.now.isoformat()}"
        values = {
            "at": self.now,
            "key": key,
            "contact_id": row.id,
            "patient_code": people[0].code if people else None,
            "kind": "callback",
            "reason": self.wish.to,
            "status": "open",
            "due_at": self.now + CALL_WITHIN,
        }
        alerts.add_task(self.db, values)
        self.memory.tasks.append(key)

    def _release(self, row: Row) -> None:
        by = row.nurse or self.staff.name
        if self.wish.text:
            desk.take(self.db, row.id, by)
            key = f"bulk:{self.now.isoformat()}"
            desk.reply(self.db, row.id, by, self.wish.text, self.now, key, self.now + HELD)
            self.memory.letters.append(f"nurse:{row.id}:{key}")
        at = self.now + HELD
        told = desk.release(self.db, row.id, by, self.wording, self.now, not_before=at)
        if told:
            self.memory.letters.append(told)
        conversations.close_tasks(self.db, row.id, self.now, self.staff.name)
        threads.add_note(self.db, row.id, self.now, "event", self.staff.name, "交还小护并办结")


def _judge(db: sa.Connection, staff: Staff, wish: Wish) -> list[tuple[Row, str]]:
    """Every chosen conversation, and why it would be skipped; empty: it would change."""
    judged = []
    for number in wish.ids:
        try:
            conversation_for(db, staff, number)
        except LookupError:
            continue
        row = inbox_rows.one(db, number)
        if row is not None:
            judged.append((row, _why_not(db, staff, wish.action, row)))
    return judged


def _why_not(db: sa.Connection, staff: Staff, action: str, row: Row) -> str:
    beside = action in ("tag", "call")  # it disturbs nobody who answers
    if not beside and row.owner == "human" and row.nurse != staff.name and staff.role != "manager":
        return f"{row.nurse} 处理中"
    if action in ("snooze", "release") and row.level is not None:
        return "有未关闭的警报"
    if action == "release" and row.owner == "bot":
        return "已由小护在答"
    if action == "tag" and not inbox_rows.people(db, [row.id]).get(row.id):
        return "还没有绑定患者"
    return ""


@routes.post("/console/bulk/preview")
async def preview(request: web.Request) -> web.Response:
    """How many will change, and which are skipped because of what."""
    wish, staff, now = await Wish.of(request), request[STAFF], request.app[CLOCK].now()
    today = now.astimezone(request.app[ZONE]).date()

    def read(db: sa.Connection) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
        judged = _judge(db, staff, wish)
        people = inbox_rows.people(db, [row.id for row, _ in judged])
        named = [(row_facts(row, people.get(row.id, []), today, now), why) for row, why in judged]
        return named, [
            one.name
            for one in users.everyone(db)
            if one.active and one.role in ("nurse", "agent", "coordinator")
        ]

    judged, colleagues = await request.app[DATABASE].read(read)
    return shown(
        request,
        "bulk.html",
        action=wish.action,
        label=ACTIONS[wish.action],
        judged=judged,
        colleagues=colleagues,
    )


def _problem(db: sa.Connection, wish: Wish) -> str:
    if wish.action == "assign" and ((to := users.user(db, wish.to)) is None or not to.active):
        return "没有这位同事。"
    if wish.action in ("tag", "call") and not wish.to:
        return "请写内容。"
    if findings := lint.check(wish.text):
        return "没有发送：" + "；".join(f"“{one.words}” {one.why}" for one in findings[:3])
    return ""


@routes.post("/console/bulk")
async def bulk(request: web.Request) -> web.Response:
    """Do it to those it can be done to."""
    wish, staff, now = await Wish.of(request), request[STAFF], request.app[CLOCK].now()
    zone, wording = request.app[ZONE], request.app[RECEPTION].wording

    def write(db: sa.Connection) -> tuple[str, str]:
        if problem := _problem(db, wish):
            return problem, ""
        going = [row for row, why in _judge(db, staff, wish) if not why]
        memory = undo.look(db, [row.id for row in going])
        work = Work(db, staff, now, zone, wording, wish, memory)
        for row in going:
            work.to(row)
        kept = undo.keep(db, staff, now, f"{ACTIONS[wish.action]}：{len(going)}个", memory) if going else ""
        return f"已处理 {len(going)} 个对话", kept

    words, kept = await request.app[DATABASE].write(write)
    request.app[WAKE].set()
    return shown(request, "toast.html", words=words, undo=kept, held=undo.SHOWN_FOR if kept else 0)
