"""What a message means: the values the rest of the house reads, and nothing that computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.language import Language


class Urgency(StrEnum):
    """How fast a person must look (safety.md §1)."""

    EMERGENCY = "E"  # "call 120 now" in the same reply, and a nurse is alarmed
    URGENT = "U"  # a nurse makes contact within 15 minutes
    SAME_DAY = "S"  # a nurse makes contact the same day


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One danger sign found in the text."""

    concept: str  # the lexicon's ID: G01, P04, M02 …
    urgency: Urgency
    text: str  # the words that matched, as normalised
    rule: str  # which rule of the lexicon decided, for the nurse who asks why
    ask: bool = False  # unclear whether it is happening now: ask, and alarm on silence
    other_person: bool = False  # somebody with the writer, not the writer


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A danger sign that was seen and did not count."""

    concept: str
    text: str
    why: str  # negated, history, hypothetical, idiom, place, object, animal, fiction, own_text


@dataclass(frozen=True, slots=True)
class RedFlags:
    """The whole reading of a text for danger."""

    urgency: Urgency | None = None  # the highest of the flags
    flags: tuple[RedFlag, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    ask: bool = False  # nothing certain, but it must be asked (safety.md §1.3)
    score: float = 0.0  # 0…1, for ranking and thresholds
    lexicon: str = ""  # version and signer of the lexicon that decided


@dataclass(frozen=True, slots=True)
class Procedure:
    """An operation or treatment the patient had, or will have."""

    family: str  # contract.md §4: abdominal, birth, joint, …
    day: int  # calendar days since; negative before it


@dataclass(frozen=True, slots=True)
class Context:
    """What we know of the patient that a rule may use. Facts raise, they never lower."""

    procedures: tuple[Procedure, ...] = ()
    age_days: int | None = None
    pregnant_weeks: int | None = None
    postpartum_days: int | None = None
    anticoagulated: bool = False
    immunosuppressed: bool = False
    chemotherapy: bool = False
    alone: bool = False
    seen_within_24_hours: frozenset[str] = frozenset()  # concepts flagged in the last day


@dataclass(frozen=True, slots=True)
class Want:
    """One thing the message asks for."""

    intent: str  # names in the contract's data: appointment.book, report.query, …
    confidence: float
    text: str  # the part of the message that asks it


@dataclass(frozen=True, slots=True)
class When:
    """A date, a time or a span of them. Aware, in the hospital's zone; `end` is exclusive."""

    start: datetime
    end: datetime | None
    # second (现在), minute, hour, part_of_day, day, week, month, quarter, half_year, season, year, decade,
    # century, fuzzy (月底, 两三天后), recent (最近)
    grain: str
    text: str
    time_only: bool = False  # "三点": no day was said; `start` carries the day of `now`
    past: bool = False  # lies before now, as said ("上周五做的检查")
    others: tuple[tuple[datetime, datetime | None], ...] = ()  # other readings, when it is ambiguous
    deadline: bool = False  # "周五之前": any time from now up to what was said


@dataclass(frozen=True, slots=True)
class Named:
    """A doctor or department of this hospital that the text names."""

    code: str
    name: str
    text: str
    score: float  # 1.0 exact; less for a typo, a homophone or pinyin


@dataclass(frozen=True, slots=True)
class DepartmentName:
    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DoctorName:
    code: str
    name: str
    title: str = ""
    department_code: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The hospital's own names, so that the text can be read for them."""

    departments: tuple[DepartmentName, ...] = ()
    doctors: tuple[DoctorName, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """All that could be read from one text, before anyone decides what to do about it."""

    text: str  # as normalised: NFKC, simplified, single spaces
    language: Language
    red_flags: RedFlags
    intent: str  # the first want, or "unknown", or "thanks", "greeting.chitchat"
    confidence: float
    likeliest: tuple[tuple[str, float], ...] = ()  # best two, also when intent is "unknown"
    wants: tuple[Want, ...] = ()  # everything asked, in the order asked
    triage: tuple[str, ...] = ()  # standard department names for a symptom, best first, up to 3
    departments: tuple[Named, ...] = ()  # named in the text; several with one score are a tie
    doctors: tuple[Named, ...] = ()
    when: tuple[When, ...] = ()
    is_complaint: bool = False
    severity: str | None = None  # C1 … C4
    emotion: str | None = None  # angry, dissatisfied, distress, positive, neutral
    phone: str | None = None
    relation: str | None = None  # child, parent, spouse, other: "我妈", "孩子"; None: the writer or unsaid
    report_kind: str | None = None  # lab, imaging, pathology, exam
    quantity: int | None = None  # "送 500 积分"
    entities: Mapping[str, Sequence[str]] = field(default_factory=dict)  # anything else worth showing
