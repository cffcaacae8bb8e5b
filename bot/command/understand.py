"""`xiaohu understand`: JSON lines in, what they mean out."""

from __future__ import annotations

import sys

import click


@click.command(help="Read JSON lines {id, text, now}; write what each text means, one JSON line each.")
def understand() -> None:
    """Needs no settings and no database."""
    from bot.language.command import run

    with open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False) as lines:
        run(lines, sys.stdout)


COMMANDS = (understand,)
