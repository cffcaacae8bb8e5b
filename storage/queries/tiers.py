"""What patients spent, how often they came and when last."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import patients, visits

HAPPENED = ("done", "loss")  # the statuses of a visit that took place


def spending(connection: sa.Connection, after: date, until: date) -> Rows:
    """Every patient's sum in cents and number of visits in (after, until], and the last visit up to `until`."""
    in_window = visits.c.date > after
    return connection.execute(
        sa.select(
            patients.c.code,
            sa.cast(
                sa.func.coalesce(sa.func.sum(sa.case((in_window, visits.c.amount_cents), else_=0)), 0),
                sa.BigInteger,
            ).label("amount_cents"),
            sa.func.coalesce(
                sa.func.sum(sa.case((sa.and_(in_window, visits.c.code.is_not(None)), 1), else_=0)), 0
            ).label("frequency"),
            sa.func.max(visits.c.date).label("last"),
        )
        .select_from(
            patients.outerjoin(
                visits,
                sa.and_(
                    visits.c.patient_code == patients.c.code,
                    visits.c.status.in_(HAPPENED),
                    visits.c.date <= until,
                ),
            )
        )
        .group_by(patients.c.code)
        .order_by(patients.c.code)
    ).all()
