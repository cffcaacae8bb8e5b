"""The one place that builds things: settings in, a wired house out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

import storage.migrate
from bot.channels.wechat import OfficialAccount
from bot.conversation.receive import Reception
from bot.domain.clock import Clock, SystemClock
from bot.domain.inbound import Inbound, Reply
from bot.handlers import HANDLERS
from bot.outbox.wording import Wording
from bot.settings import Settings
from bot.web import api, health, report_page, webhooks
from bot.web.answering import Answering
from bot.web.pages import STATIC
from bot.web.spool import Spool
from storage.database import Database, open_database
from storage.types import Seal


@dataclass(frozen=True)
class House:
    """Everything that lives as long as the process."""

    settings: Settings
    clock: Clock
    database: Database
    wording: Wording
    reception: Reception
    answering: Answering
    official_accounts: Mapping[str, OfficialAccount]

    async def close(self) -> None:
        """Finish what was begun."""
        await self.database.close()


async def open_house(settings: Settings, clock: Clock | None = None) -> House:
    """Open the database, bring it to the newest tables, and wire the rooms."""
    clock = clock or SystemClock()
    Seal.use(settings.secret_key)
    database = open_database(settings.database_url)
    await database.write(storage.migrate.upgrade)
    wording = Wording(settings.zone)
    reception = Reception(
        HANDLERS,
        wording=wording,
        zone=settings.zone,
        public_url=settings.public_url,
        sms=bool(settings.sms.url),
    )

    async def receive(inbound: Inbound) -> Reply:
        return await database.write(lambda db: reception.receive(db, inbound, clock.now()))

    return House(
        settings=settings,
        clock=clock,
        database=database,
        wording=wording,
        reception=reception,
        answering=Answering(receive, Spool(spool_path(settings)), reception.alarm_words),
        official_accounts={
            account.name: OfficialAccount(
                account.name, account.app_id, account.token, account.aes_key, account.mode
            )
            for account in settings.official_accounts
        },
    )


def spool_path(settings: Settings) -> Path:
    """Beside the embedded database, or in `var/`."""
    prefix = "sqlite:///"
    if settings.database_url.startswith(prefix):
        return Path(settings.database_url.removeprefix(prefix)).with_suffix(".spool")
    return Path("var") / "xiaohu.spool"


def web_application(house: House) -> web.Application:
    """The doors: webhooks, health, console, API."""
    app = web.Application(client_max_size=webhooks.BODY_LIMIT)
    app[webhooks.ACCOUNTS] = house.official_accounts
    app[webhooks.ANSWERING] = house.answering
    app[webhooks.CLOCK] = house.clock
    app[health.DATABASE] = house.database
    app[report_page.ZONE] = house.settings.zone
    app[report_page.RECEPTION] = house.reception
    for routes in (webhooks.routes, health.routes, report_page.routes):
        app.add_routes(routes)
    app.router.add_static("/static", STATIC)
    app[api.SETTINGS] = house.settings
    app[api.RECEPTION] = house.reception
    app[api.WAKE] = asyncio.Event()
    api.add_routes(app)
    return app
