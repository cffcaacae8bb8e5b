"""The lexicon: clinical data in TOML, read, checked and compiled.

A folder of `*.toml` files is one lexicon. `lexicon.toml` carries its version and signer; the other tables may
stand in any file: `[words]` (classes), `[scopes]` (classes that `scopes.py` knows), `[facts]`, `[measures]`,
`[typing]` and `[[concept]]`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.language.meaning import Urgency
from bot.language.red_flags.measures import Limit
from bot.language.red_flags.patterns import (
    Alternative,
    ConceptReference,
    Fact,
    Pattern,
    PatternError,
    Sequence,
    parse,
)
from bot.language.red_flags.scopes import MOST_FOR
from bot.language.red_flags.spelling import Spelling

ENOUGH = 1.0  # points that make a flag
HOME = Path(__file__).parent.parent / "lexicon"
_POINTS = {Urgency.EMERGENCY: 3.0, Urgency.URGENT: 2.5, Urgency.SAME_DAY: 2.5}
_KNOWN_FACTS = frozenset(
    {
        "pregnant",
        "postpartum",
        "under28d",
        "under3m",
        "m3to6",
        "infant",
        "elderly",
        "anticoagulated",
        "immunosuppressed",
        "chemo",
        "postop",
        "preop",
        "abdominal",
        "birth",
        "joint",
        "cataract",
        "dental",
        "tonsil",
        "cosmetic",
        "pci",
        "endoscopy",
        "dayga",
    }
)


class LexiconError(ValueError):
    """The lexicon must not be used; the message names the entry."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a concept."""

    concept: str
    urgency: Urgency
    pattern: Pattern
    ask: bool
    points: float  # evidence it starts with; from 1 on it is a flag
    unless: tuple[Pattern, ...] = ()  # words that explain it otherwise
    recovered: bool = False  # the sign is that it is over, so that does not speak against it


@dataclass(frozen=True, slots=True)
class Concept:
    """A danger sign of safety.md §1.1."""

    id: str
    name: str
    urgency: Urgency
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """All a lexicon says, checked."""

    version: str
    signer: str
    classes: Mapping[str, tuple[str, ...]]
    concepts: Mapping[str, Concept]
    facts: Mapping[str, tuple[Pattern, ...]]
    limits: tuple[Limit, ...]
    spelling: Spelling


def read_entries(folder: Path) -> Entries:
    """Read and check a lexicon. Raises `LexiconError` naming the entry that is wrong."""
    tables = _Tables()
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise LexiconError(f"no lexicon in {folder}")
    for file in files:
        try:
            tables.take(tomllib.loads(file.read_text("utf-8")), file.name)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LexiconError(f"{file.name}: {error}") from error
    return tables.entries()


class _Tables:
    def __init__(self) -> None:
        self.head: dict[str, str] = {}
        self.words: dict[str, list[str]] = {}
        self.scopes: set[str] = set()  # classes that scopes.py and denial.py name
        self.facts: dict[str, list[str]] = {}
        self.measures: dict[str, Limit] = {}
        self.typing: dict[str, dict[str, str]] = {"characters": {}, "slips": {}, "pinyin": {}}
        self.concepts: dict[str, dict[str, Any]] = {}

    def take(self, tables: dict[str, Any], file: str) -> None:
        for key in ("version", "signer"):
            if key in tables:
                self.head[key] = str(tables.pop(key))
        scopes = tables.pop("scopes", {})
        self.scopes |= scopes.keys()
        for name, text in (tables.pop("words", {}) | scopes).items():
            self._once(self.words, name, text.split(), file)
        for name, patterns in tables.pop("facts", {}).items():
            self._once(self.facts, name, patterns, file)
        for name, entry in tables.pop("measures", {}).items():
            limit = Limit(name, entry["of"], float(entry.get("from", 0)), float(entry.get("below", 1e9)))
            self._once(self.measures, name, limit, file)
        for table, entries in tables.pop("typing", {}).items():
            for wrong, right in entries.items():
                self._once(self.typing[table], wrong, right, file)
        for entry in tables.pop("concept", []):
            self._once(self.concepts, entry.get("id", "?"), entry, file)
        if tables:
            raise LexiconError(f"{file}: unknown entry {next(iter(tables))!r}")

    @staticmethod
    def _once(table: dict[str, Any], name: str, entry: Any, file: str) -> None:
        if name in table:
            raise LexiconError(f"{file}: {name!r} is given twice")
        table[name] = entry

    def entries(self) -> Entries:
        if not self.head.get("version"):
            raise LexiconError("lexicon.toml: no version")
        spelling = Spelling(self.typing["characters"], self.typing["slips"], self.typing["pinyin"])
        classes = {name: self._class(name, words, spelling) for name, words in self.words.items()}
        concepts = {id_: self._concept(entry, spelling) for id_, entry in self.concepts.items()}
        facts = {
            name: tuple(_parse(f"fact {name}", source, spelling) for source in sources)
            for name, sources in self.facts.items()
        }
        rules = [rule for concept in concepts.values() for rule in concept.rules]
        self._check_references(rules, facts, classes, concepts)
        self._check_contradictions(rules)
        literals = {
            name: (name[1:],)
            for pattern in (
                *(p for rule in rules for p in (rule.pattern, *rule.unless)),
                *(p for patterns in facts.values() for p in patterns),
            )
            for name in _class_names(pattern)
            if name.startswith("=")
        }
        return Entries(
            version=self.head["version"],
            signer=self.head.get("signer", ""),
            classes=classes | literals,
            concepts=concepts,
            facts=facts,
            limits=tuple(self.measures.values()),
            spelling=spelling,
        )

    @staticmethod
    def _class(name: str, words: list[str], spelling: Spelling) -> tuple[str, ...]:
        folded = [spelling.word(word.replace("_", " ")) for word in words]
        if not folded:
            raise LexiconError(f"class {name!r} is empty")
        twice = {w for w in words if words.count(w) > 1} if len(set(words)) < len(words) else set()
        if twice:
            raise LexiconError(f"class {name!r}: {sorted(twice)[0]!r} is given twice")
        return tuple(dict.fromkeys(folded))

    @staticmethod
    def _concept(entry: dict[str, Any], spelling: Spelling) -> Concept:
        id_ = entry.get("id", "?")
        try:
            urgency = Urgency(entry["urgency"])
            blocks = [entry, *entry.get("also", [])]
            rules = tuple(
                Rule(
                    concept=id_,
                    urgency=(level := Urgency(block.get("urgency", urgency))),
                    pattern=_parse(id_, source, spelling),
                    ask=bool(block.get("ask", False)),
                    points=float(block.get("points", _POINTS[level])),
                    unless=tuple(_parse(id_, other, spelling) for other in block.get("unless", ())),
                    recovered=bool(block.get("recovered", False)),
                )
                for block in blocks
                for source in block.get("patterns", ())
            )
            if not rules:
                raise LexiconError(f"{id_}: no rule")
            for rule in rules:
                if rule.points + MOST_FOR < ENOUGH:
                    raise LexiconError(f"{id_}: unreachable rule {rule.pattern.source!r}")
            return Concept(id_, entry["name"], urgency, rules)
        except (KeyError, ValueError) as error:
            if isinstance(error, LexiconError):
                raise
            raise LexiconError(f"concept {id_}: {error}") from error

    def _check_references(
        self,
        rules: Iterable[Rule],
        facts: Mapping[str, tuple[Pattern, ...]],
        classes: Mapping[str, tuple[str, ...]],
        concepts: Mapping[str, Concept],
    ) -> None:
        known = set(classes) | set(self.measures)
        used = set(self.scopes)
        named = [(r.concept, p) for r in rules for p in (r.pattern, *r.unless)]
        named += [(f"fact {name}", p) for name, patterns in facts.items() for p in patterns]
        for owner, pattern in named:
            for name in _class_names(pattern):
                used.add(name)
                if name not in known and not name.startswith("="):
                    raise LexiconError(f"{owner}: {pattern.source!r} names no class {name!r}")
            for alternative in _alternatives(pattern):
                if isinstance(alternative, ConceptReference):
                    if alternative.concept not in concepts:
                        raise LexiconError(f"{owner}: {pattern.source!r} names no concept")
                elif isinstance(alternative, Fact) and alternative.name not in _KNOWN_FACTS | set(facts):
                    raise LexiconError(f"{owner}: {pattern.source!r} names no fact {alternative.name!r}")

        for name in known:
            if name not in used:
                raise LexiconError(f"class {name!r} is unreachable: no rule names it")

    @staticmethod
    def _check_contradictions(rules: Iterable[Rule]) -> None:
        """The same words twice in one concept: a duplicate, or two answers to one question.

        Two urgencies are one answer when the greater needs more evidence than the lesser.
        """
        seen: dict[tuple[str, tuple[tuple[Alternative, ...], ...]], list[Rule]] = {}
        for rule in rules:
            others = seen.setdefault((rule.concept, rule.pattern.parts), [])
            for other in others:
                milder, graver = sorted((rule, other), key=lambda r: r.urgency is Urgency.EMERGENCY)
                if rule.urgency == other.urgency:
                    raise LexiconError(f"{rule.concept}: duplicate rule {rule.pattern.source!r}")
                if graver.points >= milder.points:
                    raise LexiconError(f"{rule.concept}: contradictory rule {rule.pattern.source!r}")
            others.append(rule)


def _parse(owner: str, source: str, spelling: Spelling) -> Pattern:
    try:
        pattern = parse(source)
    except PatternError as error:
        raise LexiconError(f"{owner}: {error}") from error
    return Pattern(
        pattern.source, tuple(tuple(_shared(_folded(a, spelling)) for a in p) for p in pattern.parts)
    )


@cache
def _shared(alternative: Alternative) -> Alternative:
    """One object for equal sequences, so that a reading weighs each of them once."""
    return alternative


def _folded(alternative: Alternative, spelling: Spelling) -> Alternative:
    if not isinstance(alternative, Sequence):
        return alternative
    names = tuple("=" + spelling.word(n[1:]) if n.startswith("=") else n for n in alternative.classes)
    return Sequence(names, alternative.gaps)


def _alternatives(pattern: Pattern) -> Iterator[Alternative]:
    for part in pattern.parts:
        yield from part


def _class_names(pattern: Pattern) -> Iterator[str]:
    for alternative in _alternatives(pattern):
        if isinstance(alternative, Sequence):
            yield from alternative.classes
