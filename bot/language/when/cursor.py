"""Looking at time words one after another."""

from __future__ import annotations

from typing import TypeVar

from bot.language.numerals import Count
from bot.language.when.tokens import Glue, tokens
from bot.language.when.words import Kind, Unit

T = TypeVar("T")
Read = tuple[T, int] | None
"""What a rule of the grammar read and the place after it, or that it does not apply here."""


_TOKENS_AT_MOST = 300  # a message that names times has a few dozen; more is an attack on our time


class Cursor:
    """The tokens of one lower-case text, looked at by their place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)[:_TOKENS_AT_MOST]

    def is_(self, i: int, *kinds: Kind) -> bool:
        """Whether a token of these kinds follows closely at *i*."""
        return i < len(self.tokens) and self.tokens[i].kind in kinds and self.tokens[i].glue is Glue.CLOSE

    def unit(self, i: int, *units: Unit) -> bool:
        """Whether one of these units follows closely at *i*."""
        return self.is_(i, Kind.UNIT) and self.tokens[i].value in units

    def number(self, i: int) -> Count | None:
        """The number at *i*, whatever stands before it."""
        if i < len(self.tokens) and self.tokens[i].kind is Kind.NUMBER:
            value = self.tokens[i].value
            assert isinstance(value, Count)
            return value
        return None

    def exactly(self, i: int, low: int, high: int) -> int | None:
        """The number at *i* when it is exact and within bounds."""
        count = self.number(i)
        return count.low if count and count.low == count.high and low <= count.low <= high else None

    def the_unit(self, i: int) -> Unit:
        """The value of the UNIT at *i*."""
        unit = self.tokens[i].value
        assert isinstance(unit, Unit)
        return unit
