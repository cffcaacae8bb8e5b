"""Which standard department sees what a patient describes.

Every word of the vocabulary (examples/departments.toml) votes for the departments it stands under, a
diagnosis more than a symptom, a symptom more than a part of the body. Who the patient is outranks most of
it: a child is seen by paediatrics and a pregnant woman by obstetrics, whatever hurts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bot.language.classifier import Classifier, characters
from bot.language.vocabulary import Word, standard_departments

REPEATED: Final = 0.25  # what a word said again still adds
MODEL_VOTE: Final = 1.0
CHILD_VOTE: Final = 6.0
PREGNANT_VOTE: Final = 6.0
MAN_VOTE: Final = -6.0
STANDARD_DEPARTMENTS: Final = tuple(standard_departments())

_CHILD = re.compile(
    r"宝宝|宝贝|婴儿|新生儿|小儿|幼儿|儿童|小孩|孩子|患儿|娃|小朋友|早产儿|囡囡"
    r"|(?<![\d.一二三四五六七八九十百])(?:1[0-4]|[1-9]|[一二两三四五六七八九十])(?:周)?岁(?!时|前|的时候|开始)"
    r"|\d{1,2}个?月大|(?:出生|满月|[一二两三四五六七八九十\d]+个月的?(?:宝|婴|小))"
    r"|(?:[一二两三四五六七八九\d])(?:年级)"
)
_CHILD_NOT_PATIENT = re.compile(
    r"(?:生|要|怀|有了|备孕|下一代|想要)(?:小)?(?:孩子|宝宝|小孩)|(?:孩子|宝宝)(?:他|的)?(?:爸|妈)|小孩子?(?:出生后|生下来)"
    r"|传染给?(?:孩子|宝宝|小孩)|对(?:孩子|宝宝|胎儿)|孩子气|生(?:完|了)(?:孩子|宝宝|小孩)|娃娃脸"
)
_PREGNANT = re.compile(
    r"孕(?!酮|激素|前)|怀(?:着|了)?(?:宝宝|二胎|孩子)|哺乳期|坐月子|月子|妊娠|产后|临产|待产|胎动|备孕"
)

_MAN = re.compile(r"男(?:人|性|士|生|方|科|的)|本人男|患者男|[,，:：]男|老公|丈夫")
_WOMAN = re.compile(r"女|孕|胎|妇|月经|例假|姨妈|老婆|妻子|媳妇")


def rank(
    text: str, words: Iterable[Word], model: Classifier | None = None, ill: bool = False
) -> list[tuple[str, float]]:
    """Departments for a *text* with these known *words*, with their votes, best first.

    *model* adds the opinion of descriptions like it. Empty when no known word is medical, unless the text
    is known to speak of an illness (*ill*).
    """
    scores: dict[str, float] = {}
    seen: set[str] = set()
    for word in words:
        share = REPEATED if word.word in seen else 1.0
        seen.add(word.word)
        for department, weight in word.value.votes:
            scores[department] = scores.get(department, 0.0) + weight * share
    if not scores and not ill:
        return []
    opinions = model.probabilities(characters(text)).items() if model else ()
    for department, vote in (*who_is_ill(text), *((name, MODEL_VOTE * each) for name, each in opinions)):
        scores[department] = scores.get(department, 0.0) + vote
    return sorted(scores.items(), key=lambda each: -each[1])


def who_is_ill(text: str) -> list[tuple[str, float]]:
    """Votes from who the patient is: a child, a pregnant woman, a man."""
    votes: list[tuple[str, float]] = []
    if _PREGNANT.search(text):
        votes.append(("妇产科", PREGNANT_VOTE))
    if _CHILD.search(_CHILD_NOT_PATIENT.sub("", text)):
        votes.append(("儿科", CHILD_VOTE))
    if _MAN.search(text) and not _WOMAN.search(text):
        votes.append(("妇产科", MAN_VOTE))
    return votes
