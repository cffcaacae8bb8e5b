"""A patient, whole: who, whose, what happened, what is planned, what was sent or withheld and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.flows import plan_words
from bot.console.inbox.thread import tag_facts
from bot.console.pages import ZONE, moved, shown
from bot.console.patients import planned
from bot.console.people import STAFF, patient_for
from bot.domain.patient import Patient
from bot.domain.phone import normal_phone
from bot.hospital import reports, tiers
from bot.hospital.identity import phone_index
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_patient as patient_rows
from storage.queries import console_thread as threads
from storage.rows import Row

LATELY = timedelta(days=7)
TIERS = {"VIP": "VIP", "main": "主要", "normal": "普通", "small": "小"}
VISITS = {"outpatient": "门诊", "inpatient": "住院", "exam": "体检", "": "就诊"}
VISIT_STATES = {"booked": "已约", "done": "", "cancelled": "已取消", "noshow": "未到", "loss": "妊娠丢失"}
BOOKINGS = {
    "booked": "已预约",
    "cancelled": "已取消",
    "waiting": "候补中",
    "held": "保留中",
    "done": "已就诊",
    "noshow": "未到",
}
REPORTS = {"lab": "检验", "imaging": "影像", "pathology": "病理", "exam": "体检"}
SHOWN_CODES = 12
ACTORS = {"import": "医院导入", "patient": "患者"}

routes = web.RouteTableDef()


class ValueTiers:
    """The value tiers of today: computed once a day, because they rank everybody."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._above: dict[str, str] = {}  # only those above the lowest

    async def of(self, request: web.Request, code: str, today: date) -> str:
        """VIP, main, normal or small."""
        if self._day != today:
            found = await request.app[DATABASE].read(lambda db: tiers.values(db, today))
            self._above = {one.patient: one.tier for one in found if one.tier != "small"}
            self._day = today
        return self._above.get(code, "small")


VALUE_TIERS = web.AppKey("value_tiers", ValueTiers)


def masked_phone(phone: str | None) -> str:
    """138****1234."""
    return f"{phone[:3]}****{phone[-4:]}" if phone and len(phone) >= 8 else "—" if not phone else "****"


def masked_id(number: str | None) -> str:
    """The last two characters."""
    return f"****************{number[-2:]}" if number else "—"


def listed(rows: Iterable[Row], today: date) -> list[dict[str, Any]]:
    """Patients as lists show them."""
    return [
        {
            "code": row.code,
            "name": Patient("", row.name).masked_name,
            "sex": labels.SEX.get(row.sex, ""),
            "age": Patient("", "", birth_date=row.birth_date).age(today),
            "vip": row.vip_level or 0,
            "deceased": row.deceased_on,
        }
        for row in rows
    ]


@routes.get("/console/patients")
async def search(request: web.Request) -> web.Response:
    """By code, name or whole telephone number; without a question, whom one opened lately."""
    words, staff, now = request.query.get("q", "").strip()[:60], request[STAFF], request.app[CLOCK].now()
    today = now.astimezone(request.app[ZONE]).date()
    phone = phone_index(words) if normal_phone(words) else ""

    def read(db: sa.Connection) -> list[Row]:
        if words:
            return list(patient_rows.find(db, words, phone, staff.departments))
        codes = patient_rows.recently_read(db, staff.name, now - LATELY, SHOWN_CODES)
        return [row for code in codes for row in patient_rows.find(db, code, "", staff.departments, 1)]

    found = await request.app[DATABASE].read(read)
    return shown(request, "patients.html", rows=listed(found, today), words=words)


@routes.get("/console/patients/{code}")
async def patient(request: web.Request) -> web.Response:
    """The whole page, with names and numbers masked."""
    return await _page(request, why="")


@routes.post("/console/patients/{code}/unmask")
async def unmask(request: web.Request) -> web.Response:
    """The same, readable, because of a reason that is written down."""
    why = str((await request.post()).get("why", "")).strip()
    return await _page(request, why=why[:200], asked=True)


async def _page(request: web.Request, *, why: str, asked: bool = False) -> web.Response:
    staff, now, zone = request[STAFF], request.app[CLOCK].now(), request.app[ZONE]
    code, today = request.match_info["code"], now.astimezone(zone).date()

    def read(db: sa.Connection) -> dict[str, Any]:
        row = patient_for(db, staff, code, now, why=why)
        return {
            "patient": _identity(row, today, readable=bool(why)),
            "planned": planned.to_come(db, code, now),
            "history": planned.history(db, code),
            "family": _family(db, code, today),
            **_record(db, code, zone),
        }

    try:
        found = await request.app[DATABASE].write(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    tier = await request.app[VALUE_TIERS].of(request, code, today)
    problem = "请写明查看完整信息的原因。" if asked and not why else ""
    return shown(
        request,
        "patient.html",
        tier=TIERS[tier],
        problem=problem or ("来不及了，或时间不在8点到21点之间。" if request.query.get("late") else ""),
        readable=bool(why),
        tag_kinds=labels.TAG_KINDS,
        status=422 if problem else 200,
        **found,
    )


def _identity(row: Row, today: date, *, readable: bool) -> dict[str, Any]:
    person = Patient(row.code, row.name, row.sex, row.birth_date)
    return {
        "code": row.code,
        "name": row.name if readable else person.masked_name,
        "sex": labels.SEX.get(row.sex, ""),
        "age": person.age(today),
        "birth": row.birth_date if readable else None,
        "lunar": row.lunar_birthday,
        "phone": (row.phone or "—") if readable else masked_phone(row.phone),
        "id_number": (row.id_number or "—") if readable else masked_id(row.id_number),
        "region": row.region,
        "source": row.source,
        "language": {"zh-Hans": "简体", "zh-Hant": "繁体", "en": "英文"}.get(row.language, "简体"),
        "allergies": row.allergies or "",
        "history": row.history or "",
        "vip": row.vip_level or 0,
        "marketing": row.marketing_consent,
        "deceased": row.deceased_on,
    }


def _record(db: sa.Connection, code: str, zone: ZoneInfo) -> dict[str, Any]:
    visits = patient_rows.visits_of(db, code)
    letters = [
        {
            "at": row.sent_at or row.not_before,
            "purpose": labels.PURPOSES.get(row.purpose, row.purpose),
            "plan": plan_words.contact(row.plan, row.step) if row.plan else "",
            "channel": labels.ROUTES.get(row.channel, row.channel),
            "state": labels.STATES.get(row.state, row.state),
            "good": row.state in ("sent", "delivered"),
            "why": labels.reason(row.reason),
            "text": row.body.get("text", "")[:70],
        }
        for row in patient_rows.letters_of(db, code)
    ]
    booked = patient_rows.appointments_of(db, code)
    return {
        "tags": [tag_facts(row) for row in patient_rows.tags(db, code)],
        "speakers": [
            {
                "contact": row.contact_id,
                "relation": labels.RELATIONS.get(row.relation, row.relation),
                "level": row.level,
                "channel": labels.CHANNELS.get(row.account.partition("/")[0], row.account),
                "followed": row.followed,
                "since": row.created_at,
                "ended": row.ended_at,
            }
            for row in patient_rows.spokespeople(db, code)
        ],
        "visits": visits,
        "visit_kinds": VISITS,
        "visit_states": VISIT_STATES,
        "year": _year(visits),
        "procedures": patient_rows.procedures_of(db, code),
        "appointments": booked,
        "bookings": BOOKINGS,
        "reports": [
            {
                "kind": REPORTS.get(one.kind, one.kind),
                "at": one.issued_at,
                "ready": one.ready,
                "held": one.held,
            }
            for one in reports.of_patient(db, code)
        ],
        "points": patient_rows.points_of(db, code),
        "balance": patient_rows.balance(db, code),
        "consents": patient_rows.consents_of(db, code),
        "purposes": labels.PURPOSES,
        "actors": ACTORS,
        "letters": letters,
        "timeline": _timeline(db, code, visits, booked, zone),
    }


def _family(db: sa.Connection, code: str, today: date) -> list[dict[str, Any]]:
    """Patients for whom the same users speak."""
    rows = patient_rows.family(db, code)
    return [
        one | {"relation": labels.RELATIONS.get(row.relation, row.relation)}
        for one, row in zip(listed(rows, today), rows, strict=True)
    ]


def _year(visits: Iterable[Row]) -> dict[str, Any]:
    happened = [row for row in visits if row.status in ("done", "loss", "")]
    latest = max((row.date for row in happened), default=None)
    recent = [row for row in happened if latest and (latest - row.date).days <= 365]
    return {"amount": sum(row.amount_cents for row in recent), "count": len(recent), "last": latest}


def _timeline(
    db: sa.Connection, code: str, visits: Iterable[Row], booked: Iterable[Row], zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Everything that happened, the newest first."""

    def noon(day: date) -> datetime:
        return datetime.combine(day, time(12), zone).astimezone(UTC)

    events = [
        (
            noon(row.date),
            "就诊",
            f"{VISITS.get(row.kind, row.kind)} {row.department or ''} {row.doctor or ''}",
        )
        for row in visits
    ]
    events += [
        (noon(row.date), "手术治疗", f"{row.name} {row.department or ''}")
        for row in patient_rows.procedures_of(db, code)
    ]
    events += [
        (row.created_at, "预约", f"{row.department} {row.doctor}，{BOOKINGS.get(row.status, row.status)}")
        for row in booked
    ]
    events += [
        (
            row.at,
            "警报",
            f"{row.level} 级 {labels.concept(row.concept)}，{labels.DISPOSITIONS.get(row.disposition, row.disposition) or '未处置'}",
        )
        for row in patient_rows.alerts_of(db, code)
    ]
    events += [
        (row.at, "工单", f"{row.number} {labels.TICKET_STATES.get(row.status, row.status)}")
        for row in patient_rows.tickets_of(db, code)
    ]
    events += [
        (row.at, "任务", f"{labels.TASKS.get(row.kind, row.kind)} {row.outcome or ''}")
        for row in patient_rows.tasks_of(db, code)
    ]
    events += [(row.at, "积分", f"{row.change:+d} {row.reason}") for row in patient_rows.points_of(db, code)]
    events += [
        (
            row.at,
            "同意",
            f"{'同意' if row.granted else '撤回'}{labels.PURPOSES.get(row.purpose, row.purpose)}（{ACTORS.get(row.actor, row.actor)}）",
        )
        for row in patient_rows.consents_of(db, code)
    ]
    events.sort(key=lambda event: event[0], reverse=True)
    return [{"at": at, "kind": kind, "text": text} for at, kind, text in events[:60]]


async def _change(request: web.Request, act: Callable[[sa.Connection, str], str]) -> web.Response:
    """Do something to a patient one may see, and write down what `act` answers."""
    code, staff, now = request.match_info["code"], request[STAFF], request.app[CLOCK].now()

    def write(db: sa.Connection) -> None:
        patient_for(db, staff, code, now)
        if done := act(db, code):
            audit.append(db, staff.name, "tag", f"patient:{code}", done, now)

    try:
        await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return moved(f"/console/patients/{code}")


@routes.post("/console/patients/{code}/tags")
async def add_tag(request: web.Request) -> web.Response:
    """A colleague knows something of the patient: of what kind, how they know, until when it holds."""
    form, staff, now, zone = await request.post(), request[STAFF], request.app[CLOCK].now(), request.app[ZONE]
    tag, kind, evidence, until = (
        str(form.get(name, "")).strip() for name in ("tag", "kind", "evidence", "until")
    )

    def act(db: sa.Connection, code: str) -> str:
        label = tag[:30]
        if label:
            threads.add_tag(
                db,
                code,
                label,
                staff.name,
                now,
                kind=kind if kind in labels.TAG_KINDS else "",
                evidence=evidence[:200],
                until=_end_of(until, zone),
            )
        return label

    return await _change(request, act)


def _end_of(day: str, zone: ZoneInfo) -> datetime | None:
    """The last moment of a day of a form; None: it has no end."""
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59), zone)
    except ValueError:
        return None


@routes.post("/console/patients/{code}/tags/remove")
async def remove_tag(request: web.Request) -> web.Response:
    """It is not true (any more)."""
    tag = str((await request.post()).get("tag", "")).strip()[:30]

    def act(db: sa.Connection, code: str) -> str:
        threads.remove_tag(db, code, tag)
        return f"不再是 {tag}" if tag else ""

    return await _change(request, act)
