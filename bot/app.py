"""The one place that builds things: settings in, a wired house out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

import storage.migrate
from bot.channels.api import open_session
from bot.channels.sms import open_sms
from bot.channels.wechat import OfficialAccount
from bot.channels.wechat_api import WeChatApi
from bot.channels.wecom_api import WeComApi
from bot.console import add_console
from bot.conversation.receive import Reception
from bot.domain.clock import Clock, SystemClock
from bot.domain.inbound import Inbound, Reply
from bot.handlers import HANDLERS
from bot.outbox import alarm
from bot.outbox.carriers import Carrier, CustomerServiceCarrier, SmsCarrier, TemplateCarrier, WeComCarrier
from bot.outbox.postman import Postman
from bot.outbox.routes import PlatformTemplate
from bot.outbox.wording import Wording
from bot.outbox.worker import Tick, Worker
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
    session: aiohttp.ClientSession  # to the platforms
    worker: Worker

    async def close(self) -> None:
        """Finish what was begun."""
        await self.worker.stop()
        await self.session.close()
        await self.database.close()


async def open_house(settings: Settings, clock: Clock | None = None, *, flows: bool = True) -> House:
    """Open the database, bring it to the newest tables, and wire the rooms.

    Without *flows* nothing is begun: answers and alarms go out, plans and broadcasts wait.
    """
    clock, machine_clock = clock or SystemClock(), SystemClock()
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

    session = open_session()
    postman = Postman(
        database=database,
        clock=clock,
        machine_clock=machine_clock,
        zone=settings.zone,
        wording=wording,
        carriers=_carriers(settings, database, session, clock),
        templates=_templates(settings),
        plans=flows,
    )
    worker = Worker(postman, database, clock, machine_clock, TICKS, PLANNERS if flows else ())

    async def receive(inbound: Inbound) -> Reply:
        reply = await database.write(lambda db: reception.receive(db, inbound, clock.now()))
        worker.wake()
        return reply

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
        session=session,
        worker=worker,
    )


# What happens by itself when its time has come, and what starts contacts: plans, greetings, broadcasts.
TICKS: Sequence[Tick] = (Tick("unanswered safety checks", alarm.raise_unanswered),)
PLANNERS: Sequence[Tick] = ()


def _carriers(
    settings: Settings, database: Database, session: aiohttp.ClientSession, clock: Clock
) -> dict[str, Carrier]:
    """Every way letters may go, as far as it is set up."""
    machine_clock = SystemClock()  # tokens live on the platform's time, whatever ours is set to
    carriers: dict[str, Carrier] = {}
    for account in settings.official_accounts:
        if account.app_secret:
            wechat = WeChatApi(
                account.name,
                account.app_id,
                account.app_secret,
                account.api_base,
                session=session,
                database=database,
                clock=machine_clock,
            )
            carriers[f"customer_service:{wechat.account}"] = CustomerServiceCarrier(wechat)
            carriers[f"template:{wechat.account}"] = TemplateCarrier(wechat)
    if settings.wecom.corp_id and settings.wecom.secret:
        wecom = WeComApi(
            f"wecom/{settings.wecom.name}",
            settings.wecom.corp_id,
            settings.wecom.secret,
            settings.wecom.api_base,
            agent_id=settings.wecom.agent_id,
            session=session,
            database=database,
            clock=machine_clock,
        )
        carriers[f"wecom:{wecom.account}"] = WeComCarrier(wecom)
    if port := open_sms(settings.sms.url, session):
        carriers["sms"] = SmsCarrier(port, clock)
    return carriers


def _templates(settings: Settings) -> dict[str, dict[str, PlatformTemplate]]:
    return {
        f"wechat/{account.name}": {
            purpose: PlatformTemplate(template.id, template.title, template.fields)
            for purpose, template in account.templates.items()
        }
        for account in settings.official_accounts
    }


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
    app[api.WAKE] = house.worker.woken
    api.add_routes(app)
    add_console(app, house.reception, secure=house.settings.env == "production")
    return app
