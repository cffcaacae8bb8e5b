"""Plans: which episodes there are, who follows what, what is due, and why it did or did not go out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_name
from storage.queries import hospital
from storage.queries.conversations import REVISION
from storage.rows import Row, Rows
from storage.tables import (
    appointments,
    bindings,
    consents,
    contacts,
    conversations,
    departments,
    doctors,
    facts,
    letters,
    patient_tags,
    patients,
    plan_decisions,
    plan_instances,
    procedures,
    report_items,
    reports,
    tickets,
    touches,
    visits,
)

AT_ONCE = 500  # keys in one question
RUNNING = ("running", "asking")
PENDING = ("planned", "asked")


def alone(connection: sa.Connection) -> None:
    """One planner at a time: caps and open questions are counted over all of a person's contacts."""
    lock_name(connection, "plans")


def revision(connection: sa.Connection) -> str:
    """Of the imported hospital; it changes with every import."""
    return connection.execute(sa.select(facts.c.value).where(facts.c.key == REVISION)).scalar() or ""


def hospital_facts(connection: sa.Connection) -> dict[str, str]:
    """Of hospital.csv; every name is there, perhaps empty."""
    names = ("name", "short_name", "phone", "nurse_phone", "complaint_phone", "address", "emergency_name")
    return dict.fromkeys(names, "") | hospital.all_facts(connection)


# Episodes, as they stand in the hospital's tables


def procedures_since(connection: sa.Connection, day: date, patient: str | None = None) -> Rows:
    """Operations from a day on, cancelled ones too."""
    columns = [procedures.c[name] for name in ("code", "patient_code", "family", "department_code")]
    columns += [procedures.c[name] for name in ("date", "time", "discharged_on", "status")]
    found = sa.select(*columns).where(procedures.c.date >= day, procedures.c.family != "other")
    return _of(connection, found, procedures.c.patient_code, patient)


def procedure_names(
    connection: sa.Connection, day: date, families: Collection[str], patient: str | None = None
) -> Rows:
    """What the operations of some families are called: code, family, name."""
    found = sa.select(procedures.c.code, procedures.c.family, procedures.c.name).where(
        procedures.c.date >= day,
        procedures.c.family.in_(sorted(families)),
        procedures.c.status != "cancelled",
    )
    return _of(connection, found, procedures.c.patient_code, patient)


def exam_reports_since(connection: sa.Connection, since: datetime, patient: str | None = None) -> Rows:
    """Reports of health checks: code, patient_code, status, issued_at, contacted_at, flagged, critical."""
    flags = sa.select(report_items.c.flag).where(report_items.c.report_code == reports.c.code)
    found = sa.select(
        reports.c.code,
        reports.c.patient_code,
        reports.c.status,
        reports.c.issued_at,
        reports.c.contacted_at,
        flags.where(report_items.c.flag != "").exists().label("flagged"),
        flags.where(report_items.c.flag == "C").exists().label("critical"),
    ).where(reports.c.kind == "exam", sa.or_(reports.c.issued_at.is_(None), reports.c.issued_at >= since))
    return _of(connection, found, reports.c.patient_code, patient)


def arranged_visits(connection: sa.Connection, codes: Sequence[str], day: date) -> Iterator[Row]:
    """Visits of these patients from a day on that are to come or were made: patient_code, date."""
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(visits.c.patient_code, visits.c.date).where(
                visits.c.patient_code.in_(part),
                visits.c.date >= day,
                visits.c.status.in_(("booked", "done", "")),
            )
        )


def arranged_bookings(connection: sa.Connection, codes: Sequence[str], since: datetime) -> Iterator[Row]:
    """Places booked here for these patients from a moment on: patient_code, start_at."""
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(appointments.c.patient_code, appointments.c.start_at).where(
                appointments.c.patient_code.in_(part),
                appointments.c.start_at >= since,
                appointments.c.status.in_(("booked", "done")),
            )
        )


def visits_since(connection: sa.Connection, day: date, patient: str | None = None) -> Rows:
    """Visits from a day on, and stays that ended from then on."""
    columns = [visits.c[name] for name in ("code", "patient_code", "department_code", "date", "kind")]
    columns += [visits.c[name] for name in ("discharged_on", "status")]
    recent = sa.or_(visits.c.date >= day, visits.c.discharged_on >= day)
    return _of(connection, sa.select(*columns).where(recent), visits.c.patient_code, patient)


def tagged(
    connection: sa.Connection,
    tags: Collection[str],
    patient: str | None = None,
    since: datetime | None = None,
) -> Rows:
    """Who bears one of these tags: patient_code, tag, since, until. % stands for anything.

    `since`: only those who got it after that moment.
    """
    found = sa.select(
        patient_tags.c.patient_code, patient_tags.c.tag, patient_tags.c.since, patient_tags.c.until
    ).where(_like(tags))
    if since is not None:
        found = found.where(patient_tags.c.since > since)
    return _of(connection, found, patient_tags.c.patient_code, patient)


def _like(tags: Collection[str]) -> sa.ColumnElement[bool]:
    exact = [tag for tag in tags if "%" not in tag]
    return sa.or_(
        patient_tags.c.tag.in_(exact), *[patient_tags.c.tag.like(tag) for tag in tags if "%" in tag]
    )


def born_since(connection: sa.Connection, day: date, patient: str | None = None) -> Rows:
    """Children born from a day on: code, birth_date."""
    found = sa.select(patients.c.code, patients.c.birth_date).where(patients.c.birth_date >= day)
    return _of(connection, found, patients.c.code, patient)


_appointments = sa.select(
    appointments.c.id,
    appointments.c.patient_code,
    appointments.c.department_code,
    appointments.c.start_at,
    appointments.c.status,
    appointments.c.created_at,
)


def bookings_between(
    connection: sa.Connection, since: datetime, until: datetime, patient: str | None = None
) -> Rows:
    """Appointments made here that begin in a span, booked or not come to."""
    found = _appointments.where(
        appointments.c.status.in_(("booked", "noshow")),
        appointments.c.start_at >= since,
        appointments.c.start_at < until,
    )
    return _of(connection, found, appointments.c.patient_code, patient)


def missed_visits(connection: sa.Connection, since: date) -> Rows:
    """Visits from a day on to which nobody came: patient_code, date."""
    return connection.execute(
        sa.select(visits.c.patient_code, visits.c.date).where(
            visits.c.date >= since, visits.c.status == "noshow", visits.c.kind.in_(("outpatient", "exam"))
        )
    ).all()


def bookings_given_up(connection: sa.Connection) -> Rows:
    """Appointments whose reminders still run although they are booked no more, or for another time."""
    number = sa.func.substr(plan_instances.c.episode, len("appointment:") + 1)
    found = (
        _appointments.join(plan_instances, number == sa.cast(appointments.c.id, sa.Text))
        .where(
            plan_instances.c.plan == "visit",
            plan_instances.c.state.in_(RUNNING),
            sa.or_(appointments.c.status != "booked", appointments.c.start_at != plan_instances.c.anchor_at),
        )
        .distinct()
    )
    return connection.execute(found).all()


def _of(
    connection: sa.Connection, found: sa.Select[Any], column: sa.ColumnElement[str], patient: str | None
) -> Rows:
    return connection.execute(found if patient is None else found.where(column == patient)).all()


# Instances


def instances_of(connection: sa.Connection, episodes: Sequence[str]) -> Iterator[Row]:
    """Every plan that hangs on these episodes."""
    for part in _chunks(episodes):
        yield from connection.execute(sa.select(plan_instances).where(plan_instances.c.episode.in_(part)))


def instances_of_patient(connection: sa.Connection, patient: str | None) -> Rows:
    """Running plans, of one patient or of all."""
    found = sa.select(plan_instances).where(plan_instances.c.state.in_(RUNNING))
    return _of(connection, found, plan_instances.c.patient_code, patient)


def begin(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """New instances; their numbers in the same order."""
    if not rows:
        return []
    statement = plan_instances.insert().returning(plan_instances.c.id, sort_by_parameter_order=True)
    return [row.id for row in connection.execute(statement, list(rows))]


def change_instances(connection: sa.Connection, ids: Sequence[int], **values: Any) -> None:
    """The same change to several instances."""
    for part in _chunks(ids):
        connection.execute(plan_instances.update().where(plan_instances.c.id.in_(part)).values(**values))


def move_anchors(connection: sa.Connection, anchors: Mapping[int, datetime], now: datetime) -> None:
    """The episodes of these instances moved."""
    if anchors:
        connection.execute(
            plan_instances.update()
            .where(plan_instances.c.id == sa.bindparam("the_id"))
            .values(anchor_at=sa.bindparam("anchor"), moves=plan_instances.c.moves + 1, changed_at=now),
            [{"the_id": number, "anchor": anchor} for number, anchor in anchors.items()],
        )


def to_extend(connection: sa.Connection, before: datetime, most: int) -> Rows:
    """Repeating plans whose contacts are written down only up to before a moment."""
    return connection.execute(
        sa.select(plan_instances)
        .where(plan_instances.c.state == "running", plan_instances.c.planned_until < before)
        .order_by(plan_instances.c.planned_until)
        .limit(most)
    ).all()


def of_the_dead(connection: sa.Connection, today: date) -> list[int]:
    """Running plans of patients who have died."""
    return list(
        connection.execute(
            sa.select(plan_instances.c.id)
            .join(patients, patients.c.code == plan_instances.c.patient_code)
            .where(plan_instances.c.state.in_(RUNNING), patients.c.deceased_on <= today)
        ).scalars()
    )


def tag_mark(connection: sa.Connection, tags: Collection[str]) -> str:
    """Changes whenever somebody begins or ceases to bear one of these tags (% at an end stands for anything)."""
    size, since, until = connection.execute(
        sa.select(
            sa.func.count(), sa.func.max(patient_tags.c.since), sa.func.max(patient_tags.c.until)
        ).where(_like(tags))
    ).one()
    return f"{size} {since} {until}"


def untagged(connection: sa.Connection, now: datetime) -> list[int]:
    """Running plans that hang on a tag which the patient bears no more."""
    borne = sa.select(patient_tags.c.tag).where(
        patient_tags.c.patient_code == plan_instances.c.patient_code,
        sa.or_(patient_tags.c.until.is_(None), patient_tags.c.until > now),
    )
    kinds = {
        "tag:": sa.literal("tag:") + patient_tags.c.tag == plan_instances.c.episode,
        "due:": sa.literal("due:") + patient_tags.c.tag == plan_instances.c.episode,
        "pregnancy:": patient_tags.c.tag.like("孕%周"),
    }
    gone = [
        sa.and_(plan_instances.c.episode.startswith(kind), ~borne.where(same).exists())
        for kind, same in kinds.items()
    ]
    return list(
        connection.execute(
            sa.select(plan_instances.c.id).where(plan_instances.c.state.in_(RUNNING), sa.or_(*gone))
        ).scalars()
    )


def losses(connection: sa.Connection) -> Rows:
    """Pregnancies that were lost: patient_code, date."""
    return connection.execute(
        sa.select(visits.c.patient_code, visits.c.date).where(visits.c.status == "loss")
    ).all()


def of_patients(
    connection: sa.Connection, plans: Collection[str], patient_codes: Collection[str]
) -> Iterator[Row]:
    """Running instances of some plans, of some patients."""
    for part in _chunks(sorted(patient_codes)):
        yield from connection.execute(
            sa.select(plan_instances).where(
                plan_instances.c.state.in_(RUNNING),
                plan_instances.c.plan.in_(list(plans)),
                plan_instances.c.patient_code.in_(part),
            )
        )


# Touches


def add_touches(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Contacts that will be due. All rows must have the same columns."""
    if rows:
        connection.execute(touches.insert(), list(rows))


def touches_of(connection: sa.Connection, instance_ids: Sequence[int]) -> Iterator[Row]:
    """Every contact of these instances, without what was answered."""
    columns = [column for column in touches.c if column.name != "answers"]
    for part in _chunks(instance_ids):
        yield from connection.execute(
            sa.select(*columns).where(touches.c.instance_id.in_(part)).order_by(touches.c.id)
        )


def change_touches(connection: sa.Connection, changes: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of touches by their id. All changes must name the same columns."""
    if not changes:
        return
    columns = tuple(name for name in changes[0] if name != "id")
    connection.execute(
        _change(columns),
        [{"the_id": one["id"], **{f"new_{name}": one[name] for name in columns}} for one in changes],
    )


def change_touch(connection: sa.Connection, touch_id: int, **values: Any) -> None:
    """Set columns of one touch."""
    named = {f"new_{name}": value for name, value in values.items()}
    connection.execute(_change(tuple(values)), {"the_id": touch_id, **named})


@cache
def _change(columns: tuple[str, ...]) -> sa.Update:
    """Built once: it runs for every contact."""
    return (
        touches.update()
        .where(touches.c.id == sa.bindparam("the_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
    )


def cancel_pending(connection: sa.Connection, instance_ids: Sequence[int], reason: str) -> None:
    """What was to come of these instances does not, nor do their letters that still wait."""
    for part in _chunks(instance_ids):
        of_them = touches.c.instance_id.in_(part)
        keys = sa.select(touches.c.id).where(of_them, touches.c.state.in_(("asked", "sent")))
        numbers = list(connection.execute(keys).scalars())
        suppress_letters(connection, numbers, reason)
        connection.execute(
            touches.update()
            .where(of_them, touches.c.state.in_(PENDING))
            .values(state="cancelled", reason=reason)
        )


def suppress_letters(connection: sa.Connection, touch_ids: Sequence[int], reason: str) -> list[int]:
    """Letters of these touches that have not gone yet will not go; which touches those were."""
    held: list[int] = []
    for part in _chunks(touch_ids):
        names = {letter_key(number, ask): number for number in part for ask in (1, 2, 3)}
        gone = connection.execute(
            letters.update()
            .where(letters.c.key.in_(list(names)), letters.c.state == "queued")
            .values(state="suppressed", reason=reason)
            .returning(letters.c.key)
        )
        held += [names[key] for key in gone.scalars()]
    return held


def letter_key(touch_id: int, ask: int) -> str:
    """The key of a contact's letter; asking again is another letter."""
    return f"touch:{touch_id}:{ask}"


def letter_of(connection: sa.Connection, touch_id: int, ask: int) -> Row | None:
    """How the letter of a contact went: channel, state."""
    return connection.execute(
        sa.select(letters.c.channel, letters.c.state).where(letters.c.key == letter_key(touch_id, ask))
    ).first()


_touch = sa.select(
    touches,
    plan_instances.c.plan,
    plan_instances.c.version,
    plan_instances.c.episode,
    plan_instances.c.anchor_at,
    plan_instances.c.label,
    plan_instances.c.state.label("instance_state"),
    plan_instances.c.silent,
    plan_instances.c.moves,
).join(plan_instances, plan_instances.c.id == touches.c.instance_id)
_due = (
    # Spelled as the index spells it: SQLite looks into a partial index for nothing else.
    _touch.where(sa.text("touches.state IN ('planned', 'asked')"), touches.c.due_at <= sa.bindparam("now"))
    .order_by(touches.c.due_at, touches.c.id)
    .limit(sa.bindparam("most"))
)


def due(connection: sa.Connection, now: datetime, most: int) -> Rows:
    """Contacts with something to do now, the oldest first."""
    return connection.execute(_due, {"now": now, "most": most}).all()


def touch(connection: sa.Connection, touch_id: int) -> Row | None:
    """One contact, with its instance."""
    return connection.execute(_touch.where(touches.c.id == touch_id)).first()


def planned_between(connection: sa.Connection, since: datetime, until: datetime, patient: str | None) -> Rows:
    """Contacts that are due in a span, or wait for something until then."""
    found = _touch.where(
        touches.c.state == "planned", touches.c.due_at < until, touches.c.useful_until > since
    ).order_by(touches.c.due_at, touches.c.id)
    return _of(connection, found, touches.c.patient_code, patient)


_last_asked = (
    _touch.where(
        touches.c.contact_id == sa.bindparam("contact_id"),
        touches.c.asked_at >= sa.bindparam("since"),
        touches.c.questions != "",
        touches.c.state.in_(("asked", "silent")),
    )
    .order_by(touches.c.asked_at.desc(), touches.c.id.desc())
    .limit(1)
)


def last_asked(connection: sa.Connection, contact_id: int, since: datetime) -> Row | None:
    """The last question of a plan this user got from a moment on, whatever became of it."""
    return connection.execute(_last_asked, {"contact_id": contact_id, "since": since}).first()


def open_of(connection: sa.Connection, contact_ids: Sequence[int]) -> Iterator[Row]:
    """Questions that wait for these users' answers."""
    for part in _chunks(contact_ids):
        yield from connection.execute(
            sa.select(
                touches.c.id,
                touches.c.contact_id,
                touches.c.instance_id,
                touches.c.rank,
                touches.c.purpose,
                touches.c.useful_until,
            ).where(touches.c.contact_id.in_(part), touches.c.state == "asked")
        )


def answered_since(connection: sa.Connection, patient_code: str, since: datetime) -> Rows:
    """What this patient answered from a moment on, oldest first: answers, answered_at, plan."""
    return connection.execute(
        sa.select(touches.c.answers, touches.c.answered_at, touches.c.instance_id, plan_instances.c.plan)
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .where(touches.c.patient_code == patient_code, touches.c.answered_at >= since)
        .order_by(touches.c.answered_at, touches.c.id)
    ).all()


# The ledger


def write_down(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Decisions and their reasons: instance_id, touch_id, at, decision, reason."""
    if rows:
        connection.execute(plan_decisions.insert(), list(rows))


def history(connection: sa.Connection, patient_code: str) -> Rows:
    """Why did she (not) get this? Every decision about one patient, oldest first."""
    return connection.execute(
        sa.select(
            plan_decisions.c.at,
            plan_instances.c.plan,
            plan_instances.c.episode,
            touches.c.step,
            touches.c.occurrence,
            plan_decisions.c.decision,
            plan_decisions.c.reason,
        )
        .join(plan_instances, plan_instances.c.id == plan_decisions.c.instance_id)
        .join(touches, touches.c.id == plan_decisions.c.touch_id, isouter=True)
        .where(plan_instances.c.patient_code == patient_code)
        .order_by(plan_decisions.c.at, plan_decisions.c.id)
    ).all()


# The facts a firing needs


def people(connection: sa.Connection, codes: Sequence[str]) -> Iterator[Row]:
    """Patients, without their sealed columns."""
    columns = [patients.c[name] for name in ("code", "name", "sex", "birth_date", "language", "deceased_on")]
    for part in _chunks(codes):
        yield from connection.execute(sa.select(*columns).where(patients.c.code.in_(part)))


def readers(connection: sa.Connection, codes: Sequence[str], now: datetime) -> Iterator[Row]:
    """Who speaks for these patients, the oldest binding first."""
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(
                bindings.c.patient_code,
                bindings.c.contact_id,
                bindings.c.relation,
                bindings.c.level,
                contacts.c.account,
                contacts.c.openid,
                contacts.c.followed,
                contacts.c.language,
                conversations.c.owner,
                conversations.c.spoke_at,
            )
            .join(contacts, contacts.c.id == bindings.c.contact_id)
            .join(conversations, conversations.c.contact_id == contacts.c.id)
            .where(
                bindings.c.patient_code.in_(part),
                bindings.c.ended_at.is_(None),
                bindings.c.scope == "all",
                sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
            )
            .order_by(bindings.c.id)
        )


def spoken_for(connection: sa.Connection, contact_ids: Sequence[int]) -> Iterator[Row]:
    """The patients these users speak for: contact_id, patient_code, relation, language."""
    for part in _chunks(contact_ids):
        yield from connection.execute(
            sa.select(
                bindings.c.contact_id, bindings.c.patient_code, bindings.c.relation, patients.c.language
            )
            .join(patients, patients.c.code == bindings.c.patient_code)
            .where(bindings.c.contact_id.in_(part), bindings.c.ended_at.is_(None))
        )


def words_on(
    connection: sa.Connection, contact_ids: Sequence[int], codes: Sequence[str]
) -> tuple[set[int], set[str]]:
    """Who ever agreed to or stopped anything: users, patients. Of the others nothing need be asked."""
    users: set[int] = set()
    named: set[str] = set()
    for part in _chunks(contact_ids):
        found = sa.select(consents.c.contact_id).where(consents.c.contact_id.in_(part)).distinct()
        users |= {number for number in connection.execute(found).scalars() if number is not None}
    for some in _chunks(codes):
        of_some = sa.select(consents.c.patient_code).where(consents.c.patient_code.in_(some)).distinct()
        named |= {code for code in connection.execute(of_some).scalars() if code is not None}
    return users, named


def stays(connection: sa.Connection, codes: Sequence[str], since: date) -> Iterator[Row]:
    """Stays in hospital and losses of these patients: patient_code, kind, status, date, discharged_on."""
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(
                visits.c.patient_code, visits.c.kind, visits.c.status, visits.c.date, visits.c.discharged_on
            ).where(
                visits.c.patient_code.in_(part),
                visits.c.date >= since,
                sa.or_(
                    sa.and_(visits.c.kind == "inpatient", visits.c.status == "done"),
                    visits.c.status == "loss",
                ),
            )
        )


def complaining(connection: sa.Connection, codes: Sequence[str]) -> set[str]:
    """Patients with a complaint that is not settled."""
    found: set[str] = set()
    for part in _chunks(codes):
        rows = connection.execute(
            sa.select(tickets.c.patient_code).where(
                tickets.c.patient_code.in_(part),
                tickets.c.kind == "complaint",
                tickets.c.status.not_in(("accepted", "closed")),
            )
        )
        found |= set(rows.scalars())
    return found


def contacted_since(connection: sa.Connection, codes: Sequence[str], since: datetime) -> Iterator[Row]:
    """What these patients were asked or told from a moment on: patient_code, instance_id, plan, purpose,
    asked_at, questions, state."""
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(
                touches.c.id,
                touches.c.patient_code,
                touches.c.instance_id,
                touches.c.purpose,
                touches.c.asked_at,
                touches.c.questions,
                touches.c.state,
                plan_instances.c.plan,
            )
            .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
            .where(touches.c.patient_code.in_(part), touches.c.asked_at >= since)
        )


def to_come(connection: sa.Connection, codes: Sequence[str], until: datetime) -> Iterator[Row]:
    """What is planned for these patients until a moment: id, patient_code, instance_id, rank, purpose, due_at."""
    columns = [
        touches.c[name]
        for name in ("id", "patient_code", "instance_id", "rank", "purpose", "due_at", "useful_until")
    ]
    for part in _chunks(codes):
        yield from connection.execute(
            sa.select(*columns)
            .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
            .where(
                touches.c.patient_code.in_(part),
                touches.c.state == "planned",
                touches.c.due_at < until,
                plan_instances.c.state == "running",
            )
        )


def booking_facts(connection: sa.Connection, appointment_id: int) -> Row | None:
    """What a reminder says of a booking."""
    return connection.execute(
        sa.select(
            appointments.c.id,
            appointments.c.number,
            appointments.c.status,
            appointments.c.start_at,
            doctors.c.name.label("doctor"),
            departments.c.name.label("department"),
            departments.c.location,
        )
        .join(doctors, doctors.c.code == appointments.c.doctor_code)
        .join(departments, departments.c.code == appointments.c.department_code)
        .where(appointments.c.id == appointment_id)
    ).first()


def _chunks(keys: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), AT_ONCE):
        yield list(keys[start : start + AT_ONCE])
