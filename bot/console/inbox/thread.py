"""One conversation: what was said and by whom, what is held or planned, and why the bot called a person."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.flows import plan_words
from bot.console.inbox import handed, snippets
from bot.console.inbox.pages import LOOKING, listing, row_facts, windows
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

SHOWN = 80  # messages, and as many again for every press on 更早
MOST_SHOWN = 4_000
MACHINES = ("bot", "plan", "broadcast", "")
PICTURES = ("image",)
FILES = ("voice", "video", "shortvideo", "file")
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
    payload = row.payload or {}
    kept = row.dir == "in" and ("MediaId" in payload or "media_id" in payload)
    return {
        "id": f"m{row.id}",
        "at": row.at,
        "side": "event" if event else side(row.dir, row.author, row.plan or ""),
        "author": row.author,
        "about": names.get(row.patient_code or "", "") if len(names) > 1 else "",
        "text": row.text if row.text and not event else f"「{labels.TYPES.get(row.type, row.type)}」",
        "picture": row.id if kept and row.type in PICTURES else 0,
        "file": row.id if kept and row.type in FILES else 0,
        "file_name": str(payload.get("Title") or payload.get("filename") or "")[:80],
        "heard": str(payload.get("Recognition") or "") if row.type == "voice" else "",
        "plan": plan_words.contact(row.plan, row.step or "") if row.plan else "",
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
        "picture": 0,
        "file": 0,
        "file_name": "",
        "heard": "",
        "plan": plan_words.contact(row.plan, row.step) if row.plan else "",
        "channel": labels.ROUTES.get(row.channel, row.channel),
        # A letter of a broadcast that is paused waits like one that is not due yet.
        "state": "held" if held else "queued" if row.state in ("held", "gathered") else row.state,
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
        "picture": 0,
        "file": 0,
        "file_name": "",
        "heard": "",
        "plan": "",
        "channel": "",
        "state": "",
        "reason": "",
        "letter": None,
        "undo": False,
    }


def _lines(
    db: sa.Connection, contact_id: int, staff: Staff, now: datetime, names: Mapping[str, str], shown: int
) -> tuple[list[dict[str, Any]], bool]:
    """The newest lines, oldest first, and whether there are older ones."""
    said = threads.said(db, contact_id, shown + 1)
    more, said = len(said) > shown, said[-shown:]
    lines = [_letter(row, staff, now) for row in threads.unsent(db, contact_id) if _shows(row, staff)]
    lines += [_note(row) for row in threads.notes(db, contact_id)]
    if more:  # what stands beside messages that are not shown is not shown either
        lines = [line for line in lines if line["at"] >= said[0].at]
    lines += [_message(row, names) for row in said]
    lines.sort(key=lambda line: line["at"])
    return _planned_last(lines), more


def _shows(letter: Row, staff: Staff) -> bool:
    """What somebody took back is nobody else's business."""
    return bool(letter.reason != "recalled" or letter.author == staff.name)


def _planned_last(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
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


def tag_facts(row: Row) -> dict[str, Any]:
    """A tag, and how we know."""
    producer = {"import": "医院导入"}.get(row.producer, row.producer.replace("rule ", "规则 "))
    known = [labels.TAG_KINDS.get(row.kind, ""), f"来自 {producer}", row.evidence or ""]
    if row.since is not None:
        known.append(f"{row.since:%Y-%m-%d} 起")
    if row.until is not None:
        known.append(f"到 {row.until:%Y-%m-%d}")
    return {
        "tag": row.tag,
        "manual": row.producer != "import",
        "kind": labels.TAG_KINDS.get(row.kind, ""),
        "evidence": row.evidence or "",
        "producer": producer,
        "since": row.since,
        "until": row.until,
        "title": "，".join(filter(None, known)),
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
                "tags": [tag_facts(tag) for tag in tags.get(one.code, [])],
            }
            for one in people
        ],
        "tasks": [
            {
                "id": row.id,
                "kind": labels.TASKS.get(row.kind, row.kind),
                "due": row.due_at,
                "reason": plan_words.task_reason(row.reason or ""),
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
    wanted = request.query.get("shown", "")
    shown = min(int(wanted), MOST_SHOWN) if wanted.isdigit() and int(wanted) > SHOWN else SHOWN

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
        lines, more = _lines(db, contact_id, staff, now, names, shown)
        left_open = handover.get("frames") or []
        return {
            "row": row_facts(
                row, people, today, now, window=left, lookers=[n for n in lookers if n != staff.name]
            ),
            "mine": row.owner == "human" and row.nurse == staff.name,
            "handover": handover,
            "slots": handed.settled(db, handover.get("slots") or {}),
            "open_topic": handed.TOPICS.get(left_open[-1]["form"], "刚才的事") if left_open else "",
            "lines": lines,
            "shown": shown if shown > SHOWN else 0,
            "older": shown + SHOWN if more and shown < MOST_SHOWN else 0,
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
        "ways": labels.ANOTHER_WAY,
        "handing_back": labels.HANDING_BACK,
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

    def read(db: sa.Connection) -> tuple[dict[str, str], list[snippets.Snippet]]:
        conversation_for(db, staff, contact_id)
        people = inbox_rows.people(db, [contact_id]).get(contact_id, [])
        known = {
            "称呼": people[0].name if people else "",
            "护士": staff.name,
            "科室": facts.get("short_name") or facts.get("name", ""),
            "地址": facts.get("address", ""),
            "电话": facts.get("phone", ""),
            "护士站": facts.get("nurse_phone", ""),
        }
        return known, snippets.at_hand(db)

    try:
        known, written = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    kind = "care" if request.query.get("kind") == "care" else "answer"
    found = snippets.filled(written, known, request.query.get("q", ""), kind)
    return shown(request, "snippets.html", snippets=found[:8])


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
