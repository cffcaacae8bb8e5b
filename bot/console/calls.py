"""The call screen: today's queue, a script with one-key answers, outcomes that decide the next try; and screen pop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.pages import ZONE, moved, shown
from bot.console.patients import listed, masked_phone
from bot.console.people import STAFF, in_scope
from bot.conversation import followup
from bot.domain.patient import Patient
from bot.domain.phone import normal_phone
from bot.hospital.identity import phone_index
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import alerts, audit, console_inbox
from storage.queries import console_calls as call_rows
from storage.queries import console_patient as patient_rows
from storage.queries import console_thread as threads
from storage.rows import Row

MOST_TRIES: Final = 3  # within 48 hours, at different hours (safety.md §3)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `again`: when to try next; None: it is over."""

    label: str
    again: timedelta | None = None


OUTCOMES: Final[Mapping[str, Outcome]] = {
    "reached": Outcome("打通，没有问题"),
    "issue": Outcome("打通，有情况要处理"),
    "no_answer": Outcome("无人接听", timedelta(hours=4)),
    "busy": Outcome("占线", timedelta(minutes=20)),
    "later": Outcome("请稍后再打", timedelta(hours=2)),
    "wrong_number": Outcome("号码不对"),
    "refused": Outcome("拒绝回访"),
    "deceased": Outcome("已故或转走"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a script, and its answers; those in `alarming` need a nurse."""

    key: str
    text: str
    answers: tuple[str, ...]
    alarming: tuple[str, ...] = ()


OPENING: Final = "您好，我是{hospital}{staff}，请问您现在方便说几句话吗？请先核对姓名和出生日期，再说病情。"
SCRIPT: Final = (
    Question("feel", "现在感觉怎么样？", ("好", "一般", "不好"), ("不好",)),
    Question(
        "flags",
        "有没有发烧、出血、疼得厉害、喘不上气？",
        ("都没有", "有一点", "有，比较重"),
        ("有一点", "有，比较重"),
    ),
    Question("medicine", "药拿到了吗，知道怎么吃吗？", ("都清楚", "不太清楚", "没拿到"), ("没拿到",)),
    Question("next", "知道什么时候复诊、不舒服打哪个电话吗？", ("知道", "不知道")),
    Question("score", "这次就诊您满意吗？", ("5 很满意", "4 满意", "3 一般", "2 不满意", "1 很不满意")),
)
SPOKEN: Final = frozenset({"reached", "issue", "refused"})  # the patient was on the line
SCRIPTED: Final = frozenset({"plan", "silence", "no_route", "low_score"})

routes = web.RouteTableDef()


def _facts(row: Row, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": labels.TASKS.get(row.kind, row.kind),
        "code": row.code,
        "name": Patient("", row.name).masked_name if row.name else "未绑定用户",
        "contact": row.contact_id,
        "reason": row.reason or "",
        "due": row.due_at,
        "late": row.due_at is not None and row.due_at < now,
        "attempts": row.attempts,
        "who": row.assigned_to,
        "status": row.status,
        "outcome": row.outcome,
    }


@routes.get("/console/calls")
async def queue(request: web.Request) -> web.Response:
    """Who is to be rung, due first."""
    return await _screen(request, None)


@routes.get("/console/calls/{task:\\d+}")
async def call(request: web.Request) -> web.Response:
    """The same with one of them open: whom, why, what to ask."""
    return await _screen(request, int(request.match_info["task"]))


async def _screen(request: web.Request, chosen: int | None, problem: str = "") -> web.Response:
    staff, now, zone = request[STAFF], request.app[CLOCK].now(), request.app[ZONE]
    today = now.astimezone(zone).date()

    def read(db: sa.Connection) -> dict[str, Any]:
        scope = in_scope(staff)
        rows = [_facts(row, now) for row in call_rows.queue(db, scope)]
        return {"queue": rows, "call": _call(db, chosen, staff.name, now, today, scope) if chosen else None}

    try:
        found = await request.app[DATABASE].write(read) if chosen else await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(
        request, "calls.html", problem=problem, outcomes=OUTCOMES, status=422 if problem else 200, **found
    )


def _call(db: sa.Connection, task: int, name: str, now: datetime, today: date, scope: Any) -> dict[str, Any]:
    row = call_rows.one(db, task, scope)
    if row is None:
        raise LookupError(task)
    person: dict[str, Any] = {}
    if row.code:
        # Ringing somebody needs the number: it is shown, and that is written down.
        audit.append(db, name, "read", f"patient:{row.code}", "call", now)
        found = patient_rows.find(db, row.code, "", ())
        person = listed(found, today)[0] if found else {}
        person |= {
            "phone": row.phone or "",
            "visits": patient_rows.visits_of(db, row.code)[:4],
            "procedures": patient_rows.procedures_of(db, row.code)[:3],
            "deceased": row.deceased_on,
        }
    said = threads.said(db, row.contact_id, 6) if row.contact_id else []
    return _facts(row, now) | {
        "person": person,
        "attempted": call_rows.attempts(db, task),
        "said": [one for one in said if one.text],
        "script": SCRIPT if row.kind in SCRIPTED else (),
        "opening": OPENING,
        # The patient answered in the chat meanwhile: nobody needs to ring.
        "answered": bool(said) and row.contact_id is not None and _answered_since(db, row),
    }


def _answered_since(db: sa.Connection, row: Row) -> bool:
    found = console_inbox.one(db, row.contact_id)
    return found is not None and found.spoke_at is not None and found.spoke_at > row.at


@routes.post("/console/calls/{task:\\d+}/outcome")
async def outcome(request: web.Request) -> web.Response:
    """How it ended, what was answered; it decides whether and when to ring again."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    number, ended = int(request.match_info["task"]), str(form.get("outcome", ""))
    note = str(form.get("note", "")).strip()[:2_000]
    answers = {question.key: str(form[question.key]) for question in SCRIPT if form.get(question.key)}
    if ended not in OUTCOMES:
        return await _screen(request, number, "请选择通话结果。")

    def write(db: sa.Connection) -> None:
        row = call_rows.one(db, number, in_scope(staff), lock=True)
        if row is None:
            raise LookupError(number)
        if row.status != "open":
            return
        call_rows.add_attempt(
            db,
            {
                "task_id": number,
                "at": now,
                "by": staff.name,
                "outcome": ended,
                "note": note or None,
                "answers": answers or None,
            },
        )
        _settle(db, row, ended, answers, note, staff.name, now)

    try:
        await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return moved("/console/calls")


def _settle(
    db: sa.Connection, row: Row, ended: str, answers: Mapping[str, str], note: str, by: str, now: datetime
) -> None:
    again, label = OUTCOMES[ended].again, OUTCOMES[ended].label
    if again is not None and row.attempts + 1 < MOST_TRIES:
        call_rows.change_task(db, row.id, due_at=now + again, assigned_to="", outcome=label)
    else:
        given_up = again is not None
        call_rows.change_task(
            db,
            row.id,
            status="done",
            done_at=now,
            assigned_to=by,
            outcome=f"{MOST_TRIES}次未接通" if given_up else label,
        )
    if ended in SPOKEN:
        followup.phoned(db, row.key or "", now)
    alarming = [q.text for q in SCRIPT if answers.get(q.key) in q.alarming and q.alarming]
    if ended == "issue" or alarming or ended in ("wrong_number", "deceased"):
        reason = "；".join(filter(None, (label, *alarming, note)))[:300]
        values = {
            "at": now,
            "key": f"call:{row.id}:{ended}",
            "contact_id": row.contact_id,
            "patient_code": row.code,
            "kind": "plan",
            "reason": f"电话回访：{reason}",
            "status": "open",
            "due_at": now + timedelta(minutes=15 if alarming else 60),
        }
        alerts.add_task(db, values)
    if row.contact_id is not None:
        threads.add_note(db, row.contact_id, now, "call", by, "：".join(filter(None, (label, note))))


# Screen pop


@routes.get("/console/pop")
async def pop(request: web.Request) -> web.Response:
    """Who is ringing: one patient opens, several are listed, nobody known becomes a lead."""
    phone = normal_phone(request.query.get("phone", "")) or ""
    staff, now = request[STAFF], request.app[CLOCK].now()
    today = now.astimezone(request.app[ZONE]).date()
    index = phone_index(phone) if phone else ""

    def write(db: sa.Connection) -> tuple[list[Row], list[Row], list[Row]]:
        found = list(patient_rows.by_phone(db, index, staff.departments)) if index else []
        audit.append(db, staff.name, "pop", "patient:" + ",".join(row.code for row in found), "", now)
        tasks = call_rows.open_tasks_of(db, [row.code for row in found], now)
        return found, list(tasks), list(call_rows.leads_with(db, index)) if index else []

    found, tasks, leads = await request.app[DATABASE].write(write)
    if len(found) == 1:
        return moved(f"/console/patients/{found[0].code}")
    return shown(
        request,
        "pop.html",
        phone=phone,
        masked=masked_phone(phone),
        people=listed(found, today),
        tasks=[_facts(row, now) for row in tasks],
        leads=leads,
    )


@routes.post("/console/leads")
async def add_lead(request: web.Request) -> web.Response:
    """Somebody rang whom the hospital does not know yet."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    phone = normal_phone(str(form.get("phone", "")))
    if phone is None:
        raise web.HTTPUnprocessableEntity
    values = {
        "at": now,
        "phone": phone,
        "phone_index": phone_index(phone),
        "name": str(form.get("name", "")).strip()[:50],
        "note": str(form.get("note", "")).strip()[:500],
        "by": staff.name,
        "next_at": now + timedelta(days=1),
    }
    await request.app[DATABASE].write(lambda db: call_rows.add_lead(db, values))
    return moved(f"/console/pop?phone={phone}")
