"""Who is ringing: the patient of a number, a choice of several, or somebody new, who is kept as a lead."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from aiohttp import web

from bot.console.calls.pages import call_facts
from bot.console.pages import ZONE, moved, shown
from bot.console.patients.pages import listed, masked_phone
from bot.console.people import STAFF
from bot.domain.phone import normal_phone
from bot.hospital.identity import phone_index
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_calls as call_rows
from storage.queries import console_patient as patient_rows
from storage.rows import Row

STAGES: Final = {"contacted": "联系过", "booked": "已预约", "lost": "不考虑了"}
LATER: Final = timedelta(days=3)  # a lead that was talked to is looked at again

routes = web.RouteTableDef()


@routes.get("/console/pop")
async def pop(request: web.Request) -> web.Response:
    """One patient opens, several are listed, nobody known becomes a lead."""
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
        tasks=[call_facts(row, now) for row in tasks],
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


@routes.post("/console/leads/{lead:\\d+}")
async def move_lead(request: web.Request) -> web.Response:
    """What became of somebody who rang."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    number, stage = int(request.match_info["lead"]), str(form.get("stage", ""))
    if stage not in STAGES:
        raise web.HTTPUnprocessableEntity
    next_at = now + LATER if stage == "contacted" else None

    def write(db: sa.Connection) -> None:
        call_rows.change_lead(db, number, stage=stage, next_at=next_at)
        audit.append(db, staff.name, "lead", f"lead:{number}", stage, now)

    await request.app[DATABASE].write(write)
    return moved("/console/calls")
