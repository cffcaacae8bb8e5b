"""A letter and the live facts by which it may or may not go now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.outbox.window import Action, Doing, Window, doing_of, window
from storage.queries import outbox
from storage.rows import Row, Rows

LOOK_BACK: Final = timedelta(hours=48)
AFTER_EMERGENCY: Final = timedelta(days=14)  # no survey, greeting or marketing (safety.md §1.3)
SHUT: Final = Window()
AFTER_COMPLAINT: Final = timedelta(days=30)  # no marketing
A_MONTH: Final = timedelta(days=32)  # the longest month, and a day for the zones
PROMOTING: Final = frozenset({Purpose.GREETING, Purpose.MARKETING})
AUTOMATIC: Final = frozenset({Purpose.CARE, Purpose.SURVEY, Purpose.GREETING, Purpose.MARKETING})

Allows = Callable[[sa.Connection, "int | None", "str | None", Purpose, datetime], bool]
"""Whether this contact, about this patient, still agrees to letters of that purpose."""


def allows_all(
    _db: sa.Connection, _contact: int | None, _patient: str | None, _purpose: Purpose, _now: datetime
) -> bool:
    """Nobody was asked."""
    return True


@dataclass(frozen=True, slots=True)
class Receiver:
    """One account of the person."""

    contact_id: int
    account: str
    openid: str
    window: Window = SHUT


@dataclass(frozen=True, slots=True)
class Promoted:
    """Something that a user got, or is about to get: marketing, or any mass message."""

    at: datetime
    marketing: bool
    mass: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a decision may look at."""

    letter: Row
    purpose: Purpose
    receiver: Receiver | None = None  # None: the letter has an address instead
    elsewhere: tuple[Receiver, ...] = ()  # the same person on other platforms
    followed: bool = True
    language: str = ""
    owner: str = "bot"  # who speaks in the conversation
    patient_name: str = ""
    phone: str = ""  # where a text message about the patient may go
    deceased_on: date | None = None
    allowed: bool = True
    open_alert: bool = False
    after_emergency: bool = False
    complaining: bool = False
    after_complaint: bool = False  # read for marketing only
    promoted: tuple[Promoted, ...] = ()  # in the last month; read for greetings and marketing only
    sent_lately: tuple[datetime, ...] = ()  # to the same WeCom member, oldest first
    tried: frozenset[str] = field(default_factory=frozenset)

    @property
    def of_broadcast(self) -> bool:
        """Whether it goes to many, and nothing that this patient did caused it."""
        plan: str = self.letter.plan
        return plan.startswith("broadcast:")

    @property
    def body(self) -> Mapping[str, Any]:
        """Text, and a template's facts."""
        body: Mapping[str, Any] = self.letter.body
        return body


def gather(db: sa.Connection, rows: Rows, now: datetime, allows: Allows) -> list[Case]:
    """The facts of a batch of letters, in a few queries for all of them."""
    contact_ids = sorted({row.contact_id for row in rows if row.contact_id is not None})
    people = _People(db, contact_ids, rows, now)
    lately = _sent_lately(db, [row for row in rows if row.contact_id is None], now)
    cases = []
    for row in rows:
        if row.contact_id is None:
            cases.append(_addressed(db, row, lately))
        else:
            cases.append(people.case(row, allows))
    return cases


class _People:
    """The receivers of a batch."""

    def __init__(self, db: sa.Connection, contact_ids: Sequence[int], rows: Rows, now: datetime) -> None:
        self._db = db
        self._now = now
        self._contacts = outbox.receivers(db, contact_ids)
        self._own = outbox.own_patients(db, contact_ids)
        codes = {row.patient_code for row in rows if row.patient_code} | set(self._own.values())
        self._patients = outbox.people(db, sorted(codes))
        self._elsewhere: dict[int, list[Row]] = defaultdict(list)
        for other in outbox.same_person_elsewhere(db, contact_ids):
            self._elsewhere[other.contact_id].append(other)
        self._windows = self._read_windows(contact_ids)
        automatic = [row.contact_id for row in rows if Purpose(row.purpose) in AUTOMATIC and row.contact_id]
        self._alarming: dict[int, list[Row]] = defaultdict(list)
        self._complaining: set[int] = set()
        self._after_complaint: set[int] = set()
        marketing = [row.contact_id for row in rows if row.purpose == Purpose.MARKETING and row.contact_id]
        self._promoted = self._read_promoted(rows)
        if automatic:
            for alert in outbox.alarming(db, automatic, now - AFTER_EMERGENCY):
                self._alarming[alert.contact_id].append(alert)
            self._complaining = outbox.complaining(db, automatic)
        if marketing:
            self._after_complaint = outbox.complained_since(db, marketing, now - AFTER_COMPLAINT)

    def _read_windows(self, contact_ids: Sequence[int]) -> dict[int, Window]:
        accounts = {number: row.account for number, row in self._contacts.items()}
        accounts |= {one.id: one.account for others in self._elsewhere.values() for one in others}
        bound = [number for number, account in accounts.items() if not account.startswith("wecom/")]
        actions: dict[int, list[Action]] = defaultdict(list)
        since = self._now - LOOK_BACK
        for row in outbox.doings(self._db, bound, since):
            doing = doing_of(accounts[row.contact_id], row.dir, row.type, row.payload)
            if doing is not None:
                actions[row.contact_id].append(Action(row.moment, doing))
        for row in outbox.unsure_sends(self._db, bound, since):
            actions[row.contact_id].append(Action(row.sent_at, Doing.SENT))
        return {number: window(sorted(found, key=lambda one: one.at)) for number, found in actions.items()}

    def _read_promoted(self, rows: Rows) -> Mapping[int, Sequence[Promoted]]:
        wanted = [row.contact_id for row in rows if row.purpose in PROMOTING and row.contact_id]
        found: dict[int, list[Promoted]] = defaultdict(list)
        for row in outbox.promoted(self._db, wanted, self._now - A_MONTH) if wanted else ():
            found[row.contact_id].append(
                Promoted(row.moment, row.purpose == Purpose.MARKETING, row.channel == "mass")
            )
        return found

    def case(self, row: Row, allows: Allows) -> Case:
        contact, purpose = self._contacts[row.contact_id], Purpose(row.purpose)
        code = row.patient_code or self._own.get(contact.id)
        patient = self._patients.get(code) if code else None
        alerts = self._alarming.get(contact.id, [])
        return Case(
            letter=row,
            purpose=purpose,
            receiver=self._receiver(contact),
            elsewhere=tuple(self._receiver(one) for one in self._elsewhere.get(contact.id, [])),
            followed=contact.followed,
            language=(patient.language if patient else "") or contact.language,
            owner=contact.owner or "bot",
            patient_name=patient.name if patient else "",
            phone=(patient.phone or "") if patient else "",
            deceased_on=patient.deceased_on if patient else None,
            allowed=purpose not in AUTOMATIC
            or allows(self._db, contact.id, row.patient_code, purpose, self._now),
            open_alert=any(alert.status != "closed" for alert in alerts),
            after_emergency=bool(alerts),
            complaining=contact.id in self._complaining,
            after_complaint=contact.id in self._after_complaint,
            promoted=tuple(self._promoted.get(contact.id, ())),
            tried=frozenset(row.tried.split()),
        )

    def _receiver(self, contact: Row) -> Receiver:
        return Receiver(contact.id, contact.account, contact.openid, self._windows.get(contact.id, SHUT))


def _sent_lately(db: sa.Connection, rows: Rows, now: datetime) -> dict[str, list[datetime]]:
    members = sorted({row.address_index for row in rows if (row.address or "").startswith("wecom:")})
    found: dict[str, list[datetime]] = defaultdict(list)
    if members:
        for one in outbox.received_lately(db, members, "wecom", now - timedelta(hours=1)):
            found[one.address_index].append(one.sent_at)
    return found


def _addressed(db: sa.Connection, row: Row, lately: Mapping[str, Sequence[datetime]]) -> Case:
    scheme, _, to = (row.address or "").partition(":")
    alarm = row.purpose == Purpose.ALARM
    return Case(
        letter=row,
        purpose=Purpose(row.purpose),
        phone=outbox.phone_of_member(db, to) if scheme == "wecom" and alarm else "",
        sent_lately=tuple(sorted(lately.get(row.address_index, ()))),
        tried=frozenset(row.tried.split()),
    )
