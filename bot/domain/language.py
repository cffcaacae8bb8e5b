"""The languages patients are answered in."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """A BCP 47 tag, as in `patients.language`."""

    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"
    ENGLISH = "en"
