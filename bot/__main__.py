"""`xiaohu`: the one command line program."""

from __future__ import annotations

import sys

from bot.command import cli
from bot.settings import SettingsError


def main() -> None:
    """Run a command. 0: done; 1: refused, with the reason on standard error; 2: wrong usage."""
    try:
        cli.main(prog_name="xiaohu")
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
