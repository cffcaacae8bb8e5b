"""Whom a contact is about, who would read it, and everything that may speak against it, asked for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from bot.hospital import consents
from bot.hospital.episodes import midnight
from storage.queries import outbox
from storage.queries import plans as rows
from storage.rows import Row

CHILD_UNTIL: Final = 14  # years; below it only a guardian is written to
EMERGENCY_REMEMBERED: Final = timedelta(days=14)
STAYS_LOOK_BACK: Final = timedelta(days=400)
SURVEYED_LOOK_BACK: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Reader:
    """The WeChat user a contact is addressed to."""

    contact_id: int
    openid: str
    relation: str  # what the patient is to the reader
    level: int
    language: str
    owner: str  # who speaks in the conversation
    spoke_at: datetime | None


@dataclass(slots=True)
class Person:
    """A patient, as far as a firing must know them."""

    patient: Patient
    readers: list[Reader] = field(default_factory=list)
    stays: list[tuple[date, date | None]] = field(default_factory=list)  # from, to
    losses: list[date] = field(default_factory=list)  # of the patient and of whom the readers speak for
    complaining: bool = False
    alarming: set[int] = field(default_factory=set)  # readers with a danger sign that is open
    contacted: list[Row] = field(default_factory=list)  # of the last 30 days
    to_come: list[Row] = field(default_factory=list)  # still planned for today
    open: list[Row] = field(default_factory=list)  # questions that wait for the readers' answers

    def speakers(self, today: date) -> list[Reader]:
        """Everybody who may be written to about the patient, the patient first; of a child the guardians."""
        age = self.patient.age(today)
        if age is not None and age < CHILD_UNTIL:
            return [one for one in self.readers if one.relation == "child"]
        return sorted(self.readers, key=lambda one: one.relation != "self")

    def reader(self, today: date, level: int) -> Reader | str:
        """Who reads it: the patient, else whoever speaks for them; a child's guardian. Else the reason."""
        fit = self.speakers(today)
        if not fit:
            age = self.patient.age(today)
            return "no_guardian" if age is not None and age < CHILD_UNTIL else "no_contact"
        known = [one for one in fit if one.level >= level]
        return known[0] if known else "identity"


class Census:
    """The people of a batch of contacts, in a few queries for all of them."""

    def __init__(self, db: sa.Connection, codes: Sequence[str], now: datetime, zone: ZoneInfo) -> None:
        self._db = db
        self._now = now
        today = now.astimezone(zone).date()
        codes = sorted(set(codes))
        self.people = {row.code: Person(_patient(row)) for row in rows.people(db, codes)}
        self._read_readers(codes)
        contact_ids = sorted({one.contact_id for person in self.people.values() for one in person.readers})
        for stay in rows.stays(db, codes, today - STAYS_LOOK_BACK):
            if stay.status != "loss":
                self.people[stay.patient_code].stays.append((stay.date, stay.discharged_on))
        self._read_losses(contact_ids, codes, today)
        for code in rows.complaining(db, codes):
            self.people[code].complaining = True
        self._read_alarms(contact_ids)
        for row in rows.contacted_since(db, codes, now - SURVEYED_LOOK_BACK):
            self.people[row.patient_code].contacted.append(row)
        for row in rows.to_come(db, codes, midnight(today + timedelta(days=1), zone)):
            self.people[row.patient_code].to_come.append(row)
        self._read_open(contact_ids)
        self._users_with_words, self._patients_with_words = rows.words_on(db, contact_ids, codes)

    def allows(self, reader: Reader, code: str, purpose: Purpose) -> bool:
        """Whether nobody said stop; asked only of those who ever said a word."""
        if reader.contact_id not in self._users_with_words and code not in self._patients_with_words:
            return True
        return consents.allows(self._db, reader.contact_id, code, purpose, self._now)

    def _read_readers(self, codes: Sequence[str]) -> None:
        self._own_language: dict[int, str] = {}
        found = list(rows.readers(self._db, codes, self._now))
        for row in rows.spoken_for(self._db, sorted({row.contact_id for row in found})):
            if row.relation == "self" and row.language:
                self._own_language[row.contact_id] = row.language
        for row in sorted(found, key=lambda one: not one.followed):
            own = self._own_language.get(row.contact_id)
            language = own or row.language or self.people[row.patient_code].patient.language
            self.people[row.patient_code].readers.append(
                Reader(row.contact_id, row.openid, row.relation, row.level, language, row.owner, row.spoke_at)
            )

    def _read_losses(self, contact_ids: Sequence[int], codes: Sequence[str], today: date) -> None:
        """A loss of the mother silences what is written about the child to the same reader, too."""
        speaks: dict[int, set[str]] = defaultdict(set)
        for row in rows.spoken_for(self._db, contact_ids):
            speaks[row.contact_id].add(row.patient_code)
        everybody = sorted({*codes, *(code for several in speaks.values() for code in several)})
        lost: dict[str, list[date]] = defaultdict(list)
        for stay in rows.stays(self._db, everybody, today - STAYS_LOOK_BACK):
            if stay.status == "loss":
                lost[stay.patient_code].append(stay.date)
        if not lost:
            return
        for person in self.people.values():
            near = {person.patient.code}.union(*(speaks[one.contact_id] for one in person.readers))
            person.losses = [day for code in near for day in lost.get(code, ())]

    def _read_alarms(self, contact_ids: Sequence[int]) -> None:
        if not contact_ids:
            return
        alarming = {
            row.contact_id
            for row in outbox.alarming(self._db, contact_ids, self._now - EMERGENCY_REMEMBERED)
            if row.status != "closed"
        }
        for person in self.people.values():
            person.alarming = {one.contact_id for one in person.readers} & alarming

    def _read_open(self, contact_ids: Sequence[int]) -> None:
        waiting: dict[int, list[Row]] = defaultdict(list)
        for row in rows.open_of(self._db, contact_ids):
            waiting[row.contact_id].append(row)
        for person in self.people.values():
            person.open = [row for one in person.readers for row in waiting.get(one.contact_id, ())]


def _patient(row: Row) -> Patient:
    return Patient(
        code=row.code,
        name=row.name,
        sex=row.sex,
        birth_date=row.birth_date,
        language=row.language,
        deceased_on=row.deceased_on,
    )
