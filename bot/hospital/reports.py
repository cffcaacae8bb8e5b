"""Which reports may be shown, to whom, and how: content never in chat, only behind a link that opens once."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from storage.queries import reports
from storage.rows import Row

LINK_LIVES = timedelta(minutes=15)

_HOLD = tomllib.loads((Path(__file__).parent / "hold_list.toml").read_text(encoding="utf-8"))
_HELD_TITLES = tuple(title.casefold() for title in _HOLD["titles"])


@dataclass(frozen=True, slots=True)
class Report:
    """What may be known of a report without opening it."""

    code: str
    kind: str  # lab, imaging, pathology, exam
    issued_at: datetime | None
    ready: bool
    held: bool  # a clinician must tell it first, and has not yet


def _report(row: Row) -> Report:
    return Report(row.code, row.kind, row.issued_at, row.status == "ready", is_held(row))


def is_held(row: Row) -> bool:
    """Whether a clinician must tell it first (contract §5)."""
    if row.contacted_at is not None:
        return False
    title = row.title.casefold()
    return bool(row.critical) or row.kind in _HOLD["kinds"] or any(word in title for word in _HELD_TITLES)


def of_patient(db: sa.Connection, patient_code: str) -> Sequence[Report]:
    """Every report of a patient, newest first."""
    return [_report(row) for row in reports.of_patient(db, patient_code)]


def make_link(db: sa.Connection, report: Report, contact_id: int, now: datetime) -> str:
    """The token of a link to a report; only its hash is kept.

    Raises:
        PermissionError: the report may not be shown.
    """
    if report.held or not report.ready:
        raise PermissionError("this report may not be linked")
    token = secrets.token_urlsafe(32)
    reports.add_link(db, _hash(token), report.code, contact_id, now, now + LINK_LIVES)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """A report as its page shows it."""

    report: Row
    items: Sequence[Row]


def link_lives(db: sa.Connection, token: str, now: datetime) -> bool:
    """Whether the link would open. Looking uses nothing up: link scanners look too."""
    code = reports.link_lives(db, _hash(token), now)
    return code is not None and _showable(db, code) is not None


def open_link(db: sa.Connection, token: str, now: datetime) -> Opened | None:
    """Use the link up and show the report; None when it was used, is too old, or may not be shown."""
    code = reports.use_link(db, _hash(token), now)
    row = _showable(db, code) if code else None
    return Opened(row, reports.items(db, row.code)) if row is not None else None


def _showable(db: sa.Connection, code: str) -> Row | None:
    row = reports.one(db, code)
    return row if row is not None and row.status == "ready" and not is_held(row) else None
