"""Rules that read a want from words. They are data: examples/intents.toml says how to write one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.language.intents.names import known
from bot.language.vocabulary import EXAMPLES


@dataclass(frozen=True, slots=True)
class Rule:
    """One sign of one want."""

    intent: str
    score: float
    when: re.Pattern[str]
    unless: re.Pattern[str] | None
    hospital: bool  # only where a hospital's business is in sight

    def holds(self, text: str, foreign: bool) -> bool:
        """Whether *text* (normalised, lower case) shows it; *foreign*: it is another trade's business."""
        if foreign and self.hospital:
            return False
        return bool(self.when.search(text)) and not (self.unless and self.unless.search(text))


def read_rules(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """The rules of TOML files, in order.

    Raises ValueError with the file and the rule's number when one is malformed.
    """
    rules: list[Rule] = []
    words: dict[str, str] = {}
    for path in paths:
        content = tomllib.loads(path.read_text("utf-8"))
        words |= content.get("words", {})
        for number, entry in enumerate(content.get("rule", ()), 1):
            try:
                rules.append(_rule(entry, words))
            except (KeyError, TypeError, ValueError, re.error) as error:
                raise ValueError(f"{path.name}: rule {number}: {error}") from error
    return tuple(rules)


@cache
def standard_rules() -> tuple[Rule, ...]:
    """The rules shipped with the house."""
    return read_rules((EXAMPLES / "intents.toml",))


def _rule(entry: Mapping[str, Any], words: Mapping[str, str]) -> Rule:
    unless = entry.get("unless")
    return Rule(
        intent=known(entry["intent"]),
        score=float(entry.get("score", 0.9)),
        when=re.compile(_filled(entry["when"], words)),
        unless=re.compile(_filled(unless, words)) if unless else None,
        hospital=entry.get("sense") == "hospital",
    )


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z]+)\}", lambda name: f"(?:{words[name[1]]})", pattern)


def best(rules: Sequence[Rule], text: str, foreign: bool) -> dict[str, float]:
    """The intents *text* shows, each with the score of its best rule."""
    scores: dict[str, float] = {}
    for rule in rules:
        if rule.score > scores.get(rule.intent, 0.0) and rule.holds(text, foreign):
            scores[rule.intent] = rule.score
    return scores
