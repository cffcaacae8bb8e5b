"""What is done about a ticket: move it, answer, pause, extend, class, give to the law or to quality, correct, note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.inbox import lint
from bot.console.pages import ZONE, moved
from bot.console.people import STAFF, Staff, in_scope
from bot.console.services import RECEPTION
from bot.console.tickets.pages import ANSWERABLE, KINDS, moves_of, page
from bot.domain.calendar import add_workdays
from bot.hospital import complaints
from bot.outbox import ticket_answers
from bot.outbox.wording import Wording
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, tickets
from storage.queries import console_tickets as ticket_rows
from storage.queries import staff as users
from storage.rows import Row

LONGEST = 2_000  # characters of an answer or a note
ACTION_WORKING_DAYS = 10  # for a corrective action, when nobody names a day

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody, about to do something to a ticket they may see."""

    db: sa.Connection
    ticket: Row
    staff: Staff
    now: datetime
    zone: ZoneInfo
    wording: Wording

    @property
    def by(self) -> str:
        """Who."""
        return self.staff.name

    def tell(self, message: str, **facts: object) -> None:
        """The patient reads of it."""
        ticket_answers.tell(self.db, self.now, self.wording, self.ticket, message, **facts)

    def entry(self, kind: str, text: str) -> None:
        """It stands in the record."""
        tickets.add_entry(self.db, self.ticket.id, self.now, kind, self.by, text)


Act = Callable[[Deed], str]  # answers a problem, or nothing


async def _do(request: web.Request, act: Act) -> web.Response:
    number, staff, now = request.match_info["number"], request[STAFF], request.app[CLOCK].now()
    zone, wording = request.app[ZONE], request.app[RECEPTION].wording

    def write(db: sa.Connection) -> str:
        row = ticket_rows.one(db, number, in_scope(staff), lock=True)
        if row is None:
            raise LookupError(number)
        return act(Deed(db, row, staff, now, zone, wording))

    try:
        problem = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return await page(request, problem) if problem else moved(f"/console/tickets/{number}")


async def _fields(request: web.Request, *names: str) -> list[str]:
    form = await request.post()
    return [str(form.get(name, "")).strip()[:LONGEST] for name in names]


def _settled(ticket: Row) -> str:
    """Why nothing can be changed; empty: it can."""
    if ticket.status in ticket_rows.DONE:
        return "已经办结。"
    return "已进入法律途径，记录冻结。" if ticket.legal else ""


@routes.post("/console/tickets/{number}/move")
async def move(request: web.Request) -> web.Response:
    """To the next state, perhaps with an owner and why."""
    to, owner, why = await _fields(request, "to", "owner", "why")

    def act(deed: Deed) -> str:
        row = deed.ticket
        if to not in moves_of(row):
            now, then = labels.TICKET_STATES.get(row.status), labels.TICKET_STATES.get(to, to)
            return f"“{now}”不能直接变为“{then}”。"
        if to == "assigned" and users.user(deed.db, owner) is None:
            return "请选择负责人。"
        if to in ("reopened", "closed") and not why:
            return "请写明原因。"
        if to == "closed":
            complaints.close(deed.db, deed.now, deed.zone, row, deed.by, why)
        elif to == "reopened":
            complaints.open_again(deed.db, deed.now, row, deed.by, why)
        else:
            changes = {"status": to} | ({"owner": owner} if to == "assigned" else {})
            tickets.change_ticket(deed.db, row.id, **changes)
            deed.entry("state", " ".join(filter(None, (to, owner, why))))
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/note")
async def note(request: web.Request) -> web.Response:
    """A note, what caused it, or the call-back."""
    kind, text = await _fields(request, "kind", "text")

    def act(deed: Deed) -> str:
        if not text or kind not in KINDS:
            return "请写内容。"
        deed.entry(kind, text)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/answer")
async def answer(request: web.Request) -> web.Response:
    """The patient reads the answer, and accepts or disputes it."""
    (text,) = await _fields(request, "text")

    def act(deed: Deed) -> str:
        row = deed.ticket
        if not text:
            return "请写答复内容。"
        if row.status not in ANSWERABLE or row.kind != "complaint" or row.legal:
            return "现在不能答复。"
        if findings := lint.check(text):
            return "没有发送：" + "；".join(f"“{one.words}” {one.why}" for one in findings[:3])
        if row.paused_at is not None:
            complaints.resume(deed.db, deed.now, deed.zone, row, deed.by)
        ticket_answers.answer(deed.db, deed.now, deed.wording, row.number, text, deed.by)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/pause")
async def pause(request: web.Request) -> web.Response:
    """The clock stands still; the patient reads why."""
    (why,) = await _fields(request, "why")

    def act(deed: Deed) -> str:
        row = deed.ticket
        if problem := _settled(row):
            return problem
        if row.paused_at is not None or row.status == "replied":
            return "现在不能暂停。"
        if not why:
            return "请写明暂停原因，患者会看到。"
        if findings := lint.check(why):
            return "没有暂停：" + "；".join(f"“{one.words}” {one.why}" for one in findings[:3])
        complaints.pause(deed.db, deed.now, row, deed.by, why)
        deed.tell("paused", reason=why)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/resume")
async def resume(request: web.Request) -> web.Response:
    """The clock goes on; the patient reads the new day."""

    def act(deed: Deed) -> str:
        if deed.ticket.paused_at is None:
            return "没有暂停。"
        due = complaints.resume(deed.db, deed.now, deed.zone, deed.ticket, deed.by)
        deed.tell("resumed", due=due)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/extend")
async def extend(request: web.Request) -> web.Response:
    """Several departments are concerned: ten working days, and the patient is told."""
    (why,) = await _fields(request, "why")

    def act(deed: Deed) -> str:
        if problem := _settled(deed.ticket):
            return problem
        if not why:
            return "请写明涉及哪些科室。"
        due = complaints.extend(deed.db, deed.now, deed.zone, deed.ticket, deed.by, why)
        if due is None:
            return "已经是10个工作日。"
        deed.tell("extended", due=due)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/refuse")
async def refuse(request: web.Request) -> web.Response:
    """Not ours to handle; the patient reads why."""
    (why,) = await _fields(request, "why")

    def act(deed: Deed) -> str:
        if deed.ticket.status in ticket_rows.DONE:
            return "已经办结。"
        if not why:
            return "请写明不予受理的原因，患者会看到。"
        complaints.refuse(deed.db, deed.now, deed.ticket, deed.by, why)
        deed.tell("not_accepted", reason=why)
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/legal")
async def legal(request: web.Request) -> web.Response:
    """A mediator, a court or the police has it; the patient reads the legal ways. Empty: they gave it back."""
    where, why = await _fields(request, "where", "why")

    def act(deed: Deed) -> str:
        if where and where not in labels.LEGAL:
            return "请选择法律途径。"
        if not where and deed.staff.role not in ("manager", "quality"):
            return "解除法律途径需要经理或质控。"
        if not why:
            return "请写明原因。"
        complaints.give_to_law(deed.db, deed.now, deed.ticket, deed.by, where, why)
        if where == "mediation":
            deed.tell("legal_routes")
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/class")
async def classify(request: web.Request) -> web.Response:
    """What it turned out to be: how grave, whom it is about, the cause, a complaint or a suggestion."""
    severity, department, doctor, cause, kind, why = await _fields(
        request, "severity", "department", "doctor", "cause", "kind", "why"
    )

    def act(deed: Deed) -> str:
        row = deed.ticket
        departments, doctors = ticket_rows.departments_and_doctors(deed.db)
        if (severity and severity not in labels.SEVERITIES) or (kind and kind not in labels.TICKET_KINDS):
            return "请选择分级和类别。"
        if (department and department not in departments) or (doctor and doctor not in doctors):
            return "没有这个科室或医生。"
        lowered = bool(severity and row.severity and severity > row.severity)
        if (lowered or kind not in ("", row.kind)) and not why:
            return "降级或改类别请写明原因。"
        changes = {
            "severity": severity or row.severity,
            "kind": kind or row.kind,
            "department_code": department,
            "doctor_code": doctor,
            "cause": cause if cause in labels.CAUSES else "",
        }
        tickets.change_ticket(deed.db, row.id, **changes)
        said = [
            labels.SEVERITIES.get(changes["severity"], ""),
            labels.TICKET_KINDS.get(changes["kind"], ""),
            departments.get(department, ""),
            doctors.get(doctor, ""),
            labels.CAUSES.get(cause, ""),
            why,
        ]
        deed.entry("class", "，".join(filter(None, said)))
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/quality")
async def quality(request: web.Request) -> web.Response:
    """To quality control, and what they found."""
    state, text = await _fields(request, "state", "text")

    def act(deed: Deed) -> str:
        if state not in labels.QUALITY:
            return "请选择质控状态。"
        if state == "done" and deed.staff.role not in ("quality", "manager"):
            return "由质控填写结论。"
        if not text:
            return "请写内容。"
        tickets.change_ticket(deed.db, deed.ticket.id, quality=state)
        deed.entry("quality", f"{labels.QUALITY[state]}：{text}")
        return ""

    return await _do(request, act)


# Corrective actions


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@routes.post("/console/tickets/{number}/actions")
async def add_action(request: web.Request) -> web.Response:
    """Somebody will do something by a day, and after ninety days somebody looks whether it helped."""
    text, owner, due = await _fields(request, "text", "owner", "due")

    def act(deed: Deed) -> str:
        if not text or users.user(deed.db, owner) is None:
            return "请写整改措施并选择负责人。"
        today = deed.now.astimezone(deed.zone).date()
        until = _day(due) or add_workdays(today, ACTION_WORKING_DAYS)
        if until < today:
            return "整改期限不能在过去。"
        values = {
            "ticket_id": deed.ticket.id,
            "at": deed.now,
            "author": deed.by,
            "text": text,
            "owner": owner,
            "due": until,
            "check_on": until + complaints.CHECK_AFTER,
        }
        ticket_rows.add_action(deed.db, values)
        deed.entry("action", f"{text}（{owner}，{until}前）")
        return ""

    return await _do(request, act)


@routes.post("/console/tickets/{number}/actions/{action:\\d+}")
async def change_action(request: web.Request) -> web.Response:
    """It is done; or it was looked at, and this is what it brought."""
    action, (effect,) = int(request.match_info["action"]), await _fields(request, "effect")

    def act(deed: Deed) -> str:
        changes = {"checked_at": deed.now, "effect": effect} if effect else {"done_at": deed.now}
        if not ticket_rows.change_action(deed.db, deed.ticket.id, action, **changes):
            raise LookupError(action)
        deed.entry("action", f"效果：{effect}" if effect else "整改措施已完成")
        audit.append(deed.db, deed.by, "corrective action", f"ticket:{deed.ticket.number}", "", deed.now)
        return ""

    return await _do(request, act)
