"""`xiaohu worker`: flows, sender and clock alone."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import datetime

import click

from bot.app import open_house
from bot.domain.clock import Clock, ShiftedClock, StoppedClock, SystemClock
from bot.settings import Settings, read_settings


@click.command(help="Run flows, sender and clock alone.")
@click.option(
    "--once", is_flag=True, help="Deliver everything due at this moment, print a JSON line, and end."
)
@click.option("--now", "moment", metavar="ISO", help="The moment to act at; refused in production.")
def worker(once: bool, moment: str | None) -> None:
    """Until it is told to stop, or once."""
    settings = read_settings()
    if moment is not None and settings.env == "production":
        click.echo("--now is refused in production: set XIAOHU_ENV to test or demo", err=True)
        sys.exit(1)
    now = read_moment(moment, settings) if moment is not None else None
    asyncio.run(_once(settings, now) if once else _run(settings, now))


def read_moment(text: str, settings: Settings) -> datetime:
    """A moment in ISO 8601; without an offset it is the hospital's local time.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not a moment like 2026-11-18T10:30", param_hint="--now"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)


async def _once(settings: Settings, now: datetime | None) -> None:
    clock = StoppedClock(now or SystemClock().now())
    house = await open_house(settings, clock)
    try:
        summary = await house.worker.once()
    finally:
        await house.close()
    counts = summary.counts
    line = {
        "now": clock.now().astimezone(settings.zone).isoformat(),
        "planned": summary.planned,
        "sent": counts.sent,
        "suppressed": counts.suppressed,
        "expired": counts.expired,
        "failed": counts.failed,
    }
    click.echo(json.dumps(line))


async def _run(settings: Settings, now: datetime | None) -> None:
    clock: Clock = ShiftedClock(now) if now else SystemClock()
    house = await open_house(settings, clock)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    house.worker.start()
    await stop.wait()
    await house.close()


COMMANDS = (worker,)
