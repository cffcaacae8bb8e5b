"""`xiaohu plans`: the plans themselves. Which there are, holding one back, and taking running ones to a new version."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Callable
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from bot.command.database import in_database
from bot.domain.clock import SystemClock
from bot.flows import PLANS
from bot.flows.engine import migration, pausing
from bot.settings import read_settings
from storage.queries import plans as rows

BY = click.option("--by", default="", metavar="USER", help="Who says so; the shell's user when not given.")


@click.group(help="The plans: list them, hold one back, take running ones to a new version.")
def plans() -> None:
    """One JSON line a plan, or a patient."""


@plans.command(
    "list", help="Every plan: its versions, who signed it, how many follow it, whether it is on hold."
)
def list_plans() -> None:
    """By name and version."""

    def read(db: sa.Connection) -> list[dict[str, Any]]:
        running = Counter((row.plan, row.version) for row in rows.instances_of_patient(db, None))
        held = pausing.paused(db)
        return [
            {
                "plan": plan.id,
                "version": plan.version,
                "signed_by": plan.signed_by or None,
                "needs_signature": plan.clinical,
                "contacts": len(plan.steps),
                "running": running[plan.key],
                "paused": plan.id in held,
            }
            for plan in sorted(PLANS.values(), key=lambda one: one.key)
        ]

    _print(in_database(read, read_settings(), reads_only=True))


@plans.command(help="Nothing of this plan goes out until it is resumed; everybody keeps their place.")
@click.argument("plan")
@BY
def pause(plan: str, by: str) -> None:
    """From the next look on."""
    now = SystemClock().now()
    _change(plan, lambda db: pausing.pause(db, plan, by or _me(), now))


@plans.command(help="It goes on where it was; what is no longer useful is not sent.")
@click.argument("plan")
@BY
def resume(plan: str, by: str) -> None:
    """From the next look on."""
    now = SystemClock().now()
    _change(plan, lambda db: pausing.resume(db, plan, by or _me(), now))


@plans.command(
    help="Take those who follow an older version to another one; without --yes only say who they are."
)
@click.argument("plan")
@click.option("--to", "version", type=int, required=True, metavar="VERSION")
@click.option("--yes", is_flag=True, help="Do it.")
def migrate(plan: str, version: int, yes: bool) -> None:
    """What went out stays; nothing is told twice, nothing that is past is begun."""
    settings, now = read_settings(), SystemClock().now()
    if (plan, version) not in PLANS:
        raise click.ClickException(f"{plan} v{version}: there is no such plan")

    def work(db: sa.Connection) -> list[dict[str, Any]]:
        found = migration.affected(db, plan, version)
        if yes:
            migration.migrate(db, now, settings.zone, PLANS, plan, version)
        return [
            {
                "patient": row.patient_code,
                "episode": row.episode,
                "from": row.version,
                "to": version,
                "migrated": yes,
            }
            for row in found
        ]

    _print(in_database(work, settings, reads_only=not yes))


def _change(plan: str, work: Callable[[sa.Connection], None]) -> None:
    if plan not in {one.id for one in PLANS.values()}:
        raise click.ClickException(f"{plan}: there is no such plan")

    def change(db: sa.Connection) -> list[dict[str, Any]]:
        work(db)
        return [{"plan": plan, "paused": plan in pausing.paused(db)}]

    _print(in_database(change, read_settings()))


def _print(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        click.echo(msgspec.json.encode(line).decode())


def _me() -> str:
    return f"shell:{getpass.getuser()}"


COMMANDS = (plans,)
