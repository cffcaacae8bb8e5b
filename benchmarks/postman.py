"""How many letters a second leave the house, beside bare HTTP calls to the same simulated platform.

The platform runs in a process of its own and keeps its real limits; a letter is claimed, decided by live facts,
sent as a customer-service message, and written down. Prints one JSON line a database.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import storage.migrate
from bot.channels.api import open_session
from bot.channels.wechat_api import CUSTOMER_SERVICE, WeChatApi
from bot.domain.clock import SystemClock
from bot.domain.letter import Letter, Purpose
from bot.hospital import consents
from bot.outbox import letters as outbox
from bot.outbox.carriers import CustomerServiceCarrier
from bot.outbox.postman import Postman
from bot.outbox.wording import Wording
from bot.simulator import AccountConfig, OffsetClock, Platform, SimulatorConfig
from bot.simulator.window import Trigger
from storage.database import Database, open_database
from storage.tables import contacts, conversations, messages
from storage.types import Seal
from tests import postgres

LETTERS = 5_000
AT_ONCE = 64
ACCOUNT = AccountConfig(webhook_url="http://127.0.0.1:9/")
Messages: TypeAlias = "Queue[Any]"
TEXT = "您好，明天上午请按时到院复诊，带好既往病历。如有不适请随时联系我们。"


def platform(started: Messages, asked: Messages, answered: Messages) -> None:
    """The simulated platform, until it is told to say what it refused."""

    async def serve() -> None:
        clock = OffsetClock()
        world = Platform(SimulatorConfig(accounts=(ACCOUNT,)), clock)
        for run in ("bare", "sqlite", "postgresql"):
            for number in range(LETTERS):
                user = world.follow(f"{run}{number}")
                user.follower.window.opened_by(Trigger.MESSAGE, clock.now())
        async with world.serving() as base:
            started.put(base)
            await asyncio.to_thread(asked.get)
            shown = [sum(1 for _ in user.screen) for user in world.account().followers.values()]
            answered.put({"shown_twice": sum(count > 1 for count in shown)})

    asyncio.run(serve())


async def bare(base: str) -> float:
    """The same calls with nothing around them; a second's worth."""
    async with open_session() as session:
        ask = {"grant_type": "client_credential", "appid": ACCOUNT.app_id, "secret": ACCOUNT.app_secret}
        async with session.post(f"{base}/api/cgi-bin/stable_token", json=ask) as response:
            token = (await response.json(content_type=None))["access_token"]
        numbers = iter(range(LETTERS))

        async def send() -> None:
            for number in numbers:
                body = {"touser": f"bare{number}", "msgtype": "text", "text": {"content": TEXT}}
                async with session.post(
                    f"{base}/api{CUSTOMER_SERVICE}",
                    params={"access_token": token},
                    data=json.dumps(body, ensure_ascii=False).encode(),
                ) as response:
                    assert (await response.json(content_type=None))["errcode"] == 0

        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        return LETTERS / (time.perf_counter() - began)


def owe(db: sa.Connection, run: str) -> None:
    """Everybody has just written, and is owed a letter."""
    now = datetime.now(UTC)
    for number in range(LETTERS):
        row = {"account": "wechat/default", "openid": f"{run}{number}", "created_at": now}
        contact_id = db.execute(contacts.insert().values(**row).returning(contacts.c.id)).scalar_one()
        db.execute(conversations.insert().values(contact_id=contact_id))
        said = {"contact_id": contact_id, "account": "wechat/default", "key": str(number), "dir": "in"}
        db.execute(messages.insert().values(**said, at=now, written_at=now, type="text", text="你好"))
        letter = Letter(f"benchmark:{number}", Purpose.TRANSACTION, TEXT, now, contact_id=contact_id)
        outbox.put(db, letter, now)


async def letters(base: str, database: Database, run: str) -> float:
    """All of them by one postman; a second's worth."""
    await database.write(storage.migrate.upgrade)
    await database.write(lambda db: owe(db, run))
    zone, clock = ZoneInfo("Asia/Shanghai"), SystemClock()
    async with open_session() as session:
        api = WeChatApi(
            "default",
            ACCOUNT.app_id,
            ACCOUNT.app_secret,
            f"{base}/api",
            session=session,
            database=database,
            clock=clock,
        )
        carriers = {"customer_service:wechat/default": CustomerServiceCarrier(api)}
        postman = Postman(database, clock, clock, zone, Wording(zone), carriers, allows=consents.allows)
        began = time.perf_counter()
        counts = await postman.deliver_due()
        seconds = time.perf_counter() - began
    await database.close()
    if counts.sent != LETTERS:
        raise SystemExit(f"{counts} of {LETTERS}")
    return LETTERS / seconds


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """An empty database of each kind; PostgreSQL where the machine has one."""
    folder = Path(tempfile.mkdtemp(prefix="xiaohu-bench-"))
    try:
        with postgres.running() as server:
            yield {"sqlite": f"sqlite:///{folder}/xiaohu.db", "postgresql": server.create()}
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure and print."""
    Seal.use("benchmark")
    started: Messages = multiprocessing.Queue()
    asked: Messages = multiprocessing.Queue()
    answered: Messages = multiprocessing.Queue()
    process = multiprocessing.Process(target=platform, args=(started, asked, answered), daemon=True)
    process.start()
    base = started.get(timeout=60)
    bare_rate = asyncio.run(bare(base))
    with databases() as urls:
        for run, url in urls.items():
            rate = asyncio.run(letters(base, open_database(url), run))
            line = {
                "benchmark": "postman",
                "database": run,
                "letters": LETTERS,
                "per_second": round(rate),
                "bare_calls_per_second": round(bare_rate),
                "ratio": round(rate / bare_rate, 2),
            }
            print(json.dumps(line))
    asked.put(True)
    if twice := answered.get(timeout=60)["shown_twice"]:
        sys.exit(f"{twice} letters were shown twice")


if __name__ == "__main__":
    main()
