"""Whom is this about? One WeChat user may speak for a child, a parent, a spouse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.conversation.said import Said
from bot.conversation.turn import Choice
from bot.domain.patient import Binding
from bot.domain.words import say
from storage.queries import identity

if TYPE_CHECKING:
    from bot.conversation.talk import Talk

CHILD_UNTIL = 14  # years; below it only a guardian acts (contract §5)

# What people call them: relation, sex if the word tells it, words.
CALLED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("self", "", ("我自己", "我本人", "本人", "自己", "myself", "for me")),
    ("child", "M", ("儿子", "男孩", "仔仔", "my son")),
    ("child", "F", ("女儿", "闺女", "女孩", "囡囡", "my daughter")),
    ("child", "", ("孩子", "小孩", "宝宝", "宝贝", "娃", "小朋友", "my child", "my kid", "my baby")),
    ("parent", "F", ("我妈", "妈妈", "母亲", "老妈", "阿妈", "我娘", "岳母", "婆婆", "my mother", "my mom", "my mum")),
    ("parent", "M", ("我爸", "爸爸", "父亲", "老爸", "阿爸", "我爹", "岳父", "公公", "my father", "my dad")),
    ("parent", "", ("父母", "爸妈", "老人", "my parent")),
    ("spouse", "M", ("老公", "丈夫", "我先生", "my husband")),
    ("spouse", "F", ("老婆", "妻子", "太太", "媳妇", "my wife")),
    ("spouse", "", ("爱人", "对象", "my spouse")),
    ("other", "M", ("爷爷", "外公", "姥爷", "哥哥", "弟弟", "我哥", "我弟", "叔叔", "舅舅")),
    ("other", "F", ("奶奶", "外婆", "姥姥", "姐姐", "妹妹", "我姐", "我妹", "阿姨", "姑姑")),
    ("other", "", ("朋友", "亲戚", "同事")),
)  # fmt: skip
_FOR = re.compile(
    r"(?:给|帮|替|为|换成?|改[成为]|是)(?:我|咱|我家|咱家)?的?(?:自己|本人|妈|爸|爹|娘|孩子|小孩|娃|宝|儿子|女儿|闺女|老公|老婆|丈夫|妻子|爱人"
    r"|爷爷|奶奶|外公|外婆|姥姥|姥爷|父|母|老妈|老爸|老人|家人|[^\W\d_]{2,4}(?:挂|约|看|取消|改))"
    r"|\bfor (?:my|me)\b",
    re.IGNORECASE,
)
_NOT_SELF = re.compile("不是本人|非本人|不是我")


def named(said: Said, bindings: Sequence[Binding]) -> Sequence[Binding]:
    """Those the message itself points at, by name or by what they are to the writer; empty: it points at none."""
    text = said.meaning.text or said.text
    as_typed = f"{text} {said.text}"  # a name may be kept in either script
    by_name = [one for one in bindings if len(one.patient.name) > 1 and _find(one.patient.name, as_typed)]
    if by_name:
        return by_name
    called = _called(text)
    relation = said.meaning.relation or (called[0] if called else None)
    if relation is None:
        return []
    related = [one for one in bindings if one.relation == relation]
    sex = called[1] if called and called[0] == relation else ""
    fitting = [one for one in related if not sex or one.patient.sex in ("", sex)]
    return fitting or related


def turned_to(said: Said, bindings: Sequence[Binding]) -> Binding | None:
    """Whom the message says it is for, in the middle of something: 给我妈挂, 换成孩子. 我妈说周四可以 says nothing."""
    found = named(said, bindings)
    text = said.meaning.text or said.text
    return found[0] if len(found) == 1 and _FOR.search(text) else None


def choices(talk: Talk, bindings: Sequence[Binding]) -> tuple[Choice, ...]:
    """The people to choose from: masked names that differ, and the words that mean each."""
    labels = _labels(talk, bindings)
    words = [_words(one) for one in bindings]
    count = Counter(word for several in words for word in set(several))
    return tuple(
        Choice(one.patient.code, label, tuple(word for word in mine if count[word] == 1))
        for one, label, mine in zip(bindings, labels, words, strict=True)
    )


def _labels(talk: Talk, bindings: Sequence[Binding]) -> list[str]:
    """Masked names; equal ones are told apart by age, or else by the end of the ID number (PRV-12)."""
    masks = [one.patient.masked_name for one in bindings]
    if len(set(masks)) == len(masks):
        return masks
    ages = [one.patient.age(talk.today) for one in bindings]
    aged = [_aged(talk, mask, masks, age) for mask, age in zip(masks, ages, strict=True)]
    if len(set(aged)) == len(aged):
        return aged
    numbers = identity.id_numbers(talk.db, [one.patient.code for one in bindings])
    endings = [numbers[one.patient.code][-2:] or str(place) for place, one in enumerate(bindings, 1)]
    return [
        talk.text(say("about/with_ending", name=label, ending=ending)) if aged.count(label) > 1 else label
        for label, ending in zip(aged, endings, strict=True)
    ]


def _aged(talk: Talk, mask: str, masks: Sequence[str], age: int | None) -> str:
    if masks.count(mask) == 1 or age is None:
        return mask
    return talk.text(say("about/with_age", name=mask, age=age))


def _words(binding: Binding) -> tuple[str, ...]:
    sex = binding.patient.sex
    called = [
        word
        for relation, of_sex, words in CALLED
        for word in words
        if relation == binding.relation and (not of_sex or not sex or of_sex == sex)
    ]
    return (binding.patient.name, *called)


def _called(text: str) -> tuple[str, str] | None:
    """Relation and sex of the word that comes first."""
    if _NOT_SELF.search(text):
        return None
    found = [
        (match.start(), relation, sex)
        for relation, sex, words in CALLED
        for word in words
        if (match := _find(word, text))
    ]
    return min(found)[1:] if found else None


def _find(word: str, text: str) -> re.Match[str] | None:
    pattern = rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
    return re.search(pattern, text, re.IGNORECASE)
