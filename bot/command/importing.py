"""`xiaohu import`: the hospital's data, from a folder of CSV files or workbooks."""

from __future__ import annotations

import getpass
import sys
from contextlib import nullcontext
from pathlib import Path

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.command.database import in_database
from bot.domain.clock import SystemClock
from bot.hospital.importing.applying import Outcome, import_folder
from bot.settings import Settings, read_settings
from storage.database import on_own_connection


@click.command("import", help="Take in a folder of hospital data; all or nothing.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check; change nothing.")
def import_(folder: Path, dry_run: bool) -> None:
    """Refused cells go to standard error, one a line."""
    outcome = bring_in(folder, read_settings(), dry_run=dry_run)
    if outcome.faults:
        for fault in outcome.faults:
            click.echo(fault, err=True)
        sys.exit(1)
    for file, count in outcome.counts.items():
        click.echo(f"{file}: {count} 行")
    for name in outcome.strangers:
        click.echo(f"{name}: 不属于医院数据，已略过")
    click.echo("检查通过，未作任何改动（--dry-run）。" if dry_run else "导入完成。")


def bring_in(folder: Path, settings: Settings, *, dry_run: bool = False) -> Outcome:
    """Import a folder into the database of these settings, on the newest tables, with a bar on a terminal."""
    in_database(lambda _connection: None, settings)

    def work(connection: sa.Connection) -> Outcome:
        with _bar(folder) as bar:
            task = (
                bar.add_task("", total=sum(path.stat().st_size for path in folder.iterdir())) if bar else None
            )

            def progress(file: str, size: int) -> None:
                if bar and task is not None:
                    bar.update(task, advance=size, description=file)

            return import_folder(
                connection,
                folder,
                zone=settings.zone,
                now=SystemClock().now(),
                by=f"shell:{getpass.getuser()}",
                dry_run=dry_run,
                progress=progress,
            )

    return on_own_connection(settings.database_url, work)


def _bar(folder: Path) -> Progress | nullcontext[None]:
    if not sys.stderr.isatty():
        return nullcontext()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


COMMANDS = (import_,)
