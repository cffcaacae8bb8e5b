"""What a step of a conversation may answer. A step answers; the conversation saves and sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from bot.domain.words import Say


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose from: by its number in the list, its label or one of its words."""

    key: str  # what the step gets in `said.choice`
    label: str  # as the patient reads it
    words: tuple[str, ...] = ()  # what else means it


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the question of `step`, and keep the draft until the answer comes.

    Choices are numbered by the conversation, one a line, below the words.
    """

    step: str
    draft: msgspec.Struct
    words: Say | Sequence[Say]
    choices: Sequence[Choice] = ()


@dataclass(frozen=True, slots=True)
class Again:
    """The answer was no answer. The question is asked again, after `words` when there are some.

    The conversation counts: after the second time it offers a person.
    """

    words: Say | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The dialogue is over. An interrupted one below it is taken up again."""

    words: Say | Sequence[Say] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """It cannot be done now: the dialogue is over, and so are those that waited for its outcome."""

    words: Say | Sequence[Say]
    everything: bool = False  # those it interrupted are over as well


@dataclass(frozen=True, slots=True)
class Start:
    """Go on with another form.

    When that one is done, this one begins again with `draft`, so `begin` goes to whatever is still missing;
    without a draft this one is over.
    """

    form: str
    opening: Mapping[str, Any] = field(default_factory=dict)  # what the other form's draft knows already
    draft: msgspec.Struct | None = None
    words: Say | Sequence[Say] = ()


@dataclass(frozen=True, slots=True)
class HandOver:
    """A person takes it from here. `slots` is what is settled, as the nurse reads it."""

    reason: str
    words: Say | Sequence[Say] = ()
    slots: dict[str, str] = field(default_factory=dict)


Turn: TypeAlias = Ask | Again | Done | Stop | Start | HandOver


def all_words(words: Say | Sequence[Say] | None) -> tuple[Say, ...]:
    """One, several or none, as a tuple."""
    if words is None:
        return ()
    return (words,) if isinstance(words, Say) else tuple(words)
