"""One token for everybody: never a stampede, never a dead one for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import aiohttp
import pytest
import sqlalchemy as sa

from bot.channels.api import Refused, Unreached, open_session
from bot.channels.wechat_api import WeChatApi
from bot.channels.wecom_api import WeComApi
from bot.domain.clock import StoppedClock
from bot.simulator import AccountConfig, Member, Platform, SimulatorConfig, WecomConfig
from storage.database import Database, open_database

T = TypeVar("T")

ACCOUNT = AccountConfig(webhook_url="http://127.0.0.1:9/")
WECOM = WecomConfig(webhook_url="http://127.0.0.1:9/", members=(Member(userid="nurse1", name="张"),))


@dataclass
class World:
    """The simulated platform and the processes of a hospital."""

    platform: Platform
    base: str
    clock: StoppedClock
    session: aiohttp.ClientSession

    def account(self, database: Database, secret: str = ACCOUNT.app_secret) -> WeChatApi:
        """The official account as one process sees it."""
        return WeChatApi(
            "default",
            ACCOUNT.app_id,
            secret,
            f"{self.base}/api",
            session=self.session,
            database=database,
            clock=self.clock,
        )

    def app(self, database: Database) -> WeComApi:
        """WeCom's app as one process sees it."""
        return WeComApi(
            "wecom/default",
            WECOM.corp_id,
            WECOM.secret,
            f"{self.base}/qyapi",
            agent_id=WECOM.agent_id,
            session=self.session,
            database=database,
            clock=self.clock,
        )

    def fetched(self) -> int:
        return len(self.platform.calls.to("stable_token"))


@pytest.fixture
async def world(clock: StoppedClock) -> AsyncIterator[World]:
    platform = Platform(SimulatorConfig(accounts=(ACCOUNT,), wecom=WECOM), clock)
    async with platform.serving() as base, open_session() as session:
        yield World(platform, base, clock, session)


@pytest.fixture
async def second_database(database_url: str) -> AsyncIterator[Database]:
    """The same database, as another process opens it."""
    database = open_database(database_url)
    yield database
    await database.close()


async def test_fifty_users_fetch_one_token(
    world: World, database: Database, second_database: Database
) -> None:
    ours, theirs = world.account(database), world.account(second_database)

    tokens = await asyncio.gather(*(api.api.tokens.get() for api in (ours, theirs) * 25))

    assert len(set(tokens)) == 1
    assert world.fetched() == 1


class Late:
    """A database whose first write is late."""

    def __init__(self, database: Database) -> None:
        self.dialect, self._database = database.dialect, database
        self.about_to_write, self.may_write = asyncio.Event(), asyncio.Event()

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        return await self._database.read(query)

    async def write(self, query: Callable[[sa.Connection], T]) -> T:
        self.about_to_write.set()
        await self.may_write.wait()
        return await self._database.write(query)

    async def close(self) -> None:
        await self._database.close()


async def test_who_looked_before_another_process_was_done_does_not_fetch_again(
    world: World, database: Database, second_database: Database
) -> None:
    late = Late(second_database)
    slow = asyncio.create_task(world.account(late).api.tokens.get())
    await late.about_to_write.wait()
    token = await world.account(database).api.tokens.get()
    late.may_write.set()
    assert await slow == token
    assert world.fetched() == 1


async def test_a_token_is_renewed_before_its_last_five_minutes(world: World, database: Database) -> None:
    account = world.account(database)
    first = await account.api.tokens.get()
    world.clock.moment += timedelta(seconds=7200 - 301)
    assert await account.api.tokens.get() == first

    world.clock.moment += timedelta(seconds=2)
    second = await account.api.tokens.get()

    assert second != first
    assert world.fetched() == 2


async def test_a_restarted_process_uses_the_token_that_is_there(world: World, database: Database) -> None:
    first = await world.account(database).api.tokens.get()
    assert await world.account(database).api.tokens.get() == first
    assert world.fetched() == 1


async def test_a_killed_token_is_replaced_for_all_at_once(
    world: World, database: Database, second_database: Database
) -> None:
    users = [world.platform.follow(f"o{number}") for number in range(25)]
    ours, theirs = world.account(database), world.account(second_database)
    await ours.api.tokens.get()
    world.platform.account().tokens.kill()

    async def notify(api: WeChatApi, openid: str) -> None:
        with pytest.raises(Refused) as refusal:
            await api.write(openid, "您好")
        assert refusal.value.code == 45015  # the token was good: the window is shut

    await asyncio.gather(*(notify(api, user.follower.openid) for user in users for api in (ours, theirs)))

    assert world.fetched() <= 3  # one at first, one in vain, one by force


async def test_a_token_that_cannot_be_forced_again_so_soon_is_not_asked_for(
    world: World, database: Database
) -> None:
    account = world.account(database)
    world.platform.faults.refuse("custom/send", 40001, times=None)

    for _ in range(5):
        with pytest.raises(Refused) as refusal:
            await account.write("oAnybody", "您好")
        assert refusal.value.code == 40001

    assert world.fetched() <= 4

    world.clock.moment += timedelta(seconds=31)
    world.platform.faults.clear()
    with pytest.raises(Refused) as other:
        await account.write("oAnybody", "您好")
    assert other.value.code != 40001


async def test_a_wrong_secret_is_refused_for_good(world: World, database: Database) -> None:
    with pytest.raises(Refused) as refusal:
        await world.account(database, secret="another").api.tokens.get()

    assert refusal.value.reaction == "permanent"


async def test_another_process_that_died_fetching_is_not_waited_for(world: World, database: Database) -> None:
    world.platform.faults.status("stable_token", 502)
    with pytest.raises(Unreached):
        await world.account(database).api.tokens.get()

    assert await world.account(database).api.tokens.get()


async def test_wecom_replaces_a_dead_token(world: World, database: Database) -> None:
    app = world.app(database)
    await app.write("nurse1", "第一条")
    world.platform.faults.kill_token("message/send")

    await app.write("nurse1", "第二条")

    assert "第二条" in world.platform.wecom.member("nurse1").screen
    assert len(world.platform.calls.to("gettoken")) == 2


async def test_who_is_no_member_is_refused(world: World, database: Database) -> None:
    with pytest.raises(Refused) as refusal:
        await world.app(database).write("nobody", "您好")

    assert refusal.value.code == 81013


async def test_a_card_is_shown_and_then_changed(world: World, database: Database) -> None:
    card = {
        "card_type": "button_interaction",
        "task_id": "alert-7",
        "main_title": {"title": "警报 7"},
        "button_list": [{"text": "认领", "key": "claim:7"}],
    }
    app = world.app(database)
    await app.show_card("nurse1", card)
    sent = world.platform.calls.to("message/send")[-1]

    await app.update_card(["nurse1"], sent.answer["response_code"], "已认领")

    assert "已认领" in world.platform.wecom.member("nurse1").screen
