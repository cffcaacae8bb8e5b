"""Our tags on a platform: which users should wear which, and which do as far as we told it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert, upsert
from storage.rows import Rows
from storage.tables import bindings, contacts, patient_tags, platform_taggings, platform_tags


def _worn(account: str, now: datetime) -> sa.Select[Any]:
    """contact_id, name: what the patients of an account's users are tagged with."""
    return (
        sa.select(contacts.c.id.label("contact_id"), patient_tags.c.tag.label("name"))
        .distinct()
        .join(bindings, bindings.c.contact_id == contacts.c.id)
        .join(patient_tags, patient_tags.c.patient_code == bindings.c.patient_code)
        .where(
            contacts.c.account == account,
            contacts.c.followed,
            bindings.c.relation == "self",
            bindings.c.ended_at.is_(None),
            sa.or_(patient_tags.c.until.is_(None), patient_tags.c.until > now),
        )
    )


def most_worn(connection: sa.Connection, account: str, now: datetime) -> Sequence[str]:
    """Every tag that a user of the account should wear, those with the most wearers first."""
    worn = _worn(account, now).subquery()
    size = sa.func.count()
    return (
        connection.execute(sa.select(worn.c.name).group_by(worn.c.name).order_by(size.desc(), worn.c.name))
        .scalars()
        .all()
    )


def missing(
    connection: sa.Connection, account: str, names: Sequence[str], now: datetime, a_user: int, most: int
) -> Rows:
    """Some users who should wear one of the tags, and do not: contact_id, openid, name; all of the same tag.

    Who wears *a_user* tags already gets no more.
    """
    worn = _worn(account, now).subquery()
    told = platform_taggings.alias("told")
    full = sa.select(told.c.contact_id).group_by(told.c.contact_id).having(sa.func.count() >= a_user)
    found = (
        sa.select(worn.c.contact_id, contacts.c.openid, worn.c.name)
        .join(contacts, contacts.c.id == worn.c.contact_id)
        .outerjoin(
            platform_taggings,
            sa.and_(
                platform_taggings.c.contact_id == worn.c.contact_id, platform_taggings.c.name == worn.c.name
            ),
        )
        .where(
            platform_taggings.c.name.is_(None),
            worn.c.name.in_(list(names)),
            worn.c.contact_id.not_in(full),
        )
        .order_by(worn.c.name, worn.c.contact_id)
        .limit(most)
    )
    return _of_first_tag(connection.execute(found).all())


def surplus(connection: sa.Connection, account: str, names: Sequence[str], now: datetime, most: int) -> Rows:
    """Some users who wear a tag that they should not (any more): contact_id, openid, name; all of the same tag."""
    worn = _worn(account, now).subquery()
    found = (
        sa.select(platform_taggings.c.contact_id, contacts.c.openid, platform_taggings.c.name)
        .join(contacts, contacts.c.id == platform_taggings.c.contact_id)
        .outerjoin(
            worn,
            sa.and_(
                worn.c.contact_id == platform_taggings.c.contact_id, worn.c.name == platform_taggings.c.name
            ),
        )
        .where(
            contacts.c.account == account,
            contacts.c.followed,  # who left lost the tags with it
            sa.or_(worn.c.name.is_(None), platform_taggings.c.name.not_in(list(names))),
        )
        .order_by(platform_taggings.c.name, platform_taggings.c.contact_id)
        .limit(most)
    )
    return _of_first_tag(connection.execute(found).all())


def _of_first_tag(rows: Rows) -> Rows:
    return [row for row in rows if row.name == rows[0].name]


def number_of(connection: sa.Connection, account: str, name: str) -> int | None:
    """The platform's number of a tag; None: not asked for yet."""
    number: int | None = connection.execute(
        sa.select(platform_tags.c.number).where(
            platform_tags.c.account == account, platform_tags.c.name == name
        )
    ).scalar()
    return number


def keep_number(connection: sa.Connection, account: str, name: str, number: int) -> None:
    """The platform said it."""
    upsert(
        connection, platform_tags, [{"account": account, "name": name, "number": number}], ["account", "name"]
    )


def forget(connection: sa.Connection, account: str, name: str) -> None:
    """The tag is not there any more: whoever wore it does not."""
    here = sa.select(contacts.c.id).where(contacts.c.account == account)
    connection.execute(
        platform_tags.delete().where(platform_tags.c.account == account, platform_tags.c.name == name)
    )
    connection.execute(
        platform_taggings.delete().where(
            platform_taggings.c.name == name, platform_taggings.c.contact_id.in_(here)
        )
    )


def put_on(connection: sa.Connection, name: str, contact_ids: Sequence[int]) -> None:
    """These users wear it now."""
    rows = [{"contact_id": number, "name": name} for number in contact_ids]
    connection.execute(insert(connection, platform_taggings).on_conflict_do_nothing(), rows)


def take_off(connection: sa.Connection, name: str, contact_ids: Sequence[int]) -> None:
    """These users do not wear it any more."""
    connection.execute(
        platform_taggings.delete().where(
            platform_taggings.c.name == name, platform_taggings.c.contact_id.in_(list(contact_ids))
        )
    )
