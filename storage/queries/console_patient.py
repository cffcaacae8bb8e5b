"""Everything a patient's page shows, and finding patients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.queries.console_scope import patient_scope
from storage.rows import Rows
from storage.tables import (
    alerts,
    appointments,
    audit,
    bindings,
    consents,
    contacts,
    departments,
    doctors,
    letters,
    patient_tags,
    patients,
    plan_decisions,
    plan_instances,
    points_entries,
    procedures,
    tasks,
    tickets,
    touches,
    visits,
)


def find(
    connection: sa.Connection, words: str, phone_index: str, in_departments: Sequence[str], limit: int = 50
) -> Rows:
    """Patients by code, by the beginning of their name, or by their whole telephone number."""
    columns = [patients.c[name] for name in ("code", "name", "sex", "birth_date", "vip_level", "deceased_on")]
    found = sa.select(*columns)
    if words:
        matches = [patients.c.code == words, patients.c.name.startswith(words, autoescape=True)]
        if phone_index:
            matches.append(patients.c.phone_index == phone_index)
        found = found.where(sa.or_(*matches))
    if in_departments:
        found = found.where(patient_scope(in_departments))
    return connection.execute(found.order_by(patients.c.code).limit(limit)).all()


def by_phone(connection: sa.Connection, phone_index: str, in_departments: Sequence[str]) -> Rows:
    """Everybody with this telephone number."""
    found = sa.select(patients).where(patients.c.phone_index == phone_index)
    if in_departments:
        found = found.where(patient_scope(in_departments))
    return connection.execute(found.order_by(patients.c.code).limit(20)).all()


def tags(connection: sa.Connection, code: str) -> Rows:
    """With producer and validity."""
    return connection.execute(
        sa.select(patient_tags).where(patient_tags.c.patient_code == code).order_by(patient_tags.c.tag)
    ).all()


def spokespeople(connection: sa.Connection, code: str) -> Rows:
    """Which users speak, or spoke, for the patient."""
    return connection.execute(
        sa.select(bindings, contacts.c.account, contacts.c.followed)
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(bindings.c.patient_code == code)
        .order_by(bindings.c.ended_at.nulls_first(), bindings.c.id)
    ).all()


def visits_of(connection: sa.Connection, code: str) -> Rows:
    """Visits, the newest first."""
    return connection.execute(
        sa.select(visits, departments.c.name.label("department"), doctors.c.name.label("doctor"))
        .outerjoin(departments, departments.c.code == visits.c.department_code)
        .outerjoin(doctors, doctors.c.code == visits.c.doctor_code)
        .where(visits.c.patient_code == code)
        .order_by(visits.c.date.desc())
        .limit(30)
    ).all()


def procedures_of(connection: sa.Connection, code: str) -> Rows:
    """Operations and treatments, the newest first."""
    return connection.execute(
        sa.select(procedures, departments.c.name.label("department"))
        .outerjoin(departments, departments.c.code == procedures.c.department_code)
        .where(procedures.c.patient_code == code)
        .order_by(procedures.c.date.desc())
        .limit(20)
    ).all()


def appointments_of(connection: sa.Connection, code: str) -> Rows:
    """Appointments, the latest first."""
    return connection.execute(
        sa.select(appointments, departments.c.name.label("department"), doctors.c.name.label("doctor"))
        .join(departments, departments.c.code == appointments.c.department_code)
        .join(doctors, doctors.c.code == appointments.c.doctor_code)
        .where(appointments.c.patient_code == code)
        .order_by(appointments.c.start_at.desc())
        .limit(20)
    ).all()


def points_of(connection: sa.Connection, code: str) -> Rows:
    """The ledger, the newest first."""
    return connection.execute(
        sa.select(points_entries)
        .where(points_entries.c.patient_code == code)
        .order_by(points_entries.c.at.desc(), points_entries.c.id.desc())
        .limit(15)
    ).all()


def balance(connection: sa.Connection, code: str) -> int:
    """The ledger's sum."""
    total = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(points_entries.c.change), 0)).where(
            points_entries.c.patient_code == code
        )
    ).scalar_one()
    return int(total)


def consents_of(connection: sa.Connection, code: str) -> Rows:
    """What was agreed to or withdrawn, the newest first; by the patient or by who speaks for them."""
    speaks = sa.select(bindings.c.contact_id).where(bindings.c.patient_code == code)
    return connection.execute(
        sa.select(consents)
        .where(sa.or_(consents.c.patient_code == code, consents.c.contact_id.in_(speaks)))
        .order_by(consents.c.id.desc())
        .limit(20)
    ).all()


def letters_of(connection: sa.Connection, code: str) -> Rows:
    """Letters about the patient, the newest first, whatever became of them."""
    return connection.execute(
        sa.select(letters).where(letters.c.patient_code == code).order_by(letters.c.id.desc()).limit(40)
    ).all()


def planned(connection: sa.Connection, code: str) -> Rows:
    """What plans will send next."""
    return connection.execute(
        sa.select(touches, plan_instances.c.plan)
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .where(touches.c.patient_code == code, touches.c.state.in_(("planned", "asked")))
        .order_by(touches.c.due_at)
        .limit(20)
    ).all()


def alerts_of(connection: sa.Connection, code: str) -> Rows:
    """Alarms about the patient."""
    return connection.execute(
        sa.select(alerts).where(alerts.c.patient_code == code).order_by(alerts.c.id.desc()).limit(20)
    ).all()


def tasks_of(connection: sa.Connection, code: str) -> Rows:
    """What had to be done."""
    return connection.execute(
        sa.select(tasks).where(tasks.c.patient_code == code).order_by(tasks.c.id.desc()).limit(20)
    ).all()


def tickets_of(connection: sa.Connection, code: str) -> Rows:
    """Complaints and praise."""
    return connection.execute(
        sa.select(tickets).where(tickets.c.patient_code == code).order_by(tickets.c.id.desc()).limit(20)
    ).all()


def cancel_touch(connection: sa.Connection, code: str, touch: int, by: str, now: datetime) -> bool:
    """What is planned is not sent, and the plan's ledger says who stopped it; False: it is not planned any more."""
    done = connection.execute(
        touches.update()
        .where(touches.c.id == touch, touches.c.patient_code == code, touches.c.state == "planned")
        .values(state="cancelled", reason="staff")
        .returning(touches.c.instance_id)
    ).scalar()
    if done is None:
        return False
    connection.execute(
        plan_decisions.insert().values(
            instance_id=done, touch_id=touch, at=now, decision="cancelled", reason=f"staff {by}"
        )
    )
    return True


def move_touch(
    connection: sa.Connection, code: str, touch: int, at: datetime, by: str, now: datetime
) -> bool:
    """What is planned is sent at another hour and stays useful as long; False: it is not planned any more."""
    row = connection.execute(
        sa.select(touches.c.instance_id, touches.c.due_at, touches.c.useful_until).where(
            touches.c.id == touch, touches.c.patient_code == code, touches.c.state == "planned"
        )
    ).first()
    if row is None:
        return False
    useful = max(row.useful_until, at + (row.useful_until - row.due_at))
    connection.execute(touches.update().where(touches.c.id == touch).values(due_at=at, useful_until=useful))
    connection.execute(
        plan_decisions.insert().values(
            instance_id=row.instance_id, touch_id=touch, at=now, decision="rescheduled", reason=f"staff {by}"
        )
    )
    return True


def waiting_letters(connection: sa.Connection, code: str, now: datetime) -> Rows:
    """Letters about the patient that are not due yet."""
    return connection.execute(
        sa.select(letters)
        .where(letters.c.patient_code == code, letters.c.state == "queued", letters.c.not_before > now)
        .order_by(letters.c.not_before)
        .limit(20)
    ).all()


def stop_letter(connection: sa.Connection, code: str, letter: int) -> bool:
    """It does not go; False: it has gone, or goes now."""
    done = connection.execute(
        letters.update()
        .where(
            letters.c.id == letter,
            letters.c.patient_code == code,
            letters.c.state == "queued",
            letters.c.claimed_until.is_(None),
        )
        .values(state="suppressed", reason="staff")
    )
    return done.rowcount > 0


def family(connection: sa.Connection, code: str) -> Rows:
    """Whoever is linked to the same users: code, name, sex, birth_date, relation to the user, contact_id."""
    same = sa.select(bindings.c.contact_id).where(
        bindings.c.patient_code == code, bindings.c.ended_at.is_(None)
    )
    return connection.execute(
        sa.select(
            patients.c.code,
            patients.c.name,
            patients.c.sex,
            patients.c.birth_date,
            patients.c.vip_level,
            patients.c.deceased_on,
            bindings.c.relation,
            bindings.c.contact_id,
        )
        .join(patients, patients.c.code == bindings.c.patient_code)
        .where(
            bindings.c.contact_id.in_(same), bindings.c.ended_at.is_(None), bindings.c.patient_code != code
        )
        .order_by(patients.c.code)
        .limit(12)
    ).all()


def recently_read(connection: sa.Connection, name: str, since: datetime, limit: int = 12) -> list[str]:
    """Codes of the patients a colleague opened lately, the latest first."""
    rows = connection.execute(
        sa.select(audit.c.object, sa.func.max(audit.c.id).label("last"))
        .where(audit.c.actor == name, audit.c.action == "read", audit.c.at > since)
        .where(audit.c.object.startswith("patient:"))
        .group_by(audit.c.object)
        .order_by(sa.desc("last"))
        .limit(limit)
    )
    return [row.object.removeprefix("patient:") for row in rows]
