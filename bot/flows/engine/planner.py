"""The planner: one look at what changed and what is due, in one transaction. Cheap when nothing did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.flows.engine.asking import call_off
from bot.flows.engine.book import Book, Plans
from bot.flows.engine.deciding import LOSS_BEFORE
from bot.flows.engine.firing import fire
from bot.flows.engine.people import Census
from bot.hospital import episodes
from bot.outbox.wording import Wording
from storage.queries import cursors
from storage.queries import plans as rows

CURSOR: Final = "plans"  # which import, of which day, was looked at last
A_DAY: Final = timedelta(days=1)
TAGS: Final = "plans:tags"  # in which minute, and what tags there were: colleagues change them at any time


@dataclass(frozen=True, slots=True)
class Planner:
    """Begins, moves and stops plans, and sends what is due. `unsigned_run`: plans without a signature run, too."""

    plans: Plans
    wording: Wording
    zone: ZoneInfo
    unsigned_run: bool = False

    def __call__(self, db: sa.Connection, now: datetime) -> int:
        """How much there was to do."""
        rows.alone(db)
        self.wording.hospital = rows.hospital_facts(db)
        done = self.derive(db, now)
        return done + fire(db, now, self.zone, self.plans, self.wording, unsigned_run=self.unsigned_run)

    def derive(self, db: sa.Connection, now: datetime) -> int:
        """Bring the book up to the hospital's rows, when an import or a new day changed them."""
        today = now.astimezone(self.zone).date()
        mark = f"{today} {rows.revision(db)}"
        book = Book(db, now, self.zone, self.plans)
        done = 0
        tags_changed = self._tags_changed(db, now)
        if cursors.read(db, CURSOR) != mark:
            done += book.reconcile(episodes.imported(db, today, now, self.zone))
            done += self._stop(db, book, now)
            cursors.move(db, CURSOR, mark)
        elif tags_changed:  # since the last import or midnight: a few, where the hospital's rows are many
            done += book.reconcile(episodes.of_tags(db, now, self.zone, since=now - A_DAY))
            done += self._stop(db, book, now)
        done += book.reconcile(episodes.booked(db, now, self.zone))
        done += book.extend()
        book.close()
        self._call_off(db, book, now)
        return done

    def _tags_changed(self, db: sa.Connection, now: datetime) -> bool:
        """Whether somebody bears a tag that plans hang on, or does not any more; looked up once a minute."""
        minute = f"{now:%Y-%m-%dT%H:%M}"
        known, _, before = (cursors.read(db, TAGS) or "").partition(" ")
        if known == minute:
            return False
        found = rows.tag_mark(db, episodes.TAGS)
        cursors.move(db, TAGS, f"{minute} {found}")
        return found != before

    def _call_off(self, db: sa.Connection, book: Book, now: datetime) -> None:
        """In the transaction that stops the reminders."""
        if not book.called_off:
            return
        census = Census(db, [row.patient_code for row in book.called_off], now, self.zone)
        for row in book.called_off:
            call_off(db, self.wording, row, census.people[row.patient_code], now, self.zone)

    def _stop(self, db: sa.Connection, book: Book, now: datetime) -> int:
        """What death, a lost pregnancy and a lost tag end, at once and not only when the next contact is due."""
        today = now.astimezone(self.zone).date()
        untagged = rows.untagged(db, now)
        book.stop_numbers(untagged, "cancelled")
        dead = rows.of_the_dead(db, today)
        book.stop_numbers(dead, "deceased")
        lost: dict[str, list[date]] = defaultdict(list)
        for row in rows.losses(db):
            lost[row.patient_code].append(row.date)
        pregnancy = {plan.id for plan in self.plans.values() if plan.pregnancy}
        ended = [
            row.id
            for row in rows.of_patients(db, pregnancy, lost)
            if any(
                day >= row.anchor_at.astimezone(self.zone).date() - LOSS_BEFORE
                for day in lost[row.patient_code]
            )
        ]
        book.stop_numbers(ended, "pregnancy_loss")
        return len(untagged) + len(dead) + len(ended)
