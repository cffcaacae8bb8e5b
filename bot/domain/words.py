"""What we mean to say: a template and its facts, before anyone chose a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Say:
    """One message of `templates/messages/`, by its path without the language: `appointment/confirm`."""

    template: str
    facts: Mapping[str, Any] = field(
        default_factory=dict
    )  # JSON values only: a question is kept and asked again


def say(template: str, **facts: Any) -> Say:
    """`say("appointment/booked", number="YY000001")`."""
    return Say(template, facts)
