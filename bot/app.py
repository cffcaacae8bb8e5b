"""The one place that builds things: settings in, a wired house out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

import storage.migrate
from bot.channels.api import Api, open_session
from bot.channels.kf_api import KfApi
from bot.channels.sms import open_sms
from bot.channels.unionids import UnionIds
from bot.channels.wechat import OfficialAccount
from bot.channels.wechat_api import WeChatApi
from bot.channels.wechat_mass import WeChatMass
from bot.channels.wecom import WeComApp
from bot.channels.wecom_api import WeComApi
from bot.console import add_console
from bot.console.administration import health as console_health
from bot.console.inbox import media
from bot.conversation.receive import Reception
from bot.domain.clock import Clock, SystemClock
from bot.domain.inbound import Inbound
from bot.flows import PLANS, link_notices, report_notices
from bot.flows.broadcasts.running import Broadcaster
from bot.flows.engine.planner import Planner
from bot.flows.greetings import Greeter
from bot.handlers import HANDLERS, waiting_offer
from bot.hospital import attendance, complaints, consents, loyalty
from bot.language.red_flags import LexiconError
from bot.language.red_flags.watched import WatchedLexicon
from bot.outbox import alarm, owed_texts
from bot.outbox.carriers import (
    Carrier,
    CustomerServiceCarrier,
    KfCarrier,
    SmsCarrier,
    TemplateCarrier,
    WeComCarrier,
)
from bot.outbox.heartbeat import Heartbeat
from bot.outbox.ladder import Ladder
from bot.outbox.masses import MassDesk
from bot.outbox.postman import Postman
from bot.outbox.routes import PlatformTemplate
from bot.outbox.tagging import TagSync
from bot.outbox.wording import Wording
from bot.outbox.worker import Chore, Tick, Worker
from bot.settings import Settings, SettingsError
from bot.web import api, health, report_page, webhooks, wecom_webhook
from bot.web.answering import Answering
from bot.web.intake import Intake
from bot.web.kf import KfDesk
from bot.web.pages import STATIC
from bot.web.spool import Spool
from storage.database import Database, open_database
from storage.types import Seal

log = structlog.get_logger()


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
    wecom_apps: Mapping[str, WeComApp]
    session: aiohttp.ClientSession  # to the platforms
    worker: Worker
    official_apis: Sequence[WeChatApi]  # those that may be asked
    kf_desk: KfDesk | None  # None: 微信客服 is not set up
    media: Mapping[str, Api]  # whom to ask for the files that patients send, by account

    async def close(self) -> None:
        """Finish what was begun."""
        if self.kf_desk is not None:
            await self.kf_desk.close()
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
    own_lexicon = _own_lexicon(settings)
    reception = Reception(
        HANDLERS,
        wording=wording,
        zone=settings.zone,
        public_url=settings.public_url,
        sms=bool(settings.sms.url),
        lexicon=own_lexicon.lexicon if own_lexicon else None,
        examples=Path(settings.language.examples) if settings.language.examples else None,
    )

    async def take_in_own_texts() -> None:
        if await database.read(wording.refresh):
            reception.reworded()

    async def take_in_lexicon() -> None:
        if own_lexicon is None:
            return
        try:
            changed = await asyncio.to_thread(own_lexicon.changed)
        except LexiconError as error:
            log.error("lexicon_refused", error=str(error), in_use=own_lexicon.lexicon.version)
            return
        if changed:
            reception.signs_changed(changed)
            log.info("lexicon_read", version=changed.version)

    await take_in_own_texts()
    session = open_session()
    official = _official_apis(settings, database, session)
    kf = _kf(settings, database, session)
    ports = {wechat.account: WeChatMass(wechat.api, wechat.account) for wechat in official}
    masses = MassDesk(database, clock, machine_clock, ports)
    tagging = [TagSync(database, clock, machine_clock, port).step for port in ports.values()]
    postman = Postman(
        database=database,
        clock=clock,
        machine_clock=machine_clock,
        zone=settings.zone,
        wording=wording,
        carriers=_carriers(settings, database, session, clock, official, kf),
        templates=platform_templates(settings),
        allows=consents.allows,
        plans=flows,
        masses=masses,
    )

    intake = Intake(database, reception, clock, lambda: worker.wake())

    async def receive_late(inbound: Inbound, read: str) -> None:
        await database.write(lambda db: reception.receive_late(db, inbound, clock.now(), read))
        worker.wake()

    spool = Spool(spool_path(settings))
    direct_line = alarm.DirectLine(database, clock, open_sms(settings.sms.url, session))
    answering = Answering(intake.receive, receive_late, spool, reception.alarm_words, direct_line.ring)
    heartbeat = Heartbeat(database, clock, machine_clock, open_sms(settings.sms.url, session))
    worker = Worker(
        postman,
        database,
        clock,
        machine_clock,
        ticks=_ticks(wording),
        planners=planners(settings, wording) if flows else (),
        watch=heartbeat.run,
        chores=(
            answering.replay,
            direct_line.learn,
            take_in_own_texts,
            take_in_lexicon,
            *(tagging if flows else ()),
        ),
    )
    heartbeat.looked_at = lambda: worker.looked_at

    return House(
        settings=settings,
        clock=clock,
        database=database,
        wording=wording,
        reception=reception,
        answering=answering,
        official_accounts={
            account.name: OfficialAccount(
                account.name, account.app_id, account.token, account.aes_key, account.mode
            )
            for account in settings.official_accounts
        },
        wecom_apps={
            app.name: WeComApp(app.name, app.corp_id, app.token, app.aes_key)
            for app in (settings.wecom,)
            if app.corp_id
        },
        session=session,
        worker=worker,
        official_apis=official,
        kf_desk=KfDesk(kf, database, reception, clock, worker.wake) if kf else None,
        media={wechat.account: wechat.api for wechat in official} | ({"kf": kf.api} if kf else {}),
    )


def planners(settings: Settings, wording: Wording) -> Sequence[Tick]:
    """What starts contacts: plans, greetings, broadcasts."""
    planner = Planner(PLANS, wording, settings.zone, unsigned_run=settings.env != "production")
    return (
        Tick("plans", planner, until_done=True),
        Tick("greetings", Greeter(wording, settings.zone), until_done=True),
        Tick("broadcasts", Broadcaster(wording, settings.zone), until_done=True),
        Tick(
            "links that end", lambda db, now: link_notices.announce(db, now, wording), timedelta(minutes=10)
        ),
    )


def _own_lexicon(settings: Settings) -> WatchedLexicon | None:
    """The hospital's own red-flag lexicon; None: the one that ships."""
    if not settings.language.lexicon:
        return None
    try:
        return WatchedLexicon(Path(settings.language.lexicon))
    except LexiconError as error:
        raise SettingsError(f"XIAOHU_LANGUAGE__LEXICON: {error}") from error


def _ticks(wording: Wording) -> Sequence[Tick]:
    """What happens by itself when its time has come."""
    return (
        Tick("unanswered safety checks", alarm.raise_unanswered),
        Tick("alarm ladder", Ladder(wording, wording.zone)),
        Tick(
            "complaints that are nearly due",
            lambda db, now: complaints.remind(db, now, wording.zone),
            timedelta(minutes=1),
        ),
        Tick("waiting list", lambda db, now: waiting_offer.tick(db, now, wording), timedelta(seconds=5)),
        Tick(
            "reports that are ready",
            lambda db, now: report_notices.announce(db, now, wording),
            timedelta(seconds=20),
        ),
        Tick("owed texts", lambda db, now: owed_texts.bring(db, now, wording), timedelta(seconds=3)),
        Tick("points nobody accepted", loyalty.expire, timedelta(seconds=10)),
        Tick(
            "bookings whose time is over",
            lambda db, now: attendance.settle(db, now, wording.zone),
            timedelta(minutes=10),
        ),
    )


def _carriers(
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    clock: Clock,
    official: Sequence[WeChatApi],
    kf: KfApi | None,
) -> dict[str, Carrier]:
    """Every way letters may go, as far as it is set up."""
    carriers: dict[str, Carrier] = {}
    for wechat in official:
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
            clock=SystemClock(),
        )
        carriers[f"wecom:{wecom.account}"] = WeComCarrier(wecom)
    if kf is not None:
        carriers["kf:*"] = KfCarrier(kf)
    if port := open_sms(settings.sms.url, session):
        carriers["sms"] = SmsCarrier(port, clock)
    return carriers


def _official_apis(
    settings: Settings, database: Database, session: aiohttp.ClientSession
) -> Sequence[WeChatApi]:
    """The official accounts whose API we may call."""
    return [
        WeChatApi(
            account.name,
            account.app_id,
            account.app_secret,
            account.api_base,
            session=session,
            database=database,
            clock=SystemClock(),  # tokens live on the platform's time, whatever ours is set to
        )
        for account in settings.official_accounts
        if account.app_secret
    ]


def _unionids(database: Database, official: Sequence[WeChatApi], kf: KfApi | None) -> list[Chore]:
    """Who is the same person on two accounts."""
    lookups = [UnionIds(database, wechat.api, wechat.account) for wechat in official]
    if kf is not None:
        lookups.append(UnionIds(database, kf.api, "kf/%"))
    return [lookup.look_up for lookup in lookups]


def _kf(settings: Settings, database: Database, session: aiohttp.ClientSession) -> KfApi | None:
    if not (settings.wecom.corp_id and settings.wecom.kf_secret):
        return None
    secret = WeComApi(
        f"kf/{settings.wecom.name}",
        settings.wecom.corp_id,
        settings.wecom.kf_secret,
        settings.wecom.api_base,
        session=session,
        database=database,
        clock=SystemClock(),
    )
    return KfApi(secret.api)


def platform_templates(settings: Settings) -> dict[str, dict[str, PlatformTemplate]]:
    """The platform's templates of every official account, by purpose."""
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
    app[health.WORKER] = house.worker
    app[report_page.ZONE] = house.settings.zone
    app[report_page.RECEPTION] = house.reception
    app[wecom_webhook.APPS] = house.wecom_apps
    if house.kf_desk is not None:
        app[wecom_webhook.KF] = house.kf_desk
    for routes in (webhooks.routes, wecom_webhook.routes, health.routes, report_page.routes):
        app.add_routes(routes)
    app.router.add_static("/static", STATIC)
    app[api.SETTINGS] = house.settings
    app[api.RECEPTION] = house.reception
    app[api.WAKE] = house.worker.woken
    api.add_routes(app)
    app[media.PLATFORMS] = house.media
    app[console_health.OFFICIAL] = house.official_apis
    add_console(app, house.reception, secure=house.settings.env == "production")
    return app
