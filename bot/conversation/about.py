"""Whom is this about? One WeChat user may speak for a child, a parent, a spouse."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation.said import Said
from bot.conversation.turn import Choice
from bot.domain.patient import Binding

CHILD_UNTIL = 14  # years; below it only a guardian acts (contract §5)

RELATION_WORDS = {
    "self": ("我自己", "本人", "自己", "我本人", "myself", "me"),
    "child": (
        "孩子",
        "小孩",
        "儿子",
        "女儿",
        "宝宝",
        "娃",
        "小朋友",
        "仔仔",
        "囡囡",
        "my child",
        "my son",
        "my daughter",
    ),
    "parent": (
        "我妈",
        "我爸",
        "妈妈",
        "爸爸",
        "母亲",
        "父亲",
        "老妈",
        "老爸",
        "阿妈",
        "阿爸",
        "my mother",
        "my father",
    ),
    "spouse": ("老公", "老婆", "丈夫", "妻子", "爱人", "先生", "太太", "my wife", "my husband"),
}


def named(said: Said, bindings: Sequence[Binding]) -> Sequence[Binding]:
    """Those the message itself points at, by name or by what they are to the writer; empty: it points at none."""
    text = said.meaning.text or said.text
    by_name = [one for one in bindings if len(one.patient.name) > 1 and one.patient.name in text]
    if by_name:
        return by_name
    relation = said.meaning.relation or _relation(text)
    return [one for one in bindings if one.relation == relation] if relation else []


def _relation(text: str) -> str | None:
    for relation, words in RELATION_WORDS.items():
        if any(word in text for word in words):
            return relation
    return None


def choices(bindings: Sequence[Binding]) -> tuple[Choice, ...]:
    """The people to choose from: masked names, and the words that mean them."""
    return tuple(
        Choice(
            one.patient.code,
            one.patient.masked_name,
            (one.patient.name, *(RELATION_WORDS.get(one.relation, ()) if _only(one, bindings) else ())),
        )
        for one in bindings
    )


def _only(binding: Binding, bindings: Sequence[Binding]) -> bool:
    return sum(1 for one in bindings if one.relation == binding.relation) == 1
