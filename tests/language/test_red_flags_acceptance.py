"""The figures of safety.md §1.5, held on our own sentences."""

from __future__ import annotations

from bot.language.meaning import Urgency
from tests.language.red_flag_fixtures import GRAVITY, Sentence, read, sentences

_SUPPOSED = {"hypothetical", "idiom", "knowledge"}
_SPOKEN = {"colloquial", "dialect", "typo", "traditional", "english", "story", "context"}


def _at_least(urgency: Urgency, name: str) -> float:
    rows = sentences(name)
    return sum(GRAVITY[read(s).urgency] >= GRAVITY[urgency] for s in rows) / len(rows)


def _alarms(rows: list[Sentence], least: Urgency) -> float:
    return sum(GRAVITY[read(s).urgency] >= GRAVITY[least] for s in rows) / len(rows)


def test_there_are_enough_sentences_and_they_sound_like_people() -> None:
    assert len(sentences("emergency")) >= 600
    assert len(sentences("urgent")) >= 600
    assert len(sentences("routine")) >= 3000
    danger = sentences("emergency") + sentences("urgent")
    assert sum(s.kind in _SPOKEN for s in danger) / len(danger) >= 0.3
    assert len({s.text for s in danger}) > 0.95 * len(danger)


def test_emergencies_are_found() -> None:
    assert _at_least(Urgency.EMERGENCY, "emergency") >= 0.985


def test_urgent_signs_are_found() -> None:
    assert _at_least(Urgency.URGENT, "urgent") >= 0.95


def test_routine_messages_do_not_wake_a_nurse() -> None:
    assert _alarms(sentences("routine"), Urgency.URGENT) <= 0.02


def test_what_is_supposed_or_said_in_jest_is_no_emergency() -> None:
    rows = [s for s in sentences("routine") + sentences("traps") if s.kind in _SUPPOSED]
    assert len(rows) >= 300
    assert _alarms(rows, Urgency.EMERGENCY) <= 0.03


def test_the_right_sign_is_named() -> None:
    rows = [s for s in sentences("emergency") + sentences("urgent") if s.concept]
    named = sum(s.concept in {flag.concept for flag in read(s).flags} for s in rows)
    assert named / len(rows) >= 0.95
