"""What every answer needs to know of the hospital: its facts, its names, its own answers. Read again when imported."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from bot.language.meaning import DepartmentName, DoctorName, Vocabulary
from storage.queries import hospital
from storage.queries.conversations import REVISION

FACTS = ("name", "short_name", "phone", "nurse_phone", "complaint_phone", "address", "emergency_name")


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the hospital's own answers."""

    code: str
    questions: tuple[str, ...]
    text: str
    text_traditional: str
    text_english: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A snapshot; `revision` changes with every import."""

    revision: str = ""
    facts: dict[str, str] = field(default_factory=lambda: dict.fromkeys(FACTS, ""))
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    answers: tuple[Answer, ...] = ()


def read_knowledge(db: sa.Connection) -> Knowledge:
    """The hospital as it was last imported."""
    facts = hospital.all_facts(db)
    return Knowledge(
        revision=facts.pop(REVISION, ""),
        facts=dict.fromkeys(FACTS, "") | facts,
        vocabulary=Vocabulary(
            departments=tuple(
                DepartmentName(row.code, row.name, tuple(part for part in row.aliases.split("|") if part))
                for row in hospital.all_departments(db)
            ),
            doctors=tuple(
                DoctorName(row.code, row.name, row.title, row.department_code)
                for row in hospital.all_doctors(db)
            ),
        ),
        answers=tuple(
            Answer(
                row.code,
                tuple(part for part in row.questions.split("|") if part),
                row.answer,
                row.answer_zh_hant,
                row.answer_en,
            )
            for row in hospital.all_answers(db)
        ),
    )
