"""The commands of `xiaohu`, one file a subject. A new one is a file and a line here."""

from __future__ import annotations

import click

from bot.command import database, importing, people, serve, show, understand, worker


@click.group(help="小护: the bot behind a hospital's WeChat official account and WeCom.")
def cli() -> None:
    """Everything an operator can do from a shell."""


for module in (serve, database, importing, people, show, understand, worker):
    for command in module.COMMANDS:
        cli.add_command(command)
