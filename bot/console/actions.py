"""What is done in one conversation: take it, write, note, snooze, pass on, hand back, act on an alarm."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels, lint, promises
from bot.console.pages import ZONE, shown
from bot.console.people import STAFF, Staff, conversation_for
from bot.console.services import RECEPTION
from bot.console.thread import thread_facts
from bot.conversation import desk
from bot.outbox import alarm
from bot.web.api import WAKE
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
_MENTION = re.compile(r"@([^\s@，。,.:：;；!！?？]{1,50})")

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody, about to do something to a conversation they may see."""

    db: sa.Connection
    contact_id: int
    staff: Staff
    now: datetime
    zone: ZoneInfo


class Refused(Exception):
    """It cannot be done as it was asked; the colleague reads why, and keeps what they wrote."""


@dataclass(frozen=True, slots=True)
class Done:
    """What to tell the colleague. `undo`: where pressing 撤回 posts to; `held`: seconds it can be pressed."""

    words: str = ""
    undo: str = ""
    held: int = 0


Act = Callable[[Deed], Done | None]


async def _act(request: web.Request, act: Act) -> web.Response:
    """Do one thing, and show the conversation as it is then."""
    contact_id, staff, now = int(request.match_info["id"]), request[STAFF], request.app[CLOCK].now()
    zone, problem, done = request.app[ZONE], "", None

    def write(db: sa.Connection) -> Done | None:
        conversation_for(db, staff, contact_id)
        return act(Deed(db, contact_id, staff, now, zone))

    try:
        done = await request.app[DATABASE].write(write)
    except desk.TakenByAnother as error:
        problem = f"{error.nurse} 已接手这个对话，您的内容没有发送。"
    except desk.NotTaken:
        problem = "请先接手，再回复。"
    except Refused as error:
        problem = str(error)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    thread = await thread_facts(request, contact_id)
    return shown(
        request,
        "thread.html",
        thread=thread,
        problem=problem,
        done=done or Done(),
        status=409 if problem else 200,
    )


def _event(deed: Deed, words: str, mentioned: tuple[str, ...] = ()) -> None:
    threads.add_note(deed.db, deed.contact_id, deed.now, "event", deed.staff.name, words, mentioned)


@routes.post("/console/conversations/{id:\\d+}/take")
async def take(request: web.Request) -> web.Response:
    """Mine: the bot is silent now. Of two who press at once, one has it and the other is told who."""

    def act(deed: Deed) -> None:
        desk.take(deed.db, deed.contact_id, deed.staff.name)
        inbox_rows.wake(deed.db, [deed.contact_id])
        _event(deed, "接手了对话")

    return await _act(request, act)


def _alarm_state(deed: Deed) -> tuple[bool, bool]:
    """Whether an alarm is open, and whether somebody acts on every one of them."""
    found = [
        row
        for row in conversations.alerts_of(deed.db, deed.contact_id)
        if row.status in ("open", "acknowledged") and row.level in ("E", "U")
    ]
    return bool(found), all(row.status == "acknowledged" for row in found)


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

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/note")
async def note(request: web.Request) -> web.Response:
    """Something for colleagues; also for those who do not answer patients."""
    form = await request.post()
    text = str(form.get("text", "")).strip()
    return await _act(request, lambda deed: _note(deed, text, "note") if text else None)


def _note(deed: Deed, text: str, kind: str) -> None:
    known = {one.name for one in users.everyone(deed.db) if one.active}
    mentioned = sorted({name for name in _MENTION.findall(text) if name in known} - {deed.staff.name})
    threads.add_note(deed.db, deed.contact_id, deed.now, kind, deed.staff.name, text[:LONGEST], mentioned)
    inbox_rows.keep_draft(deed.db, deed.contact_id, deed.staff.name, "", "", deed.now)


def _answer(deed: Deed, text: str, key: str, at: str, *, at_once: bool) -> Done:
    if len(text) > LONGEST:
        raise Refused(f"一次最多 {LONGEST} 字，请分开发送。")
    alarmed, acknowledged = _alarm_state(deed)
    if findings := lint.check(text, alarm=alarmed, acknowledged=acknowledged):
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

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/letters/{letter:\\d+}/now")
async def send_now(request: web.Request) -> web.Response:
    """Do not wait: send it."""

    def act(deed: Deed) -> None:
        until = deed.now + timedelta(days=31)
        inbox_rows.send_now(deed.db, deed.contact_id, deed.staff.name, deed.now, until)

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/letters/{letter:\\d+}/call")
async def by_telephone(request: web.Request) -> web.Response:
    """What could not be delivered becomes a call."""
    number = int(request.match_info["letter"])

    def act(deed: Deed) -> Done:
        row = inbox_rows.letter(deed.db, deed.contact_id, number)
        if row is None:
            raise LookupError(number)
        values = {
            "at": deed.now,
            "key": f"call:letter:{number}",
            "contact_id": deed.contact_id,
            "patient_code": row.patient_code,
            "kind": "callback",
            "reason": row.body.get("text", "")[:200],
            "status": "open",
            "due_at": deed.now + timedelta(hours=1),
            "assigned_to": deed.staff.name,
        }
        alerts.add_task(deed.db, values)
        return Done("已转为电话任务，1小时内")

    return await _act(request, act)


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


@routes.post("/console/conversations/{id:\\d+}/release")
async def release(request: web.Request) -> web.Response:
    """Back to the bot; what was to be done is done. An answer that is still held goes first."""
    wording = request.app[RECEPTION].wording

    def act(deed: Deed) -> Done:
        inbox_rows.send_now(deed.db, deed.contact_id, deed.staff.name, deed.now, deed.now + HELD)
        desk.release(deed.db, deed.contact_id, deed.staff.name, wording, deed.now)
        conversations.close_tasks(deed.db, deed.contact_id, deed.now, deed.staff.name)
        _event(deed, "交还小护并办结")
        return Done("已交还小护，患者已收到通知")

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/assign")
async def assign(request: web.Request) -> web.Response:
    """Give it to a colleague, who finds it among what mentions them."""
    form = await request.post()
    to = str(form.get("to", ""))

    def act(deed: Deed) -> Done:
        receiver = users.user(deed.db, to)
        if receiver is None or not receiver.active:
            raise Refused("没有这位同事。")
        row = conversations.one(deed.db, deed.contact_id)
        if (
            row is not None
            and row.owner == "human"
            and row.nurse not in (deed.staff.name, "")
            and deed.staff.role != "manager"
        ):
            raise desk.TakenByAnother(row.nurse)
        desk.pass_on(deed.db, deed.contact_id, to)
        _event(deed, f"指派给 {to}", (to,))
        return Done(f"已指派给 {to}")

    return await _act(request, act)


def _until(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    morning = datetime.combine(local.date(), time(8), zone)
    if choice == "1h":
        return now + timedelta(hours=1)
    if choice == "tonight":
        evening = datetime.combine(local.date(), time(19), zone)
        return evening if evening > local else morning + timedelta(days=1)
    if choice == "tomorrow":
        return morning + timedelta(days=1)
    if choice == "3d":
        return morning + timedelta(days=3)
    if choice == "week":
        return morning + timedelta(days=7 - local.weekday())
    raise Refused("请选择稍后到什么时候。")


@routes.post("/console/conversations/{id:\\d+}/snooze")
async def snooze(request: web.Request) -> web.Response:
    """Out of sight until then, or until the patient writes something that matters."""
    choice = str((await request.post()).get("until", ""))

    def act(deed: Deed) -> Done:
        if _alarm_state(deed)[0]:
            raise Refused("有未关闭的警报，不能稍后处理。")
        until = _until(choice, deed.now, deed.zone)
        inbox_rows.snooze(deed.db, deed.contact_id, until, deed.staff.name, deed.now)
        return Done(
            f"{until.astimezone(deed.zone):%m-%d %H:%M} 再提醒",
            f"/console/conversations/{deed.contact_id}/wake",
            8,
        )

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/wake")
async def wake(request: web.Request) -> web.Response:
    """In sight again."""
    return await _act(request, lambda deed: inbox_rows.wake(deed.db, [deed.contact_id]))


@routes.post("/console/conversations/{id:\\d+}/tag")
async def tag(request: web.Request) -> web.Response:
    """A colleague knows something of the patient."""
    form = await request.post()
    code, word = str(form.get("code", "")), str(form.get("tag", "")).strip()[:30]

    def act(deed: Deed) -> None:
        people = inbox_rows.people(deed.db, [deed.contact_id]).get(deed.contact_id, [])
        if not word or code not in {one.code for one in people}:
            raise Refused("没有这位患者。")
        threads.add_tag(deed.db, code, word, deed.staff.name, deed.now)
        audit.append(deed.db, deed.staff.name, "tag", f"patient:{code}", word, deed.now)

    return await _act(request, act)


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
        _event(deed, f"认领了警报 {number}")

    return await _act(request, act)


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
        _event(deed, f"关闭了警报 {number}：{labels.DISPOSITIONS[disposition]}")

    return await _act(request, act)
