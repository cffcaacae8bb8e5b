"""The inbox: folders with live counts, a list by URL, and every open alarm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.inbox import finding
from bot.console.inbox.narrowing import CHOICES, FOLDERS, Query
from bot.console.pages import ZONE, moved, shown
from bot.console.people import STAFF, Staff, in_scope
from bot.console.permissions import may
from bot.domain.patient import Patient
from bot.outbox.window import Action, Window, doing_of, window
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import console_inbox as inbox_rows
from storage.queries import outbox
from storage.rows import Row

PAGE = 60
LOOKING = timedelta(seconds=45)
CLOSING = timedelta(hours=8)
FILTERS_KEPT = timedelta(minutes=10)
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
        where = [folders[query.folder], *scope, *query.narrowing(now, today, ids).conditions()]
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
            "filters": request.app[FILTERS].known(db, now),
            "chosen": chosen,
        }

    return await request.app[DATABASE].read(read)


Filter = tuple[str, str, list[tuple[str, str]]]  # its name, label and choices


class Filters:
    """What the lists can be narrowed to: asked of the tables now and then, because they count everybody's tags."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._known: list[Filter] = []

    def known(self, db: sa.Connection, now: datetime) -> list[Filter]:
        """The choices, a few minutes old at most."""
        if self._at is None or not timedelta() <= now - self._at < FILTERS_KEPT:
            self._known, self._at = _filters(db), now
        return self._known


FILTERS = web.AppKey("inbox_filters", Filters)


def _filters(db: sa.Connection) -> list[Filter]:
    """Every filter; the empty choice is left to the page."""
    known = inbox_rows.choices(db)
    return [
        (name, label, list(choices.items()) if choices is not None else known.get(name, []))
        for name, (label, choices) in CHOICES.items()
        if choices is not None or known.get(name)
    ]


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
    """The strip above every page that rings until somebody acts, and how often one was mentioned."""
    staff = request[STAFF]
    reads = may(staff.role, "GET", "/console/inbox")
    ringing = [alarm for alarm in await _alarms(request) if alarm["status"] == "open"] if reads else []
    mentioned = (
        await request.app[DATABASE].read(lambda db: inbox_rows.mentions_of(db, staff.name)) if reads else None
    )
    return shown(request, "alarm_bar.html", ringing=ringing, mentioned=mentioned)


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
