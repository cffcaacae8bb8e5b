"""The call screen: today's queue, a script with one-key answers, and outcomes that decide the next try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.calls import script as call_script
from bot.console.flows import plan_words
from bot.console.inbox.pages import LOOKING
from bot.console.inbox.thread import tag_facts
from bot.console.pages import ZONE, moved, shown
from bot.console.patients.pages import listed
from bot.console.people import STAFF, Staff, in_scope
from bot.console.services import RECEPTION
from bot.conversation import followup
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.hospital import complaints
from bot.outbox import letters
from bot.outbox.wording import Wording
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import alerts, audit, console_inbox, conversations, tickets
from storage.queries import console_calls as call_rows
from storage.queries import console_patient as patient_rows
from storage.queries import console_thread as threads
from storage.rows import Row

MOST_TRIES: Final = 3  # within 48 hours, at different hours (safety.md §3)
TRIES_WITHIN: Final = timedelta(hours=48)
APART: Final = timedelta(hours=2)
# When people answer the telephone, and are not asleep at noon.
BANDS: Final = ((time(10), time(11, 30)), (time(16), time(19)), (time(14), time(16)))
REMEMBERED: Final = timedelta(days=90)  # the patient's own messages, for the hour that suits them
ENOUGH: Final = 3  # messages in one band say when somebody has time
OPEN_AGAIN: Final = "要重新处理"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `again`: it is to be tried once more; `spoken`: the patient was on the line."""

    label: str
    again: bool = False
    spoken: bool = False
    hint: str = ""


OUTCOMES: Final[Mapping[str, Outcome]] = {
    "reached": Outcome("打通，没有问题", spoken=True),
    "issue": Outcome("打通，有情况要处理", spoken=True, hint="立即生成随访任务"),
    "no_answer": Outcome("无人接听", again=True, hint="换一个时段再打，最多三次"),
    "busy": Outcome("占线", again=True, hint="20分钟后再打"),
    "later": Outcome("约定再打", again=True, hint="到约定的时间"),
    "wrong_number": Outcome("号码不对", hint="核实号码，必要时解绑"),
    "refused": Outcome("拒绝回访", spoken=True, hint="同一患者的随访电话一并结束"),
    "deceased": Outcome("已故或转走", hint="请核实并更新档案"),
    "chat": Outcome("已在微信里解决"),
}

routes = web.RouteTableDef()


def call_facts(row: Row, now: datetime) -> dict[str, Any]:
    """A call to make, as the queue shows it."""
    return {
        "id": row.id,
        "kind": labels.TASKS.get(row.kind, row.kind),
        "code": row.code,
        "name": Patient("", row.name).masked_name if row.name else "未绑定用户",
        "contact": row.contact_id,
        "reason": plan_words.task_reason(row.reason or ""),
        "due": row.due_at,
        "late": row.due_at is not None and row.due_at < now,
        "attempts": row.attempts,
        "who": row.assigned_to,
        "status": row.status,
        "outcome": row.outcome,
    }


# When to try again


def band_of(at: datetime, zone: ZoneInfo) -> int | None:
    """In which of the bands a moment lies."""
    local = at.astimezone(zone).time()
    return next((number for number, (start, end) in enumerate(BANDS) if start <= local < end), None)


def next_try(now: datetime, zone: ZoneInfo, tried: Sequence[datetime], best: int | None = None) -> datetime:
    """The soonest hour at which nobody tried yet: the patient's own first, then the others, then any."""
    used = {band_of(at, zone) for at in (*tried, now)}
    today = now.astimezone(zone).date()
    ahead = [
        (datetime.combine(today + timedelta(days=day), start, zone), number)
        for day in range(3)
        for number, (start, _) in enumerate(BANDS)
    ]
    ahead = sorted((at, number) for at, number in ahead if at >= now + APART)
    limit = min([*tried, now]) + TRIES_WITHIN
    for wanted in ((lambda n: n == best), (lambda n: n not in used), (lambda n: True)):
        found = next(
            (at for at, number in ahead if wanted(number) and at <= limit and number not in used), None
        )
        if found is not None:
            return found
    return ahead[0][0]


def best_band(db: sa.Connection, contact_id: int | None, now: datetime, zone: ZoneInfo) -> int | None:
    """When this patient writes to us most often; None: nobody knows."""
    if contact_id is None:
        return None
    written = Counter(
        band
        for at in call_rows.written_at(db, contact_id, now - REMEMBERED)
        if (band := band_of(at, zone)) is not None
    )
    commonest = written.most_common(1)
    return commonest[0][0] if commonest and commonest[0][1] >= ENOUGH else None


def band_name(number: int | None) -> str:
    """16:00–19:00."""
    return "" if number is None else f"{BANDS[number][0]:%H:%M}–{BANDS[number][1]:%H:%M}"


# The screen


@routes.get("/console/calls")
async def queue(request: web.Request) -> web.Response:
    """Who is to be rung, due first."""
    return await _screen(request, None)


@routes.get("/console/calls/{task:\\d+}")
async def call(request: web.Request) -> web.Response:
    """The same with one of them open: whom, why, what to ask."""
    return await _screen(request, int(request.match_info["task"]))


async def _screen(request: web.Request, chosen: int | None, problem: str = "") -> web.Response:
    staff, now = request[STAFF], request.app[CLOCK].now()

    def read(db: sa.Connection) -> dict[str, Any]:
        scope = in_scope(staff)
        rows = call_rows.queue(db, scope)
        contacts = [row.contact_id for row in rows if row.contact_id is not None]
        looking = console_inbox.lookers(db, contacts, now - LOOKING)
        return {
            "queue": [
                call_facts(row, now)
                | {"lookers": [name for name in looking.get(row.contact_id, []) if name != staff.name]}
                for row in rows
            ],
            "leads": call_rows.leads_due(db, now),
            "call": _call(db, request, chosen, now) if chosen else None,
        }

    try:
        found = await request.app[DATABASE].write(read) if chosen else await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(
        request, "calls.html", problem=problem, outcomes=OUTCOMES, status=422 if problem else 200, **found
    )


def _call(db: sa.Connection, request: web.Request, task: int, now: datetime) -> dict[str, Any]:
    staff, zone, wording = request[STAFF], request.app[ZONE], request.app[RECEPTION].wording
    row = call_rows.one(db, task, in_scope(staff))
    if row is None:
        raise LookupError(task)
    touch = call_script.touch_of(db, row)
    said = threads.said(db, row.contact_id, 8) if row.contact_id else []
    if row.contact_id is not None:
        console_inbox.look(db, row.contact_id, staff.name, now)
    hospital = wording.hospital
    return call_facts(row, now) | {
        "person": _person(db, row, staff, now, now.astimezone(zone).date()) if row.code else {},
        "attempted": call_rows.attempts(db, task),
        "said": [one for one in said if one.text],
        "script": () if touch is not None else call_script.script_of(row),
        "step": call_script.step(touch, wording) if touch is not None else None,
        "opening": call_script.OPENING.replace(
            "{hospital}", hospital.get("short_name") or hospital.get("name", "")
        ).replace("{staff}", staff.name),
        "ticket": call_script.ticket_number(row) if call_script.is_after_complaint(row) else "",
        # The patient wrote meanwhile: perhaps nobody needs to ring.
        "answered": bool(said) and row.contact_id is not None and _answered_since(db, row),
        "best": band_name(best_band(db, row.contact_id, now, zone)),
    }


def _person(db: sa.Connection, row: Row, staff: Staff, now: datetime, today: date) -> dict[str, Any]:
    # Ringing somebody needs the number: it is shown, and that is written down.
    audit.append(db, staff.name, "read", f"patient:{row.code}", "call", now)
    found = patient_rows.find(db, row.code, "", ())
    return (listed(found, today)[0] if found else {}) | {
        "phone": row.phone or "",
        "visits": patient_rows.visits_of(db, row.code)[:4],
        "procedures": patient_rows.procedures_of(db, row.code)[:3],
        "tags": [tag_facts(tag) for tag in patient_rows.tags(db, row.code)],
        "allergies": row.allergies or "",
        "deceased": row.deceased_on,
    }


def _answered_since(db: sa.Connection, row: Row) -> bool:
    found = console_inbox.one(db, row.contact_id)
    return found is not None and found.spoke_at is not None and found.spoke_at > row.at


@routes.post("/console/calls/{task:\\d+}/answer")
async def answer(request: web.Request) -> web.Response:
    """One answer to a plan's question; the next question comes back."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    number, key = int(request.match_info["task"]), str(form.get("key", ""))
    text = " ".join(str(one) for one in form.getall("text", []))[:500]
    zone, wording = request.app[ZONE], request.app[RECEPTION].wording

    def write(db: sa.Connection) -> call_script.Step:
        row = call_rows.one(db, number, in_scope(staff), lock=True)
        if row is None:
            raise LookupError(number)
        return call_script.take(db, row, key, text, now, zone, wording)

    try:
        step = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return shown(request, "call_question.html", call={"id": number, "step": step})


# How it ended


@dataclass(frozen=True, slots=True)
class Ended:
    """What is written down of one try."""

    outcome: str
    answers: Mapping[str, str]
    note: str
    at: datetime | None  # when to try again, as it was agreed
    by: str
    now: datetime
    zone: ZoneInfo
    wording: Wording


@routes.post("/console/calls/{task:\\d+}/outcome")
async def outcome(request: web.Request) -> web.Response:
    """How it ended, what was answered; it decides whether and when to ring again."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    number, ended = int(request.match_info["task"]), str(form.get("outcome", ""))
    zone, at = request.app[ZONE], _agreed(str(form.get("at", "")), request.app[ZONE])
    if ended not in OUTCOMES:
        return await _screen(request, number, "请选择通话结果。")
    if ended == "later" and (at is None or at <= now):
        return await _screen(request, number, "请写约定再打的时间。")

    def write(db: sa.Connection) -> None:
        row = call_rows.one(db, number, in_scope(staff), lock=True)
        if row is None:
            raise LookupError(number)
        if row.status != "open":
            return
        script = call_script.script_of(row)
        given = {one.key: str(form[one.key]) for one in script if form.get(one.key)}
        answers = {one.key: given[one.key] for one in call_script.asked(script, given) if one.key in given}
        note = str(form.get("note", "")).strip()[:2_000]
        end = Ended(ended, answers, note, at, staff.name, now, zone, request.app[RECEPTION].wording)
        _write_down(db, row, end)
        _settle(db, row, end)
        _act(db, row, end, call_script.alarming(script, answers))

    try:
        await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return moved("/console/calls")


def _agreed(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone) if text else None
    except ValueError:
        return None


def _write_down(db: sa.Connection, row: Row, end: Ended) -> None:
    values = {
        "task_id": row.id,
        "at": end.now,
        "by": end.by,
        "outcome": end.outcome,
        "note": end.note or None,
        "answers": dict(end.answers) or None,
    }
    call_rows.add_attempt(db, values)
    label = OUTCOMES[end.outcome].label
    if row.contact_id is not None:
        said = "：".join(filter(None, (label, end.note)))
        threads.add_note(db, row.contact_id, end.now, "call", end.by, said)
    if call_script.is_after_complaint(row):
        told = "，".join(filter(None, (label, *end.answers.values(), end.note)))
        ticket = tickets.by_number(db, call_script.ticket_number(row))
        if ticket is not None:
            tickets.add_entry(db, ticket.id, end.now, "call_back", end.by, told)


def _settle(db: sa.Connection, row: Row, end: Ended) -> None:
    """Due again, or over."""
    kind = OUTCOMES[end.outcome]
    if kind.again and row.attempts + 1 < MOST_TRIES:
        call_rows.change_task(db, row.id, due_at=_again(db, row, end), assigned_to="", outcome=kind.label)
        return
    label = f"{MOST_TRIES}次未接通" if kind.again else kind.label
    call_rows.change_task(db, row.id, status="done", done_at=end.now, assigned_to=end.by, outcome=label)
    if kind.spoken:
        followup.phoned(db, row.key or "", end.now)
    if kind.again and row.contact_id is not None:
        _write_instead(db, row, end)


def _again(db: sa.Connection, row: Row, end: Ended) -> datetime:
    if end.outcome == "later" and end.at is not None:
        return end.at
    if end.outcome == "busy":
        return end.now + timedelta(minutes=20)
    tried = [one.at for one in call_rows.attempts(db, row.id)]
    return next_try(end.now, end.zone, tried, best_band(db, row.contact_id, end.now, end.zone))


def _write_instead(db: sa.Connection, row: Row, end: Ended) -> None:
    """Three times in vain: the patient reads that we rang, and how to reach us."""
    language = Language(conversations.language_of(db, row.contact_id) or Language.SIMPLIFIED)
    letter = Letter(
        key=f"not_reached:{row.id}",
        purpose=Purpose.CARE,
        text=end.wording.text(say("person/not_reached"), language),
        not_before=end.now,
        useful_until=end.now + timedelta(days=2),
        contact_id=row.contact_id,
        patient_code=row.code,
    )
    letters.put(db, letter, end.now)


def _act(db: sa.Connection, row: Row, end: Ended, alarming: Sequence[str]) -> None:
    """What an outcome or an answer asks of colleagues."""
    if end.outcome == "refused" and row.code:
        call_rows.end_follow_ups(db, row.code, "患者拒绝回访", end.by, end.now)
    if end.answers.get("again") == OPEN_AGAIN:
        ticket = tickets.by_number(db, call_script.ticket_number(row))
        if ticket is not None and ticket.status == "closed":
            complaints.open_again(db, end.now, ticket, end.by, "回访时患者要求重新处理")
    if end.outcome not in ("issue", "wrong_number", "deceased") and not alarming:
        return
    reason = "；".join(filter(None, (OUTCOMES[end.outcome].label, *alarming, end.note)))[:300]
    values = {
        "at": end.now,
        "key": f"call:{row.id}:{end.outcome}:{row.attempts}",
        "contact_id": row.contact_id,
        "patient_code": row.code,
        "kind": "plan",
        "reason": f"电话回访：{reason}",
        "status": "open",
        "due_at": end.now + timedelta(minutes=15 if alarming else 60),
    }
    alerts.add_task(db, values)
