"""What the machine will send to a patient next: it can be stopped or moved, and says why it went out or did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.flows import plan_words
from bot.console.pages import ZONE, moved
from bot.console.people import STAFF, Staff, patient_for
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, plans
from storage.queries import console_patient as patient_rows
from storage.rows import Row

AWAKE: Final = (time(8), time(21))  # nothing of a plan goes out at night
FARTHEST: Final = timedelta(days=90)
SHOWN: Final = 60

routes = web.RouteTableDef()


def to_come(db: sa.Connection, code: str, now: datetime) -> list[dict[str, Any]]:
    """Contacts of plans and letters that wait, the soonest first."""
    found = [
        {
            "touch": row.id,
            "letter": 0,
            "at": row.due_at,
            "name": plan_words.contact(row.plan, row.step),
            "asks": "、".join(plan_words.QUESTIONS.get(key, key) for key in row.questions.split()),
            "purpose": labels.PURPOSES.get(row.purpose, row.purpose),
            "asked": row.state == "asked",
        }
        for row in patient_rows.planned(db, code)
    ]
    found += [
        {
            "touch": 0,
            "letter": row.id,
            "at": row.not_before,
            "name": plan_words.contact(row.plan, row.step) if row.plan else row.author,
            "asks": row.body.get("text", "")[:40],
            "purpose": labels.PURPOSES.get(row.purpose, row.purpose),
            "asked": False,
        }
        for row in patient_rows.waiting_letters(db, code, now)
    ]
    return sorted(found, key=lambda one: one["at"])


def history(db: sa.Connection, code: str) -> list[dict[str, Any]]:
    """Every decision about the patient's plans, the newest first, in words."""
    return [
        {
            "at": row.at,
            "name": plan_words.contact(row.plan, row.step or ""),
            "decision": plan_words.DECISIONS.get(row.decision, row.decision),
            "went": row.decision in ("sent", "asked_again", "answered", "answering", "started"),
            "why": _why(row),
        }
        for row in reversed(plans.history(db, code)[-SHOWN:])
    ]


def _why(row: Row) -> str:
    if row.decision == "started":
        return ""
    return plan_words.reason(row.reason or "")


async def _change(
    request: web.Request, act: Callable[[sa.Connection, Staff, str, datetime, ZoneInfo], str]
) -> web.Response:
    """Change what is planned for a patient one may see. `act` answers what to write down; nothing: it is too late."""
    code, staff, now = request.match_info["code"], request[STAFF], request.app[CLOCK].now()
    zone = request.app[ZONE]

    def write(db: sa.Connection) -> bool:
        patient_for(db, staff, code, now)
        done = act(db, staff, code, now, zone)
        if done:
            audit.append(db, staff.name, done, f"patient:{code}", request.path.rsplit("/", 2)[1], now)
        return bool(done)

    try:
        done = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    return moved(f"/console/patients/{code}#planned" if done else f"/console/patients/{code}?late=1#planned")


@routes.post("/console/patients/{code}/planned/{touch:\\d+}/stop")
async def stop(request: web.Request) -> web.Response:
    """What a plan would have sent is not sent."""
    number = int(request.match_info["touch"])

    def act(db: sa.Connection, staff: Staff, code: str, now: datetime, zone: ZoneInfo) -> str:
        return "stop contact" if patient_rows.cancel_touch(db, code, number, staff.name, now) else ""

    return await _change(request, act)


@routes.post("/console/patients/{code}/planned/{touch:\\d+}/move")
async def move(request: web.Request) -> web.Response:
    """It is sent at another hour: by day, in the future, within ninety days."""
    number, wanted = int(request.match_info["touch"]), str((await request.post()).get("at", ""))

    def act(db: sa.Connection, staff: Staff, code: str, now: datetime, zone: ZoneInfo) -> str:
        at = _moment(wanted, zone)
        if at is None or not now < at < now + FARTHEST or not AWAKE[0] <= at.time() < AWAKE[1]:
            return ""
        return "move contact" if patient_rows.move_touch(db, code, number, at, staff.name, now) else ""

    return await _change(request, act)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return None


@routes.post("/console/patients/{code}/letters/{letter:\\d+}/stop")
async def stop_letter(request: web.Request) -> web.Response:
    """A letter that waits does not go."""
    number = int(request.match_info["letter"])

    def act(db: sa.Connection, staff: Staff, code: str, now: datetime, zone: ZoneInfo) -> str:
        return "stop letter" if patient_rows.stop_letter(db, code, number) else ""

    return await _change(request, act)
