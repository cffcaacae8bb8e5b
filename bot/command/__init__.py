"""The commands of `xiaohu`, one file a subject. A new one is a file and a line here."""

from __future__ import annotations

from importlib import import_module

import click

# Where each command lives. A module is imported when its command is asked for: `understand` starts in no time.
HOMES = {
    "serve": "serve",
    "worker": "worker",
    "demo": "demo",
    "db": "database",
    "import": "importing",
    "bind": "people",
    "unbind": "people",
    "understand": "understand",
    "plan": "plan",
    "plans": "plans",
    "show": "show",
    "user": "users",
    "doctor": "doctor",
    "broadcast": "broadcast",
}


class _Commands(click.Group):
    """Finds a command in its module."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(HOMES)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in HOMES:
            return None
        module = import_module(f"bot.command.{HOMES[name]}")
        commands: tuple[click.Command, ...] = module.COMMANDS
        return next(command for command in commands if command.name == name)


@click.group(cls=_Commands, help="小护: the bot behind a hospital's WeChat official account and WeCom.")
def cli() -> None:
    """Everything an operator can do from a shell."""
