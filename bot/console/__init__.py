"""The staff console: pages rendered here, live, in plain Chinese."""

from __future__ import annotations

from aiohttp import web

from bot.console import access, inbox, live
from bot.console.pages import STATIC
from bot.conversation.receive import Reception

PARTS = (access, inbox, live)


def add_console(app: web.Application, reception: Reception, *, secure: bool) -> None:
    """Put the console under `/console/`. `secure`: cookies over HTTPS only."""
    app[inbox.RECEPTION] = reception
    app[access.ATTEMPTS] = access.Attempts()
    app[access.SECURE] = secure
    app.middlewares.append(access.guard)
    app.cleanup_ctx.append(live.run_feed)
    for part in PARTS:
        app.add_routes(part.routes)
    app.router.add_static("/console/static", STATIC)
