"""Who has proven to be whom: one-time codes, failures and locks, and who speaks for a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_name
from storage.rows import Row, Rows
from storage.tables import bindings, contacts, identity_failures, one_time_codes, patients

_proof = sa.select(
    patients.c.code,
    patients.c.name,
    patients.c.birth_date,
    patients.c.id_number,
    patients.c.phone,
    patients.c.phone_index,
    patients.c.language,
    patients.c.deceased_on,
)

# Patients


def patient(connection: sa.Connection, code: str) -> Row | None:
    """What proves to be this patient."""
    return connection.execute(_proof.where(patients.c.code == code)).first()


def patients_with_phone(connection: sa.Connection, phone_index: str) -> Rows:
    """Everybody who has this telephone number, the dead too."""
    return connection.execute(
        _proof.where(patients.c.phone_index == phone_index).order_by(patients.c.code)
    ).all()


def hold_phone(connection: sa.Connection, phone_index: str) -> None:
    """Nobody else asks for a code to this phone, or fails to prove it, until this transaction ends."""
    lock_name(connection, f"phone {phone_index}")


def id_numbers(connection: sa.Connection, codes: Sequence[str]) -> Mapping[str, str]:
    """The ID numbers of these patients, by code; empty where there is none."""
    rows = connection.execute(
        sa.select(patients.c.code, patients.c.id_number).where(patients.c.code.in_(list(codes)))
    )
    return {row.code: row.id_number or "" for row in rows}


# One-time codes


def add_code(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A code was made; its number."""
    number: int = connection.execute(
        one_time_codes.insert().values(**values).returning(one_time_codes.c.id)
    ).scalar_one()
    return number


def newest_code(connection: sa.Connection, contact_id: int, phone_index: str) -> Row | None:
    """The last code this user had sent to this phone, used or not."""
    return connection.execute(
        sa.select(one_time_codes)
        .where(one_time_codes.c.contact_id == contact_id, one_time_codes.c.phone_index == phone_index)
        .order_by(one_time_codes.c.id.desc())
        .limit(1)
    ).first()


def use_code(connection: sa.Connection, code_id: int, now: datetime) -> bool:
    """Use a code up; False when that was done before."""
    used = connection.execute(
        one_time_codes.update()
        .where(one_time_codes.c.id == code_id, one_time_codes.c.used_at.is_(None))
        .values(used_at=now)
    )
    return used.rowcount == 1


def codes_to_phone(connection: sa.Connection, phone_index: str, since: datetime) -> Sequence[datetime]:
    """When codes were sent to this phone after `since`, by anybody; newest first."""
    return connection.scalars(
        sa.select(one_time_codes.c.created_at)
        .where(one_time_codes.c.phone_index == phone_index, one_time_codes.c.created_at > since)
        .order_by(one_time_codes.c.created_at.desc())
    ).all()


def codes_by_contact(connection: sa.Connection, contact_id: int, since: datetime) -> int:
    """How many codes this user had sent after `since`, to any phone."""
    return connection.execute(
        sa.select(sa.func.count())
        .select_from(one_time_codes)
        .where(one_time_codes.c.contact_id == contact_id, one_time_codes.c.created_at > since)
    ).scalar_one()


# Failures and locks


def add_failure(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A wrong code or name, or the lock that followed; its number."""
    number: int = connection.execute(
        identity_failures.insert().values(**values).returning(identity_failures.c.id)
    ).scalar_one()
    return number


def failures(
    connection: sa.Connection, kind: str, *, contact_id: int, subject: str, since: datetime
) -> tuple[int, int]:
    """How many of that kind there were after `since`: by this user, and about this phone."""

    def count(condition: sa.ColumnElement[bool]) -> int:
        return connection.execute(
            sa.select(sa.func.count())
            .select_from(identity_failures)
            .where(condition, identity_failures.c.kind == kind, identity_failures.c.at > since)
        ).scalar_one()

    return count(identity_failures.c.contact_id == contact_id), count(identity_failures.c.subject == subject)


_locks = (
    sa.select(identity_failures.c.at)
    .where(identity_failures.c.kind == "lock", identity_failures.c.at > sa.bindparam("since"))
    .order_by(identity_failures.c.at.desc())
    .limit(1)
)
_this_user = identity_failures.c.contact_id == sa.bindparam("contact_id")
_locked_user = _locks.where(_this_user)
_locked_either = _locks.where(sa.or_(_this_user, identity_failures.c.subject == sa.bindparam("subject")))


def locked_since(
    connection: sa.Connection, *, contact_id: int, subject: str, since: datetime
) -> datetime | None:
    """When this user or this phone was last locked, if that was after `since`."""
    statement = _locked_either if subject else _locked_user
    moment: datetime | None = connection.scalars(
        statement, {"contact_id": contact_id, "subject": subject, "since": since}
    ).first()
    return moment


# Bindings


def binding_of(connection: sa.Connection, contact_id: int, patient_code: str) -> Row | None:
    """The living binding of this user to this patient, expired or not."""
    return connection.execute(
        sa.select(bindings)
        .where(
            bindings.c.contact_id == contact_id,
            bindings.c.patient_code == patient_code,
            bindings.c.ended_at.is_(None),
        )
        .order_by(bindings.c.id)
        .limit(1)
    ).first()


def add_binding(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A user may speak for a patient; the binding's number."""
    number: int = connection.execute(bindings.insert().values(**values).returning(bindings.c.id)).scalar_one()
    return number


def change_binding(connection: sa.Connection, binding_id: int, **values: Any) -> None:
    """A binding was proven again, raised, or ended."""
    connection.execute(bindings.update().where(bindings.c.id == binding_id).values(**values))


def bindings_of_contacts(
    connection: sa.Connection, contact_ids: Sequence[int], patient_code: str | None = None
) -> Rows:
    """The living bindings of these users; of one patient, if one is named."""
    query = sa.select(bindings).where(
        bindings.c.contact_id.in_(list(contact_ids)), bindings.c.ended_at.is_(None)
    )
    if patient_code is not None:
        query = query.where(bindings.c.patient_code == patient_code)
    return connection.execute(query.order_by(bindings.c.id)).all()


def spoken_for_by(connection: sa.Connection, patient_code: str) -> Rows:
    """Everybody whose living binding speaks for this patient, with the name they are known by, if any."""
    own = bindings.alias("own")
    name = (
        sa.select(patients.c.name)
        .join(own, own.c.patient_code == patients.c.code)
        .where(own.c.contact_id == bindings.c.contact_id, own.c.relation == "self", own.c.ended_at.is_(None))
        .order_by(own.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return connection.execute(
        sa.select(bindings, contacts.c.unionid, contacts.c.language, name.label("known_as"))
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(bindings.c.patient_code == patient_code, bindings.c.ended_at.is_(None))
        .order_by(bindings.c.id)
    ).all()


def contacts_called(connection: sa.Connection, openid: str, account: str | None = None) -> Rows:
    """The users with this openid, on every account or one."""
    query = sa.select(contacts).where(contacts.c.openid == openid)
    if account is not None:
        query = query.where(contacts.c.account == account)
    return connection.execute(query.order_by(contacts.c.id)).all()
