"""The staff console: pages rendered here, live, in plain Chinese."""

from __future__ import annotations

from aiohttp import web

from bot.console import access, account, commands, live
from bot.console.administration import audit as audit_pages
from bot.console.administration import health, imports
from bot.console.administration import pages as admin
from bot.console.broadcasts import calendar as broadcasts_calendar
from bot.console.broadcasts import composer as broadcasts_composer
from bot.console.broadcasts import pages as broadcasts
from bot.console.broadcasts import stop as broadcasts_stop
from bot.console.calls import pages as calls
from bot.console.calls import screen_pop
from bot.console.flows import pages as flows
from bot.console.flows import texts
from bot.console.inbox import actions, bulk, handing, media, snippets, thread, undo
from bot.console.inbox import pages as inbox
from bot.console.managers import pages as figures
from bot.console.pages import STATIC, ZONE, script_in_english
from bot.console.patients import pages as patients
from bot.console.patients import planned
from bot.console.people import READINGS, Readings
from bot.console.services import RECEPTION
from bot.console.tickets import deeds as ticket_deeds
from bot.console.tickets import exports as ticket_exports
from bot.console.tickets import pages as tickets
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
