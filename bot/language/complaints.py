"""Whether a message complains, how grave it is and in what temper it is written.

Words and a learnt opinion are joined: words of blame alone can be wrong (没有不耐烦), and many who complain use
none (等报告等到天黑). The model is learnt by `python -m bot.language.grievances`.

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

from bot.language.logistic import Opinions, pieces
from bot.language.slots import alternatives

EXAMPLES: Final = Path(__file__).parent / "examples"
MODEL: Final = EXAMPLES / "complaints.model.json"
UNLIKELY: Final = 0.015  # probability below which words of blame are taken for something else
LIKELY: Final = 0.45  # probability from which no word of blame is needed
BELIEVED: Final = 0.25  # probability from which a word of harm, or of waiting and building, is believed
SURE: Final = 0.6  # and without such a word


@dataclass(frozen=True, slots=True)
class Reproach:
    """The words of reproach and of praise in a message."""

    explicit: bool  # it says so itself: 投诉, 举报
    complains: bool  # explicit, or it blames
    praises: bool
    denied: bool  # it asks how to complain, or says that it does not


class Complaints:
    """Reads complaints with one set of words and, if given, a learnt opinion."""

    def __init__(self, path: Path = EXAMPLES / "complaints.toml", opinions: Opinions | None = None) -> None:
        self._opinions = opinions
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
        blames = self._blames(text) and not (praises and not _turns(text))
        complains = not denied and (explicit or self._joined(text, blames))
        return Reproach(explicit, complains, praises, denied)

    def _joined(self, text: str, blames: bool) -> bool:
        """Words of blame count unless the model is sure of the contrary; without them it must think so."""
        if self._opinions is None:
            return blames
        return self.likely(text) >= (UNLIKELY if blames else LIKELY)

    def likely(self, text: str) -> float:
        """How likely *text* complains, as far as the examples go; 0.0 without a model."""
        if self._opinions is None:
            return 0.0
        return self._opinions.first(self._opinions.known(pieces(text)))

    def severity(self, text: str) -> str:
        """How grave the complaint *text* is: C1 to C4. A grave word is believed unless the model is sure."""
        grave, light = (pattern.search(text) is not None for pattern in (self._grave, self._light))
        if self._opinions is not None:
            _, gravely, lightly = self._opinions.all(self._opinions.known(pieces(text)))
            grave = gravely >= (BELIEVED if grave else SURE)
            light = lightly >= (BELIEVED if light else SURE)
        if grave:
            return "C1"
        return "C4" if light else "C3"

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
    """The reader shipped with the house."""
    return Complaints(opinions=Opinions.load(MODEL))


@cache
def wordly_complaints() -> Complaints:
    """The same, by words alone: what the classifiers are taught with."""
    return Complaints()


def _turns(text: str) -> bool:
    """Praise that turns: "酒店设施还行，服务超级差"."""
    return re.search(r"但|却|可是|不过|只是|差|垃圾|恶劣|投诉|骗|拖欠|希望", text) is not None


def _pair(table: dict[str, str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _pattern(table["words"]), _pattern(table.get("unless", "(?!)"))


def _pattern(lines: str) -> re.Pattern[str]:
    return alternatives(lines.split("\n"))
