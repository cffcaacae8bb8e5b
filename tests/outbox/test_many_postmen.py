"""Several postmen on one outbox, and postmen who die or stand still on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.channels import api
from bot.domain.clock import StoppedClock
from bot.domain.letter import Purpose
from bot.outbox.postman import Counts
from storage.tables import letters
from tests.outbox.conftest import Post, Street, away


async def test_two_postmen_deliver_each_letter_once_and_in_order(street: Street) -> None:
    post = await street.opens(templates=False, sms=False)
    other = await street.opens(
        templates=False, sms=False, XIAOHU_WECHAT__API_BASE=f"{post.platform.base_url}/api"
    )
    openids = [f"oPatient{number}" for number in range(20)]
    for openid in openids:
        patient = await post.follower(openid)
        await patient.says("你好")
        for number in range(4):
            await post.owes(openid, text=f"{openid} 第{number}条")

    counts = Counts()
    for part in await asyncio.gather(*(one.delivers() for one in (post, other, post, other))):
        counts += part
    counts += await post.delivers()

    assert counts.sent == 80
    for openid in openids:
        screen = post.platform.user(openid).screen
        letters = [bubble.text for bubble in screen if bubble.text.startswith(openid)]
        assert letters == [f"{openid} 第{number}条" for number in range(4)]


async def test_two_postmen_never_pass_the_quota_together(street: Street) -> None:
    post = await street.opens(templates=False, sms=False)
    other = await street.opens(
        templates=False, sms=False, XIAOHU_WECHAT__API_BASE=f"{post.platform.base_url}/api"
    )
    patient = await post.follower()
    await patient.says("你好")
    for number in range(8):
        await post.owes(text=f"第{number}条")

    await asyncio.gather(post.delivers(), other.delivers())
    await post.delivers()

    codes = Counter(call.answer["errcode"] for call in post.platform.calls.to("custom/send"))
    assert codes == {0: 5}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is never answered is given up after two seconds instead of ten."""
    monkeypatch.setattr(api, "TOTAL_TIMEOUT", 2.0)


async def hangs(post: Post) -> asyncio.Task[Counts]:
    """A postman whose call is never answered: as good as dead, or paused."""
    post.platform.faults.hang("send")
    running = asyncio.create_task(post.delivers())
    async with asyncio.timeout(5):
        while not await post.asks(on_its_way):  # noqa: ASYNC110  another process gives no signal
            await asyncio.sleep(0.01)
    return running


def on_its_way(db: sa.Connection) -> bool:
    return db.execute(sa.select(letters.c.id).where(letters.c.state == "sending")).first() is not None


def later(machine: timedelta) -> StoppedClock:
    """The machines' clock after a while."""
    return StoppedClock(datetime.now(UTC) + machine)


async def test_what_a_dead_postman_had_in_hand_is_not_lost_and_not_repeated(street: Street) -> None:
    post = await street.opens(templates=False, sms=False)
    patient = await post.follower()
    await patient.says("你好")
    number = await post.owes()
    running = await hangs(post)
    other = await street.opens(
        templates=False, sms=False, XIAOHU_WECHAT__API_BASE=f"{post.platform.base_url}/api"
    )

    await other.delivers()
    assert (await post.letter(number)).state == "sending"  # its claim still holds

    other.postman.machine_clock = later(timedelta(minutes=4))
    await other.delivers()
    other.passes(minutes=10)
    counts = await other.delivers()

    assert counts.failed == 1
    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("failed", "unknown_outcome")
    await running
    assert (await post.letter(number)).state == "failed"  # whoever comes back late has no say
    assert len(await post.tasks()) == 1
    assert "复诊" not in patient.screen


async def test_an_alarm_in_a_dead_postmans_hand_is_rung_again(street: Street) -> None:
    post = await street.opens()
    number = await post.puts(
        text="警报", purpose=Purpose.ALARM, address="wecom:nurse1", plan="alert", step="7"
    )
    running = await hangs(post)
    other = await street.opens(XIAOHU_WECOM__API_BASE=f"{post.platform.base_url}/qyapi")
    other.postman.machine_clock = later(timedelta(seconds=16))

    counts = await other.delivers()

    assert counts.sent == 1
    assert "警报" in post.platform.wecom.member("nurse1").screen
    await running
    assert (await post.letter(number)).state == "sent"


async def test_a_template_message_in_a_dead_postmans_hand_goes_again_in_time(street: Street) -> None:
    post = await street.opens(sms=False)
    patient = await post.follower()
    number = await post.owes(purpose=Purpose.CARE)
    running = await hangs(post)
    other = await street.opens(sms=False, XIAOHU_WECHAT__API_BASE=f"{post.platform.base_url}/api")
    other.passes(minutes=4)
    other.postman.machine_clock = later(timedelta(minutes=4))

    await other.delivers()
    await post.platform.settle()

    assert (await post.letter(number)).state == "delivered"
    assert sum("复诊" in bubble.text for bubble in patient.screen) == 1
    await running
    assert len(await post.sent()) == 1


async def test_what_is_known_of_a_letter_survives_an_outage(street: Street, database_url: str) -> None:
    """The patient has it, the database is away: when it is back, the letter is sent, and nobody sends it again."""
    post = await street.opens(templates=False, sms=False)
    patient = await post.follower()
    await patient.says("你好")
    number = await post.owes()
    running = await hangs(post)  # claimed; the answer is on its way

    async with away(database_url):
        await asyncio.sleep(2.5)  # the call is given up meanwhile, and cannot be written down
        assert not running.done()
    await running

    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("sending", "unknown_outcome")
    post.passes(minutes=10)
    assert (await post.delivers()).failed == 1
