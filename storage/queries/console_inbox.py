"""The inbox: which conversations stand in which folder, and everything a row of it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row, upsert
from storage.rows import Row, Rows
from storage.tables import (
    alerts,
    appointments,
    bindings,
    contacts,
    conversations,
    departments,
    desk_drafts,
    desk_mentions,
    doctors,
    letters,
    messages,
    patient_tags,
    patients,
    procedures,
    saved_views,
    search_grams,
    snoozes,
    tasks,
    tickets,
    viewers,
    visits,
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
    task: str = ""  # a kind of open task
    tag: str = ""
    department: str = ""  # where they were treated or will be
    doctor: str = ""
    language: str = ""
    source: str = ""
    who: str = ""  # vip, child, unbound, left
    promised: bool = False
    waited_since: datetime | None = None  # nobody answered since before then
    window_until: datetime | None = None  # it closes by then
    operated: tuple[date, date] | None = None  # an operation between these days
    contact_ids: Sequence[int] | None = None  # found by words

    def conditions(self) -> list[Condition]:
        """For a selection from contacts and conversations."""
        found: list[Condition] = [*self._of_the_conversation(), *self._of_the_patient()]
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

    def _of_the_conversation(self) -> Iterator[Condition]:
        if self.task:
            yield contacts.c.id.in_(
                sa.select(tasks.c.contact_id).where(
                    tasks.c.kind == self.task, tasks.c.status == "open", tasks.c.contact_id.is_not(None)
                )
            )
        if self.promised:
            yield contacts.c.id.in_(
                sa.select(tasks.c.contact_id).where(
                    tasks.c.kind == "callback", tasks.c.status == "open", tasks.c.contact_id.is_not(None)
                )
            )
        if self.source:
            yield contacts.c.source == self.source
        if self.waited_since is not None:
            yield conversations.c.waiting_since <= self.waited_since
        if self.window_until is not None:
            yield conversations.c.spoke_at <= self.window_until - WINDOW
            yield conversations.c.spoke_at > self.window_until - WINDOW - CLOSING

    def _of_the_patient(self) -> Iterator[Condition]:
        bound = sa.select(bindings.c.contact_id).where(bindings.c.ended_at.is_(None))
        code = bindings.c.patient_code
        if self.tag:
            tagged = sa.select(patient_tags.c.patient_code).where(patient_tags.c.tag == self.tag)
            yield contacts.c.id.in_(bound.where(code.in_(tagged)))
        for column, wanted in (("department_code", self.department), ("doctor_code", self.doctor)):
            if wanted:
                treated = (
                    sa.select(table.c.patient_code).where(table.c[column] == wanted)
                    for table in (visits, procedures, appointments)
                )
                yield contacts.c.id.in_(bound.where(code.in_(sa.union_all(*treated))))
        if self.operated is not None:
            operated = sa.select(procedures.c.patient_code).where(
                procedures.c.date.between(*self.operated), procedures.c.status.in_(("done", ""))
            )
            yield contacts.c.id.in_(bound.where(code.in_(operated)))
        if self.language:
            speak = sa.select(patients.c.code).where(patients.c.language == self.language)
            yield sa.or_(
                contacts.c.id.in_(bound.where(code.in_(speak))),
                sa.and_(contacts.c.id.not_in(bound), contacts.c.language == self.language),
            )
        if self.who == "vip":
            important = sa.select(patients.c.code).where(patients.c.vip_level > 0)
            yield contacts.c.id.in_(bound.where(code.in_(important)))
        elif self.who == "child":
            yield contacts.c.id.in_(bound.where(bindings.c.relation == "child"))
        elif self.who == "unbound":
            yield contacts.c.id.not_in(bound)
        elif self.who == "left":
            yield sa.not_(contacts.c.followed)


def choices(connection: sa.Connection) -> dict[str, list[tuple[str, str]]]:
    """What the lists can be narrowed to: departments, doctors, the commonest tags."""
    often = (
        sa.select(patient_tags.c.tag)
        .group_by(patient_tags.c.tag)
        .order_by(sa.func.count().desc(), patient_tags.c.tag)
        .limit(30)
    )
    return {
        "department": [
            (row.code, row.name)
            for row in connection.execute(sa.select(departments).order_by(departments.c.code))
        ],
        "doctor": [
            (row.code, row.name)
            for row in connection.execute(sa.select(doctors).order_by(doctors.c.name).limit(300))
        ],
        "tag": [(tag, tag) for tag in connection.execute(often).scalars()],
    }


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
    """Rows of a list: alarms first, then what was promised soonest, then who waits longest.

    Without `urgent_first` the latest first, on from `before`.
    """
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
            _promise.nulls_last(),
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


def correct_slot(connection: sa.Connection, contact_id: int, slot: str, value: str) -> bool:
    """Put one of the settled things of a hand-over right; False: it does not stand there."""
    row = lock_row(connection, sa.select(conversations).where(conversations.c.contact_id == contact_id))
    handover = dict(row.handover or {}) if row is not None else {}
    if slot not in (handover.get("slots") or {}):
        return False
    handover["slots"] = handover["slots"] | {slot: value}
    connection.execute(
        conversations.update().where(conversations.c.contact_id == contact_id).values(handover=handover)
    )
    return True


# Snoozes


def snooze(
    connection: sa.Connection,
    contact_id: int,
    until: datetime,
    by: str,
    now: datetime,
    afterwards: str = "",
) -> None:
    """Out of sight until then, or until the patient writes something that matters."""
    row = {"contact_id": contact_id, "until": until, "since": now, "by": by, "afterwards": afterwards}
    upsert(connection, snoozes, [row], keys=("contact_id",))


def watched_until(connection: sa.Connection, now: datetime) -> Rows:
    """Conversations that go back to the bot by now: contact_id, by, and who has them."""
    return connection.execute(
        sa.select(snoozes.c.contact_id, snoozes.c.by, conversations.c.owner, conversations.c.nurse)
        .join(conversations, conversations.c.contact_id == snoozes.c.contact_id)
        .where(snoozes.c.afterwards == "release", snoozes.c.until <= now)
        .limit(200)
    ).all()


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


def mentions_of(connection: sa.Connection, name: str) -> Row:
    """How many conversations somebody is mentioned in and has not read, and the newest mention."""
    return connection.execute(
        sa.select(
            sa.func.count(sa.distinct(desk_mentions.c.contact_id)).label("count"),
            sa.func.max(desk_mentions.c.id).label("newest"),
        ).where(desk_mentions.c.user_name == name, desk_mentions.c.seen_at.is_(None))
    ).one()


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


def send_again(connection: sa.Connection, letter_id: int, now: datetime, tried: str) -> bool:
    """Let a letter that failed go once more, by the ways not `tried`; False: it did not fail."""
    done = connection.execute(
        letters.update()
        .where(letters.c.id == letter_id, letters.c.state == "failed")
        .values(state="queued", reason="", tried=tried, attempts=0, not_before=now, claimed_until=None)
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
