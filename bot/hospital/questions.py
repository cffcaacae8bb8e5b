"""The question bank: what may be asked between visits, how an answer is read, and when it worries us.

Thresholds are those of the follow-up protocol (question → answer → E, U or S); a plan names questions by key, the
words are in `templates/messages/plan/<key>`. Nothing here decides about treatment: an answer calls a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """What an answer asks of us."""

    FINE = ""
    TASK = "task"  # somebody has to do something, not for danger: a booking, a list of medicines
    SAME_DAY = "S"
    URGENT = "U"
    EMERGENCY = "E"

    @property
    def weight(self) -> int:
        """How bad it is."""
        return list(Level).index(self)


NURSE: Final = "0"


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `options`: the number the patient sends → what it asks of us."""

    key: str
    options: Mapping[str, Level] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what else means an option
    kind: str = "choice"  # choice, several, scale, pressure, glucose, saturation, assessment, text
    zero_is_nurse: bool = True
    survey: bool = False  # dropped once an answer showed danger
    leads_to: Mapping[str, str] = field(default_factory=dict)  # option → the topic that takes over


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was understood: the options or the measured values."""

    value: str  # "3", "1 3", "135/85", "6.8", "0" for the nurse
    level: Level
    nurse: bool = False


def _choice(
    key: str, levels: str, words: Mapping[str, tuple[str, ...]] | None = None, **more: object
) -> Question:
    """`levels`: one word an option, from 1 on: `- S U E` (`-`: fine, `t`: a task)."""
    marks = {"-": Level.FINE, "t": Level.TASK, "S": Level.SAME_DAY, "U": Level.URGENT, "E": Level.EMERGENCY}
    options = {str(number): marks[mark] for number, mark in enumerate(levels.split(), 1)}
    return Question(key, options, words or {}, **more)  # type: ignore[arg-type]


_YES_NO_FINE = {"1": ("没有", "没", "无", "none", "no"), "2": ("有", "yes")}
_SAME = {"1": ("正常", "没事", "normal", "fine")}

QUESTIONS: Final[Mapping[str, Question]] = {
    one.key: one
    for one in (
        _choice(
            "feel",
            "- - S U",
            {
                "1": ("很好", "挺好", "蛮好", "好", "very well", "well", "good"),
                "2": ("还行", "还可以", "一般", "还好", "so-so", "ok", "okay"),
                "3": ("不太好", "不大好", "不怎么好", "有点不舒服", "not so well", "not well"),
                "4": ("很不好", "非常不好", "很差", "bad", "very bad"),
            },
        ),
        _choice(
            "flags",
            "U U U E -",
            {
                "1": ("发烧", "fever"),
                "2": ("流血", "流脓", "裂开", "bleeding", "pus"),
                "3": ("疼得受不了", "unbearable pain"),
                "4": ("喘不上气", "胸痛", "叫不醒", "chest pain"),
                "5": ("都没有", "没有", "都没", "没", "无", "none"),
            },
            kind="several",
        ),
        Question("pain", kind="scale", zero_is_nurse=False),
        _choice(
            "temp", "- S U -", {"1": ("没发烧", "没有发烧", "不发烧", "no fever"), "4": ("没量", "not taken")}
        ),
        _choice("wound", "- S U E", {"1": ("干净", "clean"), "2": ("有点红",), "4": ("裂开", "裂开了")}),
        _choice("eat", "- - U", _SAME | {"2": ("少", "吃得少", "less")}),
        _choice("bowel", "- - U", _SAME | {"2": ("还没有", "没有", "还没", "not yet")}),
        _choice("urine", "- S U", _SAME),
        _choice("leg", "- U E", {"1": ("没事", "都没事", "fine")}),
        _choice(
            "med",
            "- S S S",
            {
                "1": ("都按时", "按时", "按时吃", "on time"),
                "2": ("漏过", "漏了", "missed some"),
                "3": ("停了", "没药了", "stopped"),
                "4": ("不舒服", "吃了不舒服"),
            },
        ),
        # The same question where stopping is dangerous: antithrombotics, insulin, steroids, antiepileptics.
        _choice(
            "med_vital",
            "- S U S",
            {"1": ("都按时", "按时", "还在吃", "on time"), "3": ("停了", "没药了", "stopped")},
        ),
        Question(
            "mood",
            {"0": Level.FINE, "1": Level.FINE, "2": Level.FINE, "3": Level.SAME_DAY},
            {"0": ("没有", "not at all")},
            zero_is_nurse=False,
        ),
        Question(
            "interest",
            {"0": Level.FINE, "1": Level.FINE, "2": Level.FINE, "3": Level.SAME_DAY},
            {"0": ("没有", "not at all")},
            zero_is_nurse=False,
        ),
        _choice(
            "visit",
            "- t t",
            {"1": ("约了", "约好了", "booked"), "2": ("还没", "没约", "not yet"), "3": ("不知道",)},
        ),
        Question("bp", kind="pressure"),
        Question("glu", kind="glucose"),
        _choice("call", "S -", {"1": ("要", "需要", "yes"), "2": ("不用", "不要", "不需要", "no")}),
        _choice("belly", "- - U", {"1": ("越来越好", "better"), "2": ("一样", "same"), "3": ("越来越疼",)}),
        _choice("skin_eyes", "- U", _YES_NO_FINE),
        _choice("lochia", "- - E U", {"1": ("变少", "less"), "2": ("一样", "same")}),
        _choice("headache", "- E", _YES_NO_FINE),
        _choice("feeding", "- S U", {"1": ("顺利", "好", "well")}),
        _choice("walking", "- - S U", {"1": ("比上周好", "better"), "2": ("一样", "same")}),
        _choice("joint_wound", "- S U", {"1": ("干净", "clean")}),
        _choice("vision", "- - U U", {"1": ("更清楚", "clearer"), "2": ("一样", "same")}),
        _choice("drops", "- S S", {"1": ("按时", "on time"), "3": ("没有了",)}),
        _choice("bleed_tooth", "- - U", {"1": ("停了", "stopped")}),
        _choice("swallow", "- S E", {"1": ("正常", "normal")}),
        _choice("tooth_pain", "- - S", {"1": ("轻了", "better"), "2": ("一样", "same")}),
        _choice("stitches", "- t S", {"1": ("拆了", "已拆", "不用拆", "out")}),
        _choice("implant", "- S", {"1": ("没事", "fine")}),
        _choice("bleed_throat", "- E", _YES_NO_FINE),
        _choice("drink", "- S U", {"1": ("正常", "normal")}),
        _choice("injected_colour", "- U E", {"1": ("正常", "正常微肿", "normal")}),
        _choice("one_side_swelling", "- U", _YES_NO_FINE),
        _choice("puncture", "- - E", {"1": ("平", "平整", "flat"), "2": ("小瘀青", "bruise")}),
        _choice("chest", "- E", _YES_NO_FINE),
        _choice("stool_blood", "- S U", {"1": ("正常", "normal")}),
        _choice("belly_endoscopy", "- E", _YES_NO_FINE),
        _choice("awake", "- E", {"1": ("清醒", "完全清醒", "awake")}),
        _choice("neck", "- U E", {"1": ("正常", "normal")}),
        _choice("tingling", "- U E", _YES_NO_FINE),
        _choice("drain", "- U -", {"1": ("正常", "normal"), "3": ("没有引流管", "没有")}),
        _choice("breath", "- U E", {"1": ("跟平时一样", "一样", "as usual")}),
        Question("spo2", kind="saturation"),
        Question("cat", kind="assessment", zero_is_nurse=False),
        _choice("inhaler", "- S", {"1": ("会用", "yes")}),
        _choice("fast", "- E", _YES_NO_FINE),
        _choice("choking", "- S U", {"1": ("都没有", "没有", "none")}),
        _choice("foot", "- S U", {"1": ("没有", "好的", "none")}),
        _choice("dizzy", "- U", _YES_NO_FINE),
        _choice("understood", "- t t", {"1": ("懂", "都懂", "yes")}),
        _choice("whom_to_call", "- t", {"1": ("知道", "yes"), "2": ("不知道", "no")}),
        Question(
            "csat",
            dict.fromkeys("12345", Level.FINE),
            kind="choice",
            survey=True,
            words={
                "5": ("很满意", "非常满意"),
                "4": ("满意",),
                "3": ("一般",),
                "2": ("不满意",),
                "1": ("很不满意", "非常不满意"),
            },
        ),
        Question("csat_reason", kind="text", survey=True),
        Question("remark", kind="text", survey=True),
        _choice("go_on", "- -", {"1": ("需要", "要", "yes"), "2": ("不用", "不需要", "不要", "no")}),
        _choice(
            "preop_medicines",
            "t t t t -",
            {"5": ("都没有", "没有", "无", "none")},
            kind="several",
        ),
        _choice("preop_health", "t -", {"1": ("有", "yes"), "2": ("没有", "没", "无", "none", "no")}),
        _choice(
            "preop_bowel",
            "- S U",
            {
                "1": ("是", "像清水", "清水", "yes"),
                "2": ("还有渣", "有渣", "不清"),
                "3": ("吐", "吐了", "头晕"),
            },
        ),
        _choice(
            "preop_today_ate",
            "- U",
            {
                "1": ("没有", "没", "没吃没喝", "没吃", "没喝", "都没有", "no"),
                "2": ("有", "吃了", "吃过", "喝了", "喝过", "yes"),
            },
        ),
        _choice("preop_today_fever", "- U", {"1": ("没有", "没", "no"), "2": ("有", "发烧", "咳嗽", "yes")}),
        _choice(
            "reminder",
            "- - -",
            {
                "1": ("会来", "能来", "按时来", "确认", "好的", "好", "来", "confirm", "yes"),
                "2": ("取消", "取消预约", "不来了", "来不了", "cancel"),
                "3": ("改约", "改期", "改时间", "换时间", "reschedule"),
            },
            leads_to={"2": "cancel", "3": "appointment_move"},
        ),
        _choice(
            "coming",
            "- t",
            {
                "1": ("会来", "能来", "来", "好的", "yes"),
                "2": ("来不了", "不来了", "不来", "改约", "改期", "改时间", "换时间", "no"),
            },
        ),
        _choice(
            "rebook",
            "- -",
            {"1": ("需要", "要", "yes"), "2": ("不用", "不要", "不需要", "no")},
            leads_to={"1": "appointment_book"},
        ),
        _choice("contacted", "- U", {"1": ("联系了", "联系过", "yes"), "2": ("没有", "没", "还没", "no")}),
        _choice(
            "refill",
            "- - S",
            {
                "1": ("还够", "已经取了", "取了", "yes"),
                "2": ("预约", "续方", "book"),
                "3": ("停了", "停药了"),
            },
            leads_to={"2": "appointment_book"},
        ),
        _choice("exam_read", "- t", {"1": ("看懂了", "懂", "yes"), "2": ("要解读", "没看懂", "no")}),
        _choice("recheck", "- t t", {"1": ("约了", "约好了", "不需要", "booked"), "2": ("还没", "not yet")}),
        _choice("milk", "- S U", {"1": ("正常", "好", "normal")}),
        _choice("nappies", "- U", {"1": ("够", "正常", "yes")}),
        _choice("jaundice", "- U E", {"1": ("不黄", "没有", "no")}),
        _choice("cord", "- S U", {"1": ("干净", "clean")}),
        _choice("child_visit", "- t", {"1": ("约了", "约好了", "booked"), "2": ("还没", "not yet")}),
        _choice("antenatal_visit", "- t", {"1": ("约了", "约好了", "booked"), "2": ("还没", "not yet")}),
        _choice("movements", "- U", {"1": ("正常", "跟平时一样", "normal"), "2": ("变少", "没有", "fewer")}),
    )
}

_DIGITS = {
    "零": 0,
    "\u3007": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_CIRCLED = {chr(0x2460 + number): str(number + 1) for number in range(10)}
_ENDS = " \t\n。.!！,，;；~～?？)）"
_PREFIX = re.compile(r"^(?:我?选择?|选项|第|回复?|答案?[是:]?|是|no\.?|#|[(（])\s*")
_SUFFIX = re.compile(r"\s*(?:号|个|项|分|吧|啊|呢|了|、|\.|。|\))*$")
_ONE = re.compile(r"(\d{1,2}|[零\u3007一二两三四五六七八九十])")
_LEADING = re.compile(r"^(\d{1,2}|[一二两三四五六七八九十])\s*[.、,:，：)]?\s*([^\d\s].*)$")
_JOIN = re.compile(r"[\s,，、和及+/&与;；]+")
_PRESSURE = re.compile(r"(?<![\d.])(\d{2,3})\s*(?:[/\\、,，到比-]|\s)\s*(\d{2,3})(?![\d.])")
_READING = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,2})?)(?![\d.])")
_NOT_GLUCOSE = re.compile(r"[天岁周点时号日月年]")
_UNITS = {"百": 100, "十": 10}
_NUMERALS = re.compile(  # 一些, 一点 are no readings
    "[零\u3007一二两三四五六七八九十百]{2,}(?:点[零\u3007一二三四五六七八九]+)?"
    "|[零\u3007一二两三四五六七八九十]点[零\u3007一二三四五六七八九]+"
)
_HAS_NONE = re.compile(r"^(?:我|家里)?(?:没有|没|不会|没做|没测|没量|无)|^(?:no|none|not)\b")
_NURSE_WORDS = frozenset({"护士", "找护士", "人工", "nurse"})

# Sugar in mmol/L and pressure in mmHg (follow-up protocol, chronic diseases).
SUGAR_LOW, SUGAR_HIGH, SUGAR_FASTING = 3.9, 16.7, 10.0
SYSTOLIC_HIGH, DIASTOLIC_HIGH = 180, 110
SYSTOLIC_LOW, DIASTOLIC_LOW = 90, 60
SYSTOLIC_GOAL, DIASTOLIC_GOAL = 135, 85
# Oxygen in per cent: below the floor of the lowest targets (88 to 92), or so far below one's own usual reading.
SATURATION_FLOOR, SATURATION_DROP = 88, 3
NOT_MEASURED: Final = "-"
CAT_MOST, CAT_RISE = 40, 2  # the COPD Assessment Test: 0 to 40 points
PAIN_URGENT = 7
PAIN_RISE = (4, 3)  # from 4 on, when it rose by 3


def read(question: Question, text: str) -> Answer | None:
    """What an answer says; None: nothing that this question asks. Digits, 全角, 一二三, words and readings."""
    said = _plain(text)
    if not said:
        return None
    if said in _NURSE_WORDS or (question.zero_is_nurse and _number(said) == 0):
        return Answer(NURSE, Level.TASK, nurse=True)
    match question.kind:
        case "scale":
            return _scale(said)
        case "pressure":
            return _pressure(said)
        case "glucose":
            return _glucose(said)
        case "saturation":
            return _saturation(said)
        case "assessment":
            return _assessment(said)
        case "text":
            return Answer(text.strip(), Level.FINE)
    chosen = _numbers(question, said) or _worded(question, said)
    if not chosen or (len(chosen) > 1 and question.kind != "several"):
        return None
    worst = max((question.options[one] for one in chosen), key=lambda level: level.weight)
    return Answer(" ".join(sorted(chosen)), worst)


def _plain(text: str) -> str:
    text = "".join(_CIRCLED.get(letter, letter) for letter in text)
    return unicodedata.normalize("NFKC", text).strip(_ENDS).strip().lower()


def _number(said: str) -> int | None:
    bare = _SUFFIX.sub("", _PREFIX.sub("", said))
    if not _ONE.fullmatch(bare):
        return None
    return int(bare) if bare.isdigit() else _DIGITS[bare]


def _numbers(question: Question, said: str) -> set[str]:
    """The options given by number: "2", "选二", "2 还行", "1、3"; empty when it is not that."""
    number = _number(said)
    if number is not None:
        return {str(number)} & question.options.keys()
    parts = [_number(part) for part in _JOIN.split(said)]
    if len(parts) > 1 and None not in parts:
        chosen = {str(part) for part in parts}
        return chosen if chosen <= question.options.keys() else set()
    led = _LEADING.match(said)
    if led:
        option = str(_DIGITS.get(led[1], led[1]))
        # "3 不太好" repeats the option's words; "3天没大便" is a sentence of its own.
        if option in question.options and any(word in led[2] for word in question.words.get(option, ())):
            return {option}
    return set()


def _worded(question: Question, said: str) -> set[str]:
    """The option whose words the whole answer is; the longest words first, so that 不太好 is not 好."""
    if len(said) > 24:
        return set()
    known = sorted(
        ((word, option) for option, words in question.words.items() for word in words),
        key=lambda pair: -len(pair[0]),
    )
    for word, option in known:
        if said == word:
            return {option}
    for word, option in known:
        if len(word) > 1 and len(said) <= len(word) + 3 and word in said and not _denied(word, said):
            return {option}
    return set()


def _denied(word: str, said: str) -> bool:
    before = said[: said.index(word)]
    return before.endswith(("不", "没", "没有", "别", "未", "not ", "no "))


def _scale(said: str) -> Answer | None:
    number = _number(said)
    if number is None:
        found = re.search(r"(\d{1,2})\s*分", said)
        number = int(found[1]) if found else None
    if number is None or not 0 <= number <= 10:
        return None
    return Answer(str(number), Level.URGENT if number >= PAIN_URGENT else Level.FINE)


def _spoken(said: str) -> str:
    """一百三十五 as 135, 六点八 as 6.8: readings as a voice message is written down."""

    def digits(found: re.Match[str]) -> str:
        whole, _, fraction = found[0].partition("点")
        total = last = 0
        for letter in whole:
            if letter in _UNITS:
                total += (last or 1) * _UNITS[letter]
                last = 0
            else:
                last = _DIGITS[letter]
        if last and len(whole) > 1 and whole[-2] == "百":
            last *= 10  # 一百三 is 130
        return f"{total + last}" + (f".{''.join(str(_DIGITS[one]) for one in fraction)}" if fraction else "")

    return said if re.search(r"\d", said) else _NUMERALS.sub(digits, said)


def _pressure(said: str) -> Answer | None:
    said = _spoken(said)
    found = _PRESSURE.search(said)
    if found is None:
        high = re.search(r"(?:高压|收缩压|上压)\D{0,4}(\d{2,3})", said)
        low = re.search(r"(?:低压|舒张压|下压)\D{0,4}(\d{2,3})", said)
        if not high or not low:
            return None
        pair = (int(high[1]), int(low[1]))
    else:
        pair = (int(found[1]), int(found[2]))
    systolic, diastolic = max(pair), min(pair)
    if not (60 <= systolic <= 300 and 30 <= diastolic <= 200 and systolic - diastolic >= 10):
        return None
    return Answer(f"{systolic}/{diastolic}", pressure_level(systolic, diastolic))


def pressure_level(systolic: int, diastolic: int) -> Level:
    """One reading by itself; the mean of a week is judged by `pressure_mean_high`."""
    if systolic >= SYSTOLIC_HIGH or diastolic >= DIASTOLIC_HIGH:
        return Level.URGENT
    return Level.FINE


def pressure_low(value: str) -> bool:
    """Whether dizziness must be asked for."""
    systolic, diastolic = (int(part) for part in value.split("/"))
    return systolic < SYSTOLIC_LOW or diastolic < DIASTOLIC_LOW


def pressure_mean_high(values: list[str]) -> bool:
    """Whether the mean of a week's readings is above the goal at home."""
    pairs = [tuple(int(part) for part in value.split("/")) for value in values]
    return sum(pair[0] for pair in pairs) / len(pairs) >= SYSTOLIC_GOAL or (
        sum(pair[1] for pair in pairs) / len(pairs) >= DIASTOLIC_GOAL
    )


def _glucose(said: str) -> Answer | None:
    said = _spoken(said)
    found = _READING.search(said)
    if found is None or _NOT_GLUCOSE.match(said[found.end() : found.end() + 1]):
        return None
    value = float(found[1])
    if value > 60 or "mg" in said:  # mg/dL
        value = round(value / 18, 1)
    if not 0.5 <= value <= 60:
        return None
    worried = value <= SUGAR_LOW or value >= SUGAR_HIGH
    return Answer(f"{value:g}", Level.URGENT if worried else Level.FINE)


def _saturation(said: str) -> Answer | None:
    said = _spoken(said)
    found = _READING.search(said)
    if found is None:
        return Answer(NOT_MEASURED, Level.FINE) if _HAS_NONE.search(said) else None
    value = float(found[1])
    if not 50 <= value <= 100:
        return None
    return Answer(f"{value:g}", Level.EMERGENCY if value < SATURATION_FLOOR else Level.FINE)


def saturation_fell(now: str, before: list[str]) -> bool:
    """Whether it is clearly below what is usual for this patient: the middle one of the earlier readings."""
    readings = sorted(float(one) for one in before if one != NOT_MEASURED)
    if not readings or now == NOT_MEASURED:
        return False
    return readings[len(readings) // 2] - float(now) >= SATURATION_DROP


def _assessment(said: str) -> Answer | None:
    found = re.fullmatch(r"\D{0,6}(\d{1,2})\s*分?", said)
    if found is None:
        return Answer(NOT_MEASURED, Level.FINE) if _HAS_NONE.search(said) else None
    return Answer(found[1], Level.FINE) if int(found[1]) <= CAT_MOST else None


def assessment_rose(now: str, before: list[str]) -> bool:
    """Whether the symptoms burden clearly more than the last time."""
    known = [int(one) for one in before if one != NOT_MEASURED]
    return bool(known) and now != NOT_MEASURED and int(now) - known[-1] >= CAT_RISE


def pain_rose(now: str, before: str) -> bool:
    """From 4 on, 3 points more than the last time."""
    return int(now) >= PAIN_RISE[0] and int(now) - int(before) >= PAIN_RISE[1]
