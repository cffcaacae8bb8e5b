"""The postman: claims what is due, decides each letter by live facts, hands it over, writes down what became of it.

Any number of postmen may run on one database. A claim marks the letter `sending` before anything leaves the
house, so a crash can lose none; the fence number keeps a postman who was away too long from having a say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from prometheus_client import Counter

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.errors import Reaction
from bot.channels.limits import CLIENT_ID_REMEMBERED
from bot.domain.clock import Clock
from bot.domain.language import Language
from bot.domain.letter import LetterState, Purpose
from bot.domain.words import say
from bot.outbox import stopping
from bot.outbox.carriers import Carrier, Parcel
from bot.outbox.case import Allows, Case, allows_all, gather
from bot.outbox.masses import MassDesk
from bot.outbox.outcomes import Outcome, give_to_a_person, record
from bot.outbox.routes import (
    REPEAT_WITHIN,
    REPEATABLE,
    UNKNOWN,
    Decision,
    End,
    Go,
    Office,
    PlatformTemplate,
    Wait,
    Way,
    decide,
    one_more_sent,
)
from bot.outbox.wording import Wording
from storage.database import Database
from storage.outages import is_away
from storage.queries import hospital, outbox, tokens
from storage.rows import Row

log = structlog.get_logger()

LETTERS = Counter("xiaohu_letters_total", "Letters that ended", ["purpose", "channel", "state"])

ALARMS: Final = (Purpose.ALARM.priority,)
THE_REST: Final = tuple(purpose.priority for purpose in Purpose if purpose is not Purpose.ALARM)
BATCH: Final = 50
AT_ONCE: Final = 100  # letters on their way at the same time; of these a kill -9 leaves us in doubt
LEASE: Final = timedelta(minutes=3)  # longer than every try of one letter together
ALARM_LEASE: Final = timedelta(seconds=15)  # an alarm whose sender died goes again soon, perhaps twice
REPEATED_AT_ONCE: Final = frozenset({"template", "kf", "wecom"})  # the platform recognises a repetition
REPEATS: Final = 2
KF_NUMBER_USED: Final = 40058  # for a msgid that was used (developer.work.weixin.qq.com, 微信客服 发送消息)
RECORD_AGAIN: Final = 1.0  # seconds
RECONCILED_AFTER: Final = CLIENT_ID_REMEMBERED


@dataclass(slots=True)
class Counts:
    """How many letters ended, and how."""

    sent: int = 0
    suppressed: int = 0
    expired: int = 0
    failed: int = 0

    def add(self, state: LetterState) -> None:
        name = "sent" if state in (LetterState.SENT, LetterState.DELIVERED) else state.value
        setattr(self, name, getattr(self, name) + 1)

    def __iadd__(self, other: Counts) -> Counts:
        self.sent += other.sent
        self.suppressed += other.suppressed
        self.expired += other.expired
        self.failed += other.failed
        return self


@dataclass(slots=True)
class Postman:
    """Delivers letters. *machine_clock* is for claims alone: how long a process has been away is real time."""

    database: Database
    clock: Clock
    machine_clock: Clock
    zone: ZoneInfo
    wording: Wording
    carriers: Mapping[str, Carrier]  # by way and account: customer_service:wechat/default, kf:*, sms
    templates: Mapping[str, Mapping[str, PlatformTemplate]] = field(default_factory=dict)
    allows: Allows = allows_all
    plans: bool = True  # False: only answers and alarms, nothing that a plan or a broadcast began
    masses: MassDesk | None = None  # what many letters share goes there
    closing: bool = False  # claims nothing more, and finishes what it has in hand

    async def deliver_due(self) -> Counts:
        """Deliver everything that may go now; alarms never wait for the rest."""
        counts = Counts()
        for part in await asyncio.gather(self.deliver(ALARMS), self.deliver(THE_REST)):
            counts += part
        return counts

    async def something_due(self) -> bool:
        """Whether a letter could be claimed now."""
        now = self.clock.now()
        return await self.database.read(lambda db: self._is_due(db, now, (*ALARMS, *THE_REST)))

    def _is_due(self, db: sa.Connection, now: datetime, priorities: Sequence[int]) -> bool:
        return outbox.something_due(db, now, stopping.may_go(db, priorities), plans=self.plans)

    async def deliver(self, priorities: Sequence[int]) -> Counts:
        """Deliver the due letters of some priorities until none is left, and what was gathered of them."""
        counts = await self._deliver(priorities)
        many = Purpose.MARKETING.priority in priorities and self.plans and not self.closing
        if self.masses is not None and many:
            for state in await self.masses.dispatch():
                counts.add(state)
        return counts

    async def _deliver(self, priorities: Sequence[int]) -> Counts:
        counts = Counts()
        for state in await self._reconcile(priorities):
            counts.add(state)
        done: asyncio.Queue[Outcome] = asyncio.Queue()
        running: set[asyncio.Task[None]] = set()
        on_their_way = 0
        try:
            while True:
                for parcel in await self._claim_more(priorities, on_their_way, counts):
                    task = asyncio.create_task(self._bring(parcel, done))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    on_their_way += 1
                if not on_their_way:
                    return counts
                outcomes = [await done.get(), *_all_of(done)]
                on_their_way -= len(outcomes)
                await self._record(outcomes, counts)
        finally:  # told to stop in the middle: what is on its way is awaited and written down
            if running:
                await asyncio.wait(running)
            await self._record(_all_of(done), counts)

    async def _bring(self, parcel: Parcel, done: asyncio.Queue[Outcome]) -> None:
        done.put_nowait(await self._carry(parcel))

    async def _claim_more(self, priorities: Sequence[int], running: int, counts: Counts) -> list[Parcel]:
        """Parcels for the free hands. Letters that end or wait are settled on the way."""
        if self.closing or AT_ONCE - running < BATCH:
            return []
        while True:
            now = self.clock.now()
            if not await self.database.read(lambda db: self._is_due(db, now, priorities)):  # noqa: B023  awaited
                return []
            claimed = await self.database.write(lambda db: self._claim(db, now, priorities))  # noqa: B023
            for state in claimed.ended:
                counts.add(state)
            if claimed.parcels or not claimed.settled:
                return claimed.parcels

    async def _record(self, outcomes: Sequence[Outcome], counts: Counts) -> None:
        """Write down what became of letters. What we know must not get lost because the database is away."""
        if not outcomes:
            return
        while True:
            now = self.clock.now()
            try:
                states = await self.database.write(lambda db: record(db, outcomes, now))  # noqa: B023
            except Exception as error:
                if not is_away(error):
                    raise
                log.error("outcomes_wait_for_the_database", letters=len(outcomes))
                await asyncio.sleep(RECORD_AGAIN)
            else:
                for state in states:
                    counts.add(state)
                return

    # Claiming

    def _claim(self, db: sa.Connection, now: datetime, priorities: Sequence[int]) -> _Claimed:
        rows = outbox.due_letters(db, now, stopping.may_go(db, priorities), BATCH, plans=self.plans)
        rows = _one_each(rows)
        ours = outbox.take_contacts(db, sorted({row.contact_id for row in rows if row.contact_id}))
        rows = [row for row in rows if row.contact_id is None or row.contact_id in ours]
        claimed = _Claimed()
        if not rows:
            return claimed
        office = self._office(db, now)
        going: dict[str, list[datetime]] = {}
        changes: list[dict[str, Any]] = []
        for case in gather(db, rows, now, self.allows):
            decision = decide(_with_sent(case, going), office, now)
            changes.append(self._apply(db, case, decision, now, claimed))
            if isinstance(decision, Go) and decision.way.channel == "wecom":
                going.setdefault(case.letter.address_index, []).append(now)
        outbox.change_letters(db, changes)
        return claimed

    def _apply(
        self, db: sa.Connection, case: Case, decision: Decision, now: datetime, claimed: _Claimed
    ) -> dict[str, Any]:
        """The letter's new columns; parcels and ended letters are added to *claimed*."""
        row = case.letter
        change = {
            "id": row.id,
            "state": row.state,
            "reason": row.reason,
            "channel": row.channel,
            "not_before": row.not_before,
            "fence": row.fence + 1,
            "claimed_until": None,
            "attempts": row.attempts,
            "sent_at": row.sent_at,
        }
        match decision:
            case Go(way) if way.channel == "mass":
                claimed.settled += 1
                return change | {"state": LetterState.GATHERED.value, "channel": "mass", "reason": ""}
            case Go(way):
                claimed.parcels.append(_parcel(case, decision))
                lease = ALARM_LEASE if case.purpose is Purpose.ALARM else LEASE
                until = self.machine_clock.now() + lease
                change |= {"state": LetterState.SENDING.value, "channel": way.channel, "claimed_until": until}
                first_handed = row.sent_at if row.reason == UNKNOWN else now
                return change | {"attempts": row.attempts + 1, "sent_at": first_handed or now}
            case Wait(until, reason):
                claimed.settled += 1
                return change | {"not_before": until, "reason": reason}
            case End(state, reason, task):
                claimed.settled += 1
                claimed.ended.append(state)
                if task:
                    give_to_a_person(db, row, reason, now)
                LETTERS.labels(row.purpose, "", state.value).inc()
                return change | {"state": state.value, "reason": _why(row, reason)}

    def _office(self, db: sa.Connection, now: datetime) -> Office:
        facts = hospital.all_facts(db)
        self.wording.hospital = FACTS | facts
        return Office(
            zone=self.zone,
            channels={*self.carriers, *(self.masses.ways if self.masses else ())},
            templates=self.templates,
            notice=self._notice,
            facts=facts,
            closed=tokens.closed_apis(db, now),
        )

    def _notice(self, about: str, language: str) -> str:
        return self.wording.text(say("outbox/notice", about=about), Language(language or Language.SIMPLIFIED))

    async def _reconcile(self, priorities: Sequence[int]) -> Sequence[LetterState]:
        """Take up letters whose sender died, and end those nobody knows the end of."""
        now, machine_now = self.clock.now(), self.machine_clock.now()
        handed_before = now - RECONCILED_AFTER

        def reconcile(db: sa.Connection) -> Sequence[LetterState]:
            abandoned = outbox.abandoned(db, machine_now, priorities)
            outbox.change_letters(db, [_taken_up(row, now) for row in abandoned])
            lost = outbox.unexplained(db, handed_before, priorities)
            for row in lost:
                give_to_a_person(db, row, UNKNOWN, now)
            ended = {"state": LetterState.FAILED.value, "reason": UNKNOWN}
            outbox.change_letters(db, [{"id": row.id, **ended} for row in lost])
            return [LetterState.FAILED] * len(lost)

        if not await self.database.read(lambda db: outbox.stuck(db, machine_now, handed_before)):
            return ()
        return await self.database.write(reconcile)

    # Carrying

    def _carrier(self, way: Way) -> Carrier:
        if way.channel == "sms":
            return self.carriers["sms"]
        return self.carriers.get(f"{way.channel}:{way.account}") or self.carriers[f"{way.channel}:*"]

    async def _carry(self, parcel: Parcel) -> Outcome:
        """Hand over the letter's messages one after another, until all went or one did not."""
        way = parcel.way
        carrier = self._carrier(way)
        done, platform_id = 0, ""
        again, repeats = parcel.repeated, REPEATS if way.channel in REPEATED_AT_ONCE else 0
        try:
            while done < len(way.texts):
                try:
                    platform_id = await carrier.carry(parcel, done)
                except Refused as refusal:
                    if refusal.reaction is not Reaction.SENT and not (again and _repetition(way, refusal)):
                        raise
                except OutcomeUnknown:
                    again, repeats = True, repeats - 1
                    if repeats < 0:
                        raise
                    continue
                done += 1
        except Refused as refusal:
            return Outcome(parcel, refusal.reaction, done, code=refusal.code)
        except Unreached:
            return Outcome(parcel, Reaction.RETRY, done)
        except OutcomeUnknown:
            return Outcome(parcel, None, done)
        except Exception as error:  # a defect of ours must not stop the other letters
            log.exception("carrier_failed", channel=way.channel, error=type(error).__name__)
            return Outcome(parcel, None, done)
        LETTERS.labels(parcel.purpose.value, way.channel, LetterState.SENT.value).inc()
        return Outcome(parcel, Reaction.SENT, done, platform_id)


FACTS: Final = dict.fromkeys(
    ("name", "short_name", "phone", "nurse_phone", "complaint_phone", "address", "emergency_name"), ""
)


@dataclass(slots=True)
class _Claimed:
    """What one claim came to."""

    parcels: list[Parcel] = field(default_factory=list)
    ended: list[LetterState] = field(default_factory=list)
    settled: int = 0  # letters that wait or ended


def _all_of(queue: asyncio.Queue[Outcome]) -> list[Outcome]:
    """What is in the queue now."""
    return [queue.get_nowait() for _ in range(queue.qsize())]


def _one_each(rows: Sequence[Row]) -> list[Row]:
    """Of every contact the first letter only: the next one goes when this one has gone."""
    seen: set[int] = set()
    first = []
    for row in rows:
        if row.contact_id is None or row.contact_id not in seen:
            first.append(row)
        if row.contact_id is not None:
            seen.add(row.contact_id)
    return first


def _with_sent(case: Case, going: Mapping[str, Sequence[datetime]]) -> Case:
    for moment in going.get(case.letter.address_index, ()):
        case = one_more_sent(case, moment)
    return case


def _parcel(case: Case, decision: Go) -> Parcel:
    row = case.letter
    return Parcel(
        letter_id=row.id,
        key=row.key,
        purpose=case.purpose,
        way=decision.way,
        fence=row.fence + 1,
        attempts=row.attempts + 1,
        author=row.author,
        patient_code=row.patient_code,
        alert=int(row.step) if row.plan == "alert" and row.step.isdigit() else None,
        repeated=row.reason == UNKNOWN,
    )


def _repetition(way: Way, refusal: Refused) -> bool:
    """Whether this is how the platform says that it has the message already."""
    return way.channel == "kf" and refusal.code == KF_NUMBER_USED


def _why(row: Row, reason: str) -> str:
    """The reason, with what the ways that were tried answered."""
    return f"{reason} {row.reason}" if row.tried and row.reason != reason else reason


def _taken_up(row: Row, now: datetime) -> dict[str, Any]:
    """A letter whose sender died: an alarm goes again, what the platform recognises too, the rest must be settled."""
    change = {"id": row.id, "state": LetterState.SENDING.value, "reason": UNKNOWN, "claimed_until": None}
    again = {"state": LetterState.QUEUED.value, "fence": row.fence + 1}
    change["fence"] = row.fence + 1
    if row.priority == outbox.ALARM:
        return change | again | {"reason": "sender_died"}
    if row.channel in REPEATABLE and row.sent_at and now - row.sent_at < REPEAT_WITHIN:
        return change | again
    return change
