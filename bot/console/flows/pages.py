"""What we start of ourselves: every plan with its steps, who waits where, and how to stop one person's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.flows import plan_words
from bot.console.pages import ZONE, moved, shown, span
from bot.console.people import STAFF, patient_for
from bot.domain.calendar import festival_dates
from bot.domain.patient import Patient
from bot.flows import PLANS
from bot.flows.engine import pausing
from bot.flows.engine.book import Book, newest
from bot.flows.greetings import OCCASIONS
from bot.flows.plan import Plan, Step
from bot.web import api
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, flow_desk
from storage.rows import Row

T = TypeVar("T")

KINDS: Final = {
    "procedure": "手术",
    "visit": "就诊",
    "tag": "标签",
    "appointment": "预约",
    "birth": "出生",
    "report": "报告",
    "pregnancy": "孕期",
    "due": "该复诊或续药的日子",
}
ANCHORS: Final = {
    "day": "当天",
    "discharge": "出院（未知则手术当天）",
    "discharged": "出院",
    "at": "那一刻",
    "birth": "出生",
    "reported": "出报告",
}
STATES: Final[Mapping[str, str]] = {
    "planned": "还没到时间",
    "asked": "等患者回答",
    "sent": "已发",
    "answered": "已回答",
    "silent": "没有回答",
    "withheld": "没发",
    "expired": "过期未发",
    "cancelled": "取消",
}
FOLLOWING: Final = {"running": "进行中", "asking": "在问是否继续", "stopped": "已停止", "finished": "已结束"}
RISKS: Final = ("高风险", "一般", "低风险")
A_WEEK, A_MONTH = timedelta(days=7), timedelta(days=30)
LAST_ANSWERS: Final = 500
FRESH: Final = timedelta(seconds=15)
PAGE: Final = 50
WEEKDAYS: Final = "一二三四五六日"

routes = web.RouteTableDef()


class Counts:
    """What was counted over everybody's contacts: good for a few seconds, because counting takes a while."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, Any]] = {}

    async def of(self, request: web.Request, name: str, count: Callable[[sa.Connection], T]) -> T:
        """As it was counted a moment ago, or anew."""
        now = request.app[CLOCK].now()
        kept = self._kept.get(name)
        if kept is not None and now - kept[0] < FRESH:
            known: T = kept[1]
            return known
        counted = await request.app[DATABASE].read(count)
        self._kept[name] = now, counted
        return counted

    def forget(self) -> None:
        """Somebody changed something, and wants to see it."""
        self._kept.clear()


COUNTS = web.AppKey("flow_counts", Counts)


def when(step: Step) -> str:
    """第3天 10:00, 前1天 18:00, 前2小时, 满1个月后每3个月."""
    if step.at is None:
        hours = step.after / timedelta(hours=1)
        return f"{'前' if hours < 0 else '后'}{abs(hours):g}小时"
    if step.months:
        day = f"{'前' if step.months < 0 else '满'}{abs(step.months)}个月"
    elif step.days < 0:
        day = f"前{-step.days}天"
    else:
        day = f"第{step.days}天" if step.days else "当天"
    if step.months and step.days:
        day += f"零{step.days}天"
    if step.weekday is not None:
        day += f"起的周{WEEKDAYS[step.weekday]}"
    again = ""
    if step.repeat is not None:
        every = f"{step.repeat.months}个月" if step.repeat.months else f"{step.repeat.days}天"
        again = f"，每{every}一次" + (f"到第{step.repeat.until}天" if step.repeat.until else "")
    return f"{day} {step.at:%H:%M}{again}"


def _plan_of(request: web.Request) -> Plan:
    code = request.match_info["plan"]
    found = next((plan for plan in newest(PLANS) if plan.id == code), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def _runs(request: web.Request, plan: Plan) -> bool:
    return plan.signed or request.app[api.SETTINGS].env != "production"


def _described(request: web.Request, plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan_words.plan(plan.id),
        "version": plan.version,
        "purpose": labels.PURPOSES[plan.purpose],
        "risk": RISKS[plan.risk],
        "episode": KINDS.get(plan.episode, plan.episode),
        "anchor": ANCHORS.get(plan.anchor, plan.anchor),
        "steps": len(plan.steps),
        "signed_by": plan.signed_by,
        "clinical": plan.clinical,
        "runs": _runs(request, plan),
    }


@routes.get("/console/flows")
async def listed(request: web.Request) -> web.Response:
    """Every plan, who follows it, what it does in the week to come; and the next festivals."""
    now = request.app[CLOCK].now()

    def read(db: sa.Connection) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        following: Counter[tuple[str, str]] = Counter()
        for row in flow_desk.instances(db):
            following[row.plan, row.state] += row.size
        to_do: Counter[tuple[str, str]] = Counter()
        for row in flow_desk.pending(db, now + A_WEEK):
            to_do[row.plan, row.state] += row.size
        return following, to_do

    following, to_do = await request.app[COUNTS].of(request, "", read)
    held = await request.app[DATABASE].read(pausing.paused)
    plans = [
        _described(request, plan)
        | {
            "running": following[plan.id, "running"] + following[plan.id, "asking"],
            "over": following[plan.id, "stopped"] + following[plan.id, "finished"],
            "planned": to_do[plan.id, "planned"],
            "asked": to_do[plan.id, "asked"],
            "paused": plan.id in held,
        }
        for plan in newest(PLANS)
    ]
    plans.sort(key=lambda one: (-one["running"], one["name"]))
    return shown(
        request,
        "flows.html",
        plans=plans,
        unsigned=sum(one["clinical"] and not one["signed_by"] for one in plans),
        festivals=_festivals(now.astimezone(request.app[ZONE]).date()),
    )


def _festivals(today: date) -> list[tuple[date, str, str]]:
    """The greetings of the next twelve months: day, name, template."""
    found = []
    for one in OCCASIONS:
        days = (festival_dates(year).get(one.name) for year in (today.year, today.year + 1))
        day = min((day for day in days if day is not None and day >= today), default=None)
        if day is not None:
            found.append((day, one.name, one.template))
    return sorted(found)


@routes.get("/console/flows/{plan}")
async def flow(request: web.Request) -> web.Response:
    """One plan: its steps, how many are at each, how long they take to answer, and why some were left out."""
    plan, now = _plan_of(request), request.app[CLOCK].now()

    def read(db: sa.Connection) -> dict[str, Any]:
        sizes: dict[str, Counter[str]] = defaultdict(Counter)
        versions: Counter[int] = Counter()
        for row in flow_desk.steps(db, plan.id):
            sizes[row.step][row.state] += row.size
        following: Counter[str] = Counter()
        for row in flow_desk.instances(db):
            if row.plan == plan.id:
                following[row.state] += row.size
                versions[row.version] += row.size if row.state in flow_desk.RUNNING else 0
        return {
            "steps": _steps(plan, sizes, flow_desk.answer_times(db, plan.id, LAST_ANSWERS)),
            "following": [(key, label, following[key]) for key, label in FOLLOWING.items()],
            "versions": sorted(versions.items(), reverse=True),
            "reasons": [
                (
                    plan_words.DECISIONS.get(row.decision, row.decision),
                    plan_words.reason(row.reason),
                    row.size,
                )
                for row in flow_desk.withheld(db, plan.id, now - A_MONTH)
            ],
        }

    found = await request.app[COUNTS].of(request, plan.id, read)
    paused = plan.id in await request.app[DATABASE].read(pausing.paused)
    asks = paused or "ask" in request.query
    return shown(
        request,
        "flow.html",
        plan=_described(request, plan),
        states=STATES,
        paused=paused,
        asks=asks,
        waiting=sum(step["counts"]["planned"] + step["counts"]["asked"] for step in found["steps"]),
        **found,
    )


@routes.post("/console/flows/{plan}/pause")
async def pause(request: web.Request) -> web.Response:
    """Nothing of this plan goes out for now, to nobody."""
    plan, name, now = _plan_of(request), request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: pausing.pause(db, plan.id, name, now))
    return moved(f"/console/flows/{plan.id}")


@routes.post("/console/flows/{plan}/resume")
async def resume(request: web.Request) -> web.Response:
    """What is still useful goes out again."""
    plan, name, now = _plan_of(request), request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: pausing.resume(db, plan.id, name, now))
    return moved(f"/console/flows/{plan.id}")


def _steps(plan: Plan, sizes: Mapping[str, Counter[str]], answered: Any) -> list[dict[str, Any]]:
    """The plan's steps in order, and those of older versions that somebody is still at."""
    took: dict[str, list[float]] = defaultdict(list)
    for row in answered:
        took[row.step].append((row.answered_at - row.asked_at).total_seconds())
    own = [(step.id, when(step), step.questions, step.text) for step in plan.steps]
    older = [(name, "旧版本的步骤", (), "") for name in sizes if plan.step(name) is None]
    found = []
    for name, at, questions, text in (*own, *older):
        counts = sizes.get(name, Counter())
        heard = counts["answered"] + counts["silent"]
        found.append(
            {
                "id": name,
                "name": plan_words.step(name),
                "when": at,
                "questions": [plan_words.QUESTIONS.get(one, one) for one in questions],
                "text": text or (questions[0] if questions else ""),
                "counts": counts,
                "share": round(100 * counts["answered"] / heard) if heard else None,
                "median": span(median(took[name])) if took[name] else "",
            }
        )
    return found


@routes.get("/console/flows/{plan}/people")
async def people(request: web.Request) -> web.Response:
    """Who is at a step, masked, within one's scope. Reading it is written down."""
    plan, query, staff = _plan_of(request), request.query, request[STAFF]
    step, state, said = query.get("step", ""), query.get("state", ""), query.get("after", "")
    after = int(said) if said.isascii() and said.isdigit() else 0
    now = request.app[CLOCK].now()
    today = now.astimezone(request.app[ZONE]).date()

    def write(db: sa.Connection) -> list[Row]:
        audit.append(db, staff.name, "read", f"plan:{plan.id}:people", f"{step} {state}".strip(), now)
        return list(flow_desk.people(db, plan.id, step, state, staff.departments, after, PAGE))

    rows = await request.app[DATABASE].write(write)
    names = STATES if step else FOLLOWING
    return shown(
        request,
        "flow_people.html",
        plan=_described(request, plan),
        step=step,
        step_name=plan_words.step(step) if step else "",
        state=state,
        states=names,
        rows=[
            {
                "code": row.code,
                "name": Patient("", row.name).masked_name,
                "sex": labels.SEX.get(row.sex, ""),
                "age": Patient("", "", birth_date=row.birth_date).age(today),
                "instance": row.instance,
                "anchor": row.anchor_at,
                "runs": row.following in flow_desk.RUNNING,
                "following": FOLLOWING.get(row.following, row.following),
                "why": plan_words.reason(row.reason or row.stopped),
                "state": names.get(row.state, row.state),
                "at": row.at,
            }
            for row in rows
        ],
        more=rows[-1].id if len(rows) == PAGE else None,
    )


@routes.post("/console/flows/{plan}/people/{instance:\\d+}/stop")
async def stop(request: web.Request) -> web.Response:
    """Nothing more of this plan goes to this person."""
    plan, number, staff = _plan_of(request), int(request.match_info["instance"]), request[STAFF]
    now, zone, back = request.app[CLOCK].now(), request.app[ZONE], str((await request.post()).get("back", ""))

    def write(db: sa.Connection) -> None:
        row = flow_desk.instance(db, number)
        if row is None or row.plan != plan.id:
            raise LookupError(number)
        patient_for(db, staff, row.patient_code, now)
        if row.state in flow_desk.RUNNING:
            book = Book(db, now, zone, PLANS)
            book.stop_numbers([row.id], f"staff {staff.name}")
            book.close()
            audit.append(db, staff.name, "stop plan", f"patient:{row.patient_code}", plan.id, now)

    try:
        await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[COUNTS].forget()
    own = back.startswith("?") and "\\" not in back
    return moved(f"/console/flows/{plan.id}/people{back if own else ''}")
