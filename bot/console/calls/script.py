"""What is asked on the telephone: a plan's own questions, taken like in the chat; or a short script that branches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
import sqlalchemy as sa

from bot.console.flows import plan_words
from bot.conversation import followup
from bot.conversation.followup import Given
from bot.domain.language import Language
from bot.domain.words import say
from bot.hospital import complaints
from bot.hospital.questions import QUESTIONS
from bot.hospital.questions import read as read_answer
from bot.outbox.wording import Wording
from storage.queries import console_calls as call_rows
from storage.queries import plans
from storage.rows import Row

OPENING: Final = "您好，我是{hospital}{staff}，请问您现在方便说几句话吗？请先核对姓名和出生日期，再说病情。"
HOLD: Final = timedelta(hours=1)  # while somebody is on the line the plan does not ask by itself
_OPTION: Final = re.compile(r"(?:^|[\s\u3000])(\d{1,2})[ .、]\s*([^\u3000\n]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a script, and its answers; those in `alarming` need a nurse.

    `after`: it is asked only when the question named first was answered with one of the answers.
    """

    key: str
    text: str
    answers: tuple[str, ...]
    alarming: tuple[str, ...] = ()
    after: tuple[str, tuple[str, ...]] = ("", ())


CARE: Final = (
    Question("feel", "现在感觉怎么样？", ("好", "一般", "不好"), ("不好",)),
    Question(
        "flags",
        "有没有发烧、出血、疼得厉害、喘不上气？",
        ("都没有", "有一点", "有，比较重"),
        ("有一点", "有，比较重"),
    ),
    Question(
        "since",
        "从什么时候开始的？比昨天重吗？",
        ("今天，没有加重", "今天，越来越重", "几天了，差不多", "几天了，越来越重"),
        ("今天，越来越重", "几天了，越来越重"),
        ("flags", ("有一点", "有，比较重")),
    ),
    Question("medicine", "药拿到了吗，知道怎么吃吗？", ("都清楚", "不太清楚", "没拿到"), ("没拿到",)),
    Question(
        "medicine_help",
        "哪里不清楚？请药师回电吗？",
        ("已经讲清楚", "请药师回电"),
        ("请药师回电",),
        ("medicine", ("不太清楚", "没拿到")),
    ),
    Question("next", "知道什么时候复诊、不舒服打哪个电话吗？", ("知道", "不知道")),
    Question("card", "护士站电话和复诊时间已经告诉对方了吗？", ("已告诉",), after=("next", ("不知道",))),
    Question(
        "score",
        "这次就诊您满意吗？",
        ("5 很满意", "4 满意", "3 一般", "2 不满意", "1 很不满意"),
        ("1 很不满意",),
        ("flags", ("都没有",)),
    ),
    Question(
        "score_why",
        "最不满意的是哪一点？",
        ("等候", "态度", "没讲清楚", "环境", "费用", "其他"),
        after=("score", ("3 一般", "2 不满意", "1 很不满意")),
    ),
)
LOW_SCORE: Final = (
    Question(
        "why", "您觉得哪一点最需要改进？", ("等候", "态度", "没讲清楚", "环境", "费用", "治疗效果", "其他")
    ),
    Question("harm", "现在身体有没有不舒服？", ("没有", "有"), ("有",)),
    Question("complaint", "要为您登记成投诉，由医院书面答复吗？", ("不用", "要登记"), ("要登记",)),
    Question("told", "改进后再告诉您结果，好吗？", ("好的", "不用了")),
)
AFTER_COMPLAINT: Final = (
    Question("solved", "您反映的问题解决了吗？", ("解决了", "部分解决", "没有解决")),
    Question(
        "again",
        "要我们重新处理吗？",
        ("不用了", "要重新处理"),
        ("要重新处理",),
        ("solved", ("部分解决", "没有解决")),
    ),
    Question(
        "handling",
        "对这次处理满意吗？",
        ("5 很满意", "4 满意", "3 一般", "2 不满意", "1 很不满意"),
    ),
)
BY_KIND: Final[Mapping[str, tuple[Question, ...]]] = {
    "plan": CARE,
    "silence": CARE,
    "no_route": CARE,
    "low_score": LOW_SCORE,
}


def script_of(row: Row) -> tuple[Question, ...]:
    """What to ask in this call; nothing for a promise or a picture."""
    if is_after_complaint(row):
        return AFTER_COMPLAINT
    return BY_KIND.get(row.kind, ())


def is_after_complaint(row: Row) -> bool:
    """Whether it is the call after a complaint was closed."""
    return bool((row.key or "").startswith(f"{complaints.CALL_BACK_KEY}:"))


def ticket_number(row: Row) -> str:
    """Of the complaint a call is about."""
    return str(row.key).split(":")[1]


def asked(script: Sequence[Question], answers: Mapping[str, str]) -> list[Question]:
    """The questions that were to be asked, given the answers."""
    return [one for one in script if not one.after[0] or answers.get(one.after[0]) in one.after[1]]


def alarming(script: Sequence[Question], answers: Mapping[str, str]) -> list[str]:
    """Questions whose answers need a nurse, with the answer."""
    return [
        f"{one.text} {answers[one.key]}"
        for one in asked(script, answers)
        if answers.get(one.key) in one.alarming and one.alarming
    ]


# A plan's own questions


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the bank as it is read out, with its options by number."""

    key: str
    text: str
    options: tuple[tuple[str, str], ...]
    several: bool = False
    free: bool = False  # a reading or a text, not an option


@dataclass(frozen=True, slots=True)
class Step:
    """Where a plan's questions stand in a call."""

    question: Asked | None  # None: everything was asked
    given: tuple[tuple[str, str], ...]  # what was asked → what was answered
    level: str = ""  # of the last answer: E, U, S, task
    problem: str = ""


def touch_of(db: sa.Connection, row: Row) -> Row | None:
    """The contact nobody answered, whose questions this call asks; None: the call has a script."""
    kind, _, number = (row.key or "").partition(":")
    if kind != "silence" or not number.isdigit() or row.contact_id is None:
        return None
    touch = plans.touch(db, int(number))
    return touch if touch is not None and touch.questions and touch.instance_state != "stopped" else None


def step(touch: Row, wording: Wording, *, level: str = "", problem: str = "") -> Step:
    """The open question, and what was answered before."""
    keys, facts = touch.questions.split(), facts_of(touch, wording.zone)
    answers = dict(touch.answers or {})
    given = tuple(
        (plan_words.QUESTIONS.get(key, key), _worded(read_out(key, wording, facts), value))
        for key, value in answers.items()
        if key in QUESTIONS
    )
    over = touch.place >= len(keys) or touch.state == "answered"
    question = None if over else read_out(keys[touch.place], wording, facts)
    return Step(question, given, level, problem)


def facts_of(touch: Row, zone: ZoneInfo) -> dict[str, Any]:
    """What a question may name of its episode, as far as it is worth saying on the telephone."""
    anchor: datetime = touch.anchor_at
    unsaid = dict.fromkeys(("doctor", "department", "place", "number", "urgent_phone"), "")
    return {"day": anchor.astimezone(zone).date(), "start": anchor} | unsaid


def read_out(key: str, wording: Wording, facts: Mapping[str, Any]) -> Asked:
    """The words of a question and its options, from the text that patients read."""
    kind = QUESTIONS[key].kind
    try:
        text = wording.text(say(f"plan/{key}", **facts), Language.SIMPLIFIED)
    except jinja2.UndefinedError:  # it names something of the episode
        text = plan_words.QUESTIONS.get(key, key)
    lines = [
        line for line in text.splitlines() if not line.startswith(("请回复", "需要护士请回复", "（可以"))
    ]
    options = tuple((number, label.strip()) for number, label in _OPTION.findall("\n".join(lines)))
    words = "\n".join(lines)
    first = _OPTION.search(words)
    spoken = words[: first.start()] if first and kind in ("choice", "several") else words
    if kind == "scale":
        options = tuple((str(number), str(number)) for number in range(11))
    elif kind not in ("choice", "several"):
        options = ()
    return Asked(key, spoken.strip(), options, several=kind == "several", free=not options)


def _worded(question: Asked, value: str) -> str:
    names = dict(question.options)
    return "；".join(names.get(one, one) for one in value.split()) if names else value


def take(
    db: sa.Connection, row: Row, key: str, text: str, now: datetime, zone: ZoneInfo, wording: Wording
) -> Step:
    """Take an answer as the chat would: it may raise an alarm, end the questions, or add one.

    Raises:
        LookupError: the call has no such question.
    """
    touch = touch_of(db, row)
    if touch is None:
        raise LookupError(row.id)
    open_key = touch.questions.split()[touch.place : touch.place + 1]
    if [key] != open_key:  # pressed twice
        return step(touch, wording)
    answer = read_answer(QUESTIONS[key], text)
    if answer is None:
        return step(touch, wording, problem="这个答案对不上问题，请再问一次。")
    given = Given(
        touch=touch,
        key=key,
        answer=answer,
        text=f"电话：{_worded(read_out(key, wording, facts_of(touch, zone)), answer.value)}",
        contact_id=row.contact_id,
        message_id=None,
        now=now,
        zone=zone,
    )
    consequence = followup.take(db, given)
    # The work item is this call: it is over when its outcome is written down.
    call_rows.change_task(db, row.id, status="open", done_at=None, outcome="")
    if consequence.next_question:
        plans.change_touch(db, touch.id, due_at=now + HOLD)
    after = plans.touch(db, touch.id)
    assert after is not None
    return step(after, wording, level=consequence.level.value)
