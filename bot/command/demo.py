"""`xiaohu demo`: the real server, an invented hospital, and a simulated WeChat to talk to it."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa
from aiohttp import web

from bot.app import open_house, planners, web_application
from bot.command.importing import bring_in
from bot.command.serve import run_until_told
from bot.console.access import hash_password
from bot.demo.hospital import Person, write
from bot.demo.past import Past
from bot.hospital import identity
from bot.settings import Settings, read_settings
from bot.simulator import (
    AccountConfig,
    KfAccount,
    Member,
    OffsetClock,
    PatientConfig,
    SimulatorConfig,
    WecomConfig,
)
from bot.simulator.config import CustomerConfig
from bot.simulator.phone_page import build_simulator
from storage.queries import conversations
from storage.queries import identity as people
from storage.queries.hospital import all_facts
from storage.tables import users

PASSWORD = "xiaohu-demo"  # noqa: S105  printed on the screen; the demo's data is invented
STAFF = (
    ("李护士", "nurse", "nurse1"),
    ("王经理", "manager", ""),
    ("林编辑", "marketing", ""),
    ("陈主任", "admin", ""),
)
# Who is bound from the start: whose phone, to which of the people, as what. The others show how binding goes.
BOUND = ((0, 0, "self"), (1, 1, "self"), (1, 2, "child"))


@click.command(help="Start everything with an invented hospital and a simulated WeChat phone.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
def demo(host: str, port: int) -> None:
    """One process, SQLite, nothing to set up."""
    base = f"http://{host}:{port}"
    settings = _settings(base)
    persons = _hospital(settings)
    asyncio.run(_run(settings, persons, host, port, base))


def _account(base: str) -> AccountConfig:
    return AccountConfig(webhook_url=f"{base}/wechat", title="小护示范医院")


def _corporation(base: str) -> WecomConfig:
    return WecomConfig(
        webhook_url=f"{base}/wecom",
        members=tuple(Member(userid=userid, name=name) for name, _role, userid in STAFF if userid),
        kf_accounts=(KfAccount(open_kfid="wkXiaohu", name="小护客服"),),
    )


def _settings(base: str) -> Settings:
    account, corporation = _account(base), _corporation(base)
    invented = {
        "XIAOHU_ENV": "demo",
        "XIAOHU_DATABASE_URL": "sqlite:///var/demo.db",
        "XIAOHU_PUBLIC_URL": base,
        "XIAOHU_SMS__URL": f"{base}/simulator/sms",
        "XIAOHU_API__TOKEN": "demo-api-token",
        "XIAOHU_WECHAT__APP_ID": account.app_id,
        "XIAOHU_WECHAT__APP_SECRET": account.app_secret,
        "XIAOHU_WECHAT__TOKEN": account.token,
        "XIAOHU_WECHAT__AES_KEY": account.aes_key,
        "XIAOHU_WECHAT__API_BASE": f"{base}/simulator/api",
        "XIAOHU_WECOM__CORP_ID": corporation.corp_id,
        "XIAOHU_WECOM__AGENT_ID": str(corporation.agent_id),
        "XIAOHU_WECOM__SECRET": corporation.secret,
        "XIAOHU_WECOM__KF_SECRET": corporation.kf_secret,
        "XIAOHU_WECOM__TOKEN": corporation.token,
        "XIAOHU_WECOM__AES_KEY": corporation.aes_key,
        "XIAOHU_WECOM__API_BASE": f"{base}/simulator/qyapi",
    }
    return read_settings(invented | {name: value for name, value in os.environ.items() if name in invented})


def _hospital(settings: Settings) -> tuple[Person, ...]:
    """Today's slots and people; what was said yesterday stays."""
    folder = Path("var") / "demo"
    persons = write(folder, datetime.now(settings.zone).date())
    click.echo("正在准备示范医院（数据均为虚构）……")
    faults = bring_in(folder, settings).faults
    if faults:
        raise RuntimeError(f"the demo's own data was refused: {faults[0]}")
    return persons


def _openid(person: Person) -> str:
    return f"oDemo{person.code}"


def _move_in(db: sa.Connection, persons: tuple[Person, ...], settings: Settings) -> None:
    """Staff who can sign in, and some patients who are bound already."""
    now = datetime.now(UTC)
    known = set(db.execute(sa.select(users.c.name)).scalars())
    for name, role, userid in STAFF:
        if name not in known:
            row = {
                "name": name,
                "role": role,
                "wecom_userid": userid,
                "password_hash": hash_password(PASSWORD),
            }
            db.execute(users.insert().values(**row, created_at=now))
    for owner, number, relation in BOUND:
        thread = conversations.open_thread(db, "wechat/default", _openid(persons[owner]), now)
        patient = people.patient(db, persons[number].code)
        assert patient is not None
        if patient.code not in {row.patient_code for row in conversations.speaks_for(db, [thread.id])}:
            identity.bind(
                db, thread.id, patient, relation=relation, level=2, now=now, zone=settings.zone, proven=False
            )


def _phones(persons: tuple[Person, ...]) -> list[tuple[Person, str]]:
    """Whose phone a visitor may pick up, and what to know of them. A child has none."""
    children = {number for _, number, relation in BOUND if relation == "child"}
    bound = {owner for owner, _, _ in BOUND}
    return [
        (person, f"{person.hint}；{'已绑定' if number in bound else _papers(person)}")
        for number, person in enumerate(persons)
        if number not in children
    ]


def _papers(person: Person) -> str:
    return f"未绑定：手机 {person.phone}，证件末四位 {person.id_ending}"


async def _run(settings: Settings, persons: tuple[Person, ...], host: str, port: int, base: str) -> None:
    clock = OffsetClock()
    house = await open_house(settings, clock)
    await house.database.write(lambda db: _move_in(db, persons, settings))
    past = Past(
        house.database,
        house.reception,
        planners(settings, house.wording),
        nurses=[name for name, role, _ in STAFF if role == "nurse"],
        manager=next(name for name, role, _ in STAFF if role == "manager"),
    )
    await past.live(datetime.now(settings.zone).date())
    name = (await house.database.read(all_facts)).get("name", "")
    app = web_application(house)
    simulator = SimulatorConfig(
        accounts=(_account(base),),
        wecom=_corporation(base),
        patients=tuple(
            PatientConfig(openid=_openid(person), name=person.name, hint=hint)
            for person, hint in _phones(persons)
        ),
        customers=(CustomerConfig(external_userid="wmDemoVisitor", name="微信客服访客"),),
        scenes=(("clinic1", "门诊大厅"), ("ward3", "三病区床头")),
        public_url=f"{base}/simulator",
    )
    app.add_subapp("/simulator/", build_simulator(simulator, clock))
    app.router.add_get("/", _to_the_phone)
    await run_until_told(house, app, host, port, _greeting(name, base, persons))


async def _to_the_phone(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/simulator/")


def _greeting(name: str, base: str, persons: tuple[Person, ...]) -> str:
    staff = "、".join(f"{staff_name}（{role}）" for staff_name, role, _ in STAFF)
    people_lines = "\n".join(f"    {person.name}  {hint}" for person, hint in _phones(persons))
    return f"""
  {name}已就绪：
    手机    {base}/simulator/
    控制台  {base}/console/    用户 {staff}，密码 {PASSWORD}
    接口    {base}/api/v1/openapi.json    令牌 demo-api-token
  可扮演的患者：
{people_lines}
  按 Ctrl+C 结束。
"""


COMMANDS = (demo,)
