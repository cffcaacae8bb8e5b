"""Learning the second reader of danger: `python -m bot.language.red_flags.training FOLDER`.

It learns from `examples/danger.toml`, from the sentences of all other wants, which are routine, and from the
labelled sentences (`*.jsonl`: text, expect, concept) in FOLDER. The same files always give the same model.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.language.intents.training import SENTENCES, read_sentences
from bot.language.logistic import Answers, learn
from bot.language.meaning import Urgency
from bot.language.normalise import normalise
from bot.language.red_flags.reader import Lexicon
from bot.language.red_flags.witness import MODEL, shown
from bot.language.vocabulary import EXAMPLES

DANGER: Final = EXAMPLES / "danger.toml"
DESCRIPTIONS: Final = EXAMPLES / "descriptions.toml"
_LABELLED: Final = ("emergency", "urgent", "routine", "traps")
_SELF_HARM: Final = frozenset({"M01", "M02", "M03", "M04"})


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and what is to be said of it."""

    text: str
    expect: str | None  # E, U; all else is routine
    concept: str | None = None

    def answers(self) -> Answers:
        """The right answer to each question; all but the first are put of dangers alone."""
        if self.expect not in ("E", "U"):
            return (False, None, None, None)
        return (True, self.expect == "E", self.concept in _SELF_HARM, self.concept == "M06")


def examples(folder: Path) -> Iterator[Example]:
    """Everything there is to learn from, once each sentence."""
    for label, lines in tomllib.loads(DANGER.read_text("utf-8"))["sentences"].items():
        expect, _, concept = label.partition(" ")
        yield from (Example(line.strip(), expect, concept) for line in lines.split("\n") if line.strip())
    for name in _LABELLED:
        for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row.get("context"):
                yield Example(row["text"], row["expect"], row.get("concept"))
    for intent, sentence in read_sentences(SENTENCES):
        yield Example(sentence, "E" if intent == "emergency" else None)
    for lines in tomllib.loads(DESCRIPTIONS.read_text("utf-8")).values():
        # What brings people to a department is routine, unless a rule says otherwise.
        yield from (Example(line, None) for line in lines.split("\n") if line and not _flagged(line))


def learnt_from(folder: Path) -> str:
    """A fingerprint of the files the model is learnt from."""
    files = (DANGER, SENTENCES, DESCRIPTIONS, *(folder / f"{name}.jsonl" for name in _LABELLED))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _flagged(text: str) -> bool:
    return _lexicon().read(text).urgency in (Urgency.EMERGENCY, Urgency.URGENT)


def _shown(text: str) -> set[str]:
    lexicon = _lexicon()
    flags = lexicon.read(text)
    folded = lexicon.entries.spelling.fold(normalise(text))
    return shown(folded.text, (s.why for s in flags.suppressed))


def _lexicon(loaded: list[Lexicon] = []) -> Lexicon:  # noqa: B006 - loaded once
    if not loaded:
        loaded.append(Lexicon.load())
    return loaded[0]


def main(folder: Path) -> None:
    """Learn, and write the model."""
    rows = [(row.answers(), _shown(row.text)) for row in examples(folder)]
    learn(rows, MODEL, learnt_from(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
