"""A ward: the small hospital, its plans on a clock that stands still, and whoever answers them in chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from bot.domain.letter import LetterState, Purpose
from bot.flows import PLANS
from bot.flows.engine.planner import Planner
from bot.flows.plan import Plan
from bot.outbox.wording import Wording
from storage.database import Database
from storage.queries.conversations import REVISION
from storage.rows import Row
from storage.tables import (
    alerts,
    facts,
    letters,
    messages,
    patient_tags,
    patients,
    plan_decisions,
    plan_instances,
    procedures,
    tasks,
    touches,
    visits,
)
from tests.chat import ZONE, Chat
from tests.hospital_folder import bound, open_hospital

T = TypeVar("T")


def at(text: str) -> datetime:
    """A moment on the hospital's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@dataclass
class Ward:
    """The hospital's rows, the planner, and the chat. Letters count as delivered when the planner owes them."""

    chat: Chat
    clock: StoppedClock
    plans: Mapping[tuple[str, int], Plan] = field(default_factory=lambda: PLANS)
    unsigned_run: bool = True
    wording: Wording = field(default_factory=lambda: Wording(ZONE))

    async def asks(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.chat.asks(query)

    async def does(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.chat.does(query)

    def plan(self, db: sa.Connection) -> int:
        """One look of the planner."""
        planner = Planner(self.plans, self.wording, ZONE, unsigned_run=self.unsigned_run)
        return planner(db, self.clock.now())

    async def looks(self, moment: str = "") -> int:
        """Let the planner look at a moment, again and again until it has nothing to do."""
        if moment:
            self.clock.moment = at(moment)
        done = 0
        while more := await self.does(self.plan):
            done += more
        await self.does(self._deliver)
        return done

    def _deliver(self, db: sa.Connection) -> None:
        """What the postman does when nothing stands in the way."""
        queued = db.execute(sa.select(letters).where(letters.c.state == "queued")).all()
        for row in queued:
            if row.not_before > self.clock.now():
                continue
            sent = {
                "state": LetterState.SENT.value,
                "channel": "customer_service",
                "sent_at": self.clock.now(),
            }
            db.execute(letters.update().where(letters.c.id == row.id).values(**sent))
            if row.contact_id is not None:
                db.execute(
                    messages.insert().values(
                        contact_id=row.contact_id,
                        account="wechat/default",
                        key=f"letter:{row.id}",
                        dir="out",
                        at=self.clock.now(),
                        type="text",
                        channel="customer_service",
                        author=row.author,
                        text=row.body["text"],
                        letter_id=row.id,
                    )
                )

    async def lives_through(self, since: str, until: str, *, every: timedelta = timedelta(hours=1)) -> None:
        """Let the planner look every so often, as a worker would."""
        self.clock.moment = at(since)
        while self.clock.now() <= at(until):
            await self.looks()
            self.clock.moment += every

    async def imports(self, table: sa.Table, **row: Any) -> None:
        """One row comes in (anew) with an import."""

        def take(db: sa.Connection) -> None:
            keys = table.primary_key.columns
            found = sa.and_(*(column == row[column.name] for column in keys))
            changed = db.execute(table.update().where(found).values(**row))
            if not changed.rowcount:
                db.execute(table.insert().values(**row))
            db.execute(facts.update().where(facts.c.key == REVISION).values(value=uuid4().hex))

        await self.does(take)

    async def operation(
        self, family: str = "abdominal", day: str = "2026-11-18", patient: str = "P05", **more: Any
    ) -> None:
        """An operation comes in with an import."""
        row = {
            "code": "OP1",
            "patient_code": patient,
            "name": "手术",
            "family": family,
            "department_code": "GK",
            "date": date.fromisoformat(day),
            "time": time(9),
            "status": "done",
        }
        await self.imports(procedures, **row | more)

    async def visit(
        self, code: str = "V1", day: str = "2026-11-17", patient: str = "P05", **more: Any
    ) -> None:
        """A visit comes in with an import."""
        row = {
            "code": code,
            "patient_code": patient,
            "department_code": "GK",
            "date": date.fromisoformat(day),
            "kind": "outpatient",
            "status": "done",
        }
        await self.imports(visits, **row | more)

    async def tag(self, tag: str, patient: str = "P05", since: str = "2026-11-18 10:00") -> None:
        """A tag comes in with an import."""
        await self.imports(patient_tags, patient_code=patient, tag=tag, since=at(since))

    async def dies(self, patient: str = "P05", day: str = "2026-11-18") -> None:
        """The hospital records a death."""
        await self.imports(patients, code=patient, deceased_on=date.fromisoformat(day))

    async def says(self, text: str, openid: str = "oPatient") -> str:
        return await self.chat.says(text, openid)

    async def letters(self, patient: str = "P05") -> list[Row]:
        """Every letter about a patient that a plan began, oldest first."""
        found = sa.select(letters).where(letters.c.patient_code == patient, letters.c.plan != "")
        return list(await self.asks(lambda db: db.execute(found.order_by(letters.c.id)).all()))

    async def steps(self, patient: str = "P05") -> list[str]:
        """`plan/step` of every letter that went out."""
        return [f"{row.plan}/{row.step}" for row in await self.letters(patient) if row.state == "sent"]

    async def last_text(self, patient: str = "P05") -> str:
        text: str = (await self.letters(patient))[-1].body["text"]
        return text

    async def touches(self, patient: str = "P05") -> dict[str, Row]:
        """The contacts of a patient by step; of a repeated one the last."""
        found = sa.select(touches).where(touches.c.patient_code == patient).order_by(touches.c.id)
        rows = await self.asks(lambda db: db.execute(found).all())
        return {row.step: row for row in rows}

    async def reasons(self, patient: str = "P05") -> dict[str, str]:
        """What became of every contact: state, and the reason if there is one."""
        rows = await self.touches(patient)
        return {step: f"{row.state} {row.reason}".strip() for step, row in rows.items()}

    async def instances(self, patient: str = "P05") -> list[Row]:
        found = sa.select(plan_instances).where(plan_instances.c.patient_code == patient)
        return list(await self.asks(lambda db: db.execute(found.order_by(plan_instances.c.id)).all()))

    async def decisions(self) -> list[str]:
        """The ledger: `decision reason`."""
        rows = await self.asks(
            lambda db: db.execute(sa.select(plan_decisions).order_by(plan_decisions.c.id)).all()
        )
        return [f"{row.decision} {row.reason}".strip() for row in rows]

    async def alerts(self) -> list[tuple[str, str]]:
        rows = await self.asks(lambda db: db.execute(sa.select(alerts).order_by(alerts.c.id)).all())
        return [(row.level, row.concept) for row in rows]

    async def tasks(self) -> list[str]:
        rows = await self.asks(lambda db: db.execute(sa.select(tasks).order_by(tasks.c.id)).all())
        return [row.kind for row in rows]


@pytest.fixture
async def ward(database: Database, clock: StoppedClock) -> Ward:
    """The small hospital; oPatient is P05 (许静怡, 36 years)."""
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P05"))
    return Ward(chat, clock)


__all__ = ["Purpose", "Ward", "at"]
