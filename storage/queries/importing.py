"""Imported rows: first beside the tables, where they hold nobody up, then into them in one short transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert, upsert
from storage.queries.conversations import REVISION
from storage.tables import (
    answers,
    appointments,
    consents,
    departments,
    doctors,
    facts,
    gifts,
    patient_tags,
    patients,
    points_entries,
    procedures,
    purchases,
    refunds,
    report_items,
    reports,
    slots,
    visits,
)
from storage.types import UtcDateTime


def _incoming(table: sa.Table, *columns: str) -> sa.Table:
    """A temporary table for rows on their way into `table`; no index, no reference, gone with the connection."""
    return sa.Table(
        f"incoming_{table.name}",
        sa.MetaData(),
        *(sa.Column(name, table.c[name].type) for name in columns or table.c.keys()),
        prefixes=["TEMPORARY"],
    )


TABLES: Mapping[str, sa.Table] = {
    "hospital": facts,
    "departments": departments,
    "doctors": doctors,
    "slots": slots,
    "patients": patients,
    "visits": visits,
    "procedures": procedures,
    "reports": reports,
    "report_items": report_items,
    "points": points_entries,
    "tags": patient_tags,
    "gifts": gifts,
    "answers": answers,
}
INCOMING: Mapping[str, sa.Table] = {
    name: _incoming(table) for name, table in TABLES.items() if name not in ("reports", "points", "tags")
} | {
    "reports": _incoming(reports, "code", "patient_code", "kind", "title", "status", "issued_at"),
    "tags": _incoming(patient_tags, "patient_code", "tag"),
    "points": sa.Table(
        "incoming_points",
        sa.MetaData(),
        sa.Column("code", sa.Text),
        sa.Column("patient_code", sa.Text),
        sa.Column("at", UtcDateTime),
        sa.Column("change", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("amount_cents", sa.BigInteger),  # of a purchase; else nothing
        prefixes=["TEMPORARY"],
    ),
}
KNOWN_AT_ONCE = 500  # keys in one question; SQLite takes 32,766 parameters


def open_desk(connection: sa.Connection) -> None:
    """Make room for incoming rows."""
    for table in INCOMING.values():
        table.create(connection)


def put_down(connection: sa.Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Lay rows of one file beside its table."""
    if rows:
        connection.execute(INCOMING[name].insert(), list(rows))


def known(connection: sa.Connection, name: str, keys: Sequence[str]) -> set[str]:
    """Which of these keys the table of that file has."""
    code = TABLES[name].c.code
    found: set[str] = set()
    for start in range(0, len(keys), KNOWN_AT_ONCE):
        part = keys[start : start + KNOWN_AT_ONCE]
        found.update(connection.execute(sa.select(code).where(code.in_(part))).scalars())
    return found


def set_revision(connection: sa.Connection, revision: str) -> None:
    """Tell running servers to read the hospital again. On SQLite this takes the writer's place."""
    upsert(connection, facts, [{"key": REVISION, "value": revision}], keys=("key",))


def take_in(connection: sa.Connection, name: str, now: datetime) -> None:
    """Bring a file's rows into its table: new keys are added, known ones updated."""
    if name == "points":
        _take_in_points(connection, now)
    elif name == "tags":
        _take_in_tags(connection, now)
    else:
        _merge(connection, name)
        if name == "patients":
            _note_consents(connection, now)
        elif name == "slots":
            _move_appointments(connection)


def _merge(connection: sa.Connection, name: str) -> None:
    incoming, table = INCOMING[name], TABLES[name]
    keys = [column.name for column in table.primary_key]
    statement = insert(connection, table).from_select(
        list(incoming.c.keys()),
        # SQLite needs a WHERE here, or it reads ON CONFLICT as the condition of a join.
        sa.select(incoming).where(sa.true()),
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=keys,
            set_={column: statement.excluded[column] for column in incoming.c.keys() if column not in keys},  # noqa: SIM118
        )
    )


def _note_consents(connection: sa.Connection, now: datetime) -> None:
    """Write down what the file newly says about marketing.

    Held against what a file said last, so that a patient's own 'no' stands until the hospital's answer
    changes, and not until the next night's import.
    """
    incoming = INCOMING["patients"]
    said = consents.alias("said")
    last = (
        sa.select(said.c.granted)
        .where(
            said.c.patient_code == incoming.c.code, said.c.purpose == "marketing", said.c.actor == "import"
        )
        .order_by(said.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    changed = (
        sa.select(
            incoming.c.code,
            sa.literal("marketing"),
            incoming.c.marketing_consent,
            sa.literal(now, UtcDateTime),
            sa.literal("import"),
        )
        .where(incoming.c.marketing_consent != sa.func.coalesce(last, sa.false()))
        .order_by(incoming.c.code)
    )
    columns = ["patient_code", "purpose", "granted", "at", "actor"]
    connection.execute(consents.insert().from_select(columns, changed))


def _move_appointments(connection: sa.Connection) -> None:
    """An appointment begins when its slot does."""
    incoming = INCOMING["slots"]
    start = (
        sa.select(incoming.c.start_at).where(incoming.c.code == appointments.c.slot_code).scalar_subquery()
    )
    connection.execute(
        appointments.update()
        .where(
            appointments.c.slot_code.in_(sa.select(incoming.c.code)),
            appointments.c.status.in_(("booked", "waiting", "held")),
            appointments.c.start_at != start,
        )
        .values(start_at=start)
    )


def _take_in_tags(connection: sa.Connection, now: datetime) -> None:
    """A tag that somebody else gave stays theirs; one that had ended is there again."""
    incoming = INCOMING["tags"]
    statement = insert(connection, patient_tags).from_select(
        ["patient_code", "tag", "since"],
        sa.select(incoming.c.patient_code, incoming.c.tag, sa.literal(now, UtcDateTime)).where(sa.true()),
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["patient_code", "tag"], set_={"until": None})
    )


def _take_in_points(connection: sa.Connection, now: datetime) -> None:
    """Lines and purchases of new codes are added.

    A line whose change was corrected gets the difference as a line of its own, for a ledger is not
    rewritten. Codes of purchases and refunds are settled for good.
    """
    incoming = INCOMING["points"]
    correction = points_entries.alias("correction")
    corrected = (
        sa.select(sa.func.coalesce(sa.func.sum(correction.c.change), 0))
        .where(correction.c.reason == sa.literal("更正 ") + incoming.c.code)
        .where(correction.c.patient_code == incoming.c.patient_code)
        .scalar_subquery()
    )
    difference = incoming.c.change - points_entries.c.change - corrected
    connection.execute(
        points_entries.insert().from_select(
            ["patient_code", "at", "change", "reason"],
            sa.select(
                incoming.c.patient_code,
                sa.literal(now, UtcDateTime),
                difference,
                sa.literal("更正 ") + incoming.c.code,
            )
            .join(points_entries, points_entries.c.code == incoming.c.code)
            .where(
                incoming.c.amount_cents.is_(None),
                points_entries.c.patient_code == incoming.c.patient_code,
                ~sa.exists().where(purchases.c.code == incoming.c.code),
                ~sa.exists().where(refunds.c.code == incoming.c.code),
                difference != 0,
            )
            .order_by(incoming.c.at, incoming.c.code),
        )
    )
    new = ~sa.exists().where(points_entries.c.code == incoming.c.code)
    connection.execute(
        insert(connection, purchases)
        .from_select(
            ["code", "patient_code", "amount_cents", "at", "earned"],
            sa.select(
                incoming.c.code,
                incoming.c.patient_code,
                incoming.c.amount_cents,
                incoming.c.at,
                incoming.c.change,
            ).where(incoming.c.amount_cents.is_not(None), new),
        )
        .on_conflict_do_nothing(index_elements=["code"])
    )
    lines = ["code", "patient_code", "at", "change", "reason"]
    connection.execute(
        insert(connection, points_entries)
        .from_select(
            lines,
            sa.select(*(incoming.c[name] for name in lines))
            .where(sa.true())
            .order_by(incoming.c.at, incoming.c.code),
        )
        .on_conflict_do_nothing(index_elements=["code"])
    )


def who_owes(connection: sa.Connection) -> Sequence[str]:
    """Patients of the points file whose refunds claim points that were not there."""
    incoming = INCOMING["points"]
    return (
        connection.execute(
            sa.select(purchases.c.patient_code)
            .join(refunds, refunds.c.purchase_code == purchases.c.code)
            .where(refunds.c.recovered < refunds.c.taken_back)
            .where(purchases.c.patient_code.in_(sa.select(incoming.c.patient_code)))
            .distinct()
            .order_by(purchases.c.patient_code)
        )
        .scalars()
        .all()
    )
