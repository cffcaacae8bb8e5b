"""Whether a message complains, how grave it is and in what temper it is written.

The words are data (examples/complaints.toml). Explicit words (投诉, 举报) and words of blame make a
complaint; a question about how to complain, thanks and praise do not. Severities are C1 (harm, violence,
fraud) to C4 (parking, building, waiting); only a person may lower one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.language.slots import alternatives

EXAMPLES: Final = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Reproach:
    """The words of reproach and of praise in a message."""

    explicit: bool  # it says so itself: 投诉, 举报
    complains: bool  # explicit, or it blames
    praises: bool
    denied: bool  # it asks how to complain, or says that it does not


class Complaints:
    """Reads complaints with one set of words."""

    def __init__(self, path: Path = EXAMPLES / "complaints.toml") -> None:
        content = tomllib.loads(path.read_text("utf-8"))
        self._explicit, self._not_explicit = _pair(content["explicit"])
        self._blame, self._not_blame = _pair(content["blame"])
        self._positive, self._not_positive = _pair(content["positive"])
        self._grave = _pattern(content["severity"]["C1"])
        self._light = _pattern(content["severity"]["C4"])
        self._angry = _pattern(content["emotion"]["angry"])
        self._distress = _pattern(content["emotion"]["distress"])

    def read(self, text: str) -> Reproach:
        """The reproach in *text* (normalised, lower case)."""
        denied = self._not_explicit.search(text) is not None
        explicit = not denied and self._explicit.search(text) is not None
        praises = self._positive.search(self._not_positive.sub(" ", text)) is not None
        blames = not denied and self._blames(text) and not (praises and not _turns(text))
        return Reproach(explicit, explicit or blames, praises, denied)

    def severity(self, text: str) -> str:
        """How grave the complaint *text* is: C1 to C4."""
        if self._grave.search(text):
            return "C1"
        return "C4" if self._light.search(text) else "C3"

    def emotion(self, text: str, reproach: Reproach, complains: bool, ill: bool) -> str:
        """In what temper *text* is written: angry, dissatisfied, distress, positive or neutral.

        *complains*: it was judged a complaint; *ill*: it speaks of an illness, so kind words are for the
        patient's own state, not praise.
        """
        if complains:
            return "angry" if self._angry.search(text) else "dissatisfied"
        if self._distress.search(text):
            return "distress"
        return "positive" if reproach.praises and not ill else "neutral"

    def _blames(self, text: str) -> bool:
        return self._blame.search(self._not_blame.sub(" ", text)) is not None


@cache
def standard_complaints() -> Complaints:
    """The reader with the words shipped with the house."""
    return Complaints()


def _turns(text: str) -> bool:
    """Praise that turns: "酒店设施还行，服务超级差"."""
    return re.search(r"但|却|可是|不过|只是|差|垃圾|恶劣|投诉|骗|拖欠|希望", text) is not None


def _pair(table: dict[str, str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _pattern(table["words"]), _pattern(table.get("unless", "(?!)"))


def _pattern(lines: str) -> re.Pattern[str]:
    return alternatives(lines.split("\n"))
