"""What `xiaohu doctor` looks at."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.tables import departments, doctors, patients, users


def answers(connection: sa.Connection) -> None:
    """Return when the database answers at all."""
    connection.execute(sa.text("SELECT 1"))


def clock(connection: sa.Connection) -> datetime | None:
    """The database server's time; None for SQLite, which has none of its own."""
    if connection.dialect.name == "sqlite":
        return None
    moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment


def forgets_on_power_loss(connection: sa.Connection) -> bool:
    """Whether a commit may be lost with the power."""
    if connection.dialect.name == "sqlite":
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        return int(level) < 2  # 2 is FULL
    settings = [
        connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in ("fsync", "synchronous_commit")
    ]
    return "off" in settings


def open_something_sealed(connection: sa.Connection) -> None:
    """Decrypt one patient's phone, if there is one.

    Raises:
        SealBroken: it was written with another key.
    """
    connection.execute(sa.select(patients.c.phone).where(patients.c.phone.is_not(None)).limit(1)).first()


def counts(connection: sa.Connection) -> dict[str, int]:
    """How much of the hospital is here."""
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for name, table in (("科室", departments), ("医生", doctors), ("患者", patients))
    }


def who_hears_alarms(connection: sa.Connection) -> int:
    """How many active nurses can be told of an alarm."""
    reachable = sa.or_(users.c.wecom_userid != "", users.c.phone.is_not(None))
    count: int = connection.execute(
        sa.select(sa.func.count()).where(users.c.active, users.c.role == "nurse", reachable)
    ).scalar_one()
    return count
