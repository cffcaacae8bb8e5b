"""Postmen killed with -9 in the middle of their work: what was lost, and what a patient read twice.

Half of the letters go as customer-service messages, half as templates, all of purpose care. `XIAOHU_BENCH_LETTERS`
and `XIAOHU_BENCH_KILLS` set the size. Prints one JSON line a database; lost and twice must be 0.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

import storage.migrate
from benchmarks.postman import ACCOUNT, Messages, databases
from bot.channels.api import open_session
from bot.channels.wechat_api import WeChatApi
from bot.domain.clock import Clock, ShiftedClock, SystemClock
from bot.domain.letter import Letter, Purpose
from bot.outbox import letters as outbox
from bot.outbox.carriers import Carrier, CustomerServiceCarrier, TemplateCarrier
from bot.outbox.postman import Postman
from bot.outbox.routes import PlatformTemplate
from bot.outbox.wording import Wording
from bot.simulator import AccountConfig, OffsetClock, Platform, SimulatorConfig, Template
from bot.simulator.window import Trigger
from storage.database import open_database
from storage.tables import contacts, conversations, letters, messages
from storage.types import Seal

LETTERS = int(os.environ.get("XIAOHU_BENCH_LETTERS", "4000"))
KILLS = int(os.environ.get("XIAOHU_BENCH_KILLS", "20"))
ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=ZONE)  # by day: care letters do not go out at night
TEMPLATE = Template(id="T", title="复诊提醒", content="备注：{{thing1.DATA}}")


def text(number: int) -> str:
    """Tells the letters apart on the patients' screens."""
    return f"复诊提醒第{number}号"


def platform(started: Messages, asked: Messages, answered: Messages) -> None:
    """The simulated platform, until it is told to count what the patients read."""

    async def serve() -> None:
        sink = web.Application()
        sink.router.add_route("*", "/", lambda _request: asyncio.sleep(0, web.Response(text="success")))
        runner = web.AppRunner(sink, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        account = AccountConfig(webhook_url=url, templates=(TEMPLATE,))
        world = Platform(SimulatorConfig(accounts=(account,)), OffsetClock())
        async with world.serving() as base:
            started.put(base)
            while run := await asyncio.to_thread(asked.get):
                if run.startswith("open "):
                    for number in range(LETTERS):
                        user = world.follow(f"{run[5:]}{number}")
                        if number % 2:
                            user.follower.window.opened_by(Trigger.MESSAGE, world.clock.now())
                    answered.put(None)
                else:
                    read = Counter(
                        sum(text(number) in bubble.text for bubble in world.user(f"{run}{number}").screen)
                        for number in range(LETTERS)
                    )
                    answered.put(dict(read))

    asyncio.run(serve())


def owe(db: sa.Connection, run: str, now: datetime) -> None:
    """Everybody is owed a letter; every other one has just written."""
    for number in range(LETTERS):
        row = {"account": "wechat/default", "openid": f"{run}{number}", "created_at": now}
        contact_id = db.execute(contacts.insert().values(**row).returning(contacts.c.id)).scalar_one()
        db.execute(conversations.insert().values(contact_id=contact_id))
        if number % 2:
            said = {"contact_id": contact_id, "account": "wechat/default", "key": str(number), "dir": "in"}
            db.execute(messages.insert().values(**said, at=now, written_at=now, type="text", text="你好"))
        outbox.put(db, Letter(str(number), Purpose.CARE, text(number), now, contact_id=contact_id), now)


async def deliver(base: str, url: str, clock: Clock, machine_clock: Clock) -> None:
    """One postman, until nothing is due."""
    database = open_database(url)
    async with open_session() as session:
        api = WeChatApi(
            "default",
            ACCOUNT.app_id,
            ACCOUNT.app_secret,
            f"{base}/api",
            session=session,
            database=database,
            clock=SystemClock(),
        )
        carriers: dict[str, Carrier] = {
            "customer_service:wechat/default": CustomerServiceCarrier(api),
            "template:wechat/default": TemplateCarrier(api),
        }
        templates = {
            "wechat/default": {"care": PlatformTemplate(TEMPLATE.id, TEMPLATE.title, {"thing1": "note"})}
        }
        await Postman(database, clock, machine_clock, ZONE, Wording(ZONE), carriers, templates).deliver_due()
    await database.close()


def victim(base: str, url: str) -> None:
    """A postman in a process of its own."""
    Seal.use("benchmark")
    asyncio.run(deliver(base, url, ShiftedClock(NOON), SystemClock()))


def ends(db: sa.Connection) -> dict[str, int]:
    """How many letters are in each state."""
    found = db.execute(sa.select(letters.c.state, sa.func.count().label("letters")).group_by(letters.c.state))
    return {row.state: row.letters for row in found}


def kill_many(base: str, url: str) -> int:
    """Begin, kill, begin again; how many were killed while they worked."""
    dice, killed = random.Random(1), 0
    for _ in range(KILLS):
        process = multiprocessing.Process(target=victim, args=(base, url))
        process.start()
        process.join(dice.uniform(1.0, 3.0))
        if process.exitcode is None and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.join()
    return killed


async def settle(base: str, url: str) -> None:
    """The leases of the dead run out; then what nobody can know goes to a person."""
    later = ShiftedClock(datetime.now(UTC) + timedelta(minutes=5))
    await deliver(base, url, ShiftedClock(NOON + timedelta(minutes=5)), later)
    await deliver(base, url, ShiftedClock(NOON + timedelta(minutes=20)), later)


async def arrange(url: str, run: str) -> None:
    database = open_database(url)
    await database.write(storage.migrate.upgrade)
    await database.write(lambda db: owe(db, run, NOON))
    await database.close()


async def look(url: str) -> dict[str, int]:
    database = open_database(url)
    found = await database.read(ends)
    await database.close()
    return found


def main() -> None:
    """Kill, settle, count and print."""
    Seal.use("benchmark")
    started: Messages = multiprocessing.Queue()
    asked: Messages = multiprocessing.Queue()
    answered: Messages = multiprocessing.Queue()
    process = multiprocessing.Process(target=platform, args=(started, asked, answered), daemon=True)
    process.start()
    base = started.get(timeout=60)
    wrong = 0
    with databases() as urls:
        for run, url in urls.items():
            asyncio.run(arrange(url, run))
            asked.put(f"open {run}")
            answered.get(timeout=60)
            began = time.perf_counter()
            killed = kill_many(base, url)
            asyncio.run(settle(base, url))
            seconds = time.perf_counter() - began
            states = asyncio.run(look(url))
            asked.put(run)
            read = answered.get(timeout=60)
            twice = sum(count for times, count in read.items() if times > 1)
            lost = LETTERS - sum(states.get(name, 0) for name in ("sent", "delivered", "failed"))
            wrong += lost + twice
            line = {
                "benchmark": "kills",
                "database": run,
                "letters": LETTERS,
                "killed": killed,
                "lost": lost,
                "twice": twice,
                "read_once": read.get(1, 0),
                "given_to_a_person": states.get("failed", 0),
                "seconds": round(seconds),
            }
            print(json.dumps(line))
    asked.put("")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
