"""The staff console: pages rendered here, live, in plain Chinese."""

from __future__ import annotations

from aiohttp import web

from bot.console import (
    access,
    account,
    actions,
    admin,
    audit_pages,
    broadcasts,
    broadcasts_calendar,
    broadcasts_composer,
    broadcasts_stop,
    bulk,
    calls,
    commands,
    figures,
    flows,
    handing,
    health,
    imports,
    inbox,
    live,
    media,
    patients,
    planned,
    screen_pop,
    snippets,
    texts,
    thread,
    ticket_deeds,
    ticket_exports,
    tickets,
    undo,
)
from bot.console.pages import STATIC, ZONE, script_in_english
from bot.console.people import READINGS, Readings
from bot.console.services import RECEPTION
from bot.conversation.receive import Reception

PARTS = (
    access,
    account,
    audit_pages,
    inbox,
    thread,
    media,
    actions,
    handing,
    undo,
    bulk,
    snippets,
    patients,
    planned,
    tickets,
    ticket_deeds,
    ticket_exports,
    calls,
    screen_pop,
    commands,
    figures,
    admin,
    health,
    imports,
    broadcasts_composer,
    broadcasts,
    broadcasts_calendar,
    broadcasts_stop,
    flows,
    texts,
    live,
)


def add_console(app: web.Application, reception: Reception, *, secure: bool) -> None:
    """Put the console under `/console/`. `secure`: cookies over HTTPS only, and a second factor for everybody."""
    app[RECEPTION] = reception
    app[ZONE] = reception.zone
    app[READINGS] = Readings()
    app[imports.RUNNING] = imports.Running()
    app[figures.KEPT] = figures.Remembered()
    app[patients.VALUE_TIERS] = patients.ValueTiers()
    app[inbox.FILTERS] = inbox.Filters()
    app[broadcasts_calendar.BIRTHDAYS] = broadcasts_calendar.Birthdays()
    app[broadcasts_composer.PATIENT_WORDS] = broadcasts_composer.PatientWords()
    app[flows.COUNTS] = flows.Counts()
    app[access.ATTEMPTS] = access.Attempts()
    app[access.SECURE] = app[access.SECOND_FACTOR] = secure
    app.middlewares.append(access.guard)
    app.cleanup_ctx.append(live.run_feed)
    for part in PARTS:
        app.add_routes(part.routes)
    app.router.add_get("/console/static/english/{name}", script_in_english)
    app.router.add_static("/console/static", STATIC)
