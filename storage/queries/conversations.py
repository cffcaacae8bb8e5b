"""Where each conversation is, and what was said in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert, insert_new, lock_row
from storage.rows import Row, Rows
from storage.tables import bindings, contacts, conversations, facts, messages, patients

REVISION = "_revision"  # of the imported hospital, kept among its facts

_thread = (
    sa.select(
        contacts,
        conversations.c.owner,
        conversations.c.nurse,
        conversations.c.forms,
        conversations.c.spoke_at,
        conversations.c.waiting_since,
        conversations.c.queue_notice_at,
        sa.select(facts.c.value).where(facts.c.key == REVISION).scalar_subquery().label("revision"),
        sa.select(bindings.c.id)
        .where(bindings.c.contact_id == contacts.c.id, bindings.c.ended_at.is_(None))
        .exists()
        .label("bound"),
    )
    .join(conversations, conversations.c.contact_id == contacts.c.id)
    .where(contacts.c.account == sa.bindparam("account"), contacts.c.openid == sa.bindparam("openid"))
)
_locked_thread = _thread.with_for_update(of=conversations)


def thread(connection: sa.Connection, account: str, openid: str) -> Row | None:
    """The contact and the state of its conversation; nobody else moves it until this transaction ends."""
    return connection.execute(_locked_thread, {"account": account, "openid": openid}).first()


def open_thread(
    connection: sa.Connection,
    account: str,
    openid: str,
    now: datetime,
    *,
    unionid: str = "",
    source: str = "",
) -> Row:
    """The same for somebody who may never have written before."""
    contact_id = insert_new(
        connection,
        contacts,
        {
            "account": account,
            "openid": openid,
            "created_at": now,
            "unionid": unionid or None,
            "source": source,
        },
        unique=("account", "openid"),
    )
    if contact_id is not None:
        connection.execute(insert(connection, conversations).values(contact_id=contact_id))
    row = thread(connection, account, openid)
    assert row is not None
    return row


def keep_inbound(connection: sa.Connection, values: Mapping[str, Any]) -> int | None:
    """Write down what came in; its number, or None when it is here already."""
    return insert_new(connection, messages, {**values, "dir": "in"}, unique=("account", "key"))


_new_message = messages.insert()


def keep_outbound(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Write down what went out."""
    connection.execute(_new_message, {**values, "dir": "out"})


_earlier_reply = sa.select(messages.c.payload).where(
    messages.c.account == sa.bindparam("account"), messages.c.key == sa.bindparam("key")
)


def earlier_reply(connection: sa.Connection, account: str, key: str) -> Any:
    """What was answered to that message the first time; None for nothing."""
    return connection.execute(_earlier_reply, {"account": account, "key": f"re:{key}"}).scalar()


_bindings = (
    sa.select(
        bindings,
        patients.c.name,
        patients.c.sex,
        patients.c.birth_date,
        patients.c.language,
        patients.c.vip_level,
        patients.c.deceased_on,
    )
    .join(patients, patients.c.code == bindings.c.patient_code)
    .where(bindings.c.ended_at.is_(None))
    .order_by(bindings.c.id)
)
_of_contact = _bindings.where(bindings.c.contact_id == sa.bindparam("contact_id"))
_of_unionid = _bindings.where(
    bindings.c.contact_id.in_(sa.select(contacts.c.id).where(contacts.c.unionid == sa.bindparam("unionid")))
)


def speaks_for(connection: sa.Connection, contact_id: int, unionid: str | None) -> Rows:
    """Whom this user speaks for, here or through another account of the same person; oldest first."""
    if unionid:
        return connection.execute(_of_unionid, {"unionid": unionid}).all()
    return connection.execute(_of_contact, {"contact_id": contact_id}).all()


def open_forms(connection: sa.Connection, contact_id: int) -> Any:
    """The open forms of a user's conversation; nobody else moves it until this transaction ends."""
    row = lock_row(
        connection, sa.select(conversations.c.forms).where(conversations.c.contact_id == contact_id)
    )
    return row.forms if row is not None else None


_move = conversations.update().where(conversations.c.contact_id == sa.bindparam("of_contact"))
_change_contact = contacts.update().where(contacts.c.id == sa.bindparam("of_contact"))


def move(connection: sa.Connection, contact_id: int, **state: Any) -> None:
    """Put the conversation where the turn left it."""
    connection.execute(_move, {"of_contact": contact_id, **state})


def change_contact(connection: sa.Connection, contact_id: int, **values: Any) -> None:
    """What we know of the user changed: followed, language, last notice, …"""
    connection.execute(_change_contact, {"of_contact": contact_id, **values})


def language_of(connection: sa.Connection, contact_id: int) -> str | None:
    """The language a user last read."""
    language: str | None = connection.execute(
        sa.select(contacts.c.language).where(contacts.c.id == contact_id)
    ).scalar()
    return language


def last_sent_text(connection: sa.Connection, contact_id: int) -> str:
    """The last text this user got from us; empty: none."""
    return (
        connection.scalars(
            sa.select(messages.c.text)
            .where(messages.c.contact_id == contact_id, messages.c.dir == "out")
            .order_by(messages.c.id.desc())
            .limit(1)
        ).first()
        or ""
    )


def without_unionid(connection: sa.Connection, accounts: str, limit: int) -> Rows:
    """Users of an account (or, with %, of several) whose unionid was never asked for."""
    return connection.execute(
        sa.select(contacts.c.id, contacts.c.openid)
        .where(contacts.c.account.like(accounts), contacts.c.unionid.is_(None))
        .order_by(contacts.c.id)
        .limit(limit)
    ).all()


def keep_unionids(connection: sa.Connection, unionids: Mapping[int, str]) -> None:
    """What the platform said; empty: it knows of none."""
    statement = contacts.update().where(contacts.c.id == sa.bindparam("of_contact"))
    rows = [{"of_contact": number, "unionid": unionid} for number, unionid in unionids.items()]
    connection.execute(statement, rows)


_texts_since = (
    sa.select(messages.c.text)
    .where(
        messages.c.contact_id == sa.bindparam("contact_id"),
        messages.c.at >= sa.bindparam("since"),
        messages.c.id != sa.bindparam("but"),
        messages.c.dir == "in",
        messages.c.type == "text",
    )
    .order_by(messages.c.id.desc())
    .limit(4)
)


def texts_since(connection: sa.Connection, contact_id: int, since: datetime, but: int) -> list[str]:
    """What a user wrote from a moment on, without one message, oldest first; the last four at most."""
    rows = connection.scalars(_texts_since, {"contact_id": contact_id, "since": since, "but": but}).all()
    return [text or "" for text in reversed(rows)]
