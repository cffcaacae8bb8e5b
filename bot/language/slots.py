"""Small facts a message carries: a telephone number, for whom, which report, how many points."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parent / "examples"

_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")


def phone(text: str) -> str | None:
    """The first mobile number of mainland China, eleven digits."""
    found = _MOBILE.search(text)
    return "".join(found.groups()) if found else None


def relation(text: str) -> str | None:
    """Whom the writer speaks of, by the word said first: child, parent, spouse, other; None for himself."""
    said = [
        (match.start(), name)
        for name, pattern in _patterns("relation").items()
        if (match := pattern.search(text))
    ]
    return min(said)[1] if said else None


def report_kind(text: str) -> str | None:
    """Which report: pathology, imaging, exam, lab."""
    kinds = _patterns("report_kind").items()
    return next((kind for kind, pattern in kinds if pattern.search(text)), None)


def quantity(text: str) -> int | None:
    """How many points are spoken of."""
    found = _patterns("quantity")["points"].search(text)
    return int(next(group for group in found.groups() if group)) if found else None


@cache
def _patterns(table: str) -> Mapping[str, re.Pattern[str]]:
    content = tomllib.loads((EXAMPLES / "slots.toml").read_text("utf-8"))
    return {name: alternatives(words.split("\n")) for name, words in content[table].items()}


def alternatives(lines: Iterable[str]) -> re.Pattern[str]:
    """One pattern for lines of alternatives."""
    return re.compile("|".join(line.strip("| ") for line in lines if line.strip("| ")))
