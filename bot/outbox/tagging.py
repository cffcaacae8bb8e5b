"""Our tags on the official account: one small batch after another, so that staff can use them there, too.

Tags that say something of somebody's health stay in the house: the platform has no business knowing them (PIPL 28).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa
import structlog

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.errors import Reaction
from bot.channels.limits import TAG_BATCH, TAG_NAME, TAGS_A_USER, TAGS_AT_MOST
from bot.channels.wechat_mass import SPURIOUS, WeChatMass
from bot.domain.clock import Clock
from bot.hospital import segments
from storage.database import Database
from storage.queries import outbox, platform_tags, tokens
from storage.rows import Rows

log = structlog.get_logger()

OURS_BESIDE: Final = 1  # the tag for mass messages to one
REST: Final = timedelta(minutes=5)  # after everything was told, or the platform refused
LEASE: Final = timedelta(minutes=1)  # calls must not overlap, in other processes neither


@dataclass(slots=True)
class _Batch:
    name: str
    number: int | None
    rows: Rows
    on: bool


@dataclass(slots=True)
class TagSync:
    """Tells one official account what changed."""

    database: Database
    clock: Clock
    machine_clock: Clock
    port: WeChatMass
    _me: str = field(default_factory=lambda: secrets.token_hex(8))
    _rests_until: datetime | None = None

    async def step(self) -> None:
        """One batch; then, when nothing is left to tell, a rest."""
        machine_now = self.machine_clock.now()
        if self._rests_until is not None and machine_now < self._rests_until:
            return
        batch = await self.database.write(self._next)
        if batch is None:
            self._rests_until = machine_now + REST
            return
        try:
            await self._tell(batch)
        except (Refused, Unreached, OutcomeUnknown) as error:
            log.warning("tags_not_told", account=self.port.account, error=type(error).__name__)
            self._rests_until = machine_now + REST

    def _next(self, db: sa.Connection) -> _Batch | None:
        machine_now, account = self.machine_clock.now(), self.port.account
        if not tokens.take_lease(db, f"tags:{account}", self._me, machine_now, machine_now + LEASE):
            return None
        now = self.clock.now()
        names = shared(platform_tags.most_worn(db, account, now))
        rows = platform_tags.surplus(db, account, names, now, TAG_BATCH)
        on = not rows
        if on:
            rows = platform_tags.missing(db, account, names, now, TAGS_A_USER, TAG_BATCH)
        if not rows:
            return None
        name = rows[0].name
        return _Batch(name, platform_tags.number_of(db, account, name), rows, on)

    async def _tell(self, batch: _Batch) -> None:
        number = batch.number
        if number is None:
            number = await self.port.tag_number(batch.name)
            await self.database.write(
                lambda db: platform_tags.keep_number(db, self.port.account, batch.name, number)
            )
        move = self.port.tag if batch.on else self.port.untag
        try:
            await move(number, [row.openid for row in batch.rows])
        except Refused as refusal:
            await self._refused(batch, number, refusal)
        else:
            await self._told(batch, [row.contact_id for row in batch.rows])

    async def _refused(self, batch: _Batch, number: int, refusal: Refused) -> None:
        """The tag is gone, or one of the users is: then each by itself, to find out who."""
        if refusal.code == SPURIOUS:
            await self.database.write(lambda db: platform_tags.forget(db, self.port.account, batch.name))
            return
        if refusal.reaction is not Reaction.USER:
            raise refusal
        move = self.port.tag if batch.on else self.port.untag
        for row in batch.rows:
            try:
                await move(number, [row.openid])
            except Refused as single:
                if single.reaction is not Reaction.USER:
                    raise
                await self.database.write(partial(_unfollow, row.contact_id))
            else:
                await self._told(batch, [row.contact_id])

    async def _told(self, batch: _Batch, contact_ids: Sequence[int]) -> None:
        change = platform_tags.put_on if batch.on else platform_tags.take_off
        await self.database.write(lambda db: change(db, batch.name, contact_ids))


def _unfollow(contact_id: int, db: sa.Connection) -> None:
    outbox.unfollow(db, contact_id)


def shared(names: Sequence[str]) -> Sequence[str]:
    """Of all tags those that the platform may know and can hold, the first ones first."""
    fit = [name for name in names if len(name.encode()) <= TAG_NAME and not segments.tells_of_health(name)]
    return fit[: TAGS_AT_MOST - OURS_BESIDE]
