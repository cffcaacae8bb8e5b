"""Who somebody is, and for whom they may speak: one-time codes, locks, matching, bindings (safety.md §5.3).

A telephone that no patient has takes every step that a known one takes, so that nobody learns who is a patient here.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.patient import Binding, Patient
from bot.domain.phone import normal_phone
from storage.queries import identity
from storage.rows import Row, Rows
from storage.types import Seal

CODE_LIFE = timedelta(minutes=10)
CODE_EVERY = timedelta(minutes=1)  # for one phone, whoever asks
CODES_AN_HOUR = 5  # for one phone, whoever asks
CODES_AN_HOUR_BY_ONE = 10  # by one user, to whatever phones
LOCK = timedelta(minutes=15)
FRESH = timedelta(minutes=15)  # how long a one-time code makes level 3
WRONG_CODES, WRONG_NAMES = 5, 3  # these lock

CHILD_UNTIL, MINOR_UNTIL = 14, 18  # years; who speaks for a child is looked at again on these birthdays
PROXY = timedelta(days=365)  # the longest that somebody may speak for another adult


class CodeCheck(Enum):
    """What a typed code turned out to be."""

    RIGHT = auto()
    WRONG = auto()
    NONE_OPEN = auto()  # there is no code, or it is used up or too old


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that must now be sent. Only its keyed hash is kept."""

    number: int
    digits: str


def phone_index(phone: str) -> str:
    """The fingerprint a phone is found by, whatever way it is written."""
    return Seal.index(normal_phone(phone) or phone)


def is_fresh(binding: Binding, now: datetime) -> bool:
    """Level 3: known by name and number, and a code was entered in the last quarter of an hour."""
    return binding.level >= 2 and binding.proven_at is not None and now - binding.proven_at < FRESH


# Codes


def new_code(db: sa.Connection, contact_id: int, phone: str, now: datetime) -> NewCode | None:
    """A code for this user and phone, or None while the limits forbid one. An earlier one is void."""
    subject = phone_index(phone)
    identity.hold_phone(db, subject)
    hour = now - timedelta(hours=1)
    sent = identity.codes_to_phone(db, subject, hour)
    if len(sent) >= CODES_AN_HOUR or (sent and now - sent[0] < CODE_EVERY):
        return None
    if identity.codes_by_contact(db, contact_id, hour) >= CODES_AN_HOUR_BY_ONE:
        return None
    digits = f"{secrets.randbelow(10**6):06}"
    number = identity.add_code(
        db,
        {
            "contact_id": contact_id,
            "phone": phone,
            "phone_index": subject,
            "code_hash": _hash(contact_id, subject, digits),
            "created_at": now,
            "expires_at": now + CODE_LIFE,
        },
    )
    return NewCode(number, digits)


def has_open_code(db: sa.Connection, contact_id: int, phone: str, now: datetime) -> bool:
    """Whether a code that was sent can still be typed."""
    return _open_code(db, contact_id, phone_index(phone), now) is not None


def check_code(db: sa.Connection, contact_id: int, phone: str, digits: str, now: datetime) -> CodeCheck:
    """Compare a typed code with the one that was sent; the right one is used up."""
    subject = phone_index(phone)
    row = _open_code(db, contact_id, subject, now)
    if row is None:
        return CodeCheck.NONE_OPEN
    if not hmac.compare_digest(row.code_hash, _hash(contact_id, subject, digits)):
        return CodeCheck.WRONG
    return CodeCheck.RIGHT if identity.use_code(db, row.id, now) else CodeCheck.NONE_OPEN


def _open_code(db: sa.Connection, contact_id: int, subject: str, now: datetime) -> Row | None:
    row = identity.newest_code(db, contact_id, subject)
    return row if row is not None and row.used_at is None and now < row.expires_at else None


def _hash(contact_id: int, subject: str, digits: str) -> str:
    return Seal.index(f"one-time code:{contact_id}:{subject}:{digits}")


# Locks


def is_locked(db: sa.Connection, contact_id: int, subject: str, now: datetime) -> bool:
    """Whether this user or this phone (its index) has to wait."""
    since = now - LOCK
    return identity.locked_since(db, contact_id=contact_id, subject=subject, since=since) is not None


def failed(db: sa.Connection, contact_id: int, subject: str, kind: str, now: datetime) -> int | None:
    """Write down a wrong code ("code") or wrong name or ending ("name").

    When it was one too many, the user and the phone are locked; the lock's number, else None.
    """
    identity.hold_phone(db, subject)
    row = {"contact_id": contact_id, "subject": subject, "at": now}
    identity.add_failure(db, row | {"kind": kind})
    counts = identity.failures(db, kind, contact_id=contact_id, subject=subject, since=now - LOCK)
    if max(counts) < (WRONG_CODES if kind == "code" else WRONG_NAMES):
        return None
    return identity.add_failure(db, row | {"kind": "lock"})


# Matching


def living_with_phone(db: sa.Connection, phone: str) -> Rows:
    """The living patients with this phone."""
    rows = identity.patients_with_phone(db, phone_index(phone))
    return [row for row in rows if row.deceased_on is None]


def matching(
    patients: Sequence[Row], name: str, ending: str | None, spelling: Callable[[str], str]
) -> Sequence[Row]:
    """Those with this name and, unless it is None, this end of the ID number.

    `spelling` writes a name the way `name` is written (one width, one script).
    """
    return [
        row
        for row in patients
        if _folded(spelling(row.name)) == _folded(name)
        and (ending is None or ends_with(row.id_number, ending))
    ]


def ends_with(id_number: str | None, ending: str) -> bool:
    """Whether an ID number ends in these four characters; brackets (Hong Kong) may be left out."""
    number = (id_number or "").upper()
    bare = "".join(character for character in number if character.isalnum())
    wanted = ending.upper().encode()
    same = [hmac.compare_digest(one[-4:].encode(), wanted) for one in (number, bare)]
    return len(bare) >= 4 and any(same)


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


# Bindings


def person(row: Row) -> Patient:
    """A patient as the conversation speaks of one."""
    return Patient(row.code, row.name, birth_date=row.birth_date, language=row.language)


def bind(
    db: sa.Connection,
    contact_id: int,
    patient: Row,
    *,
    relation: str,
    level: int,
    now: datetime,
    zone: ZoneInfo,
    proven: bool,
    scope: str | None = None,
) -> int:
    """Let this user speak for this patient, or raise the binding there is; its number.

    `proven`: a fresh one-time code was entered just now. `scope`: all or booking; None leaves it as it is.
    """
    known = identity.binding_of(db, contact_id, patient.code)
    values: dict[str, Any] = {
        "relation": relation,
        "expires_at": expiry(relation, patient.birth_date, now, zone),
    }
    if proven:
        values["proven_at"] = now
    if scope is not None:
        values["scope"] = scope
    if known is not None:
        identity.change_binding(db, known.id, level=max(level, known.level), **values)
        return int(known.id)
    row = {"contact_id": contact_id, "patient_code": patient.code, "level": level, "created_at": now}
    return identity.add_binding(db, row | values)


def expiry(relation: str, born: date | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Until when somebody may speak for another; None for oneself (PRV-22).

    A child's guardian until the fourteenth birthday, then a year at a time, and not beyond the eighteenth.
    """
    if relation == "self":
        return None
    year = now + PROXY
    if relation != "child" or born is None:
        return year
    fourteen, eighteen = (_birthday(born, age, zone) for age in (CHILD_UNTIL, MINOR_UNTIL))
    if now < fourteen:
        return fourteen
    return min(year, eighteen) if now < eighteen else year


def _birthday(born: date, age: int, zone: ZoneInfo) -> datetime:
    try:
        day = born.replace(year=born.year + age)
    except ValueError:  # 29 February
        day = date(born.year + age, 3, 1)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def end(db: sa.Connection, binding_id: int, reason: str, now: datetime) -> None:
    """From now on this binding speaks for nobody."""
    identity.change_binding(db, binding_id, ended_at=now, ended_reason=reason)
