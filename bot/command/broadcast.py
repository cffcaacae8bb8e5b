"""`xiaohu broadcast`: messages to many, from a shell. Each command prints one JSON line."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from bot.command.database import in_database
from bot.command.worker import read_moment
from bot.domain.clock import SystemClock
from bot.domain.letter import Purpose
from bot.flows.broadcasts import desk
from bot.hospital.segments import Segment, Tagged
from bot.settings import Settings, read_settings


@click.group(help="Messages to many: written by one console user, approved by another.")
def broadcast() -> None:
    """create → approve → start → (stop) → status."""


@broadcast.command(help="Write a broadcast to everybody with a tag.")
@click.option("--tag", required=True, metavar="TAG")
@click.option("--text", required=True, metavar="TEXT")
@click.option("--purpose", required=True, type=click.Choice([one.value for one in desk.PURPOSES]))
@click.option("--by", required=True, metavar="USER", help="The console user who writes it.")
@click.option("--hold-out", default=0, show_default=True, help="Per cent who get nothing, for comparison.")
@click.option("--pace", default=0, show_default=True, help="Letters a minute; 0: no limit.")
def create(tag: str, text: str, purpose: str, by: str, hold_out: int, pace: int) -> None:
    """A draft."""
    settings, now = read_settings(), SystemClock().now()
    draft = desk.Draft(Segment((Tagged((tag,)),)), text, Purpose(purpose), by, hold_out=hold_out, pace=pace)

    def write(db: sa.Connection) -> dict[str, Any]:
        return _line(db, desk.create(db, draft, now, settings.zone))

    _run(write, settings)


@broadcast.command(help="Approve exactly what was written; by a manager who did not write it.")
@click.argument("number", metavar="ID", type=int)
@click.option("--by", required=True, metavar="OTHER")
def approve(number: int, by: str) -> None:
    """The second pair of eyes."""
    settings, now = read_settings(), SystemClock().now()
    _change(lambda db: desk.approve(db, number, by, now, settings.zone), number, settings)


@broadcast.command(help="Take the audience as it stands, and begin; the worker delivers.")
@click.argument("number", metavar="ID", type=int)
@click.option("--now", "moment", metavar="ISO", help="The moment to act at; refused in production.")
def start(number: int, moment: str | None) -> None:
    """From now on whoever joins the audience waits for the next broadcast."""
    settings = read_settings()
    if moment is not None and settings.env == "production":
        click.echo("--now is refused in production: set XIAOHU_ENV to test or demo", err=True)
        sys.exit(1)
    now = read_moment(moment, settings) if moment is not None else SystemClock().now()
    _change(lambda db: desk.start(db, number, _me(), now, settings.zone), number, settings)


@broadcast.command(help="Stop for good: what has not left the house never does.")
@click.argument("number", metavar="ID", type=int)
def stop(number: int) -> None:
    """At once."""
    now = SystemClock().now()
    _change(lambda db: desk.stop(db, number, _me(), now), number, read_settings())


@broadcast.command(help="What became of everybody whom it was for.")
@click.argument("number", metavar="ID", type=int)
def status(number: int) -> None:
    """Counts, and the reasons."""
    _run(lambda db: desk.status(db, number), read_settings())


def _change(work: Callable[[sa.Connection], None], number: int, settings: Settings) -> None:
    def change(db: sa.Connection) -> dict[str, Any]:
        work(db)
        return _line(db, number)

    _run(change, settings)


def _line(db: sa.Connection, number: int) -> dict[str, Any]:
    return {"id": number, "state": desk.state(db, number)}


def _run(query: Callable[[sa.Connection], dict[str, Any]], settings: Settings) -> None:
    try:
        click.echo(msgspec.json.encode(in_database(query, settings)).decode())
    except desk.BroadcastRefused as refusal:
        click.echo(refusal, err=True)
        sys.exit(1)


def _me() -> str:
    return f"shell:{getpass.getuser()}"


COMMANDS = (broadcast,)
