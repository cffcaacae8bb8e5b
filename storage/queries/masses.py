"""Letters that share one call to a platform, and what became of the calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import Row, Rows
from storage.tables import contacts, letters, mass_jobs

UNREACHED = "unreached"  # the last attempt surely did nothing
UNKNOWN = "unknown"  # some attempt may have done it


def mark_of(number: int) -> str:
    """What the letters of a call bear in `platform_id`."""
    return f"mass:{number}"


def gathered_plans(connection: sa.Connection, priorities: Sequence[int], now: datetime) -> Sequence[str]:
    """Plans with letters that wait for their call, and none that could still join them now."""
    joining = letters.alias("joining")
    more = (
        sa.select(joining.c.id)
        .where(
            joining.c.state == "queued",
            joining.c.priority == letters.c.priority,
            joining.c.not_before <= now,
            joining.c.plan == letters.c.plan,
        )
        .exists()
    )
    found = (
        sa.select(letters.c.plan)
        .where(letters.c.state == "gathered", letters.c.priority.in_(list(priorities)), ~more)
        .distinct()
        .order_by(letters.c.plan)
    )
    return connection.execute(found).scalars().all()


def gathered(connection: sa.Connection, plan: str, most: int) -> Rows:
    """The gathered letters of a plan with the readers' account and openid; nobody else takes them meanwhile."""
    return connection.execute(
        sa.select(letters, contacts.c.account, contacts.c.openid)
        .join(contacts, contacts.c.id == letters.c.contact_id)
        .where(letters.c.state == "gathered", letters.c.plan == plan)
        .order_by(letters.c.id)
        .limit(most)
        .with_for_update(of=letters, skip_locked=True)
    ).all()


def add_job(connection: sa.Connection, **values: Any) -> int:
    """A call that is about to be made; its number."""
    number: int = connection.execute(
        mass_jobs.insert().values(**values).returning(mass_jobs.c.id)
    ).scalar_one()
    return number


def change_job(connection: sa.Connection, number: int, **values: Any) -> None:
    """What became of it."""
    connection.execute(mass_jobs.update().where(mass_jobs.c.id == number).values(**values))


def accept_job(connection: sa.Connection, number: int, platform_id: str, now: datetime) -> None:
    """The platform took it; whether it told the outcome already is left as it is."""
    of_it = mass_jobs.c.id == number
    connection.execute(mass_jobs.update().where(of_it).values(claimed_until=None, accepted_at=now))
    connection.execute(
        mass_jobs.update()
        .where(of_it, mass_jobs.c.state == "made")
        .values(state="accepted", platform_id=platform_id)
    )


def created_at(connection: sa.Connection, number: int) -> datetime:
    """When a call was written down."""
    moment: datetime = connection.execute(
        sa.select(mass_jobs.c.created_at).where(mass_jobs.c.id == number)
    ).scalar_one()
    return moment


def abandoned_jobs(connection: sa.Connection, machine_now: datetime) -> Rows:
    """Calls that were to be made, by somebody who has not come back."""
    return connection.execute(
        sa.select(mass_jobs)
        .where(mass_jobs.c.state == "made", mass_jobs.c.claimed_until < machine_now)
        .order_by(mass_jobs.c.id)
        .with_for_update(skip_locked=True)
    ).all()


def take_back(connection: sa.Connection, plan: str, state: str, reason: str) -> int:
    """Calls of a plan that surely reached nobody are not made any more; how many letters that brings back."""
    ours = sa.and_(mass_jobs.c.plan == plan, mass_jobs.c.state == "made", mass_jobs.c.status == UNREACHED)
    numbers = connection.execute(sa.select(mass_jobs.c.id).where(ours).with_for_update()).scalars().all()
    back = 0
    for number in numbers:
        back += settle(
            connection, number, ("sending",), state=state, reason=reason, platform_id="", channel=""
        )
        change_job(connection, number, state="failed", status=reason, claimed_until=None)
    return back


def status_of(connection: sa.Connection, number: int) -> str:
    """How a call's last attempt ended, as far as that is known."""
    status: str = connection.execute(
        sa.select(mass_jobs.c.status).where(mass_jobs.c.id == number)
    ).scalar_one()
    return status


def letters_of(connection: sa.Connection, number: int) -> Rows:
    """The letters of a call with the readers' account and openid."""
    return connection.execute(
        sa.select(letters, contacts.c.account, contacts.c.openid)
        .join(contacts, contacts.c.id == letters.c.contact_id)
        .where(letters.c.platform_id == mark_of(number))
        .order_by(letters.c.id)
    ).all()


def take(connection: sa.Connection, number: int, ids: Sequence[int]) -> None:
    """These letters go with that call."""
    connection.execute(
        letters.update()
        .where(letters.c.id.in_(list(ids)))
        .values(
            state="sending",
            platform_id=mark_of(number),
            fence=letters.c.fence + 1,
            attempts=letters.c.attempts + 1,
        )
    )


def settle(connection: sa.Connection, number: int, states: Sequence[str], **values: Any) -> int:
    """Set columns of the letters of a call that are in one of these states; how many."""
    done = connection.execute(
        letters.update()
        .where(letters.c.platform_id == mark_of(number), letters.c.state.in_(list(states)))
        .values(**values)
    )
    return done.rowcount


def job_called(connection: sa.Connection, account: str, platform_id: str) -> Row | None:
    """The call that the platform gave this number, or the oldest whose number we were not told."""
    return connection.execute(
        sa.select(mass_jobs)
        .where(
            mass_jobs.c.account == account,
            mass_jobs.c.state.in_(("made", "accepted")),
            mass_jobs.c.platform_id.in_((platform_id, "")),
        )
        .order_by((mass_jobs.c.platform_id == platform_id).desc(), mass_jobs.c.id)
        .limit(1)
        .with_for_update()
    ).first()
