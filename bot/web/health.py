"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import storage.migrate
from bot.outbox.worker import Worker
from storage.database import Database

CLOCK_PATIENCE = 60.0  # seconds without a look into the outbox: a clock that died says nothing by itself

WORKER = web.AppKey("worker", Worker)
DATABASE = web.AppKey("database", Database)

routes = web.RouteTableDef()


@routes.get("/healthz")
async def alive(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """The database answers and has the newest tables, and the clock ticks."""
    try:
        current = await request.app[DATABASE].read(storage.migrate.current)
    except Exception as error:
        return web.json_response({"database": type(error).__name__}, status=503)
    newest, worker = storage.migrate.newest(), request.app[WORKER]
    silent = (worker.machine_clock.now() - worker.looked_at).total_seconds() if worker.looked_at else 0.0
    state = {
        "database": "ok",
        "migration": current,
        "newest": newest,
        "clock_silent_seconds": round(silent, 1),
    }
    return web.json_response(state, status=200 if current == newest and silent < CLOCK_PATIENCE else 503)


@routes.get("/metrics")
async def metrics(_request: web.Request) -> web.Response:
    """Prometheus."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
