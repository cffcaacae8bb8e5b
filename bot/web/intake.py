"""Messages that arrive together are received in one transaction: a commit costs the same for thirty as for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from prometheus_client import Histogram

from bot.conversation.receive import Reception
from bot.domain.clock import Clock
from bot.domain.inbound import Inbound, Reply
from storage.database import Database
from storage.dialect import wait_for_locks
from storage.outages import is_away, is_contended
from storage.queries import outbox

MOST = 32  # messages in one transaction: about what the database confirms before anybody notices a delay
LANES = 2  # transactions at once: one computes while the other waits for the database
LOCK_WAIT = 200  # milliseconds a group waits for somebody's lock before each message waits for itself

TOGETHER = Histogram("xiaohu_received_together", "Messages in one transaction", buckets=(1, 2, 4, 8, 16, 32))

_Waiting = tuple[Inbound, asyncio.Future[Reply]]


class Intake:
    """Takes in what waits, as much as there is at a time. The caller lets one user in once at a time."""

    def __init__(
        self, database: Database, reception: Reception, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._reception = reception
        self._clock = clock
        self._wake = wake  # the postman, when there is something for him
        self._waiting: deque[_Waiting] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def receive(self, inbound: Inbound) -> Reply:
        """The reply, once it is on the disk."""
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((inbound, answered))
        if len(self._lanes) < LANES:
            lane = asyncio.create_task(self._serve())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await answered

    async def _serve(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            TOGETHER.observe(len(group))
            try:
                replies = await self._write([inbound for inbound, _ in group])
            except Exception as error:
                if len(group) == 1 or (is_away(error) and not is_contended(error)):
                    _fail(group, error)
                else:  # one of them fails, waits for a lock or concerns another: let it do so alone
                    await asyncio.gather(*(self._alone(one) for one in group))
            else:
                for (_, answered), reply in zip(group, replies, strict=True):
                    _settle(answered, reply)

    async def _alone(self, one: _Waiting) -> None:
        inbound, answered = one
        try:
            (reply,) = await self._write([inbound])
        except Exception as error:
            _fail([one], error)
        else:
            _settle(answered, reply)

    async def _write(self, inbounds: Sequence[Inbound]) -> Sequence[Reply]:
        def receive(db: sa.Connection) -> tuple[Sequence[Reply], bool]:
            if len(inbounds) > 1:
                wait_for_locks(db, LOCK_WAIT)
            replies = self._reception.receive_all(db, inbounds, self._clock.now())
            return replies, outbox.letters_were_put(db)

        replies, letters = await self._database.write(receive)
        if letters:
            self._wake()
        return replies


def _settle(answered: asyncio.Future[Reply], reply: Reply) -> None:
    if not answered.done():
        answered.set_result(reply)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answered in group:
        if not answered.done():
            answered.set_exception(error)
