"""Mass messages: letters with the same words that the postman gathered go to the platform in one call.

A call is written down before it is made, and made again with the same number of ours until the platform has
answered: the platform recognises the repetition for a day. So nobody gets it twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import sqlalchemy as sa
import structlog

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.errors import Reaction
from bot.channels.limits import MASS_AT_MOST, MASS_CLIENT_ID_REMEMBERED
from bot.domain.clock import Clock
from bot.domain.letter import LetterState, Purpose
from bot.outbox import stopping
from bot.outbox.outcomes import next_midnight, sent_messages
from bot.outbox.routes import client_id, same_for_all
from storage.database import Database
from storage.queries import masses, outbox, tokens
from storage.rows import Row

log = structlog.get_logger()

CHANNEL: Final = "mass"
PRIORITIES: Final = (Purpose.GREETING.priority, Purpose.MARKETING.priority)
LEASE: Final = timedelta(minutes=2)
AGAIN: Final = timedelta(minutes=1)  # the platform refuses an earlier repetition (45066)
GIVE_UP: Final = MASS_CLIENT_ID_REMEMBERED - timedelta(hours=1)
AT_WORK: Final = (LetterState.SENDING.value,)
HANDED_IN: Final = (LetterState.SENT.value, LetterState.DELIVERED.value)


class MassPort(Protocol):
    """An account's way to send one message to many."""

    async def send(self, openids: Sequence[str], text: str, client_id: str) -> str:
        """Hand it in; the platform's number of it, empty when it gives none.

        Raises:
            Refused: the platform said no.
            Unreached: nothing was done.
            OutcomeUnknown: it may have been done.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    account: str
    client_id: str
    text: str
    openids: Sequence[str]


@dataclass(slots=True)
class MassDesk:
    """Hands in what was gathered. Any number of processes may run one."""

    database: Database
    clock: Clock
    machine_clock: Clock
    ports: Mapping[str, MassPort]  # by account: wechat/default

    @property
    def ways(self) -> Sequence[str]:
        """As the postman counts the ways that are set up."""
        return [f"{CHANNEL}:{account}" for account in self.ports]

    async def dispatch(self) -> list[LetterState]:
        """Make every call that is due; the end states that letters reached."""
        ended: list[LetterState] = []
        while True:
            job = await self.database.write(self._next)
            if job is None:
                return ended
            ended += await self._hand_in(job)

    def _next(self, db: sa.Connection) -> _Job | None:
        if stopping.is_stopped(db):
            return None
        machine_now, now = self.machine_clock.now(), self.clock.now()
        for row in masses.abandoned_jobs(db, machine_now):
            # Under way again; who died in the middle of an attempt left no word of how it ended.
            attempt = "" if row.status == masses.UNREACHED else masses.UNKNOWN
            masses.change_job(db, row.id, claimed_until=machine_now + LEASE, status=attempt)
            if (job := _job(db, row.id, row.account, row.client_id)) is not None:
                return job
            masses.change_job(db, row.id, state="failed", status="stopped", finished_at=now)
        for plan in masses.gathered_plans(db, PRIORITIES, now):
            rows = masses.gathered(db, plan, MASS_AT_MOST)
            alike = [row for row in rows if _alike(row) == _alike(rows[0])]
            if alike:
                return self._make(db, plan, alike, now, machine_now)
        return None

    def _make(
        self, db: sa.Connection, plan: str, rows: Sequence[Row], now: datetime, machine_now: datetime
    ) -> _Job:
        name = client_id(f"mass:{plan}:{rows[0].key}:{rows[0].fence}")
        number = masses.add_job(
            db,
            channel=CHANNEL,
            account=rows[0].account,
            plan=plan,
            client_id=name,
            created_at=now,
            claimed_until=machine_now + LEASE,
            recipients=len(rows),
        )
        masses.take(db, number, [row.id for row in rows])
        return _Job(number, rows[0].account, name, same_for_all(rows[0].body), [row.openid for row in rows])

    async def _hand_in(self, job: _Job) -> list[LetterState]:
        try:
            platform_id = await self.ports[job.account].send(job.openids, job.text, job.client_id)
        except Refused as refusal:
            if refusal.reaction is Reaction.SENT:  # it has it already, and does not say its number
                return await self._accepted(job, "")
            if refusal.reaction in (Reaction.RETRY, Reaction.NEXT_MINUTE, Reaction.RENEW_TOKEN):
                return await self._later(job)
            return await self._refused(job, refusal)
        except Unreached:
            return await self._later(job, reached=False)
        except OutcomeUnknown:
            return await self._later(job)
        return await self._accepted(job, platform_id)

    async def _accepted(self, job: _Job, platform_id: str) -> list[LetterState]:
        now = self.clock.now()

        def write(db: sa.Connection) -> int:
            # The event that tells the outcome may have overtaken this answer.
            rows = [row for row in masses.letters_of(db, job.number) if row.sent_at is None]
            masses.accept_job(db, job.number, platform_id, now)
            masses.settle(db, job.number, AT_WORK, state=LetterState.SENT.value, reason="")
            masses.settle(db, job.number, HANDED_IN, sent_at=now)
            shown = [
                message
                for row in rows
                for message in sent_messages(row, (job.text,), row.account, row.contact_id, now)
            ]
            outbox.keep_sent(db, shown)
            return len(rows)

        return [LetterState.SENT] * await self.database.write(write)

    async def _later(self, job: _Job, *, reached: bool = True) -> list[LetterState]:
        """Again with the same number of ours, while the platform would recognise it.

        What surely did not reach it can still be stopped.
        """
        now, machine_now = self.clock.now(), self.machine_clock.now()

        def write(db: sa.Connection) -> int:
            first = masses.created_at(db, job.number)
            if now - first < GIVE_UP:
                unknown = reached or masses.status_of(db, job.number) == masses.UNKNOWN
                status = masses.UNKNOWN if unknown else masses.UNREACHED
                masses.change_job(db, job.number, claimed_until=machine_now + AGAIN, status=status)
                return 0
            masses.change_job(db, job.number, state="failed", status="unknown", finished_at=now)
            failed = {"state": LetterState.FAILED.value, "reason": "unknown_outcome"}
            return masses.settle(db, job.number, AT_WORK, **failed)

        return [LetterState.FAILED] * await self.database.write(write)

    async def _refused(self, job: _Job, refusal: Refused) -> list[LetterState]:
        """Not now, or not this way: the postman decides about every letter anew."""
        now = self.clock.now()
        log.error("mass_message_refused", account=job.account, code=refusal.code)

        def write(db: sa.Connection) -> None:
            masses.change_job(db, job.number, state="failed", status=str(refusal.code), finished_at=now)
            back = {"state": LetterState.QUEUED.value, "platform_id": "", "channel": ""}
            if refusal.reaction is Reaction.QUOTA:
                tokens.close_api(db, f"{CHANNEL}:{job.account}", next_midnight(now))
                masses.settle(db, job.number, AT_WORK, **back, reason="quota")
            else:
                masses.settle(db, job.number, AT_WORK, **back, reason=f"mass:{refusal.code}", tried=CHANNEL)

        await self.database.write(write)
        return []


def finished(
    db: sa.Connection, account: str, platform_id: str, status: str, counts: Mapping[str, int], now: datetime
) -> None:
    """A MASSSENDJOBFINISH: *status* is `send success`, `send fail` or `err(10001)` and the like.

    Success does not say who got it unless everybody did. Source: developers.weixin.qq.com, 群发接口 事件推送群发结果.
    """
    job = masses.job_called(db, account, platform_id)
    if job is None:
        return
    success = status == "send success"
    masses.change_job(
        db,
        job.id,
        state="finished" if success else "failed",
        platform_id=platform_id,
        status=status,
        finished_at=now,
        claimed_until=None,
        filtered=counts.get("FilterCount"),
        sent=counts.get("SentCount"),
        errors=counts.get("ErrorCount"),
    )
    here = (LetterState.SENDING.value, LetterState.SENT.value)
    if not success:
        log.error("mass_message_failed", account=account, status=status)
        masses.settle(
            db, job.id, here, state=LetterState.FAILED.value, reason=f"mass:{status}".replace(" ", "_")
        )
    elif counts.get("SentCount") == counts.get("TotalCount") == job.recipients:
        masses.settle(db, job.id, here, state=LetterState.DELIVERED.value)


def _alike(row: Row) -> tuple[str, str]:
    """Letters go together when this is the same."""
    return row.account, same_for_all(row.body)


def _job(db: sa.Connection, number: int, account: str, name: str) -> _Job | None:
    """A call as it was written down; None when all its letters were stopped meanwhile."""
    rows = [row for row in masses.letters_of(db, number) if row.state in AT_WORK]
    if not rows:
        return None
    return _Job(number, account, name, same_for_all(rows[0].body), [row.openid for row in rows])
