"""What an answer to a plan's question leads to, whoever took it: the chat, or a nurse on the phone.

The answer is written down; a threshold raises an alarm or gives a nurse a task, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.conversation import frames
from bot.domain.calendar import add_workdays
from bot.domain.letter import Purpose
from bot.domain.words import Say, say
from bot.hospital import questions
from bot.hospital.questions import QUESTIONS, Answer, Level
from bot.outbox import alarm
from bot.outbox.alarm import NOTICE
from storage.queries import alerts, conversations, plans
from storage.rows import Row

SAID: Final = (
    ":said"  # behind a question's key: words of one's own, where the question wanted a number or an option
)
FORM: Final = "plan_answer"  # the topic of `bot/handlers/plan_answer.py`
A_WEEK: Final = timedelta(days=7)
PAIN_REMEMBERED: Final = timedelta(days=14)
SATURATION_REMEMBERED: Final = timedelta(days=180)
CAT_REMEMBERED: Final = timedelta(days=200)
BOWEL_EXPECTED: Final = 3  # day from which nothing yet is worth a call
LOW_SCORE: Final = 2
CSAT_AGAIN: Final = "csat_again"  # the contact a week after a low score
ASK_AGAIN_AFTER: Final = timedelta(days=7)
LOWEST_SCORE: Final = 1
PHONE_SOON: Final = timedelta(hours=4)
MOOD_SUM: Final = 3
IMPLANTED: Final = frozenset({"joint", "pci"})  # where a little fever matters more
WORDS: Final[Mapping[Level, str]] = {
    Level.EMERGENCY: "red_flag/emergency",
    Level.URGENT: "red_flag/urgent",
    Level.SAME_DAY: "plan/nurse_coming",
    Level.TASK: "plan/task_noted",
}
# What is asked on, because of an answer: nothing that every patient needs to be asked.
FRONT_DESK: Final = frozenset({"visit", "stitches", "recheck", "child_visit", "antenatal_visit", "coming"})


@dataclass(slots=True)
class Consequence:
    """What follows from one answer."""

    level: Level
    words: list[Say] = field(default_factory=list)
    next_question: str | None = None  # None: the contact is over
    stops: bool = False  # the patient wants no more of this plan


@dataclass(frozen=True, slots=True)
class Given:
    """One answer in its place."""

    touch: Row
    key: str  # of the question
    answer: Answer
    text: str  # as it was said
    contact_id: int
    message_id: int | None
    now: datetime
    zone: ZoneInfo

    @property
    def day(self) -> int:
        """Days since the anchor."""
        anchor: datetime = self.touch.anchor_at
        return (self.now.astimezone(self.zone).date() - anchor.astimezone(self.zone).date()).days


def take(db: sa.Connection, given: Given) -> Consequence:
    """Write an answer down and act on it."""
    touch = given.touch
    answers = dict(touch.answers or {}) | {given.key: given.answer.value}
    asked = touch.questions.split()
    if given.answer.nurse:
        _keep(db, given, answers, "answered", len(asked))
        _task(db, given, "患者要找护士", due=given.now + PHONE_SOON)
        return Consequence(Level.TASK, [say("plan/nurse_coming")])
    level = _level(db, given, answers)
    rest = _rest(given, asked, level)
    _act(db, given, level)
    followed = _follow_up(db, given, level, rest)
    state = "asked" if followed.next_question else "answered"
    new_list = asked[: touch.place + 1] + rest
    _keep(db, given, answers, state, touch.place + 1, " ".join(new_list))
    if given.key == "go_on":
        _go_on(db, given, followed)
    return followed


def overtaken(
    db: sa.Connection, open_forms: Sequence[frames.Frame], text: str, now: datetime
) -> list[frames.Frame]:
    """An emergency came in answer to a question: that is the answer, and nothing more is asked; nurses are at it.

    The forms that stay open.
    """
    numbers = [one.draft.get("touch", 0) for one in open_forms if one.form == FORM]
    for number in numbers[-1:]:
        touch = plans.touch(db, number)
        if touch is None or touch.state not in ("asked", "silent"):
            continue
        asked = touch.questions.split()
        key = asked[min(touch.place, len(asked) - 1)]
        answers = dict(touch.answers or {}) | {f"{key}{SAID}": text}
        plans.change_touch(db, touch.id, answers=answers, state="answered", reason="danger", answered_at=now)
        plans.change_instances(db, [touch.instance_id], silent=0)
        alerts.settle_tasks(db, [silence_key(touch.id)], "已在聊天中回答", now)
        plans.write_down(
            db,
            [
                {
                    "instance_id": touch.instance_id,
                    "touch_id": touch.id,
                    "at": now,
                    "decision": "answered",
                    "reason": "danger",
                }
            ],
        )
    return [one for one in open_forms if one.form != FORM]


def close(db: sa.Connection, contact_id: int, touch_ids: Sequence[int]) -> None:
    """These questions wait no longer."""
    found = frames.load(conversations.open_forms(db, contact_id))
    kept = [one for one in found if not (one.form == FORM and one.draft.get("touch") in touch_ids)]
    if len(kept) < len(found):
        conversations.move(db, contact_id, forms=frames.keep(kept))


def silence_key(touch_id: int) -> str:
    """The task to ring somebody who did not answer: one work item, done in the chat or by phone."""
    return f"silence:{touch_id}"


def phoned(db: sa.Connection, task_key: str, now: datetime) -> None:
    """Somebody was reached by phone: what the chat still asks about the same is not asked any more."""
    kind, _, number = task_key.partition(":")
    touch = plans.touch(db, int(number)) if kind == "silence" and number.isdecimal() else None
    if touch is None or touch.state not in ("asked", "silent"):
        return
    plans.change_touch(db, touch.id, state="answered", reason="phone", answered_at=now)
    plans.change_instances(db, [touch.instance_id], silent=0)
    if touch.contact_id is not None:
        close(db, touch.contact_id, [touch.id])
    plans.write_down(
        db,
        [
            {
                "instance_id": touch.instance_id,
                "touch_id": touch.id,
                "at": now,
                "decision": "answered",
                "reason": "phone",
            }
        ],
    )


def take_free_text(db: sa.Connection, given: Given) -> Consequence:
    """Words that answer no option but speak of health: a nurse reads them, and the contact is over."""
    answers = dict(given.touch.answers or {}) | {f"{given.key}{SAID}": given.text}
    _keep(db, given, answers, "answered", len(given.touch.questions.split()))
    _task(db, given, f"患者对“{given.key}”回复:{given.text}")
    return Consequence(Level.SAME_DAY, [say("plan/nurse_coming")])


def _keep(
    db: sa.Connection,
    given: Given,
    answers: Mapping[str, str],
    state: str,
    place: int,
    asked: str | None = None,
) -> None:
    plans.change_touch(
        db,
        given.touch.id,
        answers=dict(answers),
        state=state,
        place=place,
        questions=asked if asked is not None else given.touch.questions,
        answered_at=given.now,
        unclear=0,
    )
    plans.change_instances(db, [given.touch.instance_id], silent=0)
    alerts.settle_tasks(db, [silence_key(given.touch.id)], "已在聊天中回答", given.now)
    decision = "answered" if state == "answered" else "answering"
    plans.write_down(
        db,
        [
            {
                "instance_id": given.touch.instance_id,
                "touch_id": given.touch.id,
                "at": given.now,
                "decision": decision,
                "reason": given.key,
            }
        ],
    )


# How bad it is, with what was answered before


def _level(db: sa.Connection, given: Given, answers: Mapping[str, str]) -> Level:
    level, value = given.answer.level, given.answer.value
    raised = CONTEXT.get(given.key)
    if raised is not None and level is not Level.EMERGENCY:
        level = max(level, raised(db, given, answers, value), key=lambda one: one.weight)
    return level


def _belly(_db: sa.Connection, _given: Given, answers: Mapping[str, str], _value: str) -> Level:
    """More and more pain with fever: the abdomen is in danger."""
    fever = answers.get("temp") in ("2", "3")
    return Level.EMERGENCY if answers.get("belly") == "3" and fever else Level.FINE


def _temp(db: sa.Connection, given: Given, answers: Mapping[str, str], value: str) -> Level:
    if given.touch.plan in IMPLANTED and value == "2":
        return Level.URGENT
    return _belly(db, given, answers, value)


def _bowel(_db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    return Level.SAME_DAY if value == "2" and given.day >= BOWEL_EXPECTED else Level.FINE


def _pain(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    before = _earlier(db, given, "pain", PAIN_REMEMBERED)
    return Level.SAME_DAY if before and questions.pain_rose(value, before[-1]) else Level.FINE


def _mood(_db: sa.Connection, _given: Given, answers: Mapping[str, str], _value: str) -> Level:
    total = sum(int(answers.get(key, 0)) for key in ("mood", "interest"))
    return Level.SAME_DAY if total >= MOOD_SUM else Level.FINE


def _sugar(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    """Two fasting readings of 10 and more within a week."""
    if float(value) < questions.SUGAR_FASTING:
        return Level.FINE
    before = _earlier(db, given, "glu", A_WEEK)
    high = any(float(one) >= questions.SUGAR_FASTING for one in before)
    return Level.SAME_DAY if high else Level.FINE


def _blood_pressure(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    """The mean of a week at home."""
    week = [*_earlier(db, given, "bp", A_WEEK), value]
    return Level.SAME_DAY if len(week) > 1 and questions.pressure_mean_high(week) else Level.FINE


def _saturation(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    """Three points below what is usual for this patient."""
    before = _earlier(db, given, "spo2", SATURATION_REMEMBERED)
    return Level.URGENT if questions.saturation_fell(value, before) else Level.FINE


def _assessment(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    """Two points more than the last time."""
    before = _earlier(db, given, "cat", CAT_REMEMBERED)
    return Level.SAME_DAY if questions.assessment_rose(value, before) else Level.FINE


def _call(db: sa.Connection, given: Given, _answers: Mapping[str, str], value: str) -> Level:
    """Wants a call: urgent after a bad answer of this week."""
    if value != "1":
        return Level.FINE
    bad = [one for one in _earlier(db, given, "flags", A_WEEK) if one != "5"]
    return Level.URGENT if bad else Level.FINE


CONTEXT: Final[Mapping[str, Any]] = {
    "belly": _belly,
    "temp": _temp,
    "bowel": _bowel,
    "pain": _pain,
    "mood": _mood,
    "interest": _mood,
    "glu": _sugar,
    "bp": _blood_pressure,
    "call": _call,
    "spo2": _saturation,
    "cat": _assessment,
}


def _earlier(db: sa.Connection, given: Given, key: str, within: timedelta) -> list[str]:
    """What the same question was answered lately, oldest first."""
    rows = plans.answered_since(db, given.touch.patient_code, given.now - within)
    return [row.answers[key] for row in rows if row.answers and key in row.answers]


# What is done about it


def _act(db: sa.Connection, given: Given, level: Level) -> None:
    if level in (Level.EMERGENCY, Level.URGENT, Level.SAME_DAY):
        alarm.raise_alert(
            db,
            given.now,
            {
                "at": given.now,
                "contact_id": given.contact_id,
                "patient_code": given.touch.patient_code,
                "message_id": given.message_id,
                "level": level.value,
                "concept": given.key,
                "text_span": given.text,
                "reading": {
                    "plan": given.touch.plan,
                    "version": given.touch.version,
                    "step": given.touch.step,
                },
                "status": "open",
            },
            NOTICE.format(level=level.value),
        )
    if level in (Level.SAME_DAY, Level.TASK):
        _task(db, given, f"随访回答需要处理:{given.key}={given.answer.value}")
    if given.key == "csat" and int(given.answer.value) <= LOW_SCORE:
        _low_score(db, given)


def _task(db: sa.Connection, given: Given, reason: str, due: datetime | None = None) -> None:
    evening = given.now.astimezone(given.zone).replace(hour=20, minute=0, second=0, microsecond=0)
    alerts.add_task(
        db,
        {
            "at": given.now,
            "key": f"plan:{given.touch.id}:{given.key}",
            "contact_id": given.contact_id,
            "patient_code": given.touch.patient_code,
            "kind": "plan",
            "reason": f"{given.touch.plan} {given.touch.step}:{reason}",
            "status": "open",
            "due_at": due or max(evening, given.now + PHONE_SOON),
        },
    )


def _low_score(db: sa.Connection, given: Given) -> None:
    """A person calls: within a working day, the unhappiest within hours."""
    next_day = add_workdays(given.now.astimezone(given.zone).date(), 1)
    due = datetime.combine(next_day, given.now.astimezone(given.zone).time(), given.zone)
    if int(given.answer.value) <= LOWEST_SCORE:
        due = given.now + PHONE_SOON
    alerts.add_task(
        db,
        {
            "at": given.now,
            "key": f"low_score:{given.touch.id}",
            "contact_id": given.contact_id,
            "patient_code": given.touch.patient_code,
            "kind": "low_score",
            "reason": f"满意度{given.answer.value}分",
            "status": "open",
            "due_at": due,
        },
    )
    if given.touch.step != CSAT_AGAIN:
        _ask_again(db, given)


def _ask_again(db: sa.Connection, given: Given) -> None:
    """Once, a week later at ten: is it better now?"""
    day = given.now.astimezone(given.zone).date() + ASK_AGAIN_AFTER
    due = datetime.combine(day, time(10), given.zone)
    plans.add_touches(
        db,
        [
            {
                "key": f"{given.touch.key}/{CSAT_AGAIN}",
                "instance_id": given.touch.instance_id,
                "patient_code": given.touch.patient_code,
                "step": CSAT_AGAIN,
                "purpose": Purpose.SURVEY.value,
                "rank": given.touch.rank,
                "questions": "csat",
                "due_at": due,
                "useful_until": due + timedelta(days=2),
            }
        ],
    )


# What is asked next


def _rest(given: Given, asked: list[str], level: Level) -> list[str]:
    """The questions that are left; after a danger nothing more is asked: a nurse takes over."""
    rest = asked[given.touch.place + 1 :]
    if level in (Level.EMERGENCY, Level.URGENT):
        return []
    value = given.answer.value
    if given.key == "bp" and questions.pressure_low(value):
        return ["dizzy", *rest]
    if given.key == "csat" and value == "3":
        return ["csat_reason"]
    return rest


def _follow_up(db: sa.Connection, given: Given, level: Level, rest: list[str]) -> Consequence:
    consequence = Consequence(level, next_question=rest[0] if rest else None)
    key, value = given.key, given.answer.value
    if level in WORDS:
        template = WORDS[level]
        if level is Level.TASK and key in FRONT_DESK:
            template = "plan/visit_noted"
        if key == "preop_medicines":
            template = "plan/medicines_noted"
        consequence.words.append(say(template))
    if key == "glu" and float(value) <= questions.SUGAR_LOW:
        consequence.words.append(say("plan/sugar_low"))
    if key == "whom_to_call" and value == "2":
        consequence.words.append(say("plan/whom_to_call_card"))
    if key == "csat" and int(value) <= LOW_SCORE:
        consequence.words.append(say("plan/low_score"))
    if not consequence.words and not rest:
        consequence.words.append(say(LAST_WORDS.get((key, value), "plan/thanks")))
    return consequence


LAST_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("reminder", "1"): "plan/will_come",
    ("coming", "1"): "plan/will_come",
    ("rebook", "2"): "plan/not_rebooked",
    ("go_on", "2"): "plan/stopped",
}


def _go_on(db: sa.Connection, given: Given, consequence: Consequence) -> None:
    """还需要我们提醒您吗?"""
    instance = given.touch.instance_id
    if given.answer.value == "1":
        plans.change_instances(db, [instance], state="running", changed_at=given.now)
        return
    consequence.stops = True
    plans.cancel_pending(db, [instance], "not_wanted")
    plans.change_instances(db, [instance], state="stopped", reason="not_wanted", changed_at=given.now)


def is_answer(key: str, text: str) -> bool:
    """Whether a text plainly answers a question of the bank."""
    return QUESTIONS[key].kind != "text" and questions.read(QUESTIONS[key], text) is not None
