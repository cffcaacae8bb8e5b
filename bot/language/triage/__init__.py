"""From what hurts to the department that sees it."""

from bot.language.triage.departments import STANDARD_DEPARTMENTS, rank

__all__ = ["STANDARD_DEPARTMENTS", "rank"]
