"""A conversation as a test: what the patient says, and what must be read in answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.conversation.receive import Reception
from bot.domain.clock import StoppedClock
from bot.domain.inbound import Inbound
from bot.handlers import HANDLERS
from bot.outbox.wording import Wording
from storage.database import Database

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")


class Chat:
    """Patients writing to the bot, in their own words; nothing between them and the conversation is faked.

    Every message loads the conversation from the database and leaves it there, as in life.
    """

    def __init__(self, database: Database, clock: StoppedClock, *, sms: bool = True) -> None:
        self.database = database
        self.clock = clock
        self.reception = Reception(
            HANDLERS, wording=Wording(ZONE), zone=ZONE, public_url="https://xiaohu.example", sms=sms
        )
        self._numbers = itertools.count(1)

    async def says(self, text: str, openid: str = "oPatient", **fields: Any) -> str:
        """One message; the passive reply's text."""
        inbound = Inbound(
            account="wechat/default",
            openid=openid,
            key=fields.pop("key", f"{next(self._numbers)}:{openid}"),
            type=fields.pop("type", "text"),
            written_at=self.clock.now(),
            text=text,
            **fields,
        )
        now = self.clock.now()
        reply = await self.database.write(lambda db: self.reception.receive(db, inbound, now))
        return reply.text

    async def reads(self, transcript: str, openid: str = "oPatient") -> None:
        """Play a transcript: `患者 …` speaks; every following `小护 …` line must be contained in the answer.

        `小护 ~ …` must not be contained.
        """
        answer = ""
        for line in filter(None, (raw.strip() for raw in transcript.splitlines())):
            who, _, words = line.partition(" ")
            words = words.strip()
            if who == "患者":
                answer = await self.says(words, openid)
            elif words.startswith("~"):
                assert words[1:].strip() not in answer, f"{words[1:].strip()!r} should not be in:\n{answer}"
            else:
                assert words in answer, f"{words!r} is not in the answer:\n{answer}"

    async def asks(self, query: Callable[[sa.Connection], T]) -> T:
        """Look into the database, as a test may."""
        return await self.database.read(query)

    async def does(self, query: Callable[[sa.Connection], T]) -> T:
        """Arrange the database."""
        return await self.database.write(query)

    async def inserts(self, table: sa.Table, **values: Any) -> None:
        """Arrange one row."""
        await self.does(lambda db: db.execute(table.insert().values(**values)))

    def passes(self, **span: float) -> None:
        """Let time go by."""
        self.clock.moment += timedelta(**span)
