"""What the hospital said about itself: facts, departments, doctors, answers."""

from __future__ import annotations

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import answers, departments, doctors, facts


def all_facts(connection: sa.Connection) -> dict[str, str]:
    """hospital.csv, by key."""
    return {row.key: row.value for row in connection.execute(sa.select(facts))}


def all_departments(connection: sa.Connection) -> Rows:
    """Every department, by code."""
    return connection.execute(sa.select(departments).order_by(departments.c.code)).all()


def all_doctors(connection: sa.Connection) -> Rows:
    """Every doctor, by code."""
    return connection.execute(sa.select(doctors).order_by(doctors.c.code)).all()


def all_answers(connection: sa.Connection) -> Rows:
    """The hospital's own answers to common questions."""
    return connection.execute(sa.select(answers).order_by(answers.c.code)).all()
