"""Reading one message for danger: words, rules, scopes, combinations, what is known of the patient."""

from __future__ import annotations

import copy
import math
from collections.abc import Container, KeysView
from dataclasses import dataclass, replace
from pathlib import Path

from bot.language.meaning import Context, RedFlag, RedFlags, Suppressed, Urgency
from bot.language.normalise import normalise
from bot.language.red_flags.denial import masked, negated
from bot.language.red_flags.lexicon import ENOUGH, HOME, Entries, Rule, read_entries
from bot.language.red_flags.measures import add_measures
from bot.language.red_flags.own_texts import without_own_texts
from bot.language.red_flags.patient import holds, raised
from bot.language.red_flags.patterns import Alternative, ConceptReference, Fact, Pattern, Sequence
from bot.language.red_flags.scopes import Evidence, evidence
from bot.language.red_flags.sign import Sign, Text
from bot.language.red_flags.spelling import Folded
from bot.language.red_flags.witness import Opinion, Witness, as_flag
from bot.language.red_flags.words import Span, WordIndex

_PLACES = 200  # places whose surroundings are read
_MATCHES = 16  # matches of one sequence that are weighed; more of the same say nothing new
_ORDER = {Urgency.EMERGENCY: 3, Urgency.URGENT: 2, Urgency.SAME_DAY: 1, None: 0}
_BESIDE = 0.05  # of the score: what the second reader adds ranks below what a clear rule finds
_UNKNOWN = Context()
_ASKED = frozenset({"hypothetical", "knowledge", "errand", "unclear"})


@dataclass(frozen=True, slots=True)
class _Meant:
    """How much speaks for one part of a rule, and why."""

    points: float  # evidence alone; -inf: denied
    span: Span
    reasons: tuple[Evidence, ...] = ()
    why: str = ""  # the strongest reason against

    def without(self, why: str) -> _Meant:
        """The same without one reason."""
        reasons = tuple(e for e in self.reasons if e.why != why)
        left = self.points - sum(e.points for e in self.reasons if e.why == why)
        return replace(self, points=left, reasons=reasons)

    @property
    def certain(self) -> bool:
        return self.span == (0, 0)


_GIVEN = _Meant(math.inf, (0, 0))


class Lexicon:
    """The red-flag lexicon, ready to read with. Immutable: to reload it, load another."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self._witness: Witness | None = None
        self.version = f"{entries.version} {entries.signer or 'unsigned'}"
        self._index = WordIndex(entries.classes)
        self.measures = frozenset(limit.name for limit in entries.limits)
        # 非X: longer words in which a word of X means nothing (主要是 is no 要是); 否定 looks for itself.
        self._shields = [
            (name[1:], name)
            for name in entries.classes
            if name.startswith("非") and name[1:] in entries.classes and name != "非否定"
        ]
        self._rules: dict[str, list[int]] = {}
        rules = [rule for concept in entries.concepts.values() for rule in concept.rules]
        self._ordered = sorted(rules, key=_refers)  # what names other concepts is read after them
        self._needed = [_needed(rule) for rule in self._ordered]
        for place, rule in enumerate(self._ordered):
            self._file(place, rule)

    @classmethod
    def load(cls, path: Path | None = None) -> Lexicon:
        """Load the lexicon in folder *path*, or our own. Raises `LexiconError` naming a wrong entry."""
        return cls(read_entries(path or HOME))

    def heard_with(self, witness: Witness) -> Lexicon:
        """The same lexicon, with a second reader who may add alarms, and make an urgent one an emergency."""
        both = copy.copy(self)
        both._witness = witness
        return both

    def _file(self, place: int, rule: Rule) -> None:
        """File a rule under the words one of which must stand in the text for it to hold."""
        for part in rule.pattern.parts:
            if all(isinstance(a, Sequence) for a in part):
                keys = [self._rarest(a) for a in part if isinstance(a, Sequence)]
                for key in dict.fromkeys(keys):
                    self._rules.setdefault(key, []).append(place)
                return
        self._rules.setdefault("", []).append(place)

    def _rarest(self, sequence: Sequence) -> str:
        return min(sequence.classes, key=lambda name: len(self.entries.classes.get(name, ())))

    def read(self, text: str, context: Context = _UNKNOWN, own_texts: Container[str] = ()) -> RedFlags:
        """Read the raw *text* of one message (or of several that came within a minute, joined)."""
        remaining = without_own_texts(text, own_texts) if own_texts else text
        if remaining is None:
            quoted = Suppressed("", normalise(text), "own_text")
            return RedFlags(suppressed=(quoted,), lexicon=self.version)
        folded = self.entries.spelling.fold(normalise(remaining))
        reading = _Reading(self, folded, context)
        flags = reading.result()
        if self._witness is None or flags.urgency is Urgency.EMERGENCY:
            return flags
        opinion = self._witness.hear(folded.text, {entry.why for entry in flags.suppressed})
        if opinion is None or (flags.urgency is Urgency.URGENT and not opinion.graver):
            return flags
        return _with_opinion(flags, opinion, folded.original, "他人" in reading.text.found)

    def rules_for(self, names: KeysView[str]) -> list[Rule]:
        """Rules that may hold when these word classes stand in the text, simple ones first."""
        places = set(self._rules.get("", ()))
        places.update(
            place for name in names for place in self._rules.get(name, ()) if self._needed[place] <= names
        )
        return [self._ordered[place] for place in sorted(places)]

    def scan(self, folded: Folded) -> Text:
        found = self._index.scan(folded.text)
        for name, longer in self._shields:
            found.drop_covered(name, longer)
        add_measures(folded.text, found, self.entries.limits)
        return Text.of(folded.text, found)


def _refers(rule: Rule) -> bool:
    return any(isinstance(a, ConceptReference) for part in rule.pattern.parts for a in part)


def _needed(rule: Rule) -> frozenset[str]:
    """The word classes without which the rule cannot hold."""
    return frozenset(
        name
        for part in rule.pattern.parts
        if len(part) == 1 and isinstance(part[0], Sequence)
        for name in part[0].classes
    )


class _Reading:
    """One reading of one text; lives as long as the call."""

    def __init__(self, lexicon: Lexicon, folded: Folded, context: Context) -> None:
        self.lexicon = lexicon
        self.folded = folded
        self.context = context
        self.text = lexicon.scan(folded)
        self.weighed: dict[int, _Meant | None] = {}  # by the identity of the sequence
        self.places: dict[Span, tuple[Evidence, ...]] = {}
        self.concepts: dict[str, float] = {}
        self.flags: dict[str, tuple[RedFlag, float]] = {}
        self.suppressed: dict[str, tuple[Suppressed, float, Rule]] = {}

    def result(self) -> RedFlags:
        for rule in self.lexicon.rules_for(self.text.found.keys()):
            self._apply(rule)
        flags = tuple(raised(flag, self.context, self.folded.text) for flag, _ in self.flags.values())
        flags = tuple(sorted(flags, key=lambda f: -_ORDER[f.urgency]))
        return RedFlags(
            urgency=max((f.urgency for f in flags), key=lambda u: _ORDER[u], default=None),
            flags=flags,
            suppressed=tuple(s for c, (s, _, _) in self.suppressed.items() if c not in self.flags),
            ask=any(f.ask for f in flags) or (not flags and self._must_ask()),
            score=self._score(flags),
            lexicon=self.lexicon.version,
        )

    def _apply(self, rule: Rule) -> None:
        parts = [self._part(part) for part in rule.pattern.parts]
        if any(part is None for part in parts) or any(self._stands(other) for other in rule.unless):
            return
        meant = min((p for p in parts if p), key=lambda p: p.points)
        if rule.recovered:
            meant = meant.without("resolved")
        points = rule.points + (0 if meant.points == math.inf else meant.points)
        span = next((p.span for p in parts if p and not p.certain), (0, 0))
        self._weigh(rule, meant, points, span)

    def _weigh(self, rule: Rule, meant: _Meant, points: float, span: Span) -> None:
        quoted = self.folded.quote(*span)
        reasons = ", ".join(f"{e.why} {e.points:+g}" for e in meant.reasons)
        if points >= ENOUGH:
            self._flag(rule, points, quoted, reasons)
        elif self._just_over(rule, meant, points):
            softer = replace(rule, urgency=Urgency.URGENT, ask=True)
            self._flag(softer, ENOUGH, quoted, reasons)
        else:
            known = self.suppressed.get(rule.concept)
            if known is None or known[1] < points:
                entry = Suppressed(rule.concept, quoted, meant.why or "unclear")
                self.suppressed[rule.concept] = (entry, points, rule)

    @staticmethod
    def _just_over(rule: Rule, meant: _Meant, points: float) -> bool:
        """An emergency of the last days that is better now: not dropped, asked (safety.md §1.2)."""
        reasons = {e.why: e.points for e in meant.reasons}
        return (
            rule.urgency is Urgency.EMERGENCY
            and ("recent" in reasons or "now" in reasons)
            and "resolved" in reasons
            and points - reasons["resolved"] >= ENOUGH + 0.5
        )

    def _flag(self, rule: Rule, points: float, quoted: str, reasons: str) -> None:
        self.concepts[rule.concept] = max(points, self.concepts.get(rule.concept, points))
        known = self.flags.get(rule.concept)
        if known and (_ORDER[known[0].urgency], known[1]) >= (_ORDER[rule.urgency], points):
            return
        flag = RedFlag(
            concept=rule.concept,
            urgency=rule.urgency,
            text=quoted,
            rule=rule.pattern.source + (f" [{reasons}]" if reasons else ""),
            ask=rule.ask,
            other_person="他人" in self.text.found,
        )
        self.flags[rule.concept] = (flag, points)

    def _part(self, part: tuple[Alternative, ...]) -> _Meant | None:
        best: _Meant | None = None
        for alternative in part:
            meant = self._alternative(alternative)
            if meant and (best is None or meant.points > best.points):
                best = meant
        return best

    def _alternative(self, alternative: Alternative) -> _Meant | None:
        if isinstance(alternative, Sequence):
            key = id(alternative)
            if key not in self.weighed:
                self.weighed[key] = self._sequence(alternative)
            return self.weighed[key]
        if isinstance(alternative, ConceptReference):
            return _GIVEN if alternative.concept in self.concepts else None
        return _GIVEN if self._fact(alternative) else None

    def _fact(self, fact: Fact) -> bool:
        if holds(fact, self.context):
            return True
        return any(self._stands(pattern) for pattern in self.lexicon.entries.facts.get(fact.name, ()))

    def _stands(self, pattern: Pattern) -> bool:
        """The words of *pattern* stand in the text and are not denied."""
        parts = [self._part(part) for part in pattern.parts]
        return all(part is not None and part.points > -math.inf for part in parts)

    def _sequence(self, sequence: Sequence) -> _Meant | None:
        """The match of *sequence* that is most likely meant."""
        found = self.text.found
        if not found.keys() >= sequence.needs:
            return None
        measured = not self.lexicon.measures.isdisjoint(sequence.classes)
        best: _Meant | None = None
        for i, spans in enumerate(sequence.matches(found, self.text.breaks)):
            meant = self._meaning(spans, measured)
            if best is None or meant.points > best.points:
                best = meant
            if i >= _MATCHES:
                break
        return best

    def _meaning(self, spans: tuple[Span, ...], measured: bool) -> _Meant:
        whole = (spans[0][0], spans[-1][1])
        mask = masked(self.text, spans)
        if mask:
            return _Meant(-math.inf, whole, why=mask)
        if negated(self.text, spans):
            return _Meant(-math.inf, whole, why="negated")
        reasons = self._evidence(whole)
        if measured:
            reasons += (Evidence("measured", 1.5),)
        against = min(reasons, key=lambda e: e.points, default=None)
        why = against.why if against and against.points < 0 else ""
        return _Meant(sum(e.points for e in reasons), whole, reasons, why)

    def _evidence(self, span: Span) -> tuple[Evidence, ...]:
        known = self.places.get(span)
        if known is None:
            if len(self.places) >= _PLACES:
                return ()  # nobody writes so much: what stands there counts as meant
            known = self.places[span] = tuple(evidence(Sign(self.text, *span)))
        return known

    def _must_ask(self) -> bool:
        return any(
            s.why in _ASKED and (rule.ask or rule.urgency is not Urgency.SAME_DAY)
            for s, _, rule in self.suppressed.values()
        )

    def _score(self, flags: tuple[RedFlag, ...]) -> float:
        """0…1; from 0.5 on it is urgent. Flags for the same day and suppressed signs rank below."""
        urgent = {f.concept for f in flags if f.urgency is not Urgency.SAME_DAY}
        best = [points for concept, (_, points) in self.flags.items() if concept in urgent]
        if best:
            return round(_squash(max(best) - ENOUGH + 0.05), 4)
        rest = [
            p for _, p, r in self.suppressed.values() if r.urgency is not Urgency.SAME_DAY and p > -math.inf
        ]
        return round(min(0.49, _squash(max(rest) - ENOUGH)), 4) if rest else 0.1 * bool(flags)


def _with_opinion(flags: RedFlags, opinion: Opinion, text: str, other_person: bool) -> RedFlags:
    """What the rules found, and the alarm that the second reader adds."""
    added = as_flag(opinion, text, other_person)
    if added is None:
        return replace(flags, score=round(max(flags.score, min(0.49, opinion.danger)), 4))
    return replace(
        flags,
        urgency=added.urgency,
        flags=(added, *flags.flags),
        ask=added.ask or flags.ask,
        score=max(flags.score, round(0.5 + _BESIDE * opinion.danger, 4)),
    )


def _squash(points: float) -> float:
    return 1 / (1 + math.exp(-0.7 * points))
