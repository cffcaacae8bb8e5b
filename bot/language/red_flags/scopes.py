"""Is the danger sign that stands in the text meant, and is it happening?

Words alone do not tell: 去年心梗, 如果发烧, 吐血的原因是什么 name danger and mean none. Each reading below
looks for one such reason around the sign and gives evidence in points, for or against. The vocabulary is
data (`lexicon/scopes.toml`); the reach of each word is decided here (trigger, scope and terminator, after
ConText).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.language.red_flags.sign import Sign

_BARE_LENGTH = 14  # this few characters around a sign, and nobody named: a search query
_BARE_REST = 7  # of them, characters that are no question
_PRESENT = frozenset({"亲人", "现在", "今天", "近日", "突然"})
_QUESTIONS = frozenset({"问原因", "问治疗", "问知识", "问何故", "吗", "何谓"})
_FRESH = frozenset({"现在", "今天", "突然", "怀孕", "婴幼"})
_TIMES = ("过去", "近日", "今天", "现在")
_NOW = {"现在": 2.0, "今天": 2.0, "时段": 0.5}
_CONSEQUENCE = ("会不会", "了会", "会怎", "会有什么", "后会", "时要不要", "了应该怎么", "应该怎么")
_AFTERMATH = ("后", "以后", "之后")
_NO_WORRY = frozenset("冷热光风吵")
_BITE = frozenset("咬抓挠被吃吞碰毛")
_SCENE = ("时", "时候", "以后", "之后", "期间", "那天")
_DONE = frozenset("过了")
# A 过 after the sign that is no "once": 醒过来, 过敏, 喘过气
_NO_EXPERIENCE = tuple("过" + c for c in "敏来去度快慢高低多量程不气")
_SEEN = {"今天": -3.5, "近日": -4.5, "过去": -4.5}
_ASKING = frozenset("吗么嘛?吧")
MOST_FOR = 10.0  # the points of all evidence for a sign together
_WHICH = ("什么", "啥", "何", "哪种", "怎么", "如何", "怎样", "咋")
_GONE = ("没有了", "没了", "消失")
_VITAL = frozenset({"小便", "呼吸", "胎动", "知觉", "意识", "脉搏", "心跳", "力气", "反应", "胎心", "体征"})
_WOKEN = frozenset("疼憋咳闹吓能会叫不没喊")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for (points > 0) or against it."""

    why: str
    points: float


def evidence(sign: Sign) -> Iterator[Evidence]:
    """All evidence around a sign that is not denied."""
    yield from _hypothesis(sign)
    yield from _experiencer(sign)
    yield from _time(sign)
    yield from _knowledge(sign)
    yield from _question(sign)
    yield from _presence(sign)


def _somebody(sign: Sign) -> bool:
    """Somebody or some moment is named to whom or when it happens."""
    return sign.before("亲人") or bool(sign.found.keys() & _PRESENT)


def _bare(sign: Sign) -> bool:
    """Nothing but the sign and a question: what one types into a search field."""
    around = len(sign.text) - (sign.end - sign.start)
    whole = sign.clause_start == 0 and sign.clause_end >= len(sign.text) - 1
    if around > _BARE_LENGTH or not whole or sign.found.keys() & _PRESENT:
        return False
    asked = [last for kind in _QUESTIONS if (last := sign.found.last(kind, sign.end, len(sign.text)))]
    return around - max((end - start for start, end in asked), default=0) <= _BARE_REST


def _hypothesis(sign: Sign) -> Iterator[Evidence]:
    if sign.stands("如果", sign.sentence_start, sign.end):
        yield Evidence("hypothetical", -6)
    if sign.up_to_end("会否") or sign.stands("可能吗", sign.end, sign.sentence_end):
        yield Evidence("hypothetical", -5)
    elif sign.before("会") and sign.after("吗"):
        yield Evidence("hypothetical", -4)
    elif not _somebody(sign):
        yield from _general_question(sign)
    if _worried(sign):
        yield Evidence("hypothetical", -5)
    if sign.before("预防") or sign.after("预防") or sign.in_sentence("想学"):
        yield Evidence("hypothetical", -4)
    if sign.stands("说明书", sign.sentence_start, sign.end):
        yield Evidence("hypothetical", -5)


def _general_question(sign: Sign) -> Iterator[Evidence]:
    """X会死吗, X吗, X了会怎样, X是Y吗: about X as such, unless it has happened (了)."""
    if sign.followed_by(_CONSEQUENCE):
        yield Evidence("hypothetical", -3)
        return
    if sign.followed_by("是不是"):
        yield Evidence("knowledge", -1.75)
    if sign.followed_by(_AFTERMATH) and any(sign.after(question) for question in _QUESTIONS):
        yield Evidence("knowledge", -2.5)
    asked = sign.found.first("吗", sign.end, sign.clause_end + 1)
    if not asked:
        return
    able = sign.found.first("会", sign.end, sign.clause_end)
    until = asked[0] if asked[0] - sign.end <= 1 else able[0] if able else None
    if until is not None and "了" not in sign.text[sign.start : until]:
        yield Evidence("hypothetical", -3)
    elif sign.after("是") and not (sign.later("问原因") or sign.later("问何故")):
        yield Evidence("knowledge", -1.75)


def _worried(sign: Sign) -> bool:
    """怕 and its kin shortly before, but not 怕冷 and 可怕."""
    return any(
        sign.text[end : end + 1] not in _NO_WORRY and sign.text[start - 1 : start] != "可"
        for start, end in sign.found.within("担心", max(sign.clause_start, sign.start - 10), sign.start)
    )


def _experiencer(sign: Sign) -> Iterator[Evidence]:
    animal = sign.found.last("动物", sign.sentence_start, sign.start)
    patient = animal and not sign.stands("人物", animal[1], sign.start)
    if patient and _BITE.isdisjoint(sign.text[sign.sentence_start : sign.start]):
        yield Evidence("animal", -6)
    if sign.in_sentence("虚构"):
        yield Evidence("fiction", -6)


def _time(sign: Sign) -> Iterator[Evidence]:
    mark, own = _time_mark(sign)
    again = sign.stands("又", sign.sentence_start, sign.clause_end)
    if mark == "过去" and not again:
        yield Evidence("history", -6 if own else _earlier_past(sign))
    elif mark in _NOW:
        yield Evidence("now", _NOW[mark] if own else 1)
    elif mark == "近日":
        yield Evidence("recent", 0.5)
    if again:
        yield Evidence("again", 1.5)
        return
    if sign.before("惯常") or sign.stands("老病", sign.end, min(sign.end + 6, sign.clause_end)):
        yield Evidence("chronic", -2.5)
    if sign.in_sentence("久") and not sign.found.keys() & _FRESH:
        yield Evidence("chronic", -2.5)
    if sign.up_to_end("遗留"):
        yield Evidence("chronic", -4)
    if sign.followed_by("过") and not sign.followed_by(_NO_EXPERIENCE):
        yield Evidence("history", -4)
    yield from _over(sign, mark if own else None)


def _time_mark(sign: Sign) -> tuple[str | None, bool]:
    """The kind of time word that governs the sign, and whether it stands in the same clause."""
    for start, end, own in (
        (sign.clause_start, sign.start, True),
        (sign.end, sign.clause_end, True),
        (sign.sentence_start, sign.clause_start, False),
    ):
        look = sign.found.first if start == sign.end else sign.found.last
        marks = [(mark, kind) for kind in _TIMES if (mark := look(kind, start, end))]
        if marks:
            return (min(marks) if start == sign.end else max(marks))[1], own
        if look("时段", start, end):
            return "时段", own
    return None, False


def _earlier_past(sign: Sign) -> float:
    """A past said in an earlier clause: it still holds when that clause only set the scene."""
    past = sign.found.last("过去", sign.sentence_start, sign.clause_start)
    if past is None:
        return 0
    told = sign.text[past[0] : sign.clause_start].split(",", 1)[0]
    scene = told.endswith(_SCENE) or sign.stands("那次", sign.sentence_start, sign.clause_start)
    return -5 if scene and _DONE.isdisjoint(told) else -1


def _over(sign: Sign, mark: str | None) -> Iterator[Evidence]:
    """It has passed, or a doctor has seen it, and it did not come back."""
    end = len(sign.text)
    for good in sign.found.within("好转", sign.end, end):
        if _is_good(sign.text, *good):
            if not sign.stands("又", good[1], end):
                yield Evidence("resolved", -3.5)
            break
    seen = sign.found.first("就医", sign.end, end) if mark != "现在" else None
    if seen and not sign.stands("又", seen[1], end):
        yield Evidence("seen by a doctor", _SEEN.get(mark or "", -2.5))


def _is_good(text: str, start: int, end: int) -> bool:
    """好了 and its kin, but not 能好吗, 疼醒了, 呼吸没有了."""
    if text[end : end + 1] in _ASKING or text[start - 1] in _WOKEN:
        return False
    return not (text[start:end].startswith(_GONE) and text[max(0, start - 2) : start] in _VITAL)


def _is_topic(sign: Sign) -> bool:
    """X的原因, X症状, or a clause about X that ends in a word such as 步骤 (and is no 是什么原因)."""
    topic = sign.found.first("的知识", sign.end, sign.clause_end)
    if topic and (topic[0] - sign.end <= 2 or sign.text[topic[0]] == "的"):
        return True
    noun = sign.found.last("知识名", sign.end, sign.clause_end)
    if noun is None or noun[1] != sign.clause_end:
        return False
    return not sign.text[sign.end : noun[0]].endswith(_WHICH)


def _knowledge(sign: Sign) -> Iterator[Evidence]:
    """The sign is the topic of a question, not its occasion."""
    bare = _bare(sign)
    if _is_topic(sign):
        yield Evidence("knowledge", -5 if bare else -4)
    if sign.in_sentence("何谓"):
        yield Evidence("knowledge", -4)
    if sign.before("引起的"):
        yield Evidence("knowledge", -2.5)
    if sign.before("亲人"):
        return
    asked = _QUESTIONS & sign.found.keys()
    plea = asked <= {"问何故"}  # only 怎么办, 怎么回事: a patient may call himself 患者
    if asked and sign.before("泛指"):
        yield Evidence("knowledge", -0.5 if plea else -1.5)
    disease = sign.found.last("疾病", sign.clause_start, sign.start)
    near = sign.start - disease[1] if disease else _BARE_LENGTH
    if bare and near <= 2 and sign.found.covered("术语", (sign.start, sign.end)):
        yield Evidence("knowledge", -2.25)  # 肺癌晚期呼吸困难: a search, not somebody in need
    elif asked and near <= 5:
        yield Evidence("knowledge", -0.5 if plea else -1.5)


def _question(sign: Sign) -> Iterator[Evidence]:
    """What is asked: why, how to treat it, or what to do now. Of several questions the most general counts."""
    bare = _bare(sign)
    points = 0.0
    if sign.before("问原因"):
        points = -3
    elif sign.later("问原因"):
        points = -3 if bare else -1.5
    elif bare and sign.later("问何故"):
        points = -1.75
    if sign.later("问治疗"):
        points = min(points, -2.5 if bare else -1.5)
    if sign.stands("问知识", sign.sentence_start, len(sign.text)):
        points = min(points, -2.5 if bare else -2)
    if points:
        yield Evidence("knowledge", points)
    if sign.in_sentence("问事务"):
        yield Evidence("errand", -3)


def _presence(sign: Sign) -> Iterator[Evidence]:
    past = sign.stands("过去", sign.sentence_start, sign.start)
    if sign.stands("突然", sign.clause_start if past else sign.sentence_start, sign.clause_end):
        yield Evidence("sudden", 1)
    if sign.followed_by("了") or sign.text[sign.start : sign.end].endswith("了"):
        yield Evidence("has happened", 1)
    if sign.stands("人物", sign.sentence_start, sign.start):
        yield Evidence("a person", 0.5)
    if "求救" in sign.found:
        yield Evidence("call for help", 1.5)
    if sign.stands("正在", sign.clause_start, sign.clause_end):
        yield Evidence("going on", 1)
