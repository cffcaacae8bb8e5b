"""Complaints and praise: clocks in working days, a state machine, owners, answers, exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import openpyxl
import sqlalchemy as sa
from aiohttp import web

from bot.console import labels, lint
from bot.console.pages import HEADERS, ZONE, moved, shown
from bot.console.people import STAFF, in_scope
from bot.console.services import RECEPTION
from bot.domain.calendar import is_workday
from bot.domain.patient import Patient
from bot.outbox import ticket_answers
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, tickets
from storage.queries import console_tickets as ticket_rows
from storage.queries import staff as users
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
    "cause": "原因",
    "action": "整改措施",
    "pause": "暂停",
    "call_back": "回访",
}
KINDS: Final = ("note", "cause", "action", "call_back")

routes = web.RouteTableDef()


def working_days_left(due: date | None, today: date) -> int | None:
    """Working days from today until the promised day; negative once it is past."""
    if due is None:
        return None
    first, last, sign = (today, due, 1) if due >= today else (due, today, -1)
    days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
    return sign * sum(is_workday(day) for day in days)


def _facts(row: Row, today: date, now: datetime) -> dict[str, Any]:
    left = working_days_left(row.due, today)
    over = row.status in ticket_rows.DONE
    slow = row.status == "received" and now - row.at > FIRST_LOOK.get(row.severity, timedelta(days=1))
    return {
        "number": row.number,
        "at": row.at,
        "kind": row.kind,
        "name": Patient("", row.patient_name).masked_name if row.patient_name else "未绑定用户",
        "code": row.patient_code,
        "contact": row.contact_id,
        "severity": labels.SEVERITIES.get(row.severity, row.severity or "—"),
        "level": row.severity,
        "status": row.status,
        "state": labels.TICKET_STATES.get(row.status, row.status),
        "due": row.due,
        "left": None if over or row.status == "replied" else left,
        "owner": row.owner,
        "office": OWNERS.get(row.severity, ""),
        "slow": slow and not over,
        "emotion": row.emotion,
        "given": row.account_given or {},
        "summary": "，".join(str(value) for value in (row.account_given or {}).values() if value)[:60],
    }


def _today(request: web.Request) -> date:
    return request.app[CLOCK].now().astimezone(request.app[ZONE]).date()


@routes.get("/console/tickets")
async def listed(request: web.Request) -> web.Response:
    """The earliest promised day first."""
    kind = "praise" if request.query.get("kind") == "praise" else "complaint"
    state = request.query.get("state", "open" if kind == "complaint" else "")
    severity = request.query.get("severity", "")
    today, now, scope = _today(request), request.app[CLOCK].now(), in_scope(request[STAFF])
    rows, counts = await request.app[DATABASE].read(
        lambda db: (
            ticket_rows.listed(db, kind, state, severity, scope),
            ticket_rows.counts(db, today, scope),
        )
    )
    return shown(
        request,
        "tickets.html",
        tickets=[_facts(row, today, now) for row in rows],
        counts=counts,
        kind=kind,
        state=state,
        severity=severity,
        states=labels.TICKET_STATES,
    )


async def _page(request: web.Request, problem: str = "") -> web.Response:
    number, staff, now, today = (
        request.match_info["number"],
        request[STAFF],
        request.app[CLOCK].now(),
        _today(request),
    )

    def write(db: sa.Connection) -> dict[str, Any]:
        row = ticket_rows.one(db, number, in_scope(staff))
        if row is None:
            raise LookupError(number)
        audit.append(db, staff.name, "read", f"ticket:{number}", "", now)
        place = ticket_rows.whereabouts(db, row.patient_code, row.at) if row.patient_code else None
        return {
            "ticket": _facts(row, today, now),
            "entries": ticket_rows.entries(db, [row.id]),
            "place": place,
            "moves": [(key, labels.TICKET_STATES[key]) for key in MOVES.get(row.status, ())],
            "answerable": row.status in ANSWERABLE and row.kind == "complaint",
            "colleagues": [
                one.name for one in users.everyone(db) if one.active and one.role not in ("admin", "auditor")
            ],
        }

    try:
        found = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(
        request,
        "ticket.html",
        problem=problem,
        path=[(key, labels.TICKET_STATES[key]) for key in PATH],
        kinds=ENTRIES,
        states=labels.TICKET_STATES,
        note_kinds=[(key, ENTRIES[key]) for key in KINDS],
        status=422 if problem else 200,
        **found,
    )


@routes.get("/console/tickets/{number}")
async def ticket(request: web.Request) -> web.Response:
    """Everything about one."""
    return await _page(request)


async def _change(request: web.Request, act: Callable[[sa.Connection, Row], str]) -> web.Response:
    """Change a ticket that one may see; `act` answers a problem, or nothing."""
    number, staff = request.match_info["number"], request[STAFF]

    def write(db: sa.Connection) -> str:
        row = ticket_rows.one(db, number, in_scope(staff), lock=True)
        if row is None:
            raise LookupError(number)
        return act(db, row)

    try:
        problem = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return await _page(request, problem) if problem else moved(f"/console/tickets/{number}")


@routes.post("/console/tickets/{number}/move")
async def move(request: web.Request) -> web.Response:
    """To the next state, perhaps with an owner and why."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    to, owner, why = (str(form.get(name, "")).strip() for name in ("to", "owner", "why"))

    def act(db: sa.Connection, row: Row) -> str:
        if to not in MOVES.get(row.status, ()):
            return (
                f"“{labels.TICKET_STATES.get(row.status)}”不能直接变为“{labels.TICKET_STATES.get(to, to)}”。"
            )
        if to == "assigned" and users.user(db, owner) is None:
            return "请选择负责人。"
        if to in ("reopened", "closed") and not why:
            return "请写明原因。"
        changes = {"status": to} | ({"owner": owner} if to == "assigned" else {})
        tickets.change_ticket(db, row.id, **changes)
        tickets.add_entry(db, row.id, now, "state", staff.name, " ".join(filter(None, (to, owner, why))))
        return ""

    return await _change(request, act)


@routes.post("/console/tickets/{number}/note")
async def note(request: web.Request) -> web.Response:
    """A note, the cause, what is done about it, or the call-back."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    kind, text = str(form.get("kind", "note")), str(form.get("text", "")).strip()[:2_000]

    def act(db: sa.Connection, row: Row) -> str:
        if not text or kind not in KINDS:
            return "请写内容。"
        tickets.add_entry(db, row.id, now, kind, staff.name, text)
        return ""

    return await _change(request, act)


@routes.post("/console/tickets/{number}/answer")
async def answer(request: web.Request) -> web.Response:
    """The patient reads the answer, and accepts or disputes it."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    text, wording = str(form.get("text", "")).strip()[:2_000], request.app[RECEPTION].wording

    def act(db: sa.Connection, row: Row) -> str:
        if not text:
            return "请写答复内容。"
        if row.status not in ANSWERABLE or row.kind != "complaint":
            return "现在不能答复。"
        if findings := lint.check(text):
            return "没有发送：" + "；".join(f"“{one.words}” {one.why}" for one in findings[:3])
        ticket_answers.answer(db, now, wording, row.number, text, staff.name)
        return ""

    return await _change(request, act)


# Exports

HEAD: Final = (
    "编号",
    "受理时间",
    "类别",
    "分级",
    "状态",
    "应答复日",
    "剩余工作日",
    "负责人",
    "科室",
    "医生",
    "内容",
    "原因",
    "整改措施",
)


def harmless(cell: Any) -> Any:
    """A text that no spreadsheet takes for a formula (ASVS 1.2.10)."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return "'" + cell
    return cell


def _export_rows(db: sa.Connection, rows: Sequence[Row], request: web.Request) -> list[list[Any]]:
    today, now, zone = _today(request), request.app[CLOCK].now(), request.app[ZONE]
    added: dict[tuple[int, str], list[str]] = {}
    for entry in ticket_rows.entries(db, [row.id for row in rows]):
        added.setdefault((entry.ticket_id, entry.kind), []).append(entry.text or "")
    table = []
    for row in rows:
        facts = _facts(row, today, now)
        place = ticket_rows.whereabouts(db, row.patient_code, row.at) if row.patient_code else None
        table.append(
            [
                row.number,
                f"{row.at.astimezone(zone):%Y-%m-%d %H:%M}",
                "表扬" if row.kind == "praise" else "投诉",
                row.severity,
                facts["state"],
                row.due.isoformat() if row.due else "",
                "" if facts["left"] is None else facts["left"],
                row.owner,
                (place and place.department) or "",
                (place and place.doctor) or "",
                "，".join(str(value) for value in (row.account_given or {}).values() if value),
                "；".join(added.get((row.id, "cause"), ())),
                "；".join(added.get((row.id, "action"), ())),
            ]
        )
    return table


def workbook(head: Sequence[str], table: Sequence[Sequence[Any]]) -> bytes:
    """One sheet; every text is a text, never a formula."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("小护")
    sheet.append(list(head))
    for row in table:
        sheet.append([harmless(cell) for cell in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def comma_separated(head: Sequence[str], table: Sequence[Sequence[Any]]) -> bytes:
    """With a mark by which spreadsheets know that it is UTF-8."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows([harmless(cell) for cell in row] for row in table)
    return written.getvalue().encode("utf-8-sig")


@routes.get("/console/tickets/export/{kind:csv|xlsx}")
async def export(request: web.Request) -> web.Response:
    """The list as it is narrowed by the address. Exporting is written down."""
    kind, query, staff, now = (
        request.match_info["kind"],
        request.query,
        request[STAFF],
        request.app[CLOCK].now(),
    )
    wanted = "praise" if query.get("kind") == "praise" else "complaint"

    def write(db: sa.Connection) -> list[list[Any]]:
        audit.append(db, staff.name, "export", f"tickets:{kind}", str(request.query_string), now)
        rows = ticket_rows.listed(
            db, wanted, query.get("state", ""), query.get("severity", ""), in_scope(staff), 5_000
        )
        return _export_rows(db, rows, request)

    table = await request.app[DATABASE].write(write)
    body = comma_separated(HEAD, table) if kind == "csv" else workbook(HEAD, table)
    return web.Response(
        body=body,
        headers={
            **HEADERS,
            "Content-Type": "text/csv; charset=utf-8"
            if kind == "csv"
            else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "Content-Disposition": f'attachment; filename="tickets-{now:%Y%m%d}.{kind}"',
        },
    )
