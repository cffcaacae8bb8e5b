"""One conversation: what was said and by whom, what is held or planned, and why the bot called a person."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels, snippets
from bot.console.inbox import LOOKING, listing, row_facts, windows
from bot.console.pages import ZONE, shown
from bot.console.people import READINGS, STAFF, Staff, conversation_for
from bot.console.services import RECEPTION
from bot.domain.patient import Patient
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads
from storage.queries import desk as conversations
from storage.queries import staff as users
from storage.rows import Row

SHOWN = 80
MACHINES = ("bot", "plan", "broadcast", "")
routes = web.RouteTableDef()


def side(direction: str, author: str, plan: str) -> str:
    """Who speaks: patient, bot, planned (a plan or broadcast, by itself) or nurse."""
    if direction == "in":
        return "patient"
    if plan or author in ("plan", "broadcast"):
        return "scheduled"
    return "bot" if author in MACHINES else "nurse"


def _message(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    event = row.type.startswith("event:")
    state = row.letter_state or ""
    return {
        "id": f"m{row.id}",
        "at": row.at,
        "side": "event" if event else side(row.dir, row.author, row.plan or ""),
        "author": row.author,
        "about": names.get(row.patient_code or "", "") if len(names) > 1 else "",
        "text": row.text if row.text and not event else f"「{labels.TYPES.get(row.type, row.type)}」",
        "plan": row.plan or "",
        "channel": labels.ROUTES.get(row.channel, row.channel) if row.dir == "out" else "",
        "state": "delivered" if state == "delivered" else "sent" if row.dir == "out" else "",
        "reason": labels.reason(row.letter_reason or "") if state in ("failed", "suppressed") else "",
        "letter": None,
        "undo": False,
    }


def _letter(row: Row, staff: Staff, now: datetime) -> dict[str, Any]:
    held = row.state == "queued" and row.not_before > now
    return {
        "id": f"l{row.id}",
        "at": row.not_before if held else row.created_at,
        "side": side("out", row.author, row.plan),
        "author": row.author,
        "about": "",
        "text": row.body.get("text", ""),
        "plan": row.plan,
        "channel": labels.ROUTES.get(row.channel, row.channel),
        "state": "held" if held else row.state,
        "reason": labels.reason(row.reason),
        "letter": row.id,
        "undo": row.state == "queued" and row.author == staff.name and row.claimed_until is None,
        "later": held and (row.not_before - now) > timedelta(seconds=30),
    }


def _note(row: Row) -> dict[str, Any]:
    return {
        "id": f"n{row.id}",
        "at": row.at,
        "side": "event" if row.kind == "event" else "note",
        "author": row.author,
        "about": "通话记录" if row.kind == "call" else "",
        "text": f"{row.author}：{row.text}" if row.kind == "event" else row.text,
        "plan": "",
        "channel": "",
        "state": "",
        "reason": "",
        "letter": None,
        "undo": False,
    }


def _lines(
    db: sa.Connection, contact_id: int, staff: Staff, now: datetime, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    lines = [_message(row, names) for row in threads.said(db, contact_id, SHOWN)]
    letters = threads.unsent(db, contact_id)
    lines += [
        _letter(row, staff, now) for row in letters if row.reason != "recalled" or row.author == staff.name
    ]
    lines += [_note(row) for row in threads.notes(db, contact_id)]
    lines.sort(key=lambda line: line["at"])
    return [line for line in lines if line["state"] != "held" or not line.get("later")] + [
        line for line in lines if line["state"] == "held" and line.get("later")
    ]


def alarm_facts(row: Row) -> dict[str, Any]:
    """An alarm, and how the rules came to it."""
    reading = row.reading or {}
    return {
        "id": row.id,
        "at": row.at,
        "level": row.level,
        "label": labels.LEVELS.get(row.level, ""),
        "concept": labels.concept(row.concept),
        "words": row.text_span or "",
        "status": row.status,
        "by": row.acknowledged_by,
        "rung": row.rung,
        "lexicon": reading.get("lexicon", ""),
        "score": reading.get("score", 0),
        "flags": [
            {
                "concept": labels.concept(flag["concept"]),
                "code": flag["concept"],
                "text": flag["text"],
                "rule": flag["rule"],
                "urgency": flag["urgency"],
            }
            for flag in reading.get("flags", ())
        ],
        "suppressed": [
            {
                "concept": labels.concept(one["concept"]),
                "text": one["text"],
                "why": labels.SUPPRESSIONS.get(one["why"], one["why"]),
            }
            for one in reading.get("suppressed", ())
        ],
    }


def _side_panel(db: sa.Connection, contact_id: int, people: Sequence[Row], today: Any) -> dict[str, Any]:
    tags: dict[str, list[Row]] = {}
    for tag in threads.tags(db, [one.code for one in people]):
        tags.setdefault(tag.patient_code, []).append(tag)
    return {
        "people": [
            {
                "code": one.code,
                "name": Patient("", one.name).masked_name,
                "relation": labels.RELATIONS.get(one.relation, one.relation),
                "sex": labels.SEX.get(one.sex, ""),
                "age": Patient("", "", birth_date=one.birth_date).age(today),
                "vip": one.vip_level or 0,
                "level": one.binding_level,
                "allergies": one.allergies or "",
                "deceased": one.deceased_on,
                "tags": tags.get(one.code, []),
            }
            for one in people
        ],
        "tasks": [
            {
                "id": row.id,
                "kind": labels.TASKS.get(row.kind, row.kind),
                "due": row.due_at,
                "reason": row.reason or "",
                "who": row.assigned_to,
            }
            for row in threads.open_tasks(db, contact_id)
        ],
        "tickets": [
            {
                "number": row.number,
                "state": labels.TICKET_STATES.get(row.status, row.status),
                "due": row.due,
                "kind": row.kind,
                "severity": row.severity,
            }
            for row in threads.tickets_of(db, contact_id)
        ],
    }


async def thread_facts(request: web.Request, contact_id: int) -> dict[str, Any]:
    """Everything one conversation shows. Reading is written down once while the page is open."""
    staff, now = request[STAFF], request.app[CLOCK].now()
    today = now.astimezone(request.app[ZONE]).date()

    def read(db: sa.Connection) -> dict[str, Any]:
        contact = conversation_for(db, staff, contact_id)
        row = inbox_rows.one(db, contact_id)
        assert row is not None
        people = inbox_rows.people(db, [contact_id]).get(contact_id, [])
        names = {one.code: Patient("", one.name).masked_name for one in people}
        left = windows(db, {contact_id: contact.account}, now).get(contact_id)
        lookers = inbox_rows.lookers(db, [contact_id], now - LOOKING).get(contact_id, [])
        draft = inbox_rows.draft(db, contact_id, staff.name)
        handover = row.handover or {}
        return {
            "row": row_facts(
                row, people, today, now, window=left, lookers=[n for n in lookers if n != staff.name]
            ),
            "mine": row.owner == "human" and row.nurse == staff.name,
            "handover": handover,
            "slots": {
                labels.SLOTS.get(key, key): value for key, value in (handover.get("slots") or {}).items()
            },
            "lines": _lines(db, contact_id, staff, now, names),
            "alerts": [
                alarm_facts(one) for one in conversations.alerts_of(db, contact_id) if one.status != "closed"
            ],
            "closed_alerts": [
                one.id for one in conversations.alerts_of(db, contact_id) if one.status == "closed"
            ][:5],
            "draft": {"mode": draft.mode, "text": draft.text}
            if draft is not None
            else {"mode": "reply", "text": ""},
            "colleagues": [
                one.name
                for one in users.everyone(db)
                if one.active
                and one.name != staff.name
                and one.role in ("nurse", "agent", "coordinator", "manager")
            ],
            **_side_panel(db, contact_id, people, today),
        }

    try:
        found = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    await _write_down(request, staff, contact_id, now)
    return found | {
        "id": contact_id,
        "dispositions": labels.DISPOSITIONS,
        "snoozes": labels.SNOOZES,
        "key": secrets.token_hex(8),
    }


async def _write_down(request: web.Request, staff: Staff, contact_id: int, now: datetime) -> None:
    fresh = request.app[READINGS].fresh(staff.name, f"conversation:{contact_id}", now)
    looked = request.app[READINGS].fresh(staff.name, f"looks:{contact_id}:{int(now.timestamp()) // 20}", now)
    if not fresh and not looked:
        return

    def write(db: sa.Connection) -> None:
        if fresh:
            audit.append(db, staff.name, "read", f"conversation:{contact_id}", "", now)
            threads.see_mentions(db, contact_id, staff.name, now)
        inbox_rows.look(db, contact_id, staff.name, now)

    await request.app[DATABASE].write(write)


@routes.get("/console/conversations/{id:\\d+}")
async def conversation(request: web.Request) -> web.Response:
    """The inbox with one conversation open."""
    contact_id = int(request.match_info["id"])
    thread = await thread_facts(request, contact_id)
    return shown(request, "inbox.html", **await listing(request, contact_id), thread=thread)


@routes.get("/console/conversations/{id:\\d+}/live")
async def live(request: web.Request) -> web.Response:
    """What changes by itself in an open conversation."""
    return shown(request, "live.html", thread=await thread_facts(request, int(request.match_info["id"])))


@routes.get("/console/conversations/{id:\\d+}/composer")
async def composer(request: web.Request) -> web.Response:
    """Where one writes: it changes when the conversation changes hands."""
    return shown(request, "composer.html", thread=await thread_facts(request, int(request.match_info["id"])))


@routes.get("/console/conversations/{id:\\d+}/snippets")
async def answers_at_hand(request: web.Request) -> web.Response:
    """Answers whose initials begin with `q`, filled in for this conversation."""
    contact_id, staff = int(request.match_info["id"]), request[STAFF]
    facts = request.app[RECEPTION].wording.hospital

    def read(db: sa.Connection) -> dict[str, str]:
        conversation_for(db, staff, contact_id)
        people = inbox_rows.people(db, [contact_id]).get(contact_id, [])
        return {
            "称呼": people[0].name if people else "",
            "护士": staff.name,
            "科室": facts.get("short_name") or facts.get("name", ""),
            "地址": facts.get("address", ""),
            "电话": facts.get("phone", ""),
            "护士站": facts.get("nurse_phone", ""),
        }

    try:
        known = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(request, "snippets.html", snippets=snippets.filled(known, request.query.get("q", ""))[:8])


@routes.get("/console/conversations/{id:\\d+}/why/{alert:\\d+}")
async def why(request: web.Request) -> web.Response:
    """Why the bot called a person: rule, words, version, and what it saw and let pass."""
    contact_id, number, staff = (
        int(request.match_info["id"]),
        int(request.match_info["alert"]),
        request[STAFF],
    )

    def read(db: sa.Connection) -> dict[str, Any] | None:
        conversation_for(db, staff, contact_id)
        row = next((one for one in conversations.alerts_of(db, contact_id) if one.id == number), None)
        return alarm_facts(row) if row is not None else None

    try:
        found = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    if found is None:
        raise web.HTTPNotFound
    return shown(request, "why.html", alert=found)
