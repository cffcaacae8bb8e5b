"""The auditor's page: the chain of who did what to whom, verified and exported."""

from __future__ import annotations

import json
from functools import partial

from aiohttp import web

from bot.console.pages import HEADERS, shown
from bot.console.people import STAFF
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit

PAGE = 100
routes = web.RouteTableDef()


@routes.get("/console/audit")
async def chain(request: web.Request) -> web.Response:
    """The latest entries; with `verify=1`, whether the whole chain holds."""
    before = request.query.get("before", "")
    who, what = request.query.get("who", "").strip(), request.query.get("what", "").strip()
    rows = await request.app[DATABASE].read(
        lambda db: audit.latest(
            db, PAGE, before=int(before) if before.isdigit() else None, actor=who, object_=what
        )
    )
    verdict = ""
    if request.query.get("verify"):
        broken = await request.app[DATABASE].read(audit.first_broken)
        verdict = "whole" if broken is None else str(broken)
    return shown(
        request, "audit.html", rows=rows, verdict=verdict, who=who, what=what, more=len(rows) == PAGE
    )


@routes.get("/console/audit/export")
async def export(request: web.Request) -> web.StreamResponse:
    """Everything, as JSON lines with the hashes, so that it can be verified elsewhere. Exporting is written down."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: audit.append(db, name, "export", "audit", "", now))
    response = web.StreamResponse(
        headers={
            **HEADERS,
            "Content-Type": "application/x-ndjson",
            "Content-Disposition": f'attachment; filename="audit-{now:%Y%m%d-%H%M}.jsonl"',
        }
    )
    await response.prepare(request)
    after = 0
    while True:
        rows = await request.app[DATABASE].read(partial(audit.after, number=after, limit=1_000))
        for row in rows:
            line = {**row._mapping, "at": row.at.isoformat()}
            await response.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        if not rows:
            return response
        after = rows[-1].id
