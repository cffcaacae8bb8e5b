"""Answers at hand: found by pinyin initials, with what is known filled in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.console.labels import initials

_VARIABLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Snippet:
    """An answer. `open`: how many variables nobody could fill."""

    name: str
    key: str
    text: str
    open: int = 0


@cache
def _written() -> tuple[Snippet, ...]:
    file = Path(__file__).with_name("snippets.toml")
    found = tomllib.loads(file.read_text(encoding="utf-8"))["snippet"]
    return tuple(Snippet(one["name"], initials(one["name"]), one["text"]) for one in found)


def filled(known: Mapping[str, str], wanted: str = "") -> list[Snippet]:
    """The answers whose initials or name begin with, or whose text holds, what is wanted; variables filled in."""
    wanted = wanted.strip().lower()
    ranked = sorted(
        (_rank(one, wanted), place, one) for place, one in enumerate(_written()) if _rank(one, wanted) < 9
    )
    return [_fill(one, known) for _, _, one in ranked]


def _rank(snippet: Snippet, wanted: str) -> int:
    if snippet.key.startswith(wanted) or snippet.name.startswith(wanted):
        return 0
    return 1 if wanted in snippet.key else 2 if wanted in snippet.text else 9


def _fill(snippet: Snippet, known: Mapping[str, str]) -> Snippet:
    text = _VARIABLE.sub(lambda match: known.get(match[1]) or match[0], snippet.text)
    return Snippet(snippet.name, snippet.key, text, len(_VARIABLE.findall(text)))
