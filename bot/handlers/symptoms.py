"""Which of this hospital's departments see what a patient describes."""

from __future__ import annotations

from functools import lru_cache

from bot.conversation.talk import Talk
from bot.domain.language import Language
from bot.language.meaning import Named, Vocabulary
from bot.language.names import NameIndex


def departments(talk: Talk) -> tuple[Named, ...]:
    """Best first, each once; empty when nothing medical was said or no department here sees it."""
    meaning = talk.said.meaning
    if meaning.language == Language.ENGLISH:
        return ()  # symptoms are read in Chinese only
    index = _index(talk.knowledge.vocabulary)
    found: dict[str, Named] = {}
    for standard in meaning.triage:
        for named in index.departments(standard)[:1]:
            found.setdefault(named.code, named)
    return tuple(found.values())


@lru_cache(maxsize=4)
def _index(vocabulary: Vocabulary) -> NameIndex:
    return NameIndex(vocabulary)
