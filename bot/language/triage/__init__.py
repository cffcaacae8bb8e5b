"""From what hurts to the department that sees it."""

from bot.language.triage.departments import STANDARD_DEPARTMENTS, Triage

__all__ = ["STANDARD_DEPARTMENTS", "Triage"]
