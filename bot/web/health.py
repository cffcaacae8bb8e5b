"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import storage.migrate
from storage.database import Database

DATABASE = web.AppKey("database", Database)

routes = web.RouteTableDef()


@routes.get("/healthz")
async def alive(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """The database answers and has the newest tables."""
    try:
        current = await request.app[DATABASE].read(storage.migrate.current)
    except Exception as error:
        return web.json_response({"database": type(error).__name__}, status=503)
    newest = storage.migrate.newest()
    status = 200 if current == newest else 503
    return web.json_response({"database": "ok", "migration": current, "newest": newest}, status=status)


@routes.get("/metrics")
async def metrics(_request: web.Request) -> web.Response:
    """Prometheus."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
