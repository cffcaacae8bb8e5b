"""Finding the hospital's own answer to a question that nobody ever words the same way twice.

A question is cut to its subject (停车, 医保报销) and its kind (where, when, how much). An answer fits when one of
its questions has the same subject and some of them, or the answer itself, speaks of that kind. A wrong answer
is worse than none: below `ENOUGH` nothing is found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from bot.conversation.knowledge import Answer
from bot.language.normalise import normalise

SURE = 90.0  # 0 … 100; the answer, whatever else the text names
ENOUGH = 72.0
FEW = 3  # answers that may share a word for it to tell anything
READ_AT_MOST = 200  # characters; a longer text is a story, not a question
CLOSE = 6.0  # answers nearer to each other than this are asked about
CONTAINED = 75.0  # of a subject that stands whole within the other

_KINDS = {
    "where": re.compile(
        r"在哪|哪里|哪儿|哪个位置|怎么走|怎么去|怎么到|几楼|几号楼|位置|地址|地点|路线|入口|\bwhere\b"
    ),
    "when": re.compile(
        r"几点|什么时候|何时|时间|多久|多长|周[一二三四五六日末天]|节假日|\d(?:小时|分钟|天)|\d[::]\d\d|\bwhen\b|\bhours?\b|\bopen\b"
    ),
    "cost": re.compile(
        r"多少钱|收费|费用|价格|价钱|要钱|花钱|贵|免费|\d元|\bhow much\b|\bcost|\bfees?\b|\bprice|\byuan\b"
    ),
}
_FILLERS = re.compile(
    r"请问|你好|您好|想?问一下|想问|咨询|一下|你们|咱们|我们|您们|这里|这边|那里|贵院|本院|医院|院里|有没有|有无|可不可以|可以"
    r"|能不能|能否|是不是|是否|需不需要|要不要|用不用|需要|支持|知道|告诉|什么时候|怎么样|怎么办|怎么走|怎么去|怎么到|怎么|如何|怎样|什么|哪里|哪儿|在哪|哪个|哪些|哪"
    r"|多少钱|多少|几点|何时|多久|多长时间|几楼|收费|要钱|免费|吗|呢|啊|吧|呀|嘛|么|的|了|我|想|要|是|有|能|在|会|得|去|到|用|个|都|里"
    r"|\b(?:the|a|an|is|are|do|does|can|could|i|you|your|my|there|to|of|in|at|on|for|please|hospital|what|where|when|how|much|have|any|and|take|get|need|want|know|tell|about|accept|use|me|it)\b"
    r"|[^\w]"
)
_ENGLISH = re.compile(r"[a-z]{3,}")
_STEM = 4  # letters


@dataclass(frozen=True, slots=True)
class Found:
    """An answer and how well it fits, 0 … 100."""

    answer: Answer
    score: float


@dataclass(frozen=True, slots=True)
class _Prepared:
    answer: Answer
    questions: tuple[str, ...]
    subjects: tuple[str, ...]
    kinds: frozenset[str]
    english: frozenset[str]


def find(answers: tuple[Answer, ...], text: str) -> list[Found]:
    """The answers that fit, best first; none is better than a wrong one."""
    asked = normalise(text[:READ_AT_MOST]).lower()
    found = [Found(one.answer, _score(one, asked)) for one in _prepared(answers)]
    return sorted((one for one in found if one.score >= ENOUGH), key=lambda one: -one.score)


def is_asked(answers: tuple[Answer, ...], text: str) -> bool:
    """Whether one of the questions stands there almost word for word, or its whole subject does. Quick."""
    asked = normalise(text[:READ_AT_MOST]).lower()
    questions, subjects = _known(answers)
    if process.extractOne(asked, questions, scorer=fuzz.ratio, score_cutoff=SURE):
        return True
    if asked.isascii():
        fitting = (one for one in _prepared(answers) if kinds(asked) <= one.kinds)
        return any(_english(one, asked) >= SURE for one in fitting)
    about = subject(asked)
    return len(about) > 1 and any(kinds(asked) <= known for known in subjects.get(about, ()))


@lru_cache(maxsize=4)
def _known(answers: tuple[Answer, ...]) -> tuple[tuple[str, ...], dict[str, list[frozenset[str]]]]:
    subjects: dict[str, list[frozenset[str]]] = {}
    for one in _prepared(answers):
        for known in one.subjects:
            subjects.setdefault(known, []).append(one.kinds)
    return tuple(question for one in _prepared(answers) for question in one.questions), subjects


def maybe(answers: tuple[Answer, ...], text: str) -> list[Answer]:
    """Answers that share a word with the question which few others have: to be asked about, never given."""
    pairs = _pairs(subject(normalise(text[:READ_AT_MOST]).lower()))
    ranked = []
    for one in _prepared(answers):
        shared = pairs & {pair for known in one.subjects for pair in _pairs(known)}
        rare = [pair for pair in shared if _spread(answers, pair) <= FEW]
        if rare:
            ranked.append((len(rare), one.answer))
    return [answer for _, answer in sorted(ranked, key=lambda each: -each[0])]


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def _spread(answers: tuple[Answer, ...], pair: str) -> int:
    return sum(any(pair in known for known in one.subjects) for one in _prepared(answers))


def close(found: Sequence[Found]) -> list[Found]:
    """Those that fit about as well as the best; one is clear, several must be asked about."""
    if not found or found[0].score >= SURE + CLOSE:
        return list(found[:1])
    return [one for one in found if found[0].score - one.score < CLOSE]


def subject(text: str) -> str:
    """What a question is about, without the words of asking."""
    return _FILLERS.sub("", text)


def kinds(text: str) -> frozenset[str]:
    """What it wants to know of it: where, when, cost."""
    return frozenset(name for name, pattern in _KINDS.items() if pattern.search(text))


def _score(one: _Prepared, asked: str) -> float:
    whole = max((fuzz.ratio(asked, question) for question in one.questions), default=0.0)
    if whole >= SURE:
        return whole
    if not kinds(asked) <= one.kinds:
        return 0.0
    about = subject(asked)
    if not about:
        return whole
    return max(whole, _english(one, asked), *(_same_subject(about, known) for known in one.subjects), 0.0)


def _same_subject(asked: str, known: str) -> float:
    if not known:
        return 0.0
    score = fuzz.ratio(asked, known)
    shorter, longer = sorted((asked, known), key=len)
    if len(shorter) > 1 and shorter in longer:
        score = max(score, CONTAINED + (100 - CONTAINED) * len(shorter) / len(longer))
    return score


def _english(one: _Prepared, asked: str) -> float:
    """How many of the words that say something stand in the English answer."""
    words = {word[:_STEM] for word in _ENGLISH.findall(_FILLERS.sub(" ", asked))}
    return 100.0 * len(words & one.english) / len(words) if words else 0.0


@lru_cache(maxsize=4)
def _prepared(answers: tuple[Answer, ...]) -> tuple[_Prepared, ...]:
    prepared = []
    for answer in answers:
        questions = tuple(normalise(question).lower() for question in answer.questions)
        everything = " ".join((*questions, normalise(answer.text).lower(), answer.text_english.lower()))
        prepared.append(
            _Prepared(
                answer,
                questions,
                tuple(subject(question) for question in questions),
                kinds(everything),
                frozenset(word[:_STEM] for word in _ENGLISH.findall(answer.text_english.lower())),
            )
        )
    return tuple(prepared)
