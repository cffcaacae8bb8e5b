"""What the people behind a broadcast look at: versions, lists, progress, and who is behind a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.queries.broadcasts import OF_A_BROADCAST, plan_of
from storage.queries.console_scope import patient_scope
from storage.queries.segments import Condition, Rules, verdicts
from storage.rows import Row, Rows
from storage.tables import (
    appointments,
    bindings,
    broadcast_members,
    broadcast_versions,
    broadcasts,
    contacts,
    letters,
    mass_jobs,
    messages,
    patient_tags,
    patients,
    switches,
)

GOT: Final = ("sent", "delivered")
NOT_SENT: Final = ("suppressed", "expired")
OVER: Final = ("stopped", "finished")
TEST: Final = "broadcast:test:"  # the plan of letters that only the writer gets
MOST_TAGS: Final = 400
ATTRIBUTED: Final = timedelta(hours=48)  # an answer or a booking so soon after a message counts as its result


# Versions


def add_version(
    connection: sa.Connection, number: int, by: str, event: str, content: Mapping[str, Any], now: datetime
) -> None:
    """Somebody wrote or approved exactly this."""
    connection.execute(
        broadcast_versions.insert().values(
            broadcast_id=number, at=now, by=by, event=event, content=dict(content)
        )
    )


def versions(connection: sa.Connection, number: int) -> Rows:
    """All of a broadcast, the newest first."""
    return connection.execute(
        sa.select(broadcast_versions)
        .where(broadcast_versions.c.broadcast_id == number)
        .order_by(broadcast_versions.c.id.desc())
    ).all()


def newest_version(connection: sa.Connection, number: int) -> int:
    """The number of the last one; 0: none was kept."""
    found: int | None = connection.execute(
        sa.select(sa.func.max(broadcast_versions.c.id)).where(broadcast_versions.c.broadcast_id == number)
    ).scalar()
    return found or 0


# Lists


def one(connection: sa.Connection, number: int) -> Row | None:
    """One of them, as it is; others may be changing it."""
    return connection.execute(sa.select(broadcasts).where(broadcasts.c.id == number)).first()


def listed(connection: sa.Connection, states: Sequence[str], before: int | None, most: int) -> Rows:
    """Broadcasts in some of the states (none: in any), the newest first, from one number on."""
    found = sa.select(broadcasts).order_by(broadcasts.c.id.desc()).limit(most)
    if states:
        found = found.where(broadcasts.c.state.in_(list(states)))
    if before is not None:
        found = found.where(broadcasts.c.id < before)
    return connection.execute(found).all()


def in_review(connection: sa.Connection) -> Rows:
    """Drafts that wait for somebody's approval, the oldest first."""
    return connection.execute(
        sa.select(broadcasts)
        .where(broadcasts.c.state == "draft", broadcasts.c.submitted_at.is_not(None))
        .order_by(broadcasts.c.submitted_at)
    ).all()


def sizes_by_state(connection: sa.Connection) -> dict[str, int]:
    """How many broadcasts there are, by state; drafts that wait for approval under `review`."""
    state = sa.case(
        (sa.and_(broadcasts.c.state == "draft", broadcasts.c.submitted_at.is_not(None)), "review"),
        else_=broadcasts.c.state,
    )
    rows = connection.execute(sa.select(state.label("state"), sa.func.count().label("size")).group_by(state))
    return {row.state: row.size for row in rows}


def sent_of(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, int]:
    """How many letters of each left the house."""
    names = {plan_of(number): number for number in numbers}
    rows = connection.execute(
        sa.select(letters.c.plan, sa.func.count().label("size"))
        .where(OF_A_BROADCAST, letters.c.plan.in_(list(names)), letters.c.state.in_(GOT))
        .group_by(letters.c.plan)
    )
    return {names[row.plan]: row.size for row in rows}


def audience_sizes(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, int]:
    """How many members the audience of each had when it began."""
    rows = connection.execute(
        sa.select(broadcast_members.c.broadcast_id, sa.func.count().label("size"))
        .where(broadcast_members.c.broadcast_id.in_(list(numbers)))
        .group_by(broadcast_members.c.broadcast_id)
    )
    return {row.broadcast_id: row.size for row in rows}


def fingerprint(connection: sa.Connection) -> str:
    """Differs whenever a page about broadcasts should."""
    parts = connection.execute(
        sa.select(
            sa.select(sa.func.max(broadcast_versions.c.id)).scalar_subquery(),
            sa.select(sa.func.sum(broadcasts.c.queued)).scalar_subquery(),
            *(
                sa.select(sa.func.count()).where(broadcasts.c.state == state).scalar_subquery()
                for state in ("draft", "approved", "running", "paused", "stopped")
            ),
            sa.select(sa.func.count()).where(broadcasts.c.submitted_at.is_not(None)).scalar_subquery(),
            sa.select(sa.func.max(mass_jobs.c.id)).scalar_subquery(),
            sa.select(sa.func.count()).where(mass_jobs.c.finished_at.is_not(None)).scalar_subquery(),
            sa.select(sa.func.count()).where(mass_jobs.c.accepted_at.is_not(None)).scalar_subquery(),
            sa.select(sa.func.max(switches.c.at)).scalar_subquery(),
        )
    ).one()
    return "-".join("" if part is None else str(part).replace(" ", "T") for part in parts)


# What came of it


class Later(FunctionElement[Any]):
    """A moment and a span of time after it, in both dialects."""

    inherit_cache = True
    name = "later"


@compiles(Later, "postgresql")
def _later_postgresql(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    moment, seconds = element.clauses
    return f"({compiler.process(moment, **options)} + make_interval(secs => {compiler.process(seconds, **options)}))"


@compiles(Later, "sqlite")
def _later_sqlite(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    # Moments are kept as `2026-11-18 02:00:00.000000`; strftime gives three digits, which sort as well.
    moment, seconds = element.clauses
    after = f"({compiler.process(seconds, **options)} || ' seconds')"
    return f"strftime('%Y-%m-%d %H:%M:%f', {compiler.process(moment, **options)}, {after})"


def _until(moment: sa.ColumnElement[Any], within: timedelta) -> Later:
    return Later(moment, sa.cast(sa.literal(int(within.total_seconds())), sa.Integer))


def reached(number: int, outcome: str, within: timedelta) -> Condition:
    """Was in the audience of a broadcast, and this came of it: sent, replied, silent, booked, failed, withheld."""
    of_it = sa.and_(OF_A_BROADCAST, letters.c.plan == plan_of(number))
    if outcome == "withheld":
        kept = sa.select(broadcast_members.c.patient_code).where(
            broadcast_members.c.broadcast_id == number, broadcast_members.c.verdict != ""
        )
        unsent = sa.select(letters.c.patient_code).where(of_it, letters.c.state.in_(NOT_SENT))
        return sa.or_(patients.c.code.in_(kept), patients.c.code.in_(unsent))
    if outcome == "failed":
        return patients.c.code.in_(
            sa.select(letters.c.patient_code).where(of_it, letters.c.state == "failed")
        )
    got = sa.select(letters.c.patient_code).where(of_it, letters.c.state.in_(GOT))
    wrote = (
        sa.select(messages.c.id)
        .where(
            messages.c.contact_id == letters.c.contact_id,
            messages.c.dir == "in",
            messages.c.at > letters.c.sent_at,
            messages.c.at <= _until(letters.c.sent_at, within),
            messages.c.type.not_like("event:%"),
        )
        .exists()
    )
    came = (
        sa.select(appointments.c.id)
        .where(
            appointments.c.patient_code == letters.c.patient_code,
            appointments.c.number.is_not(None),
            appointments.c.created_at > letters.c.sent_at,
            appointments.c.created_at <= _until(letters.c.sent_at, within),
        )
        .exists()
    )
    narrowed = {
        "sent": got,
        "replied": got.where(wrote),
        "silent": got.where(~wrote),
        "booked": got.where(came),
    }[outcome]
    return patients.c.code.in_(narrowed)


def members(
    connection: sa.Connection, number: int, which: str, departments: Sequence[str], after: str, most: int
) -> Rows:
    """Members of an audience: code, name, sex, birth_date, verdict, state, reason, channel, sent_at, contact_id.

    *which* is sent, failed, waiting, `withheld` and perhaps `withheld:REASON`, or what came of it (`reached`); empty:
    all of them. *departments*: only whom these treat; none: everybody.
    """
    scope = [patient_scope(departments)] if departments else []
    letter = sa.and_(OF_A_BROADCAST, letters.c.plan == plan_of(number))
    of_it = (
        sa.select(
            letters.c.patient_code,
            letters.c.state,
            letters.c.reason,
            letters.c.channel,
            letters.c.sent_at,
        )
        .where(letter)
        .subquery("of_it")
    )
    found = (
        sa.select(
            patients.c.code,
            patients.c.name,
            patients.c.sex,
            patients.c.birth_date,
            broadcast_members.c.verdict,
            broadcast_members.c.contact_id,
            sa.func.coalesce(of_it.c.state, "").label("state"),
            sa.func.coalesce(of_it.c.reason, "").label("reason"),
            sa.func.coalesce(of_it.c.channel, "").label("channel"),
            of_it.c.sent_at,
        )
        .select_from(
            broadcast_members.join(patients, patients.c.code == broadcast_members.c.patient_code).outerjoin(
                of_it, of_it.c.patient_code == broadcast_members.c.patient_code
            )
        )
        .where(
            broadcast_members.c.broadcast_id == number,
            broadcast_members.c.patient_code > after,
            *_which(number, which, of_it),
            *scope,
        )
        .order_by(broadcast_members.c.patient_code)
        .limit(most)
    )
    return connection.execute(found).all()


def _which(number: int, which: str, of_it: sa.Subquery) -> list[Condition]:
    kind, _, reason = which.partition(":")
    if kind in ("replied", "silent", "booked"):
        return [reached(number, kind, ATTRIBUTED)]
    meant, state = broadcast_members.c.verdict == "", of_it.c.state
    if kind == "sent":
        return [state.in_(GOT)]
    if kind == "failed":
        return [state == "failed"]
    if kind == "waiting":
        return [meant, sa.or_(state.is_(None), state.not_in((*GOT, *NOT_SENT, "failed")))]
    if kind == "withheld":
        unsent = state.in_(NOT_SENT)
        if not reason:
            return [sa.or_(~meant, unsent)]
        said = sa.or_(of_it.c.reason == reason, of_it.c.reason.startswith(f"{reason} ", autoescape=True))
        return [sa.or_(broadcast_members.c.verdict == reason, sa.and_(unsent, said))]
    return []


def held_out(connection: sa.Connection, number: int, within: timedelta) -> tuple[int, int]:
    """How many were held out for comparison, and how many of them booked so soon after the beginning."""
    ours = sa.and_(broadcast_members.c.broadcast_id == number, broadcast_members.c.verdict == "held_out")
    size: int = connection.execute(
        sa.select(sa.func.count()).select_from(broadcast_members).where(ours)
    ).scalar_one()
    if not size:
        return 0, 0
    booked: int = connection.execute(
        sa.select(sa.func.count(sa.distinct(broadcast_members.c.patient_code)))
        .select_from(
            broadcast_members.join(broadcasts, broadcasts.c.id == broadcast_members.c.broadcast_id).join(
                appointments,
                sa.and_(
                    appointments.c.patient_code == broadcast_members.c.patient_code,
                    appointments.c.number.is_not(None),
                    appointments.c.created_at > broadcasts.c.started_at,
                    appointments.c.created_at <= _until(broadcasts.c.started_at, within),
                ),
            )
        )
        .where(ours)
    ).scalar_one()
    return size, booked


# Composing


def words_of_patients(connection: sa.Connection) -> dict[str, list[str]]:
    """The tags, regions and sources there are, the most worn first."""
    columns = {"tags": patient_tags.c.tag, "regions": patients.c.region, "sources": patients.c.source}
    found = {}
    for name, column in columns.items():
        rows = connection.execute(
            sa.select(column.label("word"))
            .where(column != "")
            .group_by(column)
            .order_by(sa.func.count().desc(), column)
            .limit(MOST_TAGS)
        )
        found[name] = [row.word for row in rows]
    return found


def own_contact(connection: sa.Connection, wecom_userid: str, phone_index: str) -> Row | None:
    """A colleague's own WeChat user: bound as themselves under their phone, or the WeCom member they are."""
    if phone_index:
        bound = connection.execute(
            sa.select(contacts)
            .join(bindings, bindings.c.contact_id == contacts.c.id)
            .join(patients, patients.c.code == bindings.c.patient_code)
            .where(
                patients.c.phone_index == phone_index,
                bindings.c.relation == "self",
                bindings.c.ended_at.is_(None),
                contacts.c.followed,
            )
            .order_by(bindings.c.id.desc())
        ).first()
        if bound is not None:
            return bound
    if not wecom_userid:
        return None
    return connection.execute(
        sa.select(contacts).where(contacts.c.account.like("wecom/%"), contacts.c.openid == wecom_userid)
    ).first()


def trials_of(connection: sa.Connection, number: int, most: int = 5) -> Rows:
    """The letters by which the writers tried it out: author, state, reason, created_at; the newest first."""
    return connection.execute(
        sa.select(
            letters.c.author, letters.c.state, letters.c.reason, letters.c.channel, letters.c.created_at
        )
        .where(OF_A_BROADCAST, letters.c.plan == f"{TEST}{number}")
        .order_by(letters.c.id.desc())
        .limit(most)
    ).all()


def verdict_of(
    connection: sa.Connection, conditions: Sequence[Condition], rules: Rules, code: str
) -> tuple[bool, str]:
    """Whether a patient is a member, and why a member would get nothing now (empty: would get it)."""
    judged = verdicts([*conditions, patients.c.code == code], rules)
    row = connection.execute(sa.select(judged.c.verdict)).first()
    return (False, "") if row is None else (True, str(row.verdict))


def relation_of(connection: sa.Connection, code: str) -> Row | None:
    """relation, level: of whoever would read what is sent about a patient."""
    return connection.execute(
        sa.select(bindings.c.relation, bindings.c.level)
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(bindings.c.patient_code == code, bindings.c.ended_at.is_(None))
        .order_by(sa.case((bindings.c.relation == "self", 0), else_=1), bindings.c.id)
    ).first()
