"""`xiaohu doctor`: what is wrong with this installation, and the mend, a line a check."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import aiohttp
import click
import sqlalchemy as sa

import storage.migrate
from bot.channels.api import OutcomeUnknown, Refused, Unreached, open_session
from bot.channels.wechat_api import WeChatApi
from bot.channels.wecom_api import WeComApi
from bot.domain.clock import Clock, SystemClock
from bot.settings import DEMO_SECRET, Settings, SettingsError, read_settings
from storage.database import Database, open_database
from storage.queries import doctor as looks
from storage.types import Seal, SealBroken

SHORT_SECRET: Final = 32  # characters; fewer can be guessed
FAST_OR_SLOW: Final = timedelta(seconds=60)  # WeChat's tokens and our codes live for minutes
GOOD, NOTE, WRONG = "正常", "注意", "错误"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    mark: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"[{self.mark}] {self.subject}：{self.text}"


@click.command(help="Check configuration, database, platform credentials and clock.")
def doctor() -> None:
    """Exit 1 when something is wrong; a note is not."""
    try:
        settings = read_settings()
    except SettingsError as error:
        click.echo(Finding(WRONG, "配置", f"{error}。请改正 xiaohu.toml、.env 或环境变量中的这一项。"))
        sys.exit(1)
    if asyncio.run(_report(settings, SystemClock())):
        sys.exit(1)


async def _report(settings: Settings, clock: Clock) -> bool:
    """Print every finding; whether something is wrong."""
    wrong = False
    async for finding in examine(settings, clock):
        click.echo(finding)
        wrong = wrong or finding.mark == WRONG
    return wrong


async def examine(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Every check, cheapest first."""
    for finding in _configuration(settings):
        yield finding
    Seal.use(settings.secret_key)
    try:
        database = open_database(settings.database_url)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        yield Finding(WRONG, "数据库", f"{_first_line(error)}。请检查 XIAOHU_DATABASE_URL。")
        return
    try:
        async for finding in _database(settings, database, clock):
            yield finding
        async with open_session() as session:
            async for finding in _platforms(settings, session, database, clock):
                yield finding
    finally:
        await database.close()
    yield _sms(settings)
    zone = clock.now().astimezone(settings.zone)
    yield Finding(GOOD, "本机时间", f"{zone:%Y-%m-%d %H:%M:%S}（{settings.timezone}），请与手机时间核对")


def _configuration(settings: Settings) -> Iterator[Finding]:
    yield Finding(GOOD, "配置", f"已读取，运行方式 {settings.env}")
    production = settings.env == "production"
    if settings.secret_key == DEMO_SECRET or len(settings.secret_key) < SHORT_SECRET:
        yield Finding(
            WRONG if production else NOTE,
            "密钥",
            f"XIAOHU_SECRET_KEY 太短或是演示用的。请换成 {SHORT_SECRET} 个以上随机字符并妥善保存；"
            "已有数据时不能更换。",
        )
    if not settings.public_url:
        mark = WRONG if settings.official_accounts and production else NOTE
        yield Finding(mark, "公网地址", "XIAOHU_PUBLIC_URL 未设置，不能发送报告链接。请设为 https://…")
    elif production and not settings.public_url.startswith("https://"):
        yield Finding(WRONG, "公网地址", "XIAOHU_PUBLIC_URL 不是 https。报告链接必须加密传送。")
    if not settings.api.token:
        yield Finding(NOTE, "接口", "XIAOHU_API__TOKEN 未设置，医院系统不能调用 /api/v1。")


async def _database(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[Finding]:
    address = settings.database_url
    where = address if database.dialect == "sqlite" else address.rpartition("@")[2]
    try:
        await asyncio.wait_for(database.read(looks.answers), timeout=10)
    except (sa.exc.SQLAlchemyError, OSError, TimeoutError) as error:
        yield Finding(
            WRONG,
            "数据库",
            f"{where} 不可用：{_first_line(error)}。请检查 XIAOHU_DATABASE_URL 和数据库服务。",
        )
        return
    yield Finding(GOOD, "数据库", where)
    current, newest = await database.read(storage.migrate.current), storage.migrate.newest()
    if not current:
        yield Finding(NOTE, "数据表", "新数据库，首次启动或导入时自动建表。")
        return
    if current != newest:
        yield Finding(WRONG, "数据表", f"版本 {current}，应为 {newest}。请运行 xiaohu db upgrade。")
        return
    yield Finding(GOOD, "数据表", newest)
    yield _durability(settings, forgets=await database.read(looks.forgets_on_power_loss))
    for check in (_seal, _content, _on_duty):
        yield await database.read(check)
    if (theirs := await database.read(looks.clock)) is not None:
        yield _clock("数据库服务器时间", theirs, clock)


def _durability(settings: Settings, *, forgets: bool) -> Finding:
    if forgets:
        mark = WRONG if settings.env == "production" else NOTE
        return Finding(mark, "断电安全", "数据库没有等数据写入磁盘。请打开 fsync 和 synchronous_commit。")
    return Finding(GOOD, "断电安全", "提交即写入磁盘")


def _seal(db: sa.Connection) -> Finding:
    try:
        looks.open_something_sealed(db)
    except SealBroken:
        return Finding(
            WRONG, "密钥", "打不开已有的数据：XIAOHU_SECRET_KEY 与写入时的不同。请恢复原来的密钥。"
        )
    return Finding(GOOD, "密钥", "与数据相符")


def _content(db: sa.Connection) -> Finding:
    counts = looks.counts(db)
    said = "，".join(f"{name} {count}" for name, count in counts.items())
    if not all(counts.values()):
        return Finding(NOTE, "医院数据", f"{said}。请用 xiaohu import 导入。")
    return Finding(GOOD, "医院数据", said)


def _on_duty(db: sa.Connection) -> Finding:
    count = looks.who_hears_alarms(db)
    if not count:
        return Finding(
            NOTE,
            "值班",
            "没有护士留下企业微信或电话，急症警报无人收到。请用 xiaohu user add NAME --role nurse 添加。",
        )
    return Finding(GOOD, "值班", f"{count} 位护士可收到警报")


async def _platforms(
    settings: Settings, session: aiohttp.ClientSession, database: Database, clock: Clock
) -> AsyncIterator[Finding]:
    if not settings.official_accounts and not settings.wecom.corp_id:
        yield Finding(NOTE, "微信", "没有设置公众号，也没有设置企业微信。请设置 XIAOHU_WECHAT__APP_ID 等。")
    for account in settings.official_accounts:
        subject = f"公众号 {account.name}"
        if not account.app_secret:
            yield Finding(NOTE, subject, "没有 APP_SECRET，只能被动回复，不能主动发消息。")
            continue
        wechat = WeChatApi(
            account.name,
            account.app_id,
            account.app_secret,
            account.api_base,
            session=session,
            database=database,
            clock=clock,
        )
        yield await _credentials(subject, wechat, "APP_ID、APP_SECRET 和公众平台的 IP 白名单")
        if (theirs := await _server_time(session, account.api_base)) is not None:
            yield _clock("微信服务器时间", theirs, clock)
    wecom = settings.wecom
    for name, subject, secret in (("wecom", "企业微信", wecom.secret), ("kf", "微信客服", wecom.kf_secret)):
        if wecom.corp_id and secret:
            api = WeComApi(
                f"{name}/{wecom.name}",
                wecom.corp_id,
                secret,
                wecom.api_base,
                session=session,
                database=database,
                clock=clock,
            )
            yield await _credentials(subject, api, "CORP_ID、SECRET 和应用的可信 IP")
        elif wecom.corp_id:
            yield Finding(NOTE, subject, "没有设置 SECRET，不会使用。")


async def _credentials(subject: str, api: WeChatApi | WeComApi, what: str) -> Finding:
    try:
        await api.check_credentials()
    except Refused as error:
        return Finding(WRONG, subject, f"平台拒绝（错误码 {error.code}）。请检查 {what}。")
    except (Unreached, OutcomeUnknown) as error:
        return Finding(WRONG, subject, f"连不上平台（{error}）。请检查网络、防火墙和 API_BASE。")
    return Finding(GOOD, subject, "凭证有效")


async def _server_time(session: aiohttp.ClientSession, url: str) -> datetime | None:
    """What time it is there, by its own word."""
    try:
        async with session.head(url) as response:
            return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
        return None


def _clock(subject: str, theirs: datetime, clock: Clock) -> Finding:
    apart = clock.now() - theirs
    if abs(apart) > FAST_OR_SLOW:
        fast = "快" if apart > timedelta() else "慢"
        return Finding(
            WRONG, subject, f"本机{fast} {abs(apart).total_seconds():.0f} 秒。请启用时间同步（NTP）。"
        )
    return Finding(GOOD, subject, "与本机一致")


def _sms(settings: Settings) -> Finding:
    if not settings.sms.url:
        return Finding(
            NOTE, "短信", "未设置 XIAOHU_SMS__URL：不能发验证码，患者无法在线绑定，急症警报不发短信。"
        )
    parts = urlsplit(settings.sms.url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path)).parent
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not os.access(existing, os.W_OK):
            return Finding(WRONG, "短信", f"不能写入 {folder}。请改 XIAOHU_SMS__URL 或目录权限。")
        return Finding(NOTE, "短信", f"写入文件 {unquote(parts.path)}，不会真的发出")
    return Finding(GOOD, "短信", f"经 {parts.hostname} 发送（未试发）")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


COMMANDS = (doctor,)
