"""The clock's side of a broadcast: its letters go into the outbox, batch by batch, until the audience is through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog

from bot.domain.language import Language
from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.flows.broadcasts import desk, variables
from bot.outbox.routes import night_ends
from bot.outbox.wording import Wording
from storage.queries import broadcasts, hospital
from storage.rows import Row

log = structlog.get_logger()

BATCH: Final = {"sqlite": 5_000, "postgresql": 20_000}  # letters of one transaction; SQLite has one writer
FAILURES: Final = 0.1  # of the trial's letters: more than that stop it
USEFUL: Final = {
    Purpose.CARE: timedelta(days=3),
    Purpose.GREETING: timedelta(days=1),
    Purpose.MARKETING: timedelta(days=3),
}


@dataclass(frozen=True, slots=True)
class Broadcaster:
    """Puts the letters of what is running into the outbox."""

    wording: Wording
    zone: ZoneInfo

    def __call__(self, db: sa.Connection, now: datetime) -> int:
        """How many letters that were."""
        for row in broadcasts.scheduled(db, now):
            try:
                desk.start(db, row.id, row.started_by or row.approved_by, now, self.zone)
            except desk.BroadcastRefused:  # a licence that ran out since: nobody is there to be told
                desk.stop(db, row.id, "system", now, reason="refused")
                log.error("broadcast_not_started", broadcast=row.id)
        return sum(self._advance(db, row, now) for row in broadcasts.running(db))

    def _advance(self, db: sa.Connection, row: Row, now: datetime) -> int:
        on_trial = row.canary > 0 and row.canary_passed_at is None
        if on_trial and row.queued >= row.canary:
            if not self._passes(db, row, now):
                return 0
            on_trial = False
        room = min(BATCH[db.dialect.name], _allowed(row, now))
        if on_trial:
            room = min(room, row.canary - row.queued)
        if room <= 0:
            return 0
        size, last = broadcasts.next_batch(db, row.id, row.cursor, room)
        if size == 0:
            if not broadcasts.still_going(db, row.id):
                broadcasts.change(db, row.id, state="finished", ended_at=now)
            return 0
        shared = self._shared(row, now)
        if variables.has_any(row.text):
            bodies = self._own_bodies(db, row, last, now)
            broadcasts.queue_own(db, row.id, row.cursor, last, bodies, shared)
        else:
            broadcasts.queue_batch(db, row.id, row.cursor, last, self._bodies(db, row), shared)
        broadcasts.change(db, row.id, cursor=last, queued=row.queued + size)
        return size

    def _passes(self, db: sa.Connection, row: Row, now: datetime) -> bool:
        """The first letters went ahead of the others: did it work?"""
        if broadcasts.in_flight(db, row.id, now):
            return False
        sizes: dict[str, int] = {}
        for letter in broadcasts.letter_states(db, row.id):
            sizes[letter.state] = sizes.get(letter.state, 0) + letter.size
        waiting = sizes.get("queued", 0)
        if waiting > row.canary / 2:
            return False  # the night, or nurses who speak: too early to tell
        if sizes.get("failed", 0) > FAILURES * (row.canary - waiting):
            desk.pause(db, row.id, "system", "canary", now)
            log.error("broadcast_paused", broadcast=row.id, failed=sizes.get("failed", 0))
            return False
        broadcasts.change(db, row.id, canary_passed_at=now)
        return True

    def _bodies(self, db: sa.Connection, row: Row) -> dict[str, dict[str, Any]]:
        """The letter's body by language; what is not an advertisement goes out as it was approved."""
        if row.purpose != Purpose.MARKETING:
            return {"": {"text": row.text}}
        self.wording.hospital = dict.fromkeys(("name", "phone"), "") | hospital.all_facts(db)
        texts = {
            language.value: {"text": self.wording.text(say("broadcast/marketing", text=row.text), language)}
            for language in Language
        }
        return {"": texts[Language.SIMPLIFIED.value], **texts}

    def _own_bodies(self, db: sa.Connection, row: Row, last: str, now: datetime) -> dict[str, dict[str, Any]]:
        """The letter's body by patient: one's own words, and those for a call that many letters share."""
        today, same = now.astimezone(self.zone).date(), variables.same_for_all(row.text)
        found = {}
        for one in broadcasts.addressed(db, row.id, row.cursor, last):
            patient = Patient(one.patient_code, one.name, one.sex, one.birth_date)
            who = variables.Addressed(patient, one.relation or "other", one.level or 0)
            found[one.patient_code] = {"text": variables.for_one(row.text, who, today), "same": same}
        return found

    def _shared(self, row: Row, now: datetime) -> dict[str, Any]:
        """The columns that are the same in all letters."""
        purpose = Purpose(row.purpose)
        begins = night_ends(now, self.zone) or now
        return {
            "purpose": purpose.value,
            "priority": purpose.priority,
            "step": "send",
            "author": "broadcast",
            "created_at": now,
            "not_before": begins,
            "useful_until": begins + USEFUL[purpose],
        }


def _allowed(row: Row, now: datetime) -> int:
    """How many more letters the pace allows by now."""
    if not row.pace:
        return BATCH["postgresql"]
    minutes = max(timedelta(), now - row.started_at) / timedelta(minutes=1)
    return int(row.pace * (1 + minutes)) - int(row.queued)
