"""Greetings: festivals and birthdays, at ten, once; to whom, and with how much cheer (contract §5).

They hold no offer, so they need no marketing consent; 退订 stops them. On a day of mourning a birthday is greeted
quietly. Who lost a pregnancy lately gets nothing about mothers, children or birthdays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.calendar import festival_dates, is_birthday
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.flows.engine.people import Census, Reader
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import cursors, greetings
from storage.queries import plans as rows
from storage.rows import Row

CURSOR: Final = "greetings"  # the day, and the last patient it was thought of
FROM, UNTIL = time(10), time(20, 55)
DONE: Final = "\N{FULL BLOCK}"  # instead of a patient's code: everybody was thought of
BATCH: Final = 500
WOMAN, ELDER, CHILD = 18, 60, 14  # years
GRIEF: Final = timedelta(days=365)
MOURNING: Final = frozenset({"清明", "国家公祭日"})

Greeted = Callable[[Patient, set[str], date], bool]
"""Whether a festival is this patient's, who bears these tags, on that day."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something people are greeted for."""

    name: str  # as the calendar and the ledger call it
    template: str
    greeted: Greeted
    tender: bool = False  # not to who lost a pregnancy lately
    shared: bool = False  # for everybody who speaks for the patient, not for one of them


def _age_from(least: int, sex: str = "") -> Greeted:
    def greeted(patient: Patient, _tags: set[str], day: date) -> bool:
        age = patient.age(day)
        return age is not None and age >= least and (not sex or patient.sex == sex)

    return greeted


def _child(patient: Patient, _tags: set[str], day: date) -> bool:
    age = patient.age(day)
    return age is not None and age < CHILD


def _tagged(tag: str) -> Greeted:
    return lambda _patient, tags, _day: tag in tags


def _all(_patient: Patient, _tags: set[str], _day: date) -> bool:
    return True


OCCASIONS: Final = (
    Occasion("春节", "spring_festival", _all, shared=True),
    Occasion("元宵", "lantern", _all, shared=True),
    Occasion("端午", "dragon_boat", _all, shared=True),
    Occasion("中秋", "mid_autumn", _all, shared=True),
    Occasion("国庆", "national_day", _all, shared=True),
    Occasion("重阳", "double_ninth", _age_from(ELDER)),
    Occasion("妇女节", "women", _age_from(WOMAN, "F")),
    Occasion("母亲节", "mother", _tagged("妈妈"), tender=True),
    Occasion("父亲节", "father", _tagged("爸爸"), tender=True),
    Occasion("儿童节", "child", _child, tender=True, shared=True),
    Occasion("护士节", "nurse", _tagged("护士")),
    Occasion("教师节", "teacher", _tagged("教师")),
)
BIRTHDAY: Final = Occasion("生日", "birthday", _all, tender=True)
TAGS: Final = ("妈妈", "爸爸", "护士", "教师")


@dataclass(frozen=True, slots=True)
class Greeting:
    """One greeting to one reader, and whether it may go."""

    patient: Patient
    reader: Reader
    occasion: Occasion
    day: date
    text: str
    reason: str = ""  # why it does not go

    @property
    def key(self) -> str:
        """A reader is greeted once for a festival, however many people they speak for; for every birthday."""
        who = self.patient.code if self.occasion is BIRTHDAY else f"contact {self.reader.contact_id}"
        return f"greeting/{self.occasion.name}/{self.day}/{who}"


def occasions(day: date) -> list[Occasion]:
    """The festivals of a day."""
    dates: Mapping[str, date] = festival_dates(day.year)
    return [one for one in OCCASIONS if dates.get(one.name) == day]


def mourning(day: date) -> bool:
    """Whether cheer is out of place."""
    dates = festival_dates(day.year)
    return any(dates.get(name) == day for name in MOURNING)


def greetings_for(
    db: sa.Connection, people: Sequence[Row], day: date, now: datetime, zone: ZoneInfo, wording: Wording
) -> Iterator[Greeting]:
    """What these patients (of `greetings.bound_patients`) are greeted with on a day."""
    festivals = occasions(day)
    born = [row for row in people if row.birth_date and _has_birthday(row, day)]
    meant = people if festivals else born
    if not meant:
        return
    codes = [row.code for row in meant]
    census = Census(db, codes, now, zone)
    tags = greetings.tags_of(db, codes, TAGS, now) if festivals else {}
    own = greetings.patients_themselves(db, _contacts(census), now) if festivals else set()
    birthdays = {row.code for row in born}
    for code in codes:
        person = census.people[code]
        speakers = person.speakers(day)
        grieving = any(day - lost <= GRIEF for lost in person.losses)
        wanted = [one for one in festivals if one.greeted(person.patient, tags.get(code, set()), day)]
        for occasion in [*wanted, *([BIRTHDAY] if code in birthdays else [])]:
            for reader in speakers if occasion.shared else speakers[:1]:
                if occasion.greeted is _all and occasion.shared and _has_own(reader, own):
                    continue  # greeted for themselves
                reason = "" if census.allows(reader, code, Purpose.GREETING) else "no_consent"
                if grieving and occasion.tender:
                    reason = "pregnancy_loss"
                text = _text(wording, occasion, person.patient, reader, day)
                yield Greeting(person.patient, reader, occasion, day, text, reason)


def _has_own(reader: Reader, own: Collection[int]) -> bool:
    """Whether somebody who speaks for others is a patient, too."""
    return reader.relation != "self" and reader.contact_id in own


def _contacts(census: Census) -> list[int]:
    return sorted({one.contact_id for person in census.people.values() for one in person.readers})


def _has_birthday(row: Row, day: date) -> bool:
    try:
        return row.birth_date < day and is_birthday(row.birth_date, row.lunar_birthday, day)
    except ValueError:  # beyond the years whose lunar calendar is known
        return False


def _text(wording: Wording, occasion: Occasion, patient: Patient, reader: Reader, day: date) -> str:
    language = Language(reader.language or Language.SIMPLIFIED)
    words = say(
        f"greeting/{occasion.template}",
        name=patient.masked_name,
        own=reader.relation == "self",
        quiet=mourning(day),
    )
    return wording.text(words, language)


@dataclass(frozen=True, slots=True)
class Greeter:
    """Greets everybody who is to be greeted today, some hundred at a time."""

    wording: Wording
    zone: ZoneInfo

    def __call__(self, db: sa.Connection, now: datetime) -> int:
        """How many patients were thought of."""
        local = now.astimezone(self.zone)
        day = local.date()
        if not FROM <= local.time() < UNTIL:
            return 0
        said_on, _, after = cursors.read(db, CURSOR).partition(" ")
        if said_on == day.isoformat() and after == DONE:
            return 0
        rows.alone(db)
        self.wording.hospital = rows.hospital_facts(db)
        after = after if said_on == day.isoformat() else ""
        people = greetings.bound_patients(db, now, after=after, most=BATCH)
        for greeting in greetings_for(db, people, day, now, self.zone, self.wording):
            if not greeting.reason:
                letters.put(db, self._letter(greeting, now), now)
        cursors.move(db, CURSOR, f"{day} {people[-1].code if len(people) == BATCH else DONE}")
        return len(people)

    def _letter(self, greeting: Greeting, now: datetime) -> Letter:
        return Letter(
            key=greeting.key,
            purpose=Purpose.GREETING,
            text=greeting.text,
            not_before=now,
            useful_until=datetime.combine(greeting.day, UNTIL, self.zone),
            contact_id=greeting.reader.contact_id,
            patient_code=greeting.patient.code,
            plan="greeting",
            step=greeting.occasion.name,
            author="plan",
        )
