"""What is known of the patient, as the rules ask it, and what it raises. It never lowers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.language.meaning import Context, RedFlag, Urgency
from bot.language.red_flags.patterns import Fact

_WORSE = re.compile(r"越来越|突然加重|加重了|更厉害|更重")
_RAISED_BLOCK = re.compile(r"[GKMD]\d\d")  # the procedure rows already assume their procedure
_BLEEDING_OR_KNOCK = frozenset({"G07", "G08", "G15", "D04", "P02", "EN3", "DE1"})
_FEVER = frozenset({"P04", "K01", "D08", "G10"})
_PREGNANCY_PAIRS = frozenset({"OB2", "OB6", "G02", "G11", "G27", "G08"})


def holds(fact: Fact, context: Context) -> bool:
    """Whether the record says so. Days count from the procedure."""
    first, last = fact.first_day, fact.last_day
    if fact.name in _SIMPLE:
        return _SIMPLE[fact.name](context)
    days = [p.day for p in context.procedures if fact.name in (p.family, "postop", "preop")]
    if fact.name == "preop":
        return any(day < 0 for day in days)
    low, high = (0, 14) if fact.name == "postop" and first is None else (first, last)
    return any((low is None or day >= low) and (high is None or day <= high) and day >= 0 for day in days)


_SIMPLE: dict[str, Callable[[Context], bool]] = {
    "pregnant": lambda c: c.pregnant_weeks is not None,
    "postpartum": lambda c: c.postpartum_days is not None and c.postpartum_days <= 42,
    "under28d": lambda c: c.age_days is not None and c.age_days < 28,
    "under3m": lambda c: c.age_days is not None and c.age_days < 91,
    "m3to6": lambda c: c.age_days is not None and 91 <= c.age_days < 183,
    "infant": lambda c: c.age_days is not None and c.age_days < 365,
    "elderly": lambda c: c.age_days is not None and c.age_days >= 75 * 365,
    "anticoagulated": lambda c: c.anticoagulated,
    "immunosuppressed": lambda c: c.immunosuppressed,
    "chemo": lambda c: c.chemotherapy,
}


def raised(flag: RedFlag, context: Context, text: str) -> RedFlag:
    """Raise S to U, or U to E, where safety.md §1.1 says the patient's situation asks for it."""
    if not _RAISED_BLOCK.fullmatch(flag.concept):
        return flag
    if flag.urgency is Urgency.SAME_DAY and _raises_to_urgent(flag, context, text):
        return replace(flag, urgency=Urgency.URGENT, rule=flag.rule + " [raised by the record]")
    if flag.urgency is Urgency.URGENT and _raises_to_emergency(flag, context, text):
        return replace(flag, urgency=Urgency.EMERGENCY, rule=flag.rule + " [raised by the record]")
    return flag


def _raises_to_urgent(flag: RedFlag, context: Context, text: str) -> bool:
    age = context.age_days
    return (
        (age is not None and (age < 91 or age >= 75 * 365))
        or context.pregnant_weeks is not None
        or (context.postpartum_days is not None and context.postpartum_days <= 42)
        or context.immunosuppressed
        or context.anticoagulated
        or any(0 <= p.day <= 14 for p in context.procedures)
        or context.alone
        or flag.concept in context.seen_within_24_hours
        or "越来越" in text
    )


def _raises_to_emergency(flag: RedFlag, context: Context, text: str) -> bool:
    if flag.concept in context.seen_within_24_hours and _WORSE.search(text):
        return True
    if (
        context.anticoagulated
        and flag.concept in _BLEEDING_OR_KNOCK
        and re.search("一直|还在|止不住|不停", text)
    ):
        return True
    if context.age_days is not None and context.age_days < 28 and flag.concept in _FEVER:
        return True
    expecting = context.pregnant_weeks is not None or context.postpartum_days is not None
    return expecting and flag.concept in _PREGNANCY_PAIRS
