"""Access tokens and leases: what processes share so that only one does a thing at a time."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.dialect import insert, upsert
from storage.rows import Row
from storage.tables import leases, platform_tokens


def kept(connection: sa.Connection, name: str) -> Row | None:
    """The token of one account: token, expires_at; None when it was never fetched."""
    return connection.execute(sa.select(platform_tokens).where(platform_tokens.c.name == name)).first()


def begin_refresh(connection: sa.Connection, name: str, who: str, now: datetime, until: datetime) -> bool:
    """Take the right to fetch a new token; False while somebody else has it."""
    connection.execute(insert(connection, platform_tokens).values(name=name).on_conflict_do_nothing())
    free = sa.or_(
        platform_tokens.c.refreshing_until.is_(None),
        platform_tokens.c.refreshing_until <= now,
        platform_tokens.c.refreshed_by == who,
    )
    taken = connection.execute(
        platform_tokens.update()
        .where(platform_tokens.c.name == name, free)
        .values(refreshed_by=who, refreshing_until=until)
    )
    return taken.rowcount == 1


def keep(connection: sa.Connection, name: str, token: str, expires_at: datetime) -> None:
    """The new token, for everyone; the right to fetch is given back."""
    connection.execute(
        platform_tokens.update()
        .where(platform_tokens.c.name == name)
        .values(token=token, expires_at=expires_at, refreshing_until=None)
    )


def give_up_refresh(connection: sa.Connection, name: str, who: str) -> None:
    """The fetch failed: somebody else may try."""
    connection.execute(
        platform_tokens.update()
        .where(platform_tokens.c.name == name, platform_tokens.c.refreshed_by == who)
        .values(refreshing_until=None)
    )


def take_lease(connection: sa.Connection, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Take or renew a lease; False while somebody else's lasts.

    The row stays locked until the transaction ends, so what is done in it is done by one process at a time.
    """
    connection.execute(
        insert(connection, leases).values(name=name, holder="", until=now).on_conflict_do_nothing()
    )
    taken = connection.execute(
        leases.update()
        .where(leases.c.name == name, sa.or_(leases.c.until <= now, leases.c.holder == holder))
        .values(holder=holder, until=until)
    )
    return taken.rowcount == 1


def close_api(connection: sa.Connection, name: str, until: datetime) -> None:
    """Remember that an API is closed to us until a moment."""
    upsert(connection, leases, [{"name": f"closed:{name}", "holder": "", "until": until}], ["name"])


def closed_apis(connection: sa.Connection, now: datetime) -> dict[str, datetime]:
    """The APIs that are closed to us now, and until when."""
    rows = connection.execute(
        sa.select(leases.c.name, leases.c.until).where(leases.c.name.like("closed:%"), leases.c.until > now)
    )
    return {row.name.removeprefix("closed:"): row.until for row in rows}
