"""The demo's past three weeks: the real rooms, run on a clock of their own with nobody outside listening.

Whoever opens the console finds a hospital at work: conversations, answers to follow-ups, complaints, figures.
All of it is invented. The people of the past have said 停止随访 in the end, so that only the phones on the
screen are written to.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import sqlalchemy as sa

from bot.conversation import desk, frames
from bot.conversation.receive import Reception
from bot.domain.clock import StoppedClock
from bot.domain.inbound import Inbound
from bot.hospital import consents, identity
from bot.outbox import ticket_answers
from bot.outbox.carriers import Parcel
from bot.outbox.postman import Postman
from bot.outbox.worker import Tick, Worker
from storage.database import Database
from storage.queries import conversations
from storage.queries import identity as people
from storage.queries import tickets as ticket_rows
from storage.tables import alerts, bindings, letters, messages, procedures, tasks, visits
from storage.tables import conversations as threads

CONTENT: Final = Path(__file__).parent / "content" / "past.toml"
ACCOUNT: Final = "wechat/default"
OPENID: Final = "oPast"
ROUNDS: Final = (time(9, 40), time(14, 30), time(19, 10))


class Delivered:
    """A platform that takes everything and shows it to nobody."""

    async def carry(self, parcel: Parcel, number: int) -> str:
        return f"past-{parcel.letter_id}-{number}"


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who wrote in the past weeks."""

    contact_id: int
    openid: str
    patient: str


@dataclass(slots=True)
class Past:
    """Three weeks of a hospital."""

    database: Database
    reception: Reception
    planners: Sequence[Tick]
    nurses: Sequence[str]
    manager: str
    days: int = 21
    seed: int = 20_26
    _content: Mapping[str, Any] = field(default_factory=lambda: tomllib.loads(CONTENT.read_text("utf-8")))
    _clock: StoppedClock = field(init=False)
    _worker: Worker = field(init=False)
    _random: Random = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def live(self, today: date) -> None:
        """Let it happen from three weeks ago to yesterday evening, in a house where nothing was ever said.

        Where there are messages or letters they are somebody's: ours must not touch them.
        """
        if await self.database.read(_is_lived_in):
            return
        self._random = Random(self.seed)
        first = today - timedelta(days=self.days)
        self._open(self._at(first, ROUNDS[0]))
        writers = await self.database.write(lambda db: self._move_in(db, first))
        for day in (first + timedelta(days=number) for number in range(self.days)):
            for hour in ROUNDS:
                self._clock.moment = self._at(day, hour)
                await self._round(writers)
        await self._worker.once()
        await self.database.write(lambda db: self._quiet(db, writers))

    def _open(self, moment: datetime) -> None:
        self._clock = StoppedClock(moment)
        wording, zone = self.reception.wording, self.reception.zone
        postman = Postman(
            database=self.database,
            clock=self._clock,
            machine_clock=self._clock,
            zone=zone,
            wording=wording,
            carriers={f"customer_service:{ACCOUNT}": Delivered(), "sms": Delivered()},
            allows=consents.allows,
        )
        self._worker = Worker(postman, self.database, self._clock, self._clock, planners=self.planners)

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self.reception.zone)

    # Who

    def _move_in(self, db: sa.Connection, first: date) -> list[Writer]:
        """Patients who were here lately, each with a phone of their own."""
        lately = sa.union(
            sa.select(procedures.c.patient_code).where(procedures.c.date >= first - timedelta(days=14)),
            sa.select(visits.c.patient_code).where(visits.c.date >= first),
        ).subquery()
        spoken_for = sa.select(bindings.c.patient_code)
        codes = db.scalars(
            sa.select(lately.c.patient_code)
            .where(lately.c.patient_code.not_in(spoken_for))
            .order_by(lately.c.patient_code)
        ).all()
        count = min(self._content["patients"], len(codes))
        return [self._writer(db, code) for code in self._random.sample(codes, count)]

    def _writer(self, db: sa.Connection, code: str) -> Writer:
        now, openid = self._clock.now(), f"{OPENID}{code}"
        patient = people.patient(db, code)
        assert patient is not None
        row = conversations.open_thread(db, ACCOUNT, openid, now, source="clinic1")
        zone = self.reception.zone
        identity.bind(db, row.id, patient, relation="self", level=2, now=now, zone=zone, proven=False)
        return Writer(row.id, openid, code)

    # What happens

    async def _round(self, writers: Sequence[Writer]) -> None:
        await self._worker.once()
        for writer in writers:
            if self._random.random() < 0.7:
                await self.database.write(partial(self._answer_question, writer=writer))
        for _ in range(self._content["per_round"]):
            writer, talk = self._random.choice(writers), self._random.choice(self._content["talk"])
            if not talk.get("seldom") or self._random.random() < 0.2:
                await self.database.write(partial(self._talk, writer=writer, talk=talk))
                await self._worker.postman.deliver_due()
        await self.database.write(partial(self._tidy, writers=writers))
        await self._worker.postman.deliver_due()

    def _says(self, db: sa.Connection, writer: Writer, text: str) -> None:
        now = self._clock.now()
        inbound = Inbound(
            account=ACCOUNT,
            openid=writer.openid,
            key=f"past:{next(self._numbers)}",
            type="text",
            written_at=now,
            text=text,
        )
        self.reception.receive(db, inbound, now)

    def _answer_question(self, db: sa.Connection, writer: Writer) -> None:
        """What a follow-up asked is answered, mostly with good news."""
        kept = frames.load(
            db.scalar(sa.select(threads.c.forms).where(threads.c.contact_id == writer.contact_id))
        )
        if not kept or kept[-1].until is None:
            return
        self._pass(2, 40)
        asked = kept[-1].question[-1].template.rpartition("/")[2]
        answers = self._content["answers"]
        self._says(db, writer, self._random.choice(answers.get(asked, answers["otherwise"])))

    def _talk(self, db: sa.Connection, writer: Writer, talk: dict[str, Any]) -> None:
        for text in talk["says"]:
            self._pass(0.3, 1)
            self._says(db, writer, text)
        if answer := talk.get("answer"):
            self._pass(1, 14)
            self._attend(db, writer, answer)

    def _attend(self, db: sa.Connection, writer: Writer, answer: str) -> None:
        """A nurse, or for a complaint the manager, answers as the console would let them."""
        now, nurse = self._clock.now(), self._random.choice(self.nurses)
        owner = db.scalar(sa.select(threads.c.owner).where(threads.c.contact_id == writer.contact_id))
        of_writer = sa.and_(alerts.c.contact_id == writer.contact_id, alerts.c.status.in_(("open", "asking")))
        rung = db.execute(
            alerts.update()
            .where(of_writer)
            .values(status="closed", acknowledged_by=nurse, acknowledged_at=now, disposition="advised")
        ).rowcount
        if owner == "waiting" or rung:
            desk.take(db, writer.contact_id, nurse)
            desk.reply(db, writer.contact_id, nurse, answer, now, f"past:{next(self._numbers)}")
            self._pass(2, 6)
            desk.release(db, writer.contact_id, nurse, self.reception.wording, self._clock.now())
            return
        ticket = ticket_rows.latest_complaint(db, writer.contact_id)
        if ticket is not None and ticket.status == "received":
            self._pass(60, 200)
            ticket_answers.answer(
                db, self._clock.now(), self.reception.wording, ticket.number, answer, self.manager
            )

    def _tidy(self, db: sa.Connection, writers: Sequence[Writer]) -> None:
        """Whoever asked for a person is answered within the hour, and what was to do is done."""
        waiting = set(
            db.scalars(
                sa.union(
                    sa.select(threads.c.contact_id).where(threads.c.owner == "waiting"),
                    sa.select(alerts.c.contact_id).where(alerts.c.status == "open"),
                )
            )
        )
        for writer in writers:
            if writer.contact_id in waiting:
                self._pass(1, 9)
                self._attend(db, writer, self._random.choice(self._content["calls"]))
        now = self._clock.now()
        db.execute(
            tasks.update()
            .where(tasks.c.status == "open", tasks.c.at < now - timedelta(hours=3))
            .values(status="done", done_at=now, outcome="demo")
        )

    def _quiet(self, db: sa.Connection, writers: Sequence[Writer]) -> None:
        for writer in writers:
            own = [writer.patient]
            consents.withdraw(db, writer.contact_id, own, consents.CARE, self._clock.now())

    def _pass(self, least: float, most: float) -> None:
        """Minutes go by."""
        self._clock.moment += timedelta(minutes=self._random.uniform(least, most))


def _is_lived_in(db: sa.Connection) -> bool:
    return any(db.execute(sa.select(table.c.id).limit(1)).first() for table in (messages, letters))
