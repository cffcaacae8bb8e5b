"""Messages to many: the list, one of them with its progress, and what people decide about it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.broadcasts import audience
from bot.console.pages import ZONE, moved, shown
from bot.console.people import STAFF
from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from bot.flows.broadcasts import desk
from bot.hospital import segments
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, broadcast_desk
from storage.rows import Row

STATES: Final[Mapping[str, str]] = {
    "review": "待审批",
    "draft": "草稿",
    "approved": "已批准",
    "running": "发送中",
    "paused": "已暂停",
    "stopped": "已停止",
    "finished": "已发完",
}
TONES: Final = {"review": "warn", "approved": "violet", "running": "good", "paused": "warn", "stopped": "bad"}
PAUSES: Final = {"canary": "试发失败太多，自动暂停", "paused": "", "refused": "到时间时已不允许发送"}
FIELDS: Final[Mapping[str, str]] = {
    "purpose": "用途",
    "text": "内容",
    "segment": "对象",
    "hold_out": "对照组",
    "pace": "速度",
    "scheduled_at": "开始时间",
    "licence": "广告审查证明",
    "licence_until": "证明有效期",
}
ASKS: Final = ("start", "pause", "resume", "stop", "send-back")
OUTCOMES: Final = ("sent", "replied", "silent", "booked", "failed", "withheld")
LISTS: Final = {
    "sent": "已送出",
    "replied": "回复了",
    "booked": "预约了",
    "waiting": "等待",
    "failed": "失败",
    "withheld": "未发",
}
PAGE: Final = 50
SNIPPET: Final = 60
HOLD: Final = timedelta(seconds=60)  # before a message to many begins

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the progress bar, in thousandths."""

    name: str
    x: float
    width: float


def state_of(row: Row) -> str:
    """The state that staff see: a draft that was handed in waits for approval."""
    return "review" if row.state == "draft" and row.submitted_at is not None else str(row.state)


def _listed(row: Row, sizes: Mapping[int, int], sent: Mapping[int, int]) -> dict[str, Any]:
    state = state_of(row)
    return {
        "id": row.id,
        "state": state,
        "label": STATES[state],
        "tone": TONES.get(state, ""),
        "purpose": labels.PURPOSES[row.purpose],
        "text": row.text[:SNIPPET],
        "audience": segments.describe(segments.load(row.segment)),
        "by": row.created_by,
        "approved_by": row.approved_by,
        "at": row.ended_at or row.started_at or row.scheduled_at or row.created_at,
        "when": "结束"
        if row.ended_at
        else "开始"
        if row.started_at
        else "定于"
        if row.scheduled_at
        else "起草",
        "size": sizes.get(row.id),
        "sent": sent.get(row.id, 0),
        "returned": row.reason if row.state == "draft" else "",
    }


@routes.get("/console/broadcasts")
async def listed(request: web.Request) -> web.Response:
    """By state, the newest first."""
    state, before = request.query.get("state", ""), request.query.get("before", "")
    start = int(before) if before.isascii() and before.isdigit() else None

    def read(db: sa.Connection) -> dict[str, Any]:
        if state == "review":
            rows = broadcast_desk.in_review(db)
        else:
            rows = broadcast_desk.listed(db, [state] if state in STATES else [], start, PAGE)
            rows = [row for row in rows if state != "draft" or row.submitted_at is None]
        numbers = [row.id for row in rows]
        sizes, sent = broadcast_desk.audience_sizes(db, numbers), broadcast_desk.sent_of(db, numbers)
        return {
            "rows": [_listed(row, sizes, sent) for row in rows],
            "counts": broadcast_desk.sizes_by_state(db),
            "more": rows[-1].id if len(rows) == PAGE else None,
        }

    found = await request.app[DATABASE].read(read)
    return shown(request, "broadcasts.html", states=STATES, state=state, **found)


# One of them


def _number(request: web.Request) -> int:
    return int(request.match_info["id"])


def _known(db: sa.Connection, number: int) -> Row:
    row = broadcast_desk.one(db, number)
    if row is None:
        raise LookupError(number)
    return row


@routes.get("/console/broadcasts/{id:\\d+}")
async def broadcast(request: web.Request) -> web.Response:
    """Everything about one."""
    return await page(request)


async def page(request: web.Request, problem: str = "") -> web.Response:
    """The page of the broadcast in the address; *problem*: why what was asked for was not done."""
    number, ask = _number(request), request.query.get("ask", "")
    now, zone, staff = request.app[CLOCK].now(), request.app[ZONE], request[STAFF]

    def read(db: sa.Connection) -> dict[str, Any]:
        row = _known(db, number)
        kept = broadcast_desk.versions(db, number)
        segment, purpose = segments.load(row.segment), Purpose(row.purpose)
        waiting = row.state in ("draft", "approved")
        preview = segments.preview(db, segment, purpose, now, zone) if waiting else None
        return {
            **_facts(db, row, now),
            "content": described(desk.content(row), request),
            "history": _history(row, kept, request),
            "seen": kept[0].id if kept else 0,
            "changes": _since_approval(row, kept, request) if row.state == "draft" else [],
            "was_approved": any(one.event == "approved" for one in kept),
            "preview": preview,
            "fallen": audience.waterfall(preview) if preview else [],
            "trials": [
                (one, labels.STATES.get(one.state, one.state), labels.reason(one.reason))
                for one in broadcast_desk.trials_of(db, number, 5)
            ],
            "whole": audience.whole(segment),
        }

    try:
        found = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    found["own"] = found["row"].created_by == staff.name
    return shown(
        request,
        "broadcast.html",
        problem=problem,
        ask=ask if ask in ASKS else "",
        fields=FIELDS,
        status=422 if problem else 200,
        **found,
    )


@routes.get("/console/broadcasts/{id:\\d+}/live")
async def live(request: web.Request) -> web.Response:
    """The part of the page that moves."""
    number, now = _number(request), request.app[CLOCK].now()
    try:
        found = await request.app[DATABASE].read(lambda db: _facts(db, _known(db, number), now))
    except LookupError as error:
        raise web.HTTPNotFound from error
    return shown(request, "broadcast_live.html", **found)


def _facts(db: sa.Connection, row: Row, now: datetime) -> dict[str, Any]:
    state = state_of(row)
    began = row.started_at is not None
    status = desk.status(db, row.id) if began else None
    return {
        "row": row,
        "state": state,
        "label": "试发中"
        if state == "running" and row.canary and row.canary_passed_at is None
        else STATES[state],
        "tone": TONES.get(state, ""),
        "soon": state == "approved" and row.scheduled_at is not None,
        "why": PAUSES.get(row.reason, row.reason),
        "sums": status,
        "bars": _bars(status) if status else [],
        "withheld": _withheld(status) if status else [],
        "speed": _speed(row, status, now) if status else {},
        "held_out": broadcast_desk.held_out(db, row.id, segments.ATTRIBUTED) if row.hold_out else (0, 0),
        "uses": [(key, segments.OUTCOMES[key]) for key in OUTCOMES],
    }


def _withheld(status: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """reason, words, size: in the order in which the reasons count."""
    order = list(audience.FALLEN)
    ranked = sorted(
        status["withheld"].items(), key=lambda one: order.index(one[0]) if one[0] in order else 99
    )
    return [
        (reason, audience.FALLEN[reason][0] if reason in audience.FALLEN else labels.reason(reason), size)
        for reason, size in ranked
    ]


def _bars(status: Mapping[str, Any]) -> list[Bar]:
    """Delivered, sent, failed, withheld, waiting: the whole audience."""
    parts = {
        "delivered": status["delivered"],
        "sent": status["sent"] - status["delivered"],
        "failed": status["failed"],
        "withheld": sum(status["withheld"].values()),
        "waiting": status["waiting"],
    }
    whole, x, found = max(1, status["planned"]), 0.0, []
    for name, size in parts.items():
        width = 1000 * size / whole
        found.append(Bar(name, round(x, 2), round(width, 2)))
        x += width
    return found


def _speed(row: Row, status: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Letters a minute, as planned or as it went so far, and when it would be through."""
    minutes = ((row.ended_at or now) - row.started_at) / timedelta(minutes=1)
    rate = float(row.pace) or ((status["sent"] + status["failed"]) / minutes if minutes >= 1 else 0.0)
    until = now + timedelta(minutes=status["waiting"] / rate) if rate and status["waiting"] else None
    return {
        "rate": round(rate, 1) if rate < 10 else round(rate),
        "until": until if row.state == "running" else None,
    }


# What changed


def described(content: Mapping[str, Any], request: web.Request) -> dict[str, str]:
    """A version as staff read it, field by field."""
    zone = request.app[ZONE]
    at = content.get("scheduled_at")
    return {
        "purpose": labels.PURPOSES.get(content["purpose"], content["purpose"]),
        "text": content["text"],
        "segment": segments.describe(segments.load(content["segment"])),
        "hold_out": f"{content['hold_out']}%" if content["hold_out"] else "不留",
        "pace": f"每分钟{content['pace']}条" if content["pace"] else "不限速",
        "scheduled_at": f"{datetime.fromisoformat(at).astimezone(zone):%Y-%m-%d %H:%M}" if at else "手动开始",
        "licence": content["licence"] or "无",
        "licence_until": content["licence_until"] or "—",
    }


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Field by field what was taken out and put in: (`text`, [(`same`, 周六), (`out`, 上), (`in`, 下), …])."""
    return [(name, _pieces(old[name], new[name])) for name in FIELDS if old[name] != new[name]]


def _pieces(old: str, new: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", old[a:b]))
            continue
        found += [("out", old[a:b])] if b > a else []
        found += [("in", new[c:d])] if d > c else []
    return found


def _since_approval(row: Row, kept: Sequence[Row], request: web.Request) -> list[Any]:
    last = next((one for one in kept if one.event == "approved"), None)
    if last is None:
        return []
    return changed(described(last.content, request), described(desk.content(row), request))


def _history(row: Row, kept: Sequence[Row], request: web.Request) -> list[dict[str, Any]]:
    """What happened to it, the newest first; of every version what it changed."""
    found: list[dict[str, Any]] = []
    for place, one in enumerate(kept):
        older = kept[place + 1] if place + 1 < len(kept) else None
        what = "批准" if one.event == "approved" else "修改" if older else "起草"
        changes = changed(described(older.content, request), described(one.content, request)) if older else []
        found.append({"at": one.at, "what": what, "by": one.by, "note": "", "changes": changes})
    others = (
        (row.submitted_at, "提交审批", "", ""),
        (row.started_at, "开始发送", row.started_by, ""),
        (row.ended_at, STATES.get(row.state, ""), "", PAUSES.get(row.reason, row.reason)),
    )
    for at, what, by, note in others:
        if at is not None:
            found.append({"at": at, "what": what, "by": by, "note": note, "changes": []})
    return sorted(found, key=lambda one: one["at"], reverse=True)


# Decisions


async def _decide(request: web.Request, act: Callable[[sa.Connection, int], None]) -> web.Response:
    """Do it, or show the page with why not."""
    number = _number(request)

    def write(db: sa.Connection) -> str:
        _known(db, number)
        try:
            act(db, number)
        except desk.ChangedMeanwhile:
            return "刚才有人改了内容，请重新看一遍再决定。"
        except desk.BroadcastRefused as refusal:
            return in_chinese(refusal, state_of(_known(db, number)))
        return ""

    try:
        problem = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return await page(request, problem) if problem else moved(f"/console/broadcasts/{number}")


def in_chinese(refusal: desk.BroadcastRefused, state: str) -> str:
    """Why the desk refused, as staff read it; most refusals mean that somebody was faster."""
    words = str(refusal)
    if any("\u4e00" <= char <= "\u9fff" for char in words.partition(": ")[2] or words):
        return words
    if "somebody else must approve" in words:
        return "这是您写的，需要另一位经理批准。"
    if "is no manager" in words:
        return "只有经理可以批准。"
    if "after it was approved" in words:
        return "批准之后内容有改动，需要重新批准。"
    return f"现在的状态是“{STATES[state]}”，不能这样做。"


def _seen(form: Mapping[str, Any]) -> int | None:
    said = str(form.get("seen", ""))
    return int(said) if said.isascii() and said.isdigit() else None


@routes.post("/console/broadcasts/{id:\\d+}/submit")
async def submit(request: web.Request) -> web.Response:
    """Ask a manager to look at it."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    return await _decide(request, lambda db, number: desk.submit(db, number, name, now))


@routes.post("/console/broadcasts/{id:\\d+}/approve")
async def approve(request: web.Request) -> web.Response:
    """Exactly this, as it was shown."""
    form, name = await request.post(), request[STAFF].name
    now, zone, seen = request.app[CLOCK].now(), request.app[ZONE], _seen(form)
    return await _decide(request, lambda db, number: desk.approve(db, number, name, now, zone, seen=seen))


@routes.post("/console/broadcasts/{id:\\d+}/send-back")
async def send_back(request: web.Request) -> web.Response:
    """Not like this; the writer reads why."""
    form, name, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    why = str(form.get("why", "")).strip()[:200] or "请修改"
    return await _decide(request, lambda db, number: desk.send_back(db, number, name, why, now))


@routes.post("/console/broadcasts/{id:\\d+}/start")
async def start(request: web.Request) -> web.Response:
    """The audience as it stands now; the worker does the rest. To many it begins in a minute, and can be called back."""
    name, now, zone = request[STAFF].name, request.app[CLOCK].now(), request.app[ZONE]

    def begin(db: sa.Connection, number: int) -> None:
        row = _known(db, number)
        preview = segments.preview(db, segments.load(row.segment), Purpose(row.purpose), now, zone)
        if preview.reached > desk.CANARY_FROM:
            desk.start_soon(db, number, name, now + HOLD, now, zone)
        else:
            desk.start(db, number, name, now, zone)

    return await _decide(request, begin)


@routes.post("/console/broadcasts/{id:\\d+}/call-back")
async def call_back(request: web.Request) -> web.Response:
    """It does not begin by itself after all."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    return await _decide(request, lambda db, number: desk.call_back(db, number, name, now))


@routes.post("/console/broadcasts/{id:\\d+}/pause")
async def pause(request: web.Request) -> web.Response:
    """What has not left yet is held."""
    form, name, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    why = f"{name}：{str(form.get('why', '')).strip()[:100] or '暂停'}"
    return await _decide(request, lambda db, number: desk.pause(db, number, name, why, now))


@routes.post("/console/broadcasts/{id:\\d+}/resume")
async def resume(request: web.Request) -> web.Response:
    """Go on where it was paused."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    return await _decide(request, lambda db, number: desk.resume(db, number, name, now))


@routes.post("/console/broadcasts/{id:\\d+}/stop")
async def stop(request: web.Request) -> web.Response:
    """For good."""
    form, name, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    why = f"{name}：{str(form.get('why', '')).strip()[:100] or '停止'}"
    return await _decide(request, lambda db, number: desk.stop(db, number, name, now, why))


# Who


@routes.get("/console/broadcasts/{id:\\d+}/people")
async def people(request: web.Request) -> web.Response:
    """Who is behind a number: masked, fifty at a time. Reading it is written down."""
    number, which, after = _number(request), request.query.get("is", ""), request.query.get("after", "")
    now, staff = request.app[CLOCK].now(), request[STAFF]
    today = now.astimezone(request.app[ZONE]).date()

    def write(db: sa.Connection) -> tuple[Row, list[dict[str, Any]]]:
        row = _known(db, number)
        audit.append(db, staff.name, "read", f"broadcast:{number}:people", which, now)
        found = broadcast_desk.members(db, number, which, staff.departments, after, PAGE)
        return row, [
            {
                "code": one.code,
                "contact": one.contact_id,
                "name": Patient("", one.name).masked_name,
                "sex": labels.SEX.get(one.sex, ""),
                "age": Patient("", "", birth_date=one.birth_date).age(today),
                "state": _outcome(one),
                "channel": labels.ROUTES.get(one.channel, one.channel),
                "at": one.sent_at,
            }
            for one in found
        ]

    try:
        row, rows = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    kind, _, reason = which.partition(":")
    title = LISTS.get(kind, "全部对象")
    if reason:
        title = f"未发：{audience.words_of(reason)}"
    return shown(
        request,
        "broadcast_people.html",
        row=row,
        rows=rows,
        which=which,
        title=title,
        lists=LISTS,
        outcome=kind if kind in OUTCOMES else "",
        more=rows[-1]["code"] if len(rows) == PAGE else "",
    )


def _outcome(one: Row) -> str:
    if one.verdict:
        return f"未发：{audience.words_of(one.verdict)}"
    if one.state in broadcast_desk.NOT_SENT:
        first = one.reason.partition(" ")[0]
        return f"未发：{audience.FALLEN[first][0] if first in audience.FALLEN else labels.reason(one.reason)}"
    return labels.STATES.get(one.state, "还没轮到")
