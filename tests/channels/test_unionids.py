"""The same person on the official account and in 微信客服 is one person: the platform's unionid says so."""

from __future__ import annotations

from datetime import timedelta

from bot.channels.api import open_session
from bot.channels.unionids import UnionIds
from bot.channels.wechat_api import WeChatApi
from bot.domain.clock import SystemClock
from bot.simulator import AccountConfig, ManualClock, PatientConfig, Platform, SimulatorConfig
from storage.database import Database
from storage.queries import conversations
from tests.conftest import NOW
from tests.hospital_folder import bound, contact, open_hospital


async def test_unionids_are_asked_for_once_and_join_accounts(database: Database) -> None:
    account = AccountConfig(webhook_url="http://127.0.0.1:9/none")
    people = (
        PatientConfig(openid="oU1", name="林志远", unionid="u-1"),
        PatientConfig(openid="oU2", name="许静怡"),
    )
    clock = ManualClock(NOW)
    platform = Platform(SimulatorConfig(accounts=(account,), patients=people), clock)
    await database.write(open_hospital)
    await database.write(bound("oU1", "P01"))
    await database.write(lambda db: contact(db, "oU2"))
    async with platform.serving() as base, open_session() as session:
        wechat = WeChatApi(
            "default",
            account.app_id,
            account.app_secret,
            f"{base}/api",
            session=session,
            database=database,
            clock=SystemClock(),
        )
        lookup = UnionIds(database, wechat.api, wechat.account)
        await lookup.look_up()
        clock.advance(timedelta(seconds=1))
        await lookup.look_up()
        assert len(platform.calls.to("user/info/batchget")) == 1
    row = await database.write(
        lambda db: conversations.open_thread(db, "kf/wkDesk", "wmOne", NOW, unionid="u-1")
    )
    spoken_for = await database.read(lambda db: conversations.speaks_for(db, [row.id]))
    assert [one.patient_code for one in spoken_for] == ["P01"]
