"""The stop: one switch that keeps everything at home but alarms and answers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.pages import moved, shown
from bot.console.people import STAFF
from bot.outbox import stopping
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, switches
from storage.rows import Row

routes = web.RouteTableDef()


def switched(db: sa.Connection) -> Row | None:
    """Who pulled the switch, and when; None: everything goes."""
    return switches.pulled(db, stopping.STOP_ALL)


@routes.get("/console/stop/strip")
async def strip(request: web.Request) -> web.Response:
    """Above every page, while the switch is on."""
    return shown(request, "stop_strip.html", pulled=await request.app[DATABASE].read(switched))


@routes.get("/console/stop")
async def stop_page(request: web.Request) -> web.Response:
    """What it holds, or would hold."""

    def read(db: sa.Connection) -> dict[str, Any]:
        held = stopping.held(db)
        return {
            "pulled": switched(db),
            "held": [(labels.PURPOSES[one], size) for one, size in sorted(held.items())],
            "total": sum(held.values()),
            "history": audit.of_actions(db, ("stop all", "resume all"), 8),
        }

    return shown(request, "stop.html", **await request.app[DATABASE].read(read))


@routes.post("/console/stop")
async def stop_everything(request: web.Request) -> web.Response:
    """Within a second or two nothing goes but alarms and answers."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: stopping.stop_all(db, name, now))
    return moved("/console/stop")


@routes.post("/console/stop/end")
async def go_on(request: web.Request) -> web.Response:
    """What is still useful goes out now."""
    name, now = request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: stopping.resume_all(db, name, now))
    request.app[WAKE].set()
    return moved("/console/stop")
