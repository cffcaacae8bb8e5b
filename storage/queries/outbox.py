"""Letters: put in, claimed, and what became of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert_new
from storage.queries.tickets import settled_since
from storage.rows import Row, Rows
from storage.tables import (
    alerts,
    bindings,
    contacts,
    conversations,
    letters,
    messages,
    patients,
    tickets,
    users,
)
from storage.types import UtcDateTime

ALARM = 0  # the priority of alarms
LOWEST = 5
ANSWERS = sa.or_(letters.c.plan == "", letters.c.priority == ALARM)  # not begun by a plan or a broadcast


PUT = "letters were put in"


def put_letter(connection: sa.Connection, values: Mapping[str, Any]) -> int | None:
    """Queue a letter, unless one with the same key was ever queued; its number, or None."""
    connection.info[PUT] = True
    return insert_new(connection, letters, values, unique=("key",))


def letters_were_put(connection: sa.Connection) -> bool:
    """Whether there may be something for the postman since this was last asked on this connection."""
    return bool(connection.info.pop(PUT, False))


# Claiming

_queued = sa.and_(letters.c.state == "queued", letters.c.not_before <= sa.bindparam("now"))
_in_flight = letters.alias("in_flight")
_contact_is_free = ~(
    sa.select(_in_flight.c.id)
    .where(
        _in_flight.c.contact_id == letters.c.contact_id,
        _in_flight.c.state == "sending",
        _in_flight.c.claimed_until.is_not(None),
    )
    .exists()
)


def something_due(
    connection: sa.Connection, now: datetime, priorities: Sequence[int], *, plans: bool = True
) -> bool:
    """Whether there is anything to claim."""
    found = sa.select(letters.c.id).where(_queued, letters.c.priority.in_(list(priorities)), _contact_is_free)
    if not plans:
        found = found.where(ANSWERS)
    return connection.execute(found.limit(1), {"now": now}).first() is not None


def due_letters(
    connection: sa.Connection, now: datetime, priorities: Sequence[int], most: int, *, plans: bool = True
) -> Rows:
    """Letters to send now, the urgent first, the oldest first; nobody else gets them in this transaction.

    Of one contact nothing is due while a letter is on its way to them: letters keep their order.
    """
    rows: list[Row] = []
    for priority in priorities:
        statement = (
            sa.select(letters)
            .where(_queued, letters.c.priority == priority, _contact_is_free)
            .order_by(letters.c.not_before, letters.c.id)
            .limit(most - len(rows))
            .with_for_update(of=letters, skip_locked=True)
        )
        if not plans:
            statement = statement.where(ANSWERS)
        rows += connection.execute(statement, {"now": now}).all()
        if len(rows) >= most:
            break
    return rows


_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_lock_contacts = (
    sa.select(contacts.c.id)
    .where(contacts.c.id.in_(_ids))
    .order_by(contacts.c.id)
    .with_for_update(key_share=True, skip_locked=True)
)
_busy = sa.select(letters.c.contact_id).where(
    letters.c.contact_id.in_(_ids), letters.c.state == "sending", letters.c.claimed_until.is_not(None)
)


def take_contacts(connection: sa.Connection, contact_ids: Sequence[int]) -> set[int]:
    """Those of the contacts to whom nobody else is sending: they stay ours until the transaction ends."""
    if not contact_ids:
        return set()
    taken = set(connection.execute(_lock_contacts, {"ids": contact_ids}).scalars())
    # A statement of its own: it sees what was committed before the rows were ours.
    return taken - set(connection.execute(_busy, {"ids": list(taken)}).scalars())


def change_letters(connection: sa.Connection, changes: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of letters by their id. All changes must name the same columns."""
    if changes:
        names = tuple(changes[0])
        rows = [{f"new_{name}": change[name] for name in names} for change in changes]
        connection.execute(_change(names), rows)


@functools.cache
def _change(names: tuple[str, ...]) -> sa.Update:
    return (
        letters.update()
        .where(letters.c.id == sa.bindparam("new_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in names if name != "id"})
    )


_unsealed = [column for column in letters.c if column.name not in ("body", "address")]
_sending = (
    sa.select(*_unsealed)
    .where(letters.c.id.in_(_ids), letters.c.state == "sending")
    .order_by(letters.c.id)
    .with_for_update()
)


def still_ours(connection: sa.Connection, claims: Mapping[int, int]) -> dict[int, Row]:
    """Of letters claimed with a fence number, those that nobody claimed or settled since; body and address left out."""
    rows = connection.execute(_sending, {"ids": list(claims)})
    return {row.id: row for row in rows if row.fence == claims[row.id]}


def stuck(connection: sa.Connection, now: datetime, handed_before: datetime) -> bool:
    """Whether there is anything for `abandoned` or `unexplained`."""
    found = (
        sa.select(letters.c.id)
        .where(
            letters.c.state == "sending",
            sa.or_(
                letters.c.claimed_until < now,
                sa.and_(letters.c.claimed_until.is_(None), letters.c.sent_at <= handed_before),
            ),
        )
        .limit(1)
    )
    return connection.execute(found).first() is not None


def abandoned(connection: sa.Connection, now: datetime, priorities: Sequence[int]) -> Rows:
    """Letters whose sender has not come back: its claim ran out by the machines' clock."""
    return connection.execute(
        sa.select(letters)
        .where(
            letters.c.state == "sending",
            letters.c.claimed_until < now,
            letters.c.priority.in_(list(priorities)),
        )
        .with_for_update(skip_locked=True)
    ).all()


def unexplained(connection: sa.Connection, handed_before: datetime, priorities: Sequence[int]) -> Rows:
    """Letters of which nobody knows whether they arrived, handed over before a moment."""
    return connection.execute(
        sa.select(letters)
        .where(
            letters.c.state == "sending",
            letters.c.claimed_until.is_(None),
            letters.c.sent_at <= handed_before,
            letters.c.priority.in_(list(priorities)),
        )
        .with_for_update(skip_locked=True)
    ).all()


# The facts a decision needs


_receivers = (
    sa.select(contacts, conversations.c.owner)
    .join(conversations, conversations.c.contact_id == contacts.c.id, isouter=True)
    .where(contacts.c.id.in_(_ids))
)


def receivers(connection: sa.Connection, contact_ids: Sequence[int]) -> dict[int, Row]:
    """The contacts, and who speaks in their conversations."""
    return {row.id: row for row in connection.execute(_receivers, {"ids": contact_ids})}


_since = sa.bindparam("since", type_=UtcDateTime)
_moment = sa.func.coalesce(messages.c.written_at, messages.c.at, type_=UtcDateTime).label("moment")
_quota_bound = ("customer_service", "kf")
_doings = (
    sa.select(messages.c.contact_id, messages.c.dir, messages.c.type, _moment, messages.c.payload)
    .where(messages.c.contact_id.in_(_ids), _moment > _since)
    .where(sa.or_(messages.c.dir == "in", messages.c.channel.in_(_quota_bound)))
    .order_by(_moment, messages.c.id)
)


def doings(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> Rows:
    """What the contacts did, and what they were sent as quota-bound messages, in the platform's order."""
    return connection.execute(_doings, {"ids": contact_ids, "since": since}).all()


_unsure_sends = sa.select(letters.c.contact_id, letters.c.sent_at).where(
    letters.c.contact_id.in_(_ids),
    letters.c.sent_at > _since,
    letters.c.reason == "unknown_outcome",
    letters.c.channel.in_(_quota_bound),
)


def unsure_sends(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> Rows:
    """Quota-bound letters that may have arrived although nobody knows: contact_id, sent_at."""
    return connection.execute(_unsure_sends, {"ids": contact_ids, "since": since}).all()


_people = sa.select(
    patients.c.code, patients.c.name, patients.c.phone, patients.c.language, patients.c.deceased_on
).where(patients.c.code.in_(sa.bindparam("codes", expanding=True)))


def people(connection: sa.Connection, codes: Sequence[str]) -> dict[str, Row]:
    """What the postman must know of patients."""
    if not codes:
        return {}
    return {row.code: row for row in connection.execute(_people, {"codes": codes})}


_self = bindings.alias("self")
_same = bindings.alias("same")
_here = contacts.alias("here")
_other = contacts.alias("other")
_own_patients = sa.select(_self.c.contact_id, _self.c.patient_code).where(
    _self.c.contact_id.in_(_ids), _self.c.relation == "self", _self.c.ended_at.is_(None)
)


def own_patients(connection: sa.Connection, contact_ids: Sequence[int]) -> dict[int, str]:
    """The patient each contact is, where it is one."""
    rows = connection.execute(_own_patients, {"ids": contact_ids})
    return {row.contact_id: row.patient_code for row in rows}


_on_wecom = sa.and_(_other.c.account.not_like("wechat/%"), _other.c.followed)
_same_person = sa.union(
    sa.select(_here.c.id.label("contact_id"), _other.c.id, _other.c.account, _other.c.openid)
    .join(_other, sa.and_(_other.c.unionid == _here.c.unionid, _other.c.id != _here.c.id))
    .where(_here.c.id.in_(_ids), _on_wecom),
    sa.select(_self.c.contact_id, _other.c.id, _other.c.account, _other.c.openid)
    .join(_same, sa.and_(_same.c.patient_code == _self.c.patient_code, _same.c.relation == "self"))
    .join(_other, _other.c.id == _same.c.contact_id)
    .where(
        _self.c.contact_id.in_(_ids),
        _self.c.relation == "self",
        _self.c.ended_at.is_(None),
        _same.c.ended_at.is_(None),
        _other.c.id != _self.c.contact_id,
        _on_wecom,
    ),
)


def same_person_elsewhere(connection: sa.Connection, contact_ids: Sequence[int]) -> Rows:
    """Contacts on WeCom who are the same person, by unionid or by being the same patient: contact_id, other."""
    return connection.execute(_same_person, {"ids": contact_ids}).all()


def alarming(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> Rows:
    """Red flags that are open, and emergencies since a moment: contact_id, level, status."""
    return connection.execute(
        sa.select(alerts.c.contact_id, alerts.c.level, alerts.c.status).where(
            alerts.c.contact_id.in_(list(contact_ids)),
            alerts.c.level.in_(("E", "U")),
            sa.or_(
                alerts.c.status.in_(("open", "acknowledged", "asking")),
                sa.and_(alerts.c.level == "E", alerts.c.at > since),
            ),
        )
    ).all()


def alarm_waits(connection: sa.Connection, since: datetime) -> bool:
    """Whether a letter of an alarm has waited, or been on its way, from before a moment on."""
    found = sa.select(letters.c.id).where(
        letters.c.state.in_(("queued", "sending")), letters.c.priority == ALARM, letters.c.not_before < since
    )
    return connection.execute(found.limit(1)).first() is not None


def complaining(connection: sa.Connection, contact_ids: Sequence[int]) -> set[int]:
    """Those who have a complaint that is not settled."""
    rows = connection.execute(
        sa.select(tickets.c.contact_id).where(
            tickets.c.contact_id.in_(list(contact_ids)),
            tickets.c.kind == "complaint",
            tickets.c.status.not_in(("accepted", "closed")),
        )
    )
    return set(rows.scalars())


def complained_since(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> set[int]:
    """Those whose complaint was settled since a moment."""
    found = settled_since(since, tickets.c.contact_id).where(tickets.c.contact_id.in_(list(contact_ids)))
    return set(connection.execute(found).scalars())


def promoted(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> Rows:
    """Marketing, and mass messages of any purpose, that users got or are about to get: contact_id, purpose, …"""
    moment = sa.func.coalesce(letters.c.sent_at, letters.c.not_before, type_=UtcDateTime).label("moment")
    return connection.execute(
        sa.select(letters.c.contact_id, letters.c.purpose, letters.c.channel, moment).where(
            letters.c.contact_id.in_(list(contact_ids)),
            letters.c.state.in_(("gathered", "sending", "sent", "delivered")),
            sa.or_(letters.c.purpose == "marketing", letters.c.channel == "mass"),
            moment > since,
        )
    ).all()


def received_lately(
    connection: sa.Connection, address_indexes: Sequence[str], channel: str, since: datetime
) -> Rows:
    """What receivers outside the conversations got: address_index, sent_at."""
    return connection.execute(
        sa.select(letters.c.address_index, letters.c.sent_at).where(
            letters.c.address_index.in_(list(address_indexes)),
            letters.c.channel == channel,
            letters.c.sent_at > since,
            letters.c.state.in_(("sending", "sent", "delivered")),
        )
    ).all()


def phone_of_member(connection: sa.Connection, wecom_userid: str) -> str:
    """The phone of the console user who is this WeCom member; empty: none."""
    return (
        connection.execute(
            sa.select(users.c.phone).where(users.c.wecom_userid == wecom_userid, users.c.active).limit(1)
        ).scalar()
        or ""
    )


# What became of them


def keep_sent(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down in the conversations what went out."""
    if rows:
        connection.execute(messages.insert(), list(rows))


def on_its_way(connection: sa.Connection, contact_id: int, channel: str, platform_id: str) -> Row | None:
    """The letter a delivery event speaks of: by its number, or the one whose number is not known yet."""
    found = connection.execute(
        sa.select(letters)
        .where(
            letters.c.contact_id == contact_id,
            letters.c.channel == channel,
            sa.or_(
                sa.and_(letters.c.platform_id == platform_id, letters.c.state.in_(("sent", "sending"))),
                sa.and_(letters.c.platform_id == "", letters.c.state == "sending"),
                sa.and_(
                    letters.c.platform_id == "",
                    letters.c.state == "queued",
                    letters.c.reason == "unknown_outcome",
                ),
            ),
        )
        .order_by((letters.c.platform_id == platform_id).desc(), letters.c.id)
        .limit(1)
        .with_for_update()
    )
    return found.first()


def unfollow(connection: sa.Connection, contact_id: int) -> None:
    """The platform says that this user is no follower (any more)."""
    connection.execute(contacts.update().where(contacts.c.id == contact_id).values(followed=False))


def newest_letter(connection: sa.Connection) -> int:
    """The number of the last letter put in."""
    number: int = connection.execute(sa.select(sa.func.coalesce(sa.func.max(letters.c.id), 0))).scalar_one()
    return number


def planned_after(connection: sa.Connection, number: int) -> int:
    """How many letters were put in since by what we start of ourselves: plans, greetings, broadcasts."""
    count: int = connection.execute(
        sa.select(sa.func.count()).where(
            letters.c.id > number,
            letters.c.plan.not_in(("", "alert", "report")),
            letters.c.purpose != "alarm",
        )
    ).scalar_one()
    return count
