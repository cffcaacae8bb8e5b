"""What is written in one conversation, what becomes of it, and acting on an alarm."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.inbox import lint, mentions, promises
from bot.console.inbox.deeds import Deed, Done, Refused, Written, do
from bot.console.inbox.handing import alarmed
from bot.console.labels import ANOTHER_WAY
from bot.console.people import STAFF, conversation_for
from bot.conversation import desk
from bot.outbox import alarm
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import alerts, audit
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads
from storage.queries import desk as conversations
from storage.queries import staff as users
from storage.rows import Row

HELD = timedelta(seconds=8)  # how long a sent answer can be taken back
LONGEST = 2_000  # characters of one answer
# With these tried, a text message that asks to open the account is all that is left.
BUT_SMS: Final = "customer_service kf template wecom"
_MENTION = re.compile(r"@([^\s@，。,.:：;；!！?？]{1,50})")

routes = web.RouteTableDef()


def _send_at(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """A local time of the form field: 2026-11-18T15:30. None: now.

    Raises:
        Refused: it is not a time to come within 30 days.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Refused("定时发送的时间看不懂。") from None
    if not now < at < now + timedelta(days=30):
        raise Refused("定时发送要在30天以内的将来。")
    return at


@routes.post("/console/conversations/{id:\\d+}/reply")
async def reply(request: web.Request) -> web.Response:
    """Write to the patient, a note for colleagues, or what was said on the telephone. Twice pressed is once."""
    form = await request.post()
    text, key, mode = (str(form.get(name, "")).strip() for name in ("text", "key", "mode"))
    at, at_once = str(form.get("at", "")), bool(form.get("now"))

    def act(deed: Deed) -> Done | None:
        if not text:
            return None
        if mode in ("note", "call"):
            _note(deed, text, mode)
            return Done("已记录，患者看不到")
        return _answer(deed, text, key, at, at_once=at_once)

    return await do(request, act, Written(mode or "reply", text))


@routes.post("/console/conversations/{id:\\d+}/note")
async def note(request: web.Request) -> web.Response:
    """Something for colleagues; also for those who do not answer patients."""
    form = await request.post()
    text = str(form.get("text", "")).strip()
    return await do(request, lambda deed: _note(deed, text, "note") if text else None)


def _note(deed: Deed, text: str, kind: str) -> None:
    known = {one.name for one in users.everyone(deed.db) if one.active}
    mentioned = sorted({name for name in _MENTION.findall(text) if name in known} - {deed.staff.name})
    threads.add_note(deed.db, deed.contact_id, deed.now, kind, deed.staff.name, text[:LONGEST], mentioned)
    mentions.tell(deed.db, mentioned, deed.contact_id, deed.now)
    inbox_rows.keep_draft(deed.db, deed.contact_id, deed.staff.name, "", "", deed.now)


def _answer(deed: Deed, text: str, key: str, at: str, *, at_once: bool) -> Done:
    if len(text) > LONGEST:
        raise Refused(f"一次最多 {LONGEST} 字，请分开发送。")
    in_danger, acknowledged = alarmed(deed)
    if findings := lint.check(text, alarm=in_danger, acknowledged=acknowledged):
        raise Refused(
            "没有发送：" + "；".join(f"“{one.words}” {one.why}" for one in findings[:3]) + "。请改后再发。"
        )
    later = _send_at(at, deed.now, deed.zone)
    due = later or (deed.now if at_once else deed.now + HELD)
    letter = desk.reply(deed.db, deed.contact_id, deed.staff.name, text, deed.now, key, due)
    inbox_rows.keep_draft(deed.db, deed.contact_id, deed.staff.name, "", "", deed.now)
    if letter is None:
        return Done()
    promised = _promise(deed, text)
    undo = f"/console/conversations/{deed.contact_id}/letters/{letter}/recall"
    if later is not None:
        return Done(f"将在 {later:%m-%d %H:%M} 发送。{promised}", undo, 8)
    return Done(promised, "" if at_once else undo, 0 if at_once else int(HELD.total_seconds()))


def _promise(deed: Deed, text: str) -> str:
    promise = promises.read_promise(text, deed.now.astimezone(deed.zone))
    if promise is None:
        return ""
    values = {
        "at": deed.now,
        "key": f"promise:{deed.contact_id}:{promise.due.isoformat()}",
        "contact_id": deed.contact_id,
        "kind": "callback",
        "reason": promise.text[:200],
        "status": "open",
        "due_at": promise.due,
        "assigned_to": deed.staff.name,
    }
    if alerts.add_task(deed.db, values) is None:
        return ""
    return f"已记下承诺：{promise.due:%m-%d %H:%M} 前回电。"


@routes.post("/console/conversations/{id:\\d+}/letters/{letter:\\d+}/recall")
async def recall(request: web.Request) -> web.Response:
    """Take an answer back before it goes; its words return to the composer."""
    number = int(request.match_info["letter"])

    def act(deed: Deed) -> Done:
        row = inbox_rows.letter(deed.db, deed.contact_id, number)
        if row is None or not inbox_rows.recall(deed.db, deed.contact_id, number, deed.staff.name):
            raise Refused("来不及撤回，已经发出。")
        inbox_rows.keep_draft(
            deed.db, deed.contact_id, deed.staff.name, "reply", row.body.get("text", ""), deed.now
        )
        return Done("已撤回，内容放回了输入框")

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/letters/{letter:\\d+}/now")
async def send_now(request: web.Request) -> web.Response:
    """Do not wait: send it."""

    def act(deed: Deed) -> None:
        until = deed.now + timedelta(days=31)
        inbox_rows.send_now(deed.db, deed.contact_id, deed.staff.name, deed.now, until)

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/letters/{letter:\\d+}/way")
async def another_way(request: web.Request) -> web.Response:
    """What could not be delivered is sent again, becomes a text message, or a call."""
    number, way = int(request.match_info["letter"]), str((await request.post()).get("way", ""))
    if way not in ANOTHER_WAY:
        raise web.HTTPUnprocessableEntity

    def act(deed: Deed) -> Done:
        row = inbox_rows.letter(deed.db, deed.contact_id, number)
        if row is None:
            raise LookupError(number)
        if way == "call":
            _call_instead(deed, row)
            return Done("已转为电话任务，1小时内")
        if not inbox_rows.send_again(deed.db, number, deed.now, BUT_SMS if way == "sms" else ""):
            raise Refused("这条消息不能再发了，请打电话。")
        deed.event(f"{ANOTHER_WAY[way]}了一条没送到的消息")
        return Done("正在重新发送" if way == "again" else "正在改发短信通知")

    return await do(request, act)


def _call_instead(deed: Deed, row: Row) -> None:
    values = {
        "at": deed.now,
        "key": f"call:letter:{row.id}",
        "contact_id": deed.contact_id,
        "patient_code": row.patient_code,
        "kind": "callback",
        "reason": row.body.get("text", "")[:200],
        "status": "open",
        "due_at": deed.now + timedelta(hours=1),
        "assigned_to": deed.staff.name,
    }
    alerts.add_task(deed.db, values)


@routes.post("/console/conversations/{id:\\d+}/draft")
async def keep_draft(request: web.Request) -> web.Response:
    """What is being written outlives the page."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    contact_id, mode = int(request.match_info["id"]), str(form.get("mode", "reply"))
    text = str(form.get("text", ""))[:LONGEST]

    def write(db: sa.Connection) -> None:
        conversation_for(db, staff, contact_id)
        inbox_rows.keep_draft(db, contact_id, staff.name, mode, text.strip() and text, now)

    try:
        await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return web.Response(status=204)


@routes.post("/console/conversations/{id:\\d+}/slots")
async def correct_slot(request: web.Request) -> web.Response:
    """What was understood wrongly is put right on the card; who did it stands in the thread."""
    form = await request.post()
    slot, value = str(form.get("slot", ""))[:60], str(form.get("value", "")).strip()[:200]

    def act(deed: Deed) -> Done:
        if not inbox_rows.correct_slot(deed.db, deed.contact_id, slot, value):
            raise Refused("没有这一项。")
        deed.event(f"更正了转接信息：{labels.SLOTS.get(slot, slot)}")
        return Done("已更正")

    return await do(request, act)


def _alarm(deed: Deed, number: int) -> Row:
    """An alarm of this conversation, and of no other."""
    for row in conversations.alerts_of(deed.db, deed.contact_id):
        if row.id == number:
            return row
    raise LookupError(number)


@routes.post("/console/conversations/{id:\\d+}/alerts/{alert:\\d+}/acknowledge")
async def acknowledge(request: web.Request) -> web.Response:
    """I have seen it and I act. That does not close it."""
    number = int(request.match_info["alert"])

    def act(deed: Deed) -> None:
        _alarm(deed, number)
        if not alarm.acknowledge(deed.db, number, deed.staff.name, deed.now):
            by = alerts.acknowledged_by(deed.db, number)
            if by and by != deed.staff.name:
                raise Refused(f"{by} 已经认领了这个警报。")
        deed.event(f"认领了警报 {number}")

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/alerts/{alert:\\d+}/close")
async def close(request: web.Request) -> web.Response:
    """How it ended; without that it stays open."""
    number, form = int(request.match_info["alert"]), await request.post()
    disposition = str(form.get("disposition", ""))

    def act(deed: Deed) -> None:
        if disposition not in labels.DISPOSITIONS:
            raise Refused("请选择处置结果，再关闭警报。")
        row = _alarm(deed, number)
        alerts.change_alert(
            deed.db,
            number,
            status="closed",
            disposition=disposition,
            closed_at=deed.now,
            acknowledged_by=row.acknowledged_by or deed.staff.name,
            next_rung_at=None,
        )
        audit.append(deed.db, deed.staff.name, "close alarm", f"alert:{number}", disposition, deed.now)
        deed.event(f"关闭了警报 {number}：{labels.DISPOSITIONS[disposition]}")

    return await do(request, act)
