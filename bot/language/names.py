"""Doctors and departments named in a text: exactly, by alias, by ear, by pinyin, with a typing slip."""

from __future__ import annotations

from bot.language.department_names import DepartmentNames
from bot.language.doctor_names import DoctorNames
from bot.language.meaning import Named, Vocabulary
from bot.language.name_matching import SLIP

_READ_AT_MOST = 500  # characters; nobody names a doctor after a page of text


class NameIndex:
    """The hospital's names, prepared once, then read for in every message.

    Both methods take normalised text and give the best first; equal scores are a tie that the
    conversation has to ask about. A score under 0.7 is weak: a common word, or a name by ear alone.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._departments = DepartmentNames(vocabulary.departments)
        self._doctors = DoctorNames(vocabulary.doctors)

    def departments(self, text: str) -> tuple[Named, ...]:
        """The departments a text names."""
        return self._departments.named_in(text[:_READ_AT_MOST])

    def doctors(self, text: str) -> tuple[Named, ...]:
        """The doctors a text names; those of a department it also names come before their namesakes."""
        text = text[:_READ_AT_MOST]
        inside = frozenset(d.code for d in self._departments.named_in(text) if d.score >= SLIP)
        return self._doctors.named_in(text, inside)
