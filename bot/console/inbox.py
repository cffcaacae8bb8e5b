"""The inbox: folders with live counts, a list by URL, alarms; and what is done to several conversations at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from aiohttp import web

from bot.console import finding, labels
from bot.console.pages import ZONE, moved, shown
from bot.console.people import STAFF, Staff, conversation_for, in_scope
from bot.console.services import RECEPTION
from bot.conversation import desk
from bot.domain.patient import Patient
from bot.outbox.window import Action, Window, doing_of, window
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads
from storage.queries import desk as conversations
from storage.queries import outbox
from storage.queries import staff as users
from storage.rows import Row

FOLDERS: Mapping[str, str] = {
    "work": "待处理",
    "alarms": "红色警报",
    "mine": "我的",
    "unassigned": "待认领",
    "waiting": "等患者回复",
    "promises": "今日承诺",
    "complaints": "投诉",
    "mentions": "提到我",
    "vip": "VIP",
    "closing": "窗口将关",
    "snoozed": "稍后处理",
    "all": "全部",
}
PAGE = 60
LOOKING = timedelta(seconds=45)
CLOSING = timedelta(hours=8)
# Words that end a talk and ask for nothing: they wake nobody.
THANKS = frozenset(
    [
        "谢谢",
        "谢谢您",
        "谢谢你",
        "多谢",
        "感谢",
        "谢了",
        "好的",
        "好",
        "好的谢谢",
        "好的谢谢您",
        "好谢谢",
        "嗯",
        "嗯嗯",
        "收到",
        "收到谢谢",
        "知道了",
        "知道了谢谢",
        "明白",
        "明白了",
        "ok",
        "okay",
        "thanks",
        "thankyou",
        "再见",
        "辛苦了",
        "您辛苦了",
        "谢谢护士",
        "谢谢医生",
    ]
)
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Query:
    """Which list a URL asks for."""

    folder: str = "work"
    level: str = ""
    account: str = ""
    nurse: str = ""
    words: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: web.Request) -> Query:
        """Read it; what is not known is left out."""
        given = request.query
        folder = given.get("folder", "work")
        return cls(
            folder=folder if folder in FOLDERS else "work",
            level=given.get("level", "") if given.get("level") in labels.LEVELS else "",
            account=given.get("account", "") if given.get("account") in labels.CHANNELS else "",
            nurse=given.get("nurse", "")[:50],
            words=given.get("q", "").strip()[:60],
            before=given.get("before", ""),
        )

    def url(self, **changes: str) -> str:
        """This list with something changed, as the end of an address."""
        known = {
            "folder": self.folder if self.folder != "work" else "",
            "level": self.level,
            "account": self.account,
            "nurse": self.nurse,
            "q": self.words,
        } | changes
        if known["folder"] == "work":
            known["folder"] = ""
        return "?" + urlencode({key: value for key, value in known.items() if value})


def matters(text: str | None, kind: str) -> bool:
    """Whether a message should wake a snoozed conversation: thanks do not."""
    if kind.startswith("event:"):
        return False
    plain = "".join(char for char in (text or "").lower() if char.isalnum())
    return kind != "text" or plain not in THANKS


def _end_of_day(now: datetime, request: web.Request) -> datetime:
    zone = request.app[ZONE]
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)


def windows(db: sa.Connection, accounts: Mapping[int, str], now: datetime) -> dict[int, Window]:
    """How long, and how many messages, each user may still be written to."""
    bound = [number for number, account in accounts.items() if not account.startswith("wecom/")]
    actions: dict[int, list[Action]] = defaultdict(list)
    if bound:
        for row in outbox.doings(db, bound, now - inbox_rows.WINDOW):
            doing = doing_of(accounts[row.contact_id], row.dir, row.type, row.payload)
            if doing is not None:
                actions[row.contact_id].append(Action(row.moment, doing))
    return {number: window(sorted(found, key=lambda one: one.at)) for number, found in actions.items()}


async def listing(request: web.Request, chosen: int | None) -> dict[str, Any]:
    """The folders and the rows of the list that the URL asks for."""
    staff, now, query = request[STAFF], request.app[CLOCK].now(), Query.of(request)
    await _wake(request, now)
    today = now.astimezone(request.app[ZONE]).date()
    end = _end_of_day(now, request)

    def read(db: sa.Connection) -> dict[str, Any]:
        folders = dict(inbox_rows.folder_conditions(staff.name, now, end))
        scope = list(in_scope(staff))
        ids = finding.contacts_with(db, query.words) if query.words else None
        narrowing = inbox_rows.Narrowing(query.level, query.account, query.nurse, ids)
        where = [folders[query.folder], *scope, *narrowing.conditions()]
        latest = query.folder == "all"
        found = inbox_rows.rows(
            db,
            where,
            limit=PAGE + 1,
            urgent_first=not latest,
            before=_before(query.before) if latest else None,
        )
        more = found[PAGE - 1] if latest and len(found) > PAGE else None
        return {
            "query": query,
            "folders": FOLDERS,
            "counts": inbox_rows.counts(db, folders, scope)._asdict(),
            "rows": _rows(db, found[:PAGE], staff, now, today),
            "more": f"{more.spoke_at.timestamp():.6f}-{more.id}" if more else "",
            "views": inbox_rows.views(db, staff.name),
            "chosen": chosen,
        }

    return await request.app[DATABASE].read(read)


def _before(mark: str) -> tuple[datetime, int] | None:
    at, _, number = mark.partition("-")
    try:
        return datetime.fromtimestamp(float(at), tz=UTC), int(number)
    except ValueError:
        return None


async def _wake(request: web.Request, now: datetime) -> None:
    """Snoozed conversations whose patient wrote something that matters come back."""
    written = await request.app[DATABASE].read(lambda db: inbox_rows.written_since_snoozed(db, now))
    waking = sorted({row.contact_id for row in written if matters(row.text, row.type)})
    if waking:
        await request.app[DATABASE].write(lambda db: inbox_rows.wake(db, waking))


def _rows(
    db: sa.Connection, found: Sequence[Row], staff: Staff, now: datetime, today: date
) -> list[dict[str, Any]]:
    ids = [row.id for row in found]
    people = inbox_rows.people(db, ids)
    last = inbox_rows.last_messages(db, ids)
    left = windows(db, {row.id: row.account for row in found}, now)
    looking = inbox_rows.lookers(db, ids, now - LOOKING)
    return [
        row_facts(
            row,
            people.get(row.id, []),
            today,
            now,
            last=last.get(row.id),
            window=left.get(row.id),
            lookers=[name for name in looking.get(row.id, []) if name != staff.name],
        )
        for row in found
    ]


def row_facts(
    row: Row,
    people: Sequence[Row],
    today: date,
    now: datetime,
    *,
    last: Row | None = None,
    window: Window | None = None,
    lookers: Sequence[str] = (),
) -> dict[str, Any]:
    """What a row, and the head of a thread, say of a conversation."""
    first = people[0] if people else None
    about = next((one for one in people if one.relation != "self"), None)
    patient = Patient("", first.name, first.sex, first.birth_date) if first else None
    until = window.until if window and window.left and window.until and window.until > now else None
    handover = row.handover or {}
    return {
        "id": row.id,
        "name": patient.masked_name if patient else "未绑定用户",
        "sex": labels.SEX.get(patient.sex, "") if patient else "",
        "age": patient.age(today) if patient else None,
        "vip": max((one.vip_level or 0 for one in people), default=0),
        "about": f"{labels.RELATIONS[about.relation]} {Patient('', about.name).masked_name}" if about else "",
        "level": labels.LEVEL_OF[row.level] if row.level is not None and row.level < 3 else "",
        "unacknowledged": row.unacknowledged,
        "owner": row.owner,
        "nurse": row.nurse,
        "since": row.waiting_since if row.owner == "waiting" and row.waiting_since else row.spoke_at,
        "topic": handover.get("reason", ""),
        "last": _last_line(last),
        "last_dir": last.dir if last is not None else "",
        "window": until,
        "window_left": window.left if window else 0,
        "closing": until is not None and until - now < CLOSING,
        "channel": labels.CHANNELS.get(row.account.partition("/")[0], row.account),
        "followed": row.followed,
        "promise": row.promise_due,
        "complaint": row.complaint or "",
        "snoozed": row.snoozed_until if row.snoozed_until and row.snoozed_until > now else None,
        "lookers": list(lookers),
    }


def _last_line(last: Row | None) -> str:
    if last is None:
        return ""
    text = (last.text or "").strip().replace("\n", " ")
    return text[:48] if text else f"「{labels.TYPES.get(last.type, '消息')}」"


@routes.get("/console/inbox")
async def inbox(request: web.Request) -> web.Response:
    """Everybody who needs a person."""
    return shown(request, "inbox.html", **await listing(request, None), thread=None)


@routes.get("/console/inbox/list")
async def people(request: web.Request) -> web.Response:
    """The list alone, for a page that is open."""
    chosen = request.query.get("chosen", "")
    return shown(request, "people.html", **await listing(request, int(chosen) if chosen.isdigit() else None))


# Alarms


async def _alarms(request: web.Request) -> list[dict[str, Any]]:
    staff = request[STAFF]
    rows = await request.app[DATABASE].read(lambda db: inbox_rows.alarm_rows(db, in_scope(staff)))
    return [
        {
            "id": row.id,
            "at": row.at,
            "level": row.level,
            # On a screen nobody watches: that there is an alarm, not what of.
            "concept": "" if staff.idle else labels.concept(row.concept),
            "status": row.status,
            "by": row.acknowledged_by,
            "contact_id": row.contact_id,
            "name": Patient("", row.patient_name).masked_name if row.patient_name else "未绑定用户",
        }
        for row in rows
    ]


@routes.get("/console/alarms")
async def alarms(request: web.Request) -> web.Response:
    """Every open alarm; readable on a screen that nobody has touched for a while."""
    return shown(request, "alarms.html", alarms=await _alarms(request))


@routes.get("/console/alarms/list")
async def alarm_list(request: web.Request) -> web.Response:
    """The alarms alone."""
    return shown(request, "alarm_list.html", alarms=await _alarms(request))


@routes.get("/console/alarms/bar")
async def alarm_bar(request: web.Request) -> web.Response:
    """The strip above every page that rings until somebody acts."""
    reads = request[STAFF].role not in ("marketing", "admin", "auditor")
    ringing = [alarm for alarm in await _alarms(request) if alarm["status"] == "open"] if reads else []
    return shown(request, "alarm_bar.html", ringing=ringing)


# Kept lists


@routes.post("/console/views")
async def keep_view(request: web.Request) -> web.Response:
    """Keep this list under a name."""
    form = await request.post()
    label, query = str(form.get("label", "")).strip()[:20], str(form.get("query", ""))[:300]
    if label and query.startswith("?"):
        await request.app[DATABASE].write(
            lambda db: inbox_rows.add_view(db, request[STAFF].name, label, query)
        )
    return moved("/console/inbox" + (query if query.startswith("?") else ""))


@routes.post("/console/views/{view:\\d+}/remove")
async def drop_view(request: web.Request) -> web.Response:
    """Forget a kept list."""
    number = int(request.match_info["view"])
    await request.app[DATABASE].write(lambda db: inbox_rows.remove_view(db, request[STAFF].name, number))
    return moved("/console/inbox")


# Several at once

BULK: Mapping[str, str] = {
    "take": "全部接手",
    "assign": "指派给同事",
    "snooze": "稍后处理（明早8点）",
    "release": "交还小护并办结",
}


async def _chosen(request: web.Request) -> tuple[str, str, list[int]]:
    form = await request.post()
    ids = [int(str(one)) for one in form.getall("id", []) if str(one).isdigit()][:100]
    return str(form.get("action", "")), str(form.get("to", "")), ids


def _judge(db: sa.Connection, staff: Staff, action: str, ids: Sequence[int]) -> list[tuple[Row, str]]:
    """Every chosen conversation, and why it would be skipped; empty: it would change."""
    judged = []
    for number in ids:
        try:
            conversation_for(db, staff, number)
        except LookupError:
            continue
        row = inbox_rows.one(db, number)
        if row is None:
            continue
        why = ""
        if row.owner == "human" and row.nurse != staff.name and staff.role != "manager":
            why = f"{row.nurse} 处理中"
        elif action in ("snooze", "release") and row.level is not None:
            why = "有未关闭的警报"
        elif action == "release" and row.owner == "bot":
            why = "已由小护在答"
        judged.append((row, why))
    return judged


@routes.post("/console/bulk/preview")
async def preview(request: web.Request) -> web.Response:
    """How many will change, and which are skipped because of what."""
    action, to, ids = await _chosen(request)
    staff, now = request[STAFF], request.app[CLOCK].now()
    if action not in BULK:
        raise web.HTTPUnprocessableEntity
    today = now.astimezone(request.app[ZONE]).date()

    def read(db: sa.Connection) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
        judged = _judge(db, staff, action, ids)
        people = inbox_rows.people(db, [row.id for row, _ in judged])
        named = [(row_facts(row, people.get(row.id, []), today, now), why) for row, why in judged]
        return named, [
            one.name
            for one in users.everyone(db)
            if one.active and one.role in ("nurse", "agent", "coordinator")
        ]

    judged, colleagues = await request.app[DATABASE].read(read)
    return shown(
        request, "bulk.html", action=action, to=to, label=BULK[action], judged=judged, colleagues=colleagues
    )


@routes.post("/console/bulk")
async def bulk(request: web.Request) -> web.Response:
    """Do it to those it can be done to."""
    action, to, ids = await _chosen(request)
    staff, now = request[STAFF], request.app[CLOCK].now()
    zone, wording = request.app[ZONE], request.app[RECEPTION].wording
    if action not in BULK:
        raise web.HTTPUnprocessableEntity
    tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(8), zone)

    def write(db: sa.Connection) -> int:
        done, receiver = 0, users.user(db, to)
        if action == "assign" and (receiver is None or not receiver.active):
            return 0
        for row, why in _judge(db, staff, action, ids):
            if why:
                continue
            if action == "take":
                desk.take(db, row.id, staff.name)
            elif action == "assign":
                desk.pass_on(db, row.id, to)
                threads.add_note(db, row.id, now, "event", staff.name, f"指派给 {to}", [to])
            elif action == "snooze":
                inbox_rows.snooze(db, row.id, tomorrow, staff.name, now)
            else:
                desk.release(db, row.id, row.nurse or staff.name, wording, now)
                conversations.close_tasks(db, row.id, now, staff.name)
            done += 1
        return done

    done = await request.app[DATABASE].write(write)
    request.app[WAKE].set()
    return shown(request, "toast.html", words=f"已处理 {done} 个对话", undo="")
