"""Plans as staff look at them: how many follow each, where they are, who waits at a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.queries.console_scope import patient_scope
from storage.rows import Row, Rows
from storage.tables import patients, plan_decisions, plan_instances, touches

RUNNING: Final = ("running", "asking")


def instances(connection: sa.Connection) -> Rows:
    """How many follow each plan: plan, version, state, size."""
    return connection.execute(
        sa.select(
            plan_instances.c.plan,
            plan_instances.c.version,
            plan_instances.c.state,
            sa.func.count().label("size"),
        ).group_by(plan_instances.c.plan, plan_instances.c.version, plan_instances.c.state)
    ).all()


def pending(connection: sa.Connection, until: datetime) -> Rows:
    """What each plan has to do until a moment: plan, state (planned, asked), size."""
    return connection.execute(
        sa.select(plan_instances.c.plan, touches.c.state, sa.func.count().label("size"))
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .where(touches.c.state.in_(("planned", "asked")), touches.c.due_at < until)
        .group_by(plan_instances.c.plan, touches.c.state)
    ).all()


def steps(connection: sa.Connection, plan: str) -> Rows:
    """Where a plan's contacts are: version, step, state, size."""
    return connection.execute(
        sa.select(plan_instances.c.version, touches.c.step, touches.c.state, sa.func.count().label("size"))
        .join(touches, touches.c.instance_id == plan_instances.c.id)
        .where(plan_instances.c.plan == plan)
        .group_by(plan_instances.c.version, touches.c.step, touches.c.state)
    ).all()


def answer_times(connection: sa.Connection, plan: str, most: int) -> Rows:
    """step, asked_at, answered_at of the contacts that were answered last."""
    return connection.execute(
        sa.select(touches.c.step, touches.c.asked_at, touches.c.answered_at)
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .where(
            plan_instances.c.plan == plan,
            touches.c.asked_at.is_not(None),
            touches.c.answered_at.is_not(None),
        )
        .order_by(touches.c.id.desc())
        .limit(most)
    ).all()


def withheld(connection: sa.Connection, plan: str, since: datetime) -> Rows:
    """Why contacts of a plan did not go out lately: decision, reason, size."""
    return connection.execute(
        sa.select(plan_decisions.c.decision, plan_decisions.c.reason, sa.func.count().label("size"))
        .join(plan_instances, plan_instances.c.id == plan_decisions.c.instance_id)
        .where(
            plan_instances.c.plan == plan,
            plan_decisions.c.at >= since,
            plan_decisions.c.decision.in_(("withheld", "expired", "deferred", "stopped")),
        )
        .group_by(plan_decisions.c.decision, plan_decisions.c.reason)
        .order_by(sa.desc("size"))
        .limit(20)
    ).all()


def people(
    connection: sa.Connection,
    plan: str,
    step: str,
    state: str,
    departments: Sequence[str],
    after: int,
    most: int,
) -> Rows:
    """Who is at a step of a plan, or (without a step) follows it: one row a contact, or an instance."""
    of_patient = (
        patients.c.code,
        patients.c.name,
        patients.c.sex,
        patients.c.birth_date,
        plan_instances.c.id.label("instance"),
        plan_instances.c.anchor_at,
        plan_instances.c.state.label("following"),
        plan_instances.c.reason.label("stopped"),
    )
    followed = plan_instances.join(patients, patients.c.code == plan_instances.c.patient_code)
    scope = [patient_scope(departments)] if departments else []
    if not step:
        found = sa.select(
            *of_patient,
            plan_instances.c.id,
            plan_instances.c.changed_at.label("at"),
            plan_instances.c.state,
            plan_instances.c.reason,
        ).select_from(followed)
        wanted = [plan_instances.c.state == state] if state else [plan_instances.c.state.in_(RUNNING)]
        order = plan_instances.c.id
    else:
        found = sa.select(
            *of_patient,
            touches.c.id,
            sa.func.coalesce(touches.c.asked_at, touches.c.due_at).label("at"),
            touches.c.state,
            touches.c.reason,
        ).select_from(followed.join(touches, touches.c.instance_id == plan_instances.c.id))
        wanted = [touches.c.step == step, *([touches.c.state == state] if state else [])]
        order = touches.c.id
    return connection.execute(
        found.where(plan_instances.c.plan == plan, order > after, *wanted, *scope).order_by(order).limit(most)
    ).all()


def instance(connection: sa.Connection, number: int) -> Row | None:
    """One instance, which nobody else changes until this transaction ends."""
    return lock_row(connection, sa.select(plan_instances).where(plan_instances.c.id == number))
