"""From a text to its meaning: everything the other rooms may want to know of a message, read once.

Deterministic, without network, in well under a millisecond for what patients usually write.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from bot.language import slots
from bot.language.complaints import standard_complaints
from bot.language.intents.reader import Intents, Reading
from bot.language.intents.rules import read_rules, standard_rules
from bot.language.intents.training import own_classifier, standard_classifier
from bot.language.meaning import Context, Meaning, RedFlags, Urgency, Vocabulary, Want
from bot.language.names import NameIndex
from bot.language.normalise import detect_language, normalise
from bot.language.red_flags import Lexicon
from bot.language.red_flags.witness import standard_witness
from bot.language.triage import rank
from bot.language.triage.training import standard_model
from bot.language.vocabulary import medical_terms, standard_words
from bot.language.when import read_when

READ_AT_MOST: Final = 700  # characters; wants stand at the beginning or the end of a long story
ABOUT_ILLNESS: Final = frozenset({"health.consult", "triage.recommend", "medication.postop"})
PRESENT_DANGER: Final = 0.7  # score from which an urgent sign is what the message is about


class Understanding:
    """Reads messages of one hospital. Immutable, so any number of threads may share it.

    *examples* is the hospital's own rules and sentences (docs/language.md). Raises ValueError naming what is
    wrong in it, OSError when it cannot be read.
    """

    def __init__(
        self,
        vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 - frozen
        lexicon: Lexicon | None = None,
        examples: Path | None = None,
    ) -> None:
        self._names = NameIndex(vocabulary)
        self._lexicon = (lexicon or _standard_lexicon()).heard_with(standard_witness())
        self._words = standard_words()
        self._triage = standard_model()
        self._complaints = standard_complaints()
        self._intents = (
            _own_intents(examples, examples.stat().st_mtime_ns) if examples else _standard_intents()
        )

    def danger(self, text: str, context: Context, own_texts: Container[str] = ()) -> RedFlags:
        """The red flags alone."""
        return self._lexicon.read(text, context, own_texts)

    def read(
        self,
        text: str,
        now: datetime,
        context: Context = Context(),  # noqa: B008 - frozen
        own_texts: Container[str] = (),
    ) -> Meaning:
        """Read *text*, written at *now* (aware) by or about a patient of whom *context* is known.

        *own_texts* are fingerprints of what we sent: quoting it raises no alarm.
        """
        normal = normalise(text)
        flags = self._lexicon.read(text, context, own_texts)
        plain = _clipped(normal).lower()
        words = list(self._words.find(plain))
        reproach = self._complaints.read(plain)
        reading = self._intents.read(plain, words, reproach)
        departments = rank(plain, words, self._triage, ill=_of_illness(reading))
        intent, confidence, wants = reading.intent, reading.confidence, reading.wants
        likeliest = reading.likeliest
        if _is_present_danger(flags):
            intent, confidence = "emergency", flags.score
            wants = (
                Want("emergency", confidence, plain),
                *(w for w in wants if w.intent != "health.consult"),
            )
            likeliest = (("emergency", confidence), *likeliest)[:2]
        return Meaning(
            text=normal,
            language=detect_language(text),
            red_flags=flags,
            intent=intent,
            confidence=confidence,
            likeliest=likeliest,
            wants=wants,
            triage=tuple(name for name, _ in departments[:3]),
            departments=self._names.departments(normal),
            doctors=self._names.doctors(normal),
            when=read_when(normal, now),
            is_complaint=reading.complains,
            severity=self._complaints.severity(plain) if reading.complains else None,
            emotion=self._complaints.emotion(plain, reproach, reading.complains, ill=bool(departments)),
            phone=slots.phone(plain),
            relation=slots.relation(plain),
            report_kind=slots.report_kind(plain),
            quantity=slots.quantity(plain),
            entities=medical_terms(words),
        )


def _of_illness(reading: Reading) -> bool:
    """It speaks of an illness, or nothing is understood and an illness is among the likeliest."""
    unknown = reading.likeliest if reading.intent == "unknown" else ()
    return not ABOUT_ILLNESS.isdisjoint((reading.intent, *(intent for intent, _ in unknown)))


def _is_present_danger(flags: RedFlags) -> bool:
    if flags.ask and all(flag.ask for flag in flags.flags):
        return False
    return flags.urgency is Urgency.EMERGENCY or (
        flags.urgency is Urgency.URGENT and flags.score >= PRESENT_DANGER
    )


@cache
def _standard_lexicon() -> Lexicon:
    return Lexicon.load()


@cache
def _standard_intents() -> Intents:
    return Intents(standard_rules(), standard_classifier())


@lru_cache(maxsize=4)
def _own_intents(examples: Path, changed: int) -> Intents:
    """The standard reader with a hospital's own rules, which come first, and sentences.

    *changed* is the file's time stamp: the same file is read once.
    """
    rules = (*read_rules((examples,)), *standard_rules())
    return Intents(rules, own_classifier(examples, rules))


def _clipped(text: str) -> str:
    if len(text) <= READ_AT_MOST:
        return text
    return text[: READ_AT_MOST - 200] + "。" + text[-200:]
