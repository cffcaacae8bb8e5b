"""Complaints, suggestions and praise: the list, and one with everything about it. What is done is in `ticket_deeds`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.pages import ZONE, shown
from bot.console.people import STAFF, in_scope
from bot.domain.calendar import is_workday
from bot.domain.patient import Patient
from bot.hospital import complaints
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_tickets as ticket_rows
from storage.queries import staff as users
from storage.queries.console_tickets import Narrowing
from storage.rows import Row

# From which state a colleague may go on to which. The patient accepts, disputes and reopens; an answer makes `replied`.
MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    "received": ("acknowledged", "assigned"),
    "acknowledged": ("assigned", "investigating"),
    "assigned": ("investigating",),
    "investigating": (),
    "replied": ("closed",),
    "accepted": ("closed",),
    "disputed": ("reopened",),
    "reopened": ("assigned", "investigating"),
    "closed": ("reopened",),
}
# Suggestions and praise need no answer by a day.
MOVES_OF_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "received": ("acknowledged", "assigned", "closed"),
    "acknowledged": ("assigned", "closed"),
    "assigned": ("closed",),
    "closed": ("reopened",),
    "reopened": ("assigned", "closed"),
}
ANSWERABLE: Final = ("acknowledged", "assigned", "investigating", "received", "disputed", "reopened")
PATH: Final = ("received", "acknowledged", "assigned", "investigating", "replied", "accepted", "closed")
OWNERS: Final = {"C1": "医务处与护理部", "C2": "投诉办公室", "C3": "科室主任", "C4": "服务台", "": "服务台"}
# How fast a person looks first (safety.md §4.2).
FIRST_LOOK: Final = {"C1": timedelta(minutes=30), "C2": timedelta(hours=2), "C3": timedelta(hours=8)}
ENTRIES: Final = {
    "addition": "患者补充",
    "picture": "图片",
    "note": "内部备注",
    "reply": "医院答复",
    "state": "状态",
    "cause": "原因分析",
    "action": "整改措施",
    "pause": "暂停与恢复",
    "extend": "延期",
    "legal": "法律途径",
    "quality": "质控",
    "class": "归类",
    "call_back": "回访",
}
KINDS: Final = ("note", "cause", "call_back")
STATES: Final = ("open", "late", "paused", "legal", "quality", *labels.TICKET_STATES)
QUALITY_WITHIN: Final = timedelta(hours=24)  # a C1 reaches quality control (safety.md §4.2)

routes = web.RouteTableDef()


def working_days_left(due: date | None, today: date) -> int | None:
    """Working days from today until the promised day; negative once it is past."""
    if due is None:
        return None
    first, last, sign = (today, due, 1) if due >= today else (due, today, -1)
    days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
    return sign * sum(is_workday(day) for day in days)


def moves_of(row: Row) -> tuple[str, ...]:
    """To which states a colleague may take a ticket; none while others settle it."""
    if row.legal:
        return ()
    return (MOVES if row.kind == "complaint" else MOVES_OF_OTHERS).get(row.status, ())


def harmless(cell: Any) -> Any:
    """A text that no spreadsheet takes for a formula (ASVS 1.2.10)."""
    if isinstance(cell, str) and cell[:1] in (*"=+-@＝＋－＠", "\t", "\r", "\n"):
        return "'" + cell
    return cell


def ticket_facts(row: Row, today: date, now: datetime) -> dict[str, Any]:
    """What lists and exports say of a ticket."""
    over = row.status in ticket_rows.DONE
    still = row.paused_at is not None or bool(row.legal)
    left = None if over or still or row.status == "replied" else working_days_left(row.due, today)
    slow = row.status == "received" and now - row.at > FIRST_LOOK.get(row.severity, timedelta(days=1))
    given = row.account_given or {}
    return {
        "number": row.number,
        "at": row.at,
        "kind": row.kind,
        "kind_name": labels.TICKET_KINDS.get(row.kind, row.kind),
        "name": Patient("", row.patient_name).masked_name if row.patient_name else "未绑定用户",
        "code": row.patient_code,
        "contact": row.contact_id,
        "severity": labels.SEVERITIES.get(row.severity, row.severity or "—"),
        "level": row.severity,
        "status": row.status,
        "state": labels.TICKET_STATES.get(row.status, row.status),
        "due": row.due,
        "left": left,
        "paused": row.paused_at,
        "legal": labels.LEGAL.get(row.legal, ""),
        "owner": row.owner,
        "office": OWNERS.get(row.severity, ""),
        "slow": slow and not over and not still,
        "emotion": row.emotion,
        "given": given,
        "summary": "，".join(str(value) for value in given.values() if value)[:60],
        "cause": row.cause,
        "department": row.department_code,
        "doctor": row.doctor_code,
        "closed_at": row.closed_at,
        "closed_as": labels.CLOSED_AS.get(row.closed_as, ""),
        "quality": labels.QUALITY.get(row.quality, ""),
        "quality_late": row.severity == "C1" and not row.quality and now - row.at > QUALITY_WITHIN,
    }


def today_of(request: web.Request) -> date:
    """The hospital's day."""
    return request.app[CLOCK].now().astimezone(request.app[ZONE]).date()


def narrowing_of(request: web.Request) -> Narrowing:
    """Which tickets an address asks for; without a state complaints that are not over."""
    query = request.query
    kind = query.get("kind", "complaint")
    state = query.get("state", "open" if kind == "complaint" else "")
    return Narrowing(
        kind=kind if kind in labels.TICKET_KINDS else "complaint",
        state=state if state in STATES else "",
        severity=query.get("severity", "")[:2],
        owner=request[STAFF].name if query.get("owner") == "me" else "",
        department=query.get("department", "")[:30],
        cause=query.get("cause", "")[:30],
        today=today_of(request),
    )


Places = dict[int, tuple[str, str]]


def places(db: sa.Connection, rows: Sequence[Row], zone: ZoneInfo) -> Places:
    """Whom each ticket is about, as codes of department and doctor: as classed, or else the visit before it."""
    asked: Collection[str] = {
        row.patient_code for row in rows if row.patient_code and not row.department_code
    }
    visits: dict[str, list[Row]] = {}
    for visit in ticket_rows.visited(db, asked):
        visits.setdefault(visit.patient_code, []).append(visit)
    found = {}
    for row in rows:
        day = row.at.astimezone(zone).date()
        last = next((one for one in visits.get(row.patient_code, ()) if one.date <= day), None)
        guessed = (last.department_code or "", last.doctor_code or "") if last is not None else ("", "")
        found[row.id] = (row.department_code or guessed[0], row.doctor_code or guessed[1])
    return found


@routes.get("/console/tickets")
async def listed(request: web.Request) -> web.Response:
    """The earliest promised day first."""
    narrowing, today, now = narrowing_of(request), today_of(request), request.app[CLOCK].now()
    scope = in_scope(request[STAFF])

    def read(db: sa.Connection) -> dict[str, Any]:
        rows = ticket_rows.listed(db, narrowing, scope)
        departments, _ = ticket_rows.departments_and_doctors(db)
        about = places(db, rows, request.app[ZONE])
        return {
            "tickets": [
                ticket_facts(row, today, now) | {"place": departments.get(about[row.id][0], "")}
                for row in rows
            ],
            "counts": ticket_rows.counts(db, today, scope),
            "departments": departments,
        }

    found = await request.app[DATABASE].read(read)
    return shown(
        request,
        "tickets.html",
        narrowing=narrowing,
        causes=labels.CAUSES,
        severities=labels.SEVERITIES,
        query=request.query_string,
        **found,
    )


def _one(db: sa.Connection, row: Row, today: date, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    departments, doctors = ticket_rows.departments_and_doctors(db)
    department, doctor = places(db, [row], zone)[row.id]
    same = (
        ticket_rows.of_same_cause(db, row.cause, row.department_code, now - complaints.SAME_CAUSE_WITHIN)
        if row.cause and row.department_code
        else 0
    )
    over = row.status in ticket_rows.DONE
    return {
        "ticket": ticket_facts(row, today, now),
        "entries": ticket_rows.entries(db, [row.id]),
        "actions": ticket_rows.actions(db, [row.id]),
        "same_cause": same if same >= complaints.SAME_CAUSE else 0,
        "guessed": not row.department_code,
        "department": department,
        "doctor": doctor,
        "departments": departments,
        "doctors": doctors,
        "moves": [(key, labels.TICKET_MOVES[key]) for key in moves_of(row)],
        "answerable": row.status in ANSWERABLE and row.kind == "complaint" and not row.legal,
        "can_pause": not over and row.status != "replied" and row.paused_at is None and not row.legal,
        "can_extend": not over
        and row.due is not None
        and row.due < complaints.latest_day(row.at.astimezone(zone).date()),
        "over": over,
        "colleagues": [
            one.name for one in users.everyone(db) if one.active and one.role not in ("admin", "auditor")
        ],
    }


async def page(request: web.Request, problem: str = "") -> web.Response:
    """Everything about one ticket. Reading is written down."""
    number, staff, now = request.match_info["number"], request[STAFF], request.app[CLOCK].now()
    today, zone = today_of(request), request.app[ZONE]

    def write(db: sa.Connection) -> dict[str, Any]:
        row = ticket_rows.one(db, number, in_scope(staff))
        if row is None:
            raise LookupError(number)
        audit.append(db, staff.name, "read", f"ticket:{number}", "", now)
        return _one(db, row, today, now, zone)

    try:
        found = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(
        request,
        "ticket.html",
        problem=problem,
        path=[(key, labels.TICKET_STATES[key]) for key in PATH],
        entry_kinds=ENTRIES,
        states=labels.TICKET_STATES,
        legal=labels.LEGAL,
        causes=labels.CAUSES,
        severities=labels.SEVERITIES,
        ticket_kinds=labels.TICKET_KINDS,
        note_kinds=[(key, ENTRIES[key]) for key in KINDS],
        status=422 if problem else 200,
        **found,
    )


@routes.get("/console/tickets/{number}")
async def ticket(request: web.Request) -> web.Response:
    """Everything about one."""
    return await page(request)
