"""Where each conversation is, and what was said in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from storage.dialect import insert_all_new, lock_row
from storage.rows import Row, Rows
from storage.tables import bindings, contacts, conversations, facts, messages, patients

REVISION = "_revision"  # of the imported hospital, kept among its facts
Name: TypeAlias = tuple[str, str]  # account, openid

IN_HAND = "contacts whose conversations this transaction holds in memory"
_new_conversation = conversations.insert()

_threads = (
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
    .where(sa.tuple_(contacts.c.account, contacts.c.openid).in_(sa.bindparam("names", expanding=True)))
    .order_by(contacts.c.id)  # everybody locks in this order
    .with_for_update(of=conversations)
)


def threads(connection: sa.Connection, names: Sequence[Name]) -> dict[Name, Row]:
    """Contacts and the state of their conversations; nobody else moves them until this transaction ends."""
    rows = connection.execute(_threads, {"names": list(names)})
    return {(row.account, row.openid): row for row in rows}


def thread(connection: sa.Connection, account: str, openid: str) -> Row | None:
    """One of them; None for somebody who never wrote."""
    return threads(connection, [(account, openid)]).get((account, openid))


def open_threads(connection: sa.Connection, newcomers: Sequence[Mapping[str, Any]]) -> dict[Name, Row]:
    """The same for users who may never have written before: account, openid, created_at, unionid, source."""
    in_order = sorted(newcomers, key=lambda one: (one["account"], one["openid"]))
    new = insert_all_new(connection, contacts, in_order, unique=("account", "openid"))
    if new:
        connection.execute(_new_conversation, [{"contact_id": number} for number in new.values()])
    return threads(connection, [(one["account"], one["openid"]) for one in in_order])


def open_thread(
    connection: sa.Connection,
    account: str,
    openid: str,
    now: datetime,
    *,
    unionid: str = "",
    source: str = "",
) -> Row:
    """The same for one user."""
    newcomer = {
        "account": account,
        "openid": openid,
        "created_at": now,
        "unionid": unionid or None,
        "source": source,
    }
    return open_threads(connection, [newcomer])[account, openid]


def keep_inbound(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """Write down what came in; the numbers of what was not here already, by account and key."""
    values = [{**row, "dir": "in"} for row in rows]
    return insert_all_new(connection, messages, values, unique=("account", "key"))


_new_message = messages.insert()


def keep_outbound(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what went out."""
    if rows:
        connection.execute(_new_message, [{**row, "dir": "out"} for row in rows])


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
_reader = contacts.alias("reader")
_same = contacts.alias("same")
_speaking_for = (
    _bindings.add_columns(_reader.c.id.label("reader_id"))
    .join(_same, _same.c.id == bindings.c.contact_id)
    .join(
        _reader,
        sa.or_(
            _reader.c.id == _same.c.id,
            sa.and_(_reader.c.unionid == _same.c.unionid, _reader.c.unionid != ""),  # "" is everybody's
        ),
    )
    .where(_reader.c.id.in_(sa.bindparam("ids", expanding=True)))
)


def speaks_for(connection: sa.Connection, contact_ids: Sequence[int]) -> Rows:
    """Whom each of these users speaks for, here or through another account of the same person; oldest first."""
    return connection.execute(_speaking_for, {"ids": list(contact_ids)}).all()


class Crossed(Exception):
    """What one of several messages does concerns the conversation of another one."""


@contextmanager
def in_hand(connection: sa.Connection, contact_ids: Collection[int]) -> Iterator[None]:
    """Meanwhile these conversations are in memory, and must not be changed behind our back."""
    connection.info[IN_HAND] = frozenset(contact_ids)
    try:
        yield
    finally:
        del connection.info[IN_HAND]


def open_forms(connection: sa.Connection, contact_id: int) -> Any:
    """The open forms of a user's conversation; nobody else moves it until this transaction ends.

    Raises:
        Crossed: this transaction has it in hand.
    """
    if contact_id in connection.info.get(IN_HAND, ()):
        raise Crossed
    row = lock_row(
        connection, sa.select(conversations.c.forms).where(conversations.c.contact_id == contact_id)
    )
    return row.forms if row is not None else None


_move = conversations.update().where(conversations.c.contact_id == sa.bindparam("of_contact"))
_change_contact = contacts.update().where(contacts.c.id == sa.bindparam("of_contact"))


def move(connection: sa.Connection, contact_id: int, **state: Any) -> None:
    """Put the conversation where the turn left it."""
    move_all(connection, {contact_id: state})


def move_all(connection: sa.Connection, states: Mapping[int, Mapping[str, Any]]) -> None:
    """Put several conversations where their turns left them."""
    _change(connection, _move, states)


def change_contact(connection: sa.Connection, contact_id: int, **values: Any) -> None:
    """What we know of the user changed: followed, language, last notice, …"""
    change_contacts(connection, {contact_id: values})


def change_contacts(connection: sa.Connection, values: Mapping[int, Mapping[str, Any]]) -> None:
    """What we know of several users changed."""
    _change(connection, _change_contact, values)


def _change(connection: sa.Connection, statement: sa.Update, values: Mapping[int, Mapping[str, Any]]) -> None:
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for contact_id, one in values.items():
        if one:
            alike[tuple(sorted(one))].append({"of_contact": contact_id, **one})
    for rows in alike.values():
        connection.execute(statement, rows if len(rows) > 1 else rows[0])


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
    sa.select(messages.c.contact_id, messages.c.text)
    .where(
        messages.c.contact_id.in_(sa.bindparam("ids", expanding=True)),
        messages.c.at >= sa.bindparam("since"),
        messages.c.id < sa.bindparam("before"),
        messages.c.dir == "in",
        messages.c.type == "text",
    )
    .order_by(messages.c.id)
)


def texts_since(
    connection: sa.Connection, contact_ids: Sequence[int], since: datetime, before: int
) -> dict[int, list[str]]:
    """What users wrote from a moment on, before one message; oldest first."""
    texts: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(_texts_since, {"ids": list(contact_ids), "since": since, "before": before}):
        texts[row.contact_id].append(row.text or "")
    return texts
