"""The inbox: which conversations stand in which folder, and everything a row of it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.dialect import upsert
from storage.rows import Row, Rows
from storage.tables import (
    alerts,
    bindings,
    contacts,
    conversations,
    desk_drafts,
    desk_mentions,
    letters,
    messages,
    patients,
    saved_views,
    search_grams,
    snoozes,
    tasks,
    tickets,
    viewers,
)

WINDOW = timedelta(hours=48)  # after a message of the user
CLOSING = timedelta(hours=8)  # before it ends
OPEN_TICKET = ("received", "acknowledged", "assigned", "investigating", "replied", "disputed", "reopened")
PEOPLE = ("waiting", "human")  # who has a conversation that the bot has not
MACHINES = ("bot", "plan", "broadcast", "patient")

Condition = sa.ColumnElement[bool]

_level_number = sa.func.min(
    sa.case((alerts.c.level == "E", 0), (alerts.c.level == "U", 1), (alerts.c.level == "S", 2), else_=3)
)
_level = (
    sa.select(_level_number)
    .where(alerts.c.contact_id == contacts.c.id, alerts.c.status.in_(("open", "acknowledged")))
    .correlate(contacts)
    .scalar_subquery()
    .label("level")
)
_unacknowledged = (
    sa.select(sa.func.count())
    .where(alerts.c.contact_id == contacts.c.id, alerts.c.status == "open")
    .correlate(contacts)
    .scalar_subquery()
    .label("unacknowledged")
)
_promise = (
    sa.select(sa.func.min(tasks.c.due_at))
    .where(tasks.c.contact_id == contacts.c.id, tasks.c.kind == "callback", tasks.c.status == "open")
    .correlate(contacts)
    .scalar_subquery()
    .label("promise_due")
)
_complaint = (
    sa.select(sa.func.min(tickets.c.severity))
    .where(
        tickets.c.contact_id == contacts.c.id,
        tickets.c.kind == "complaint",
        tickets.c.status.in_(OPEN_TICKET),
    )
    .correlate(contacts)
    .scalar_subquery()
    .label("complaint")
)
_COLUMNS = (
    contacts.c.id,
    contacts.c.account,
    contacts.c.openid,
    contacts.c.followed,
    conversations.c.owner,
    conversations.c.nurse,
    conversations.c.waiting_since,
    conversations.c.spoke_at,
    conversations.c.handover,
    snoozes.c.until.label("snoozed_until"),
    _level,
    _unacknowledged,
    _promise,
    _complaint,
)


def _alarmed() -> Condition:
    return contacts.c.id.in_(
        sa.select(alerts.c.contact_id).where(alerts.c.status.in_(("open", "acknowledged")))
    )


def folder_conditions(me: str, now: datetime, end_of_day: datetime) -> Mapping[str, Condition]:
    """What stands in each folder. Whoever has an alarm is never hidden by a snooze."""
    asleep = contacts.c.id.in_(sa.select(snoozes.c.contact_id).where(snoozes.c.until > now))
    awake = sa.not_(asleep)
    with_people = sa.select(conversations.c.contact_id).where(conversations.c.owner.in_(PEOPLE))
    alarmed = sa.select(alerts.c.contact_id).where(alerts.c.status.in_(("open", "acknowledged")))
    person = conversations.c.owner == "human"
    answered = sa.exists().where(
        messages.c.contact_id == contacts.c.id,
        messages.c.dir == "out",
        messages.c.author.not_in(MACHINES),
        messages.c.at >= conversations.c.spoke_at,
    )
    return {
        # What a colleague has is shown too, so that nobody asks who looks after it.
        # One set of numbers, not an OR: with it both databases begin at an index, not at everybody.
        "work": contacts.c.id.in_(
            sa.union(
                alarmed,
                with_people.where(
                    conversations.c.contact_id.not_in(
                        sa.select(snoozes.c.contact_id).where(snoozes.c.until > now)
                    )
                ),
            )
        ),
        "alarms": _alarmed(),
        "mine": sa.and_(person, conversations.c.nurse == me, awake),
        "unassigned": sa.and_(conversations.c.owner == "waiting", awake),
        "waiting": sa.and_(person, answered, awake),
        "promises": contacts.c.id.in_(
            sa.select(tasks.c.contact_id).where(
                tasks.c.kind == "callback",
                tasks.c.status == "open",
                tasks.c.due_at < end_of_day,
                tasks.c.assigned_to.in_((me, "")),
                tasks.c.contact_id.is_not(None),
            )
        ),
        "complaints": contacts.c.id.in_(
            sa.select(tickets.c.contact_id).where(
                tickets.c.kind == "complaint", tickets.c.status.in_(OPEN_TICKET)
            )
        ),
        "mentions": contacts.c.id.in_(
            sa.select(desk_mentions.c.contact_id).where(
                desk_mentions.c.user_name == me, desk_mentions.c.seen_at.is_(None)
            )
        ),
        "vip": sa.and_(
            conversations.c.owner.in_(PEOPLE),
            contacts.c.id.in_(
                sa.select(bindings.c.contact_id)
                .join(patients, patients.c.code == bindings.c.patient_code)
                .where(bindings.c.ended_at.is_(None), patients.c.vip_level > 0)
            ),
        ),
        "closing": sa.and_(
            conversations.c.owner.in_(PEOPLE),
            conversations.c.spoke_at > now - WINDOW,
            conversations.c.spoke_at <= now - WINDOW + CLOSING,
        ),
        "snoozed": asleep,
        "all": sa.true(),
    }


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The filters of a URL; empty: any."""

    level: str = ""
    account: str = ""
    nurse: str = ""
    contact_ids: Sequence[int] | None = None  # found by words

    def conditions(self) -> list[Condition]:
        """For a selection from contacts and conversations."""
        found: list[Condition] = []
        if self.level:
            found.append(
                contacts.c.id.in_(
                    sa.select(alerts.c.contact_id).where(
                        alerts.c.level == self.level, alerts.c.status.in_(("open", "acknowledged"))
                    )
                )
            )
        if self.account:
            found.append(contacts.c.account.startswith(self.account, autoescape=True))
        if self.nurse:
            found.append(conversations.c.nurse == self.nurse)
        if self.contact_ids is not None:
            found.append(contacts.c.id.in_(list(self.contact_ids)))
        return found


def counts(connection: sa.Connection, folders: Mapping[str, Condition], scope: Sequence[Condition]) -> Row:
    """How many stand in each folder but the last, which holds everybody."""
    pairs = sa.join(contacts, conversations, conversations.c.contact_id == contacts.c.id)
    return connection.execute(
        sa.select(
            *(
                sa.select(sa.func.count())
                .select_from(pairs)
                .where(condition, *scope)
                .scalar_subquery()
                .label(name)
                for name, condition in folders.items()
                if name != "all"
            )
        )
    ).one()


def rows(
    connection: sa.Connection,
    where: Sequence[Condition],
    *,
    limit: int,
    urgent_first: bool = True,
    before: tuple[datetime, int] | None = None,
) -> Rows:
    """Rows of a list: alarms first, then who waits longest; or the latest first, on from `before`."""
    found = (
        sa.select(*_COLUMNS)
        .join(conversations, conversations.c.contact_id == contacts.c.id)
        .outerjoin(snoozes, snoozes.c.contact_id == contacts.c.id)
        .where(*where)
        .limit(limit)
    )
    if urgent_first:
        found = found.order_by(
            sa.func.coalesce(_level, 9),
            conversations.c.waiting_since.nulls_last(),
            conversations.c.spoke_at.desc().nulls_last(),
            contacts.c.id,
        )
    else:
        if before is not None:
            found = found.where(sa.tuple_(conversations.c.spoke_at, contacts.c.id) < sa.tuple_(*before))
        found = found.where(conversations.c.spoke_at.is_not(None)).order_by(
            conversations.c.spoke_at.desc(), contacts.c.id.desc()
        )
    return connection.execute(found).all()


def one(connection: sa.Connection, contact_id: int) -> Row | None:
    """One conversation, as in the lists."""
    return next(iter(rows(connection, [contacts.c.id == contact_id], limit=1)), None)


def people(connection: sa.Connection, contact_ids: Sequence[int]) -> dict[int, list[Row]]:
    """For whom each user speaks: themselves first."""
    found: dict[int, list[Row]] = {}
    for row in connection.execute(
        sa.select(
            bindings.c.contact_id,
            bindings.c.relation,
            bindings.c.level.label("binding_level"),
            patients.c.code,
            patients.c.name,
            patients.c.sex,
            patients.c.birth_date,
            patients.c.vip_level,
            patients.c.allergies,
            patients.c.deceased_on,
        )
        .join(patients, patients.c.code == bindings.c.patient_code)
        .where(bindings.c.contact_id.in_(list(contact_ids)), bindings.c.ended_at.is_(None))
        .order_by(sa.case((bindings.c.relation == "self", 0), else_=1), bindings.c.id)
    ):
        found.setdefault(row.contact_id, []).append(row)
    return found


def last_messages(connection: sa.Connection, contact_ids: Sequence[int]) -> dict[int, Row]:
    """The newest message of a person in each: the bot's own say nothing new."""
    newest = (
        sa.select(messages.c.id)
        .where(messages.c.contact_id == contacts.c.id, messages.c.author.not_in(("bot", "plan", "broadcast")))
        .order_by(messages.c.at.desc(), messages.c.id.desc())
        .limit(1)
        .correlate(contacts)
        .scalar_subquery()
    )
    found = sa.select(
        messages.c.contact_id, messages.c.text, messages.c.dir, messages.c.author, messages.c.type
    ).join(contacts, messages.c.id == newest)
    return {
        row.contact_id: row for row in connection.execute(found.where(contacts.c.id.in_(list(contact_ids))))
    }


def alarm_rows(connection: sa.Connection, scope: Sequence[Condition], limit: int = 100) -> Rows:
    """Alarms nobody has closed: those nobody acts on first, E before U before S, the oldest first."""
    first_name = (
        sa.select(patients.c.name)
        .join(bindings, bindings.c.patient_code == patients.c.code)
        .where(bindings.c.contact_id == contacts.c.id, bindings.c.ended_at.is_(None))
        .order_by(sa.case((bindings.c.relation == "self", 0), else_=1), bindings.c.id)
        .limit(1)
        .correlate(contacts)
        .scalar_subquery()
        .label("patient_name")
    )
    return connection.execute(
        sa.select(
            alerts.c.id,
            alerts.c.at,
            alerts.c.level,
            alerts.c.concept,
            alerts.c.status,
            alerts.c.acknowledged_by,
            alerts.c.contact_id,
            first_name,
        )
        .join(contacts, contacts.c.id == alerts.c.contact_id)
        .where(alerts.c.status.in_(("open", "acknowledged")), *scope)
        .order_by(
            sa.case((alerts.c.status == "open", 0), else_=1),
            sa.case((alerts.c.level == "E", 0), (alerts.c.level == "U", 1), else_=2),
            alerts.c.at,
        )
        .limit(limit)
    ).all()


# Snoozes


def snooze(connection: sa.Connection, contact_id: int, until: datetime, by: str, now: datetime) -> None:
    """Out of sight until then, or until the patient writes something that matters."""
    row = {"contact_id": contact_id, "until": until, "since": now, "by": by}
    upsert(connection, snoozes, [row], keys=("contact_id",))


def wake(connection: sa.Connection, contact_ids: Sequence[int]) -> None:
    """In sight again."""
    connection.execute(snoozes.delete().where(snoozes.c.contact_id.in_(list(contact_ids))))


def written_since_snoozed(connection: sa.Connection, now: datetime) -> Rows:
    """What snoozed people have written since: contact_id, text, type, and the open alarms' number."""
    return connection.execute(
        sa.select(snoozes.c.contact_id, messages.c.text, messages.c.type)
        .join(messages, messages.c.contact_id == snoozes.c.contact_id)
        .where(snoozes.c.until > now, messages.c.dir == "in", messages.c.at > snoozes.c.since)
    ).all()


# Who looks, what was begun, which views are kept


def look(connection: sa.Connection, contact_id: int, name: str, now: datetime) -> None:
    """Somebody has this conversation on the screen."""
    row = {"contact_id": contact_id, "user_name": name, "seen_at": now}
    upsert(connection, viewers, [row], keys=("contact_id", "user_name"))


def lookers(connection: sa.Connection, contact_ids: Sequence[int], since: datetime) -> dict[int, list[str]]:
    """Who has had each on the screen since then."""
    found: dict[int, list[str]] = {}
    for row in connection.execute(
        sa.select(viewers)
        .where(viewers.c.contact_id.in_(list(contact_ids)), viewers.c.seen_at > since)
        .order_by(viewers.c.user_name)
    ):
        found.setdefault(row.contact_id, []).append(row.user_name)
    return found


def draft(connection: sa.Connection, contact_id: int, name: str) -> Row | None:
    """What somebody began to write."""
    return connection.execute(
        sa.select(desk_drafts).where(desk_drafts.c.contact_id == contact_id, desk_drafts.c.user_name == name)
    ).first()


def keep_draft(
    connection: sa.Connection, contact_id: int, name: str, mode: str, text: str, now: datetime
) -> None:
    """Keep it until it is sent; an empty one is forgotten."""
    if not text:
        connection.execute(
            desk_drafts.delete().where(
                desk_drafts.c.contact_id == contact_id, desk_drafts.c.user_name == name
            )
        )
        return
    row = {"contact_id": contact_id, "user_name": name, "mode": mode, "text": text, "changed_at": now}
    upsert(connection, desk_drafts, [row], keys=("contact_id", "user_name"))


def views(connection: sa.Connection, name: str) -> Rows:
    """The lists somebody keeps."""
    return connection.execute(
        sa.select(saved_views).where(saved_views.c.user_name == name).order_by(saved_views.c.id)
    ).all()


def add_view(connection: sa.Connection, name: str, label: str, query: str) -> None:
    """Keep a list under a name."""
    connection.execute(saved_views.insert().values(user_name=name, name=label, query=query))


def remove_view(connection: sa.Connection, name: str, view: int) -> None:
    """Somebody does not want it any more."""
    connection.execute(saved_views.delete().where(saved_views.c.id == view, saved_views.c.user_name == name))


# Finding sealed words


def contacts_with(connection: sa.Connection, grams: Sequence[int], limit: int = 300) -> list[int]:
    """Conversations in which every one of these fingerprints occurs."""
    found = (
        sa.select(search_grams.c.contact_id)
        .where(search_grams.c.gram.in_(list(grams)))
        .group_by(search_grams.c.contact_id)
        .having(sa.func.count() == len(set(grams)))
        .order_by(search_grams.c.contact_id.desc())
        .limit(limit)
    )
    return list(connection.execute(found).scalars())


def unindexed(connection: sa.Connection, after: int, until: datetime, limit: int) -> Rows:
    """Messages after a number, up to a moment: id, contact_id, text."""
    return connection.execute(
        sa.select(messages.c.id, messages.c.contact_id, messages.c.text)
        .where(messages.c.id > after, messages.c.at <= until)
        .order_by(messages.c.id)
        .limit(limit)
    ).all()


def index(connection: sa.Connection, pairs: Sequence[Mapping[str, Any]]) -> None:
    """Remember which fingerprint occurs in which conversation."""
    upsert(connection, search_grams, pairs, keys=("gram", "contact_id"))


def messages_with_text(connection: sa.Connection, contact_ids: Sequence[int], limit: int = 2_000) -> Rows:
    """The messages of some conversations, the newest first."""
    return connection.execute(
        sa.select(messages.c.id, messages.c.contact_id, messages.c.at, messages.c.text, messages.c.author)
        .where(messages.c.contact_id.in_(list(contact_ids)), messages.c.text.is_not(None))
        .order_by(messages.c.at.desc())
        .limit(limit)
    ).all()


def letter(connection: sa.Connection, contact_id: int, letter_id: int) -> Row | None:
    """A letter to this user."""
    return connection.execute(
        sa.select(letters).where(letters.c.id == letter_id, letters.c.contact_id == contact_id)
    ).first()


def recall(connection: sa.Connection, contact_id: int, letter_id: int, author: str) -> bool:
    """Take a letter of one's own back before it goes; False: it has gone, or goes now."""
    done = connection.execute(
        letters.update()
        .where(
            letters.c.id == letter_id,
            letters.c.contact_id == contact_id,
            letters.c.author == author,
            letters.c.state == "queued",
            letters.c.claimed_until.is_(None),
        )
        .values(state="suppressed", reason="recalled")
    )
    return done.rowcount > 0


def send_now(connection: sa.Connection, contact_id: int, author: str, now: datetime, until: datetime) -> None:
    """Do not hold this author's letters, due before `until`, any longer."""
    connection.execute(
        letters.update()
        .where(
            letters.c.contact_id == contact_id,
            letters.c.author == author,
            letters.c.state == "queued",
            letters.c.not_before > now,
            letters.c.not_before <= until,
        )
        .values(not_before=now)
    )
