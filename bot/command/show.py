"""`xiaohu show`: what is in the database, as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
import sqlalchemy as sa

from bot.command.database import in_database
from bot.domain.clock import SystemClock
from bot.hospital import tiers
from bot.settings import read_settings
from storage.queries.show import LISTINGS, listing

ENCODER = msgspec.json.Encoder(decimal_format="number")


@click.command(help="List alerts, tasks, tickets, appointments, …: a JSON line each, newest last.")
@click.argument("what", type=click.Choice([*LISTINGS, "tiers"]))
@click.option("--patient", metavar="CODE", help="Only this patient's.")
@click.option(
    "--since", metavar="ISO", callback=lambda _c, _p, value: moment(value), help="Only from then on."
)
def show(what: str, patient: str | None, since: datetime | None) -> None:
    """Times are local to the hospital, with their offset."""
    settings = read_settings()
    zone = settings.zone
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=zone)

    def ask(connection: sa.Connection) -> Sequence[Mapping[str, Any]]:
        if what == "tiers":
            return list(_tiers(connection, zone, patient))
        return [dict(row._mapping) for row in listing(connection, what, patient, since)]

    for row in in_database(ask, settings, reads_only=True):
        click.echo(ENCODER.encode({name: _local(value, zone) for name, value in row.items()}))


def moment(text: str | None) -> datetime | None:
    """A moment in ISO 8601; naive when it has no offset.

    Raises:
        click.BadParameter: it is none.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time like 2026-11-18T10:00") from None


def _tiers(connection: sa.Connection, zone: ZoneInfo, patient: str | None) -> Iterator[Mapping[str, Any]]:
    today = SystemClock().now().astimezone(zone).date()
    for value in tiers.values(connection, today):
        if patient in (None, value.patient):
            yield {name: getattr(value, name) for name in tiers.Value.__slots__}


def _local(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(zone)
    return value


COMMANDS = (show,)
