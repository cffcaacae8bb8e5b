"""Whose conversation it is: take it, pass it on, put it off, hand it back to the bot; all of it can be undone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console.inbox import mentions, undo
from bot.console.inbox.deeds import Deed, Done, Refused, do
from bot.console.labels import HANDING_BACK
from bot.console.services import RECEPTION
from bot.conversation import desk
from bot.outbox.wording import Wording
from storage.queries import audit
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads
from storage.queries import desk as conversations
from storage.queries import staff as users

HELD: Final = timedelta(seconds=undo.SHOWN_FOR)  # before the patient is told
ALARM_LEVELS: Final = ("E", "U")

routes = web.RouteTableDef()


def alarmed(deed: Deed) -> tuple[bool, bool]:
    """Whether an alarm is open, and whether somebody acts on every one of them."""
    found = [
        row
        for row in conversations.alerts_of(deed.db, deed.contact_id)
        if row.status in ("open", "acknowledged") and row.level in ALARM_LEVELS
    ]
    return bool(found), all(row.status == "acknowledged" for row in found)


def tomorrow_at_eight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the desk opens again."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(8), zone)


@routes.post("/console/conversations/{id:\\d+}/take")
async def take(request: web.Request) -> web.Response:
    """Mine: the bot is silent now. Of two who press at once, one has it and the other is told who."""

    def act(deed: Deed) -> Done:
        memory = undo.look(deed.db, [deed.contact_id])
        desk.take(deed.db, deed.contact_id, deed.staff.name)
        inbox_rows.wake(deed.db, [deed.contact_id])
        deed.event("接手了对话")
        return Done("已接手", undo.keep(deed.db, deed.staff, deed.now, "接手", memory), undo.SHOWN_FOR)

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/assign")
async def assign(request: web.Request) -> web.Response:
    """Give it to a colleague, who is told."""
    to = str((await request.post()).get("to", ""))

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
        memory = undo.look(deed.db, [deed.contact_id])
        desk.pass_on(deed.db, deed.contact_id, to)
        deed.event(f"指派给 {to}", (to,))
        mentions.tell(deed.db, [to], deed.contact_id, deed.now)
        return Done(
            f"已指派给 {to}", undo.keep(deed.db, deed.staff, deed.now, f"指派给 {to}", memory), undo.SHOWN_FOR
        )

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/release")
async def release(request: web.Request) -> web.Response:
    """Back to the bot, in one of three ways. An answer that is still held goes first; the patient is told."""
    form, wording = await request.post(), request.app[RECEPTION].wording
    how, note = str(form.get("how", "end")), str(form.get("note", "")).strip()[:500]
    if how not in HANDING_BACK:
        raise web.HTTPUnprocessableEntity

    def act(deed: Deed) -> Done:
        memory = undo.look(deed.db, [deed.contact_id])
        inbox_rows.send_now(deed.db, deed.contact_id, deed.staff.name, deed.now, deed.now + HELD)
        if note:
            threads.add_note(deed.db, deed.contact_id, deed.now, "note", deed.staff.name, note)
        told = _hand_back(deed, how, wording)
        memory.letters = [told] if told else []
        deed.event(HANDING_BACK[how] if how != "end" else "交还小护并办结")
        return Done(
            "已办结，患者将收到通知" if how != "morning" else "明早8点自动交还小护，患者将收到通知",
            undo.keep(deed.db, deed.staff, deed.now, HANDING_BACK[how], memory),
            undo.SHOWN_FOR,
        )

    return await do(request, act)


def _hand_back(deed: Deed, how: str, wording: Wording) -> str:
    """Do it; the key of the letter that tells the patient."""
    at = deed.now + HELD
    if how == "morning":
        if alarmed(deed)[0]:
            raise Refused("有未关闭的警报，不能放到明早。")
        until = tomorrow_at_eight(deed.now, deed.zone)
        inbox_rows.snooze(deed.db, deed.contact_id, until, deed.staff.name, deed.now, "release")
        return desk.watch(deed.db, deed.contact_id, deed.staff.name, until, wording, deed.now, at)
    told = desk.release(
        deed.db,
        deed.contact_id,
        deed.staff.name,
        wording,
        deed.now,
        not_before=at,
        going_on=how == "resume",
    )
    conversations.close_tasks(deed.db, deed.contact_id, deed.now, deed.staff.name)
    return told


def hand_back_due(db: sa.Connection, now: datetime, wording: Wording) -> int:
    """Conversations whose colleague watched them until now go back to the bot; how many there were.

    Whoever wrote in the meantime is no longer put off, and stays with the colleague.
    """
    due = inbox_rows.watched_until(db, now)
    for row in due:
        inbox_rows.wake(db, [row.contact_id])
        if row.owner == "human" and row.nurse == row.by:
            desk.release(db, row.contact_id, row.nurse, wording, now)
            conversations.close_tasks(db, row.contact_id, now, row.nurse)
            threads.add_note(db, row.contact_id, now, "event", "system", "到时间，已交还小护")
            audit.append(db, "system", "hand back", f"conversation:{row.contact_id}", "", now)
    return len(due)


def until(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a conversation that is put off comes back.

    Raises:
        Refused: there is no such choice.
    """
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
        if alarmed(deed)[0]:
            raise Refused("有未关闭的警报，不能稍后处理。")
        at = until(choice, deed.now, deed.zone)
        memory = undo.look(deed.db, [deed.contact_id])
        inbox_rows.snooze(deed.db, deed.contact_id, at, deed.staff.name, deed.now)
        return Done(
            f"{at.astimezone(deed.zone):%m-%d %H:%M} 再提醒",
            undo.keep(deed.db, deed.staff, deed.now, "稍后处理", memory),
            undo.SHOWN_FOR,
        )

    return await do(request, act)


@routes.post("/console/conversations/{id:\\d+}/wake")
async def wake(request: web.Request) -> web.Response:
    """In sight again."""
    return await do(request, lambda deed: inbox_rows.wake(deed.db, [deed.contact_id]))


@routes.post("/console/conversations/{id:\\d+}/tag")
async def tag(request: web.Request) -> web.Response:
    """A colleague knows something of the patient."""
    form = await request.post()
    code, word = str(form.get("code", "")), str(form.get("tag", "")).strip()[:30]

    def act(deed: Deed) -> Done:
        people = inbox_rows.people(deed.db, [deed.contact_id]).get(deed.contact_id, [])
        if not word or code not in {one.code for one in people}:
            raise Refused("没有这位患者。")
        memory = undo.look(deed.db, [deed.contact_id])
        if threads.add_tag(deed.db, code, word, deed.staff.name, deed.now):
            memory.tags = [(code, word)]
        audit.append(deed.db, deed.staff.name, "tag", f"patient:{code}", word, deed.now)
        return Done(
            f"已加标签 {word}",
            undo.keep(deed.db, deed.staff, deed.now, f"标签 {word}", memory),
            undo.SHOWN_FOR,
        )

    return await do(request, act)
