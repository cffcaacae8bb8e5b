"""The database is away: what patients say is kept, and answered once when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from bot.domain.inbound import Inbound, Reply
from bot.web.answering import Answering
from bot.web.spool import Kept, Spool
from storage.tables import alerts, letters, messages
from tests.conftest import NOW
from tests.outbox.conftest import Post, Street, away
from tests.outbox.test_postman import a_nurse


@pytest.fixture
async def post(database_url: str, clock: StoppedClock, tmp_path: Path) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        post = await Street(stack, database_url, clock).opens()
        post.server.house.answering.budget = 0.5
        yield post


async def back(post: Post) -> None:
    """The clock's next ticks."""
    await post.server.house.answering.replay()
    await post.delivers()


async def test_the_patient_reads_the_answer_once(post: Post, database_url: str) -> None:
    patient = await post.follower()
    async with away(database_url):
        silence = await patient.says("你好")
        if database_url.startswith("postgresql"):  # SQLite would be waited for, half a minute long
            await post.server.house.answering.replay()  # still away: nothing is lost by trying
    assert silence.kind == "none"
    assert "请问有什么可以帮您" not in patient.screen

    await asyncio.gather(back(post), back(post))
    await back(post)

    assert sum("请问有什么可以帮您" in bubble.text for bubble in patient.screen) == 1
    rows = await post.asks(lambda db: db.execute(sa.select(messages.c.dir, messages.c.channel)).all())
    assert sorted(map(tuple, rows)) == [("in", "wechat"), ("out", "customer_service"), ("out", "passive")]
    assert (await patient.says("菜单")).text


async def test_danger_is_answered_from_memory_and_alarmed_afterwards(post: Post, database_url: str) -> None:
    await post.does(a_nurse("nurse1", "13900000001"))
    patient = await post.follower()
    worker = post.server.house.worker
    for chore in worker.chores:
        await chore()
    async with away(database_url):
        reply = await patient.says("我喘不上气了")
        async with asyncio.timeout(10):
            while not post.platform.sms.to("13900000001"):  # noqa: ASYNC110  a phone gives no signal
                await asyncio.sleep(0.01)
    assert "120" in reply.text

    await back(post)

    [alert] = await post.asks(lambda db: db.execute(sa.select(alerts)).all())
    assert (alert.level, alert.status) == ("E", "open")
    assert sum("120" in bubble.text for bubble in patient.screen) == 1  # not said twice


async def test_the_platform_asked_again_and_was_answered_in_time(post: Post, database_url: str) -> None:
    inbound = Inbound("wechat/default", "oPatient", "1:oPatient", "text", NOW, text="你好")
    await post.follower()
    answering = post.server.house.answering
    async with away(database_url):
        assert not await answering.answer(inbound)

    assert "请问有什么可以帮您" in (await answering.answer(inbound)).text
    await back(post)

    assert await post.asks(lambda db: db.execute(sa.select(letters)).all()) == []


def message(key: str, text: str = "你好") -> Kept:
    return Kept(Inbound("wechat/default", "oPatient", key, "text", NOW, text=text))


def test_what_is_kept_comes_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "deep" / "x.spool")
    assert spool.waiting() == []
    spool.keep(message("1"), message("2"))
    spool.keep(message("3"))

    assert spool.waiting() == [message("1"), message("2"), message("3")]
    spool.done(2)
    assert spool.waiting() == [message("3")]
    assert "你好" not in (tmp_path / "deep" / "x.spool").read_text()


def test_a_line_cut_off_by_a_crash_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x.spool"
    spool = Spool(path)
    spool.keep(message("1"), message("2"))
    path.write_bytes(path.read_bytes()[:-40])

    spool.keep(message("3"))

    assert spool.waiting() == [message("1"), None, message("3")]


def test_only_one_process_empties_it(tmp_path: Path) -> None:
    ours, theirs = Spool(tmp_path / "x.spool"), Spool(tmp_path / "x.spool")
    with ours.turn() as first, theirs.turn() as second:
        assert (first, second) == (True, False)


async def test_a_message_nobody_can_receive_does_not_stop_the_others(tmp_path: Path) -> None:
    received = []

    async def receive(inbound: Inbound) -> Reply:
        raise OSError

    async def receive_late(inbound: Inbound, read: str) -> None:
        if inbound.key == "poison":
            raise ValueError
        received.append(inbound.key)

    spool = Spool(tmp_path / "x.spool")
    spool.keep(message("1"), message("poison"), message("2"))

    async def ring(reason: str) -> None:
        raise AssertionError

    await Answering(receive, receive_late, spool, lambda text: "", ring).replay()

    assert received == ["1", "2"]
    assert spool.waiting() == []
    assert (tmp_path / "x.failed").stat().st_size > 0
