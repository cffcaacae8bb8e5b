"""The nurse's inbox: alarms first, then who waits longest; one conversation beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console.access import STAFF
from bot.console.pages import page
from bot.conversation import desk
from bot.conversation.receive import Reception
from bot.domain.patient import Patient
from bot.outbox import alarm
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import alerts, audit
from storage.queries import desk as conversations

RECEPTION = web.AppKey("console_reception", Reception)
DISPOSITIONS = {
    "120": "已叫120",
    "er": "已到急诊",
    "advice": "医生电话指导",
    "false": "误报",
    "unreachable": "联系不上",
}
STATES = {
    "queued": "待发",
    "sending": "发送中",
    "sent": "已发",
    "delivered": "已送达",
    "expired": "已过期",
    "suppressed": "未发",
    "failed": "失败",
}

routes = web.RouteTableDef()


def _waited(since: datetime | None, now: datetime) -> str:
    if since is None:
        return ""
    minutes = int((now - since).total_seconds() // 60)
    return (
        "刚刚"
        if minutes < 1
        else f"{minutes}分钟"
        if minutes < 60
        else f"{minutes // 60}小时{minutes % 60}分"
    )


async def _list(request: web.Request) -> list[dict[str, Any]]:
    now = request.app[CLOCK].now()
    rows = await request.app[DATABASE].read(conversations.needing_people)
    return [
        {
            "id": row.id,
            "name": Patient("", row.patient_name).masked_name if row.patient_name else "未绑定用户",
            "level": row.alert_level or "",
            "owner": row.owner,
            "nurse": row.nurse,
            "waited": _waited(row.waiting_since or row.spoke_at, now),
            "reason": (row.handover or {}).get("reason", ""),
        }
        for row in rows
    ]


@routes.get("/console/")
@routes.get("/console/conversations/{id:\\d+}")
async def inbox(request: web.Request) -> web.Response:
    """Everybody who needs a person, and one of them."""
    chosen = request.match_info.get("id")
    people = await _list(request)
    thread = await _thread(request, int(chosen)) if chosen else None
    return page(
        "inbox.html", staff=request[STAFF], people=people, chosen=chosen and int(chosen), thread=thread
    )


@routes.get("/console/inbox")
async def people(request: web.Request) -> web.Response:
    """The list alone, for a page that is open."""
    chosen = request.query.get("chosen", "")
    return page("people.html", people=await _list(request), chosen=int(chosen) if chosen.isdigit() else None)


@routes.get("/console/conversations/{id:\\d+}/thread")
async def thread(request: web.Request) -> web.Response:
    """The thread alone, for a page that is open."""
    return page(
        "thread.html", staff=request[STAFF], thread=await _thread(request, int(request.match_info["id"]))
    )


async def _thread(request: web.Request, contact_id: int) -> dict[str, Any]:
    now, staff = request.app[CLOCK].now(), request[STAFF]
    zone = request.app[RECEPTION].zone

    def read(db: sa.Connection) -> dict[str, Any]:
        row = conversations.one(db, contact_id)
        if row is None:
            raise web.HTTPNotFound
        lines = [
            {
                "at": message.at.astimezone(zone),
                "side": "patient" if message.dir == "in" else "bot" if message.author == "bot" else "nurse",
                "author": message.author,
                "text": message.text or f"（{message.type}）",
                "state": "",
            }
            for message in conversations.thread(db, contact_id)
        ]
        lines += [
            {
                "at": letter.created_at.astimezone(zone),
                "side": "bot" if letter.author == "bot" else "nurse",
                "author": letter.author,
                "text": letter.body["text"],
                "state": STATES[letter.state] + (f"：{letter.reason}" if letter.reason else ""),
            }
            for letter in conversations.letters_of(db, contact_id)
            if letter.state not in ("sent", "delivered")  # those are messages by now
        ]
        return {
            "id": contact_id,
            "name": Patient("", row.patient_name).masked_name if row.patient_name else "未绑定用户",
            "owner": row.owner,
            "nurse": row.nurse,
            "handover": row.handover or {},
            "mine": row.owner == "human" and row.nurse == staff.name,
            "lines": sorted(lines, key=lambda line: line["at"]),
            "alerts": [one for one in conversations.alerts_of(db, contact_id) if one.status != "closed"],
            "dispositions": DISPOSITIONS,
            "key": secrets.token_hex(8),
        }

    found = await request.app[DATABASE].read(read)
    await request.app[DATABASE].write(
        lambda db: audit.append(db, staff.name, "read", f"conversation:{contact_id}", "", now)
    )
    return found


async def _act(
    request: web.Request, act: Callable[[sa.Connection, int, str, datetime], None]
) -> web.Response:
    """Do one thing to a conversation, and show it as it is then."""
    contact_id, name, now = int(request.match_info["id"]), request[STAFF].name, request.app[CLOCK].now()
    problem = ""
    try:
        await request.app[DATABASE].write(lambda db: act(db, contact_id, name, now))
    except desk.TakenByAnother as error:
        problem = f"{error.nurse} 已接手这个对话，您的内容没有发送。"
    except desk.NotTaken:
        problem = "请先接手，再回复。"
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    shown = await _thread(request, contact_id) | ({"problem": problem} if problem else {})
    return page("thread.html", staff=request[STAFF], thread=shown, status=409 if problem else 200)


@routes.post("/console/conversations/{id:\\d+}/take")
async def take(request: web.Request) -> web.Response:
    """Mine: the bot is silent now."""
    return await _act(request, lambda db, contact_id, name, _now: desk.take(db, contact_id, name))


@routes.post("/console/conversations/{id:\\d+}/reply")
async def reply(request: web.Request) -> web.Response:
    """Write to the patient. Pressing twice sends once."""
    form = await request.post()
    text, key = str(form.get("text", "")).strip(), str(form.get("key", ""))
    if not text:
        return await _act(request, lambda *_: None)
    return await _act(
        request, lambda db, contact_id, name, now: desk.reply(db, contact_id, name, text, now, key)
    )


@routes.post("/console/conversations/{id:\\d+}/release")
async def release(request: web.Request) -> web.Response:
    """Back to the bot; what was to be done is done."""
    wording = request.app[RECEPTION].wording

    def act(db: sa.Connection, contact_id: int, name: str, now: datetime) -> None:
        desk.release(db, contact_id, name, wording, now)
        conversations.close_tasks(db, contact_id, now, name)

    return await _act(request, act)


@routes.post("/console/conversations/{id:\\d+}/alerts/{alert:\\d+}/acknowledge")
async def acknowledge(request: web.Request) -> web.Response:
    """I have seen it and I act. That does not close it."""
    number = int(request.match_info["alert"])
    return await _act(request, lambda db, _contact, name, now: _acknowledge(db, number, name, now))


def _acknowledge(db: sa.Connection, number: int, name: str, now: datetime) -> None:
    alarm.acknowledge(db, number, name, now)


@routes.post("/console/conversations/{id:\\d+}/alerts/{alert:\\d+}/close")
async def close(request: web.Request) -> web.Response:
    """How it ended."""
    number, form = int(request.match_info["alert"]), await request.post()
    disposition = str(form.get("disposition", ""))
    if disposition not in DISPOSITIONS:
        raise web.HTTPUnprocessableEntity
    return await _act(
        request,
        lambda db, _contact, name, now: alerts.change_alert(
            db, number, status="closed", disposition=disposition, closed_at=now, acknowledged_by=name
        ),
    )
