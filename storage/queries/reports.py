"""Reports: whose, how far, and the one-time links to them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.rows import Row, Rows
from storage.tables import patients, report_items, report_links, reports

_has_critical_item = (
    sa.select(report_items.c.report_code)
    .where(report_items.c.report_code == reports.c.code, report_items.c.flag == "C")
    .exists()
    .label("critical")
)


def of_patient(connection: sa.Connection, patient_code: str) -> Rows:
    """Every report of a patient, newest first, with whether an item of it is critical."""
    return connection.execute(
        sa.select(reports, _has_critical_item)
        .where(reports.c.patient_code == patient_code)
        .order_by(reports.c.issued_at.desc().nulls_first(), reports.c.code)
    ).all()


def one(connection: sa.Connection, code: str) -> Row | None:
    """A report and its patient."""
    return connection.execute(
        sa.select(reports, _has_critical_item, patients.c.name.label("patient_name"), patients.c.language)
        .join(patients, patients.c.code == reports.c.patient_code)
        .where(reports.c.code == code)
    ).first()


def items(connection: sa.Connection, report_code: str) -> Rows:
    """What was measured, by name."""
    return connection.execute(
        sa.select(report_items).where(report_items.c.report_code == report_code).order_by(report_items.c.name)
    ).all()


def record_contact(connection: sa.Connection, code: str, by: str, at: datetime) -> bool:
    """A clinician has told the patient; False when there is no such report."""
    done = connection.execute(
        reports.update().where(reports.c.code == code).values(contacted_by=by, contacted_at=at)
    )
    return done.rowcount > 0


def add_link(
    connection: sa.Connection,
    token_hash: str,
    report_code: str,
    contact_id: int,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A link that opens once."""
    connection.execute(
        report_links.insert().values(
            token_hash=token_hash,
            report_code=report_code,
            contact_id=contact_id,
            created_at=now,
            expires_at=expires_at,
        )
    )


def _living(token_hash: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        report_links.c.token_hash == token_hash,
        report_links.c.used_at.is_(None),
        report_links.c.expires_at > now,
    ]


def link_lives(connection: sa.Connection, token_hash: str, now: datetime) -> str | None:
    """The report a link would open; None when it was used, is too old, or never was."""
    code: str | None = connection.execute(
        sa.select(report_links.c.report_code).where(*_living(token_hash, now))
    ).scalar()
    return code


def use_link(connection: sa.Connection, token_hash: str, now: datetime) -> str | None:
    """Use a link up; the report it opens, or None. Of two at once one gets it."""
    code: str | None = connection.execute(
        report_links.update()
        .where(*_living(token_hash, now))
        .values(used_at=now)
        .returning(report_links.c.report_code)
    ).scalar()
    return code


def ready_and_unannounced(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Reports issued in that time that are ready and of which nobody was told, oldest first."""
    return connection.execute(
        sa.select(reports, _has_critical_item)
        .where(
            reports.c.announced_at.is_(None),
            reports.c.issued_at > since,
            reports.c.issued_at <= until,
            reports.c.status == "ready",
        )
        .order_by(reports.c.issued_at, reports.c.code)
        .limit(500)
    ).all()


def announced(connection: sa.Connection, code: str, now: datetime) -> None:
    """Whoever speaks for the patient is told."""
    connection.execute(reports.update().where(reports.c.code == code).values(announced_at=now))
