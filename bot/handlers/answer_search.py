"""Finding the hospital's own answer to a question that nobody ever words the same way twice.

A question is cut to its subject (停车, 医保报销) and its kind (where, when, how much). An answer fits when one of
its questions has the same subject, word by word or in other words for it (`answer_concepts`), and some of them,
or the answer itself, speaks of that kind. A wrong answer is worse than none: below `ENOUGH` nothing is found.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from bot.conversation.knowledge import Answer
from bot.handlers.answer_concepts import subjects
from bot.language.normalise import normalise

SURE = 90.0  # 0 … 100; the answer, whatever else the text names
ENOUGH = 72.0
FEW = 3  # answers that may share a word for it to tell anything
READ_AT_MOST = 200  # characters; a longer text is a story, not a question
CLOSE = 6.0  # answers nearer to each other than this are asked about
LIKELY = 45.0  # from here on it may be asked whether this was meant
UNASKED = 0.8  # how sure a subject makes us whose questions ask something else of it: how long, not how
TOLD_IN_PASSING = 0.5  # how much a subject counts that the answer speaks of, but is not asked about
STRANGE = (
    0.08  # how much less sure a subject makes us, for each character or Latin word that nothing explains
)
CONTAINED = 75.0  # of a subject that stands whole within the other

_KINDS = {
    "where": re.compile(
        r"在哪|哪里|哪儿|喺边|边度|zai ?na|哪个位置|怎么走|怎么去|怎么到|几楼|几号楼|位置|地址|地点|路线|入口|\bwhere\b"
    ),
    "when": re.compile(
        r"几点|什么时候|何时|几时|时间|多久|多长|(?:周|星期|礼拜)[一二三四五六日末天]|节假日|ji ?dian|\d(?:小时|分钟|天)|\d[::]\d\d|\bwhen\b|\bhours?\b|\bopen\b"
    ),
    "cost": re.compile(
        r"多少钱|几多钱|duo ?shao ?qian|收费|费用|价格|价钱|要钱|花钱|贵|免费|\d元|\bhow much\b|\bcost|\bfees?\b|\bprice|\byuan\b"
    ),
}
_FILLERS = re.compile(
    r"请问|你好|您好|想?问一下|想问|咨询|一下|你们|咱们|我们|您们|这里|这边|那里|贵院|本院|医院|院里|有没有|有无|可不可以|可以"
    r"|能不能|能否|是不是|是否|需不需要|要不要|用不用|需要|支持|知道|告诉|什么时候|怎么样|怎么办|怎么走|怎么去|怎么到|怎么|如何|怎样|什么|哪里|哪儿|在哪|哪个|哪些|哪"
    r"|你哋|我哋|佢哋|佢|喺边度|边度|喺|係|嘅|咗|睇|唔该|帮|下|咋整|咋|大概|大约|一般|有人|爸爸|妈妈|爸|妈|孩子|老人|爷爷|奶奶|病人|患者|家人|家属|医生|睇完|看完|开始|现在|今天|明天|(?:周|星期|礼拜)[一二三四五六日末天]"
    r"|多少钱|几多钱|多少|几点|何时|多久|多长时间|几楼|收费|要钱|免费|吗|呢|啊|吧|呀|嘛|么|的|了|我|想|要|是|有|能|在|会|得|去|到|用|个|都|里"
    r"|\b(?:the|a|an|is|are|do|does|can|could|i|you|your|my|there|to|of|in|at|on|for|please|hospital|what|where|when|how|much|have|any|and|take|get|need|want|know|tell|about|accept|use|me|it|from|other|with|if|be|will|would|like|some|this|that|am|was|which|who|time|times|hour|hours|cost|costs|price|prices|money|long|here|today|tomorrow|saturdays?|sundays?|mondays?|weekends?|father|mother|dad|mum|mom|child|son|daughter|wife|husband|make|does|did|ok|okay|allowed|possible|pls|plz|hello|hi|near|still)\b"
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
    asked_kinds: frozenset[str]  # in its questions alone
    concepts: frozenset[str]  # its questions ask about
    passing: frozenset[str]  # the answer speaks of
    english: frozenset[str]


def find(answers: tuple[Answer, ...], text: str) -> list[Found]:
    """The answers that fit, best first; none is better than a wrong one."""
    asked = normalise(text[:READ_AT_MOST]).lower()
    return [one for one in _ranked(answers, asked) if one.score >= ENOUGH]


def _ranked(answers: tuple[Answer, ...], asked: str) -> list[Found]:
    by_concept, names = _by_concept(answers, asked), subjects(asked).names
    found = [
        Found(one.answer, max(_score(one, asked, names), by_concept.get(one.answer.code, 0.0)))
        for one in _prepared(answers)
    ]
    return sorted(found, key=lambda one: -one.score)


def _by_concept(answers: tuple[Answer, ...], asked: str) -> dict[str, float]:
    """How well each answer covers what the question is about, 0 … 100; rare subjects tell more."""
    about = subjects(asked)
    if not about.names:
        return {}
    spread = _spread_of_concepts(answers)
    weight = {name: 1.0 / max(1, spread.get(name, 1)) for name in about.names}
    sure = 1.0 / (1.0 + STRANGE * _strange(about.rest))
    wanted = kinds(asked)
    scores = {}
    for one in _prepared(answers):
        if wanted <= one.kinds and about.names & one.concepts:
            covered = sum(
                weight[name] * (1.0 if name in one.concepts else TOLD_IN_PASSING * (name in one.passing))
                for name in about.names
            )
            fits = 1.0 if wanted <= one.asked_kinds else UNASKED
            scores[one.answer.code] = 100.0 * sure * fits * covered / sum(weight.values())
    return scores


def _strange(rest: str) -> int:
    """Characters and Latin words that nothing explains."""
    left = _FILLERS.sub(" ", rest)
    return len(_ENGLISH.findall(left)) + sum(not char.isascii() for char in left)


@lru_cache(maxsize=4)
def _spread_of_concepts(answers: tuple[Answer, ...]) -> Counter[str]:
    return Counter(name for one in _prepared(answers) for name in one.concepts)


def is_asked(answers: tuple[Answer, ...], text: str) -> bool:
    """Whether one of the questions stands there almost word for word, or its whole subject does. Quick."""
    asked = normalise(text[:READ_AT_MOST]).lower()
    questions, known = _known(answers)
    if process.extractOne(asked, questions, scorer=fuzz.ratio, score_cutoff=SURE):
        return True
    if max(_by_concept(answers, asked).values(), default=0.0) >= SURE:
        return True
    if asked.isascii():
        fitting = (one for one in _prepared(answers) if kinds(asked) <= one.kinds)
        return any(_english(one, asked) >= SURE for one in fitting)
    about = subject(asked)
    return len(about) > 1 and any(kinds(asked) <= kinds_known for kinds_known in known.get(about, ()))


@lru_cache(maxsize=4)
def _known(answers: tuple[Answer, ...]) -> tuple[tuple[str, ...], dict[str, list[frozenset[str]]]]:
    by_subject: dict[str, list[frozenset[str]]] = {}
    for one in _prepared(answers):
        for known in one.subjects:
            by_subject.setdefault(known, []).append(one.kinds)
    return tuple(question for one in _prepared(answers) for question in one.questions), by_subject


def maybe(answers: tuple[Answer, ...], text: str) -> list[Answer]:
    """Answers that share a subject, or a word which few others have: to be asked about, never given."""
    asked = normalise(text[:READ_AT_MOST]).lower()
    scores = _by_concept(answers, asked)
    if scores or subjects(asked).names:
        likely = [one.answer for one in _prepared(answers) if scores.get(one.answer.code, 0.0) >= LIKELY]
        return sorted(likely, key=lambda answer: -scores[answer.code])
    pairs = _pairs(subject(asked))
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


def _score(one: _Prepared, asked: str, names: frozenset[str]) -> float:
    whole = max((fuzz.ratio(asked, question) for question in one.questions), default=0.0)
    if whole >= SURE:
        return whole
    if not kinds(asked) <= one.kinds:
        return 0.0
    about = subject(asked)
    if not about or (names and one.concepts and not names & one.concepts):
        return 0.0
    return max(whole, _english(one, asked), *(_same_subject(about, known) for known in one.subjects), 0.0)


def _same_subject(asked: str, known: str) -> float:
    if not known:
        return 0.0
    score = fuzz.ratio(asked, known)
    if len(asked) > 1 and asked in known:
        return max(score, CONTAINED + (100 - CONTAINED) * len(asked) / len(known))
    if len(known) > 1 and known in asked:  # what else was asked is not explained
        return float(max(score, 100.0 * math.sqrt(len(known) / len(asked))))
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
                kinds(" ".join(questions)),
                frozenset(name for question in questions for name in subjects(question).names),
                subjects(normalise(answer.text).lower()).names | subjects(answer.text_english.lower()).names,
                frozenset(word[:_STEM] for word in _ENGLISH.findall(answer.text_english.lower())),
            )
        )
    return tuple(prepared)
