"""A contact in words: the letter, and the question that stays open until it is answered or void."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from bot.conversation import frames
from bot.conversation.followup import FORM
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import Say, say
from bot.flows.engine.deciding import Occasion, Send, morning_after
from bot.flows.engine.people import Person
from bot.hospital.departments import alias
from bot.hospital.questions import QUESTIONS
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import conversations
from storage.queries import plans as rows
from storage.rows import Row

REMINDERS: Final = frozenset({"visit", "visit_day", "preop", "exam"})  # whose platform notice is a reminder


def question(key: str, facts: Mapping[str, Any]) -> list[Say]:
    """One question as the chat puts it."""
    asked = [say(f"plan/{key}", **facts)]
    if QUESTIONS[key].zero_is_nurse and QUESTIONS[key].kind != "text":
        asked.append(say("plan/nurse"))
    return asked


def text(
    wording: Wording, occasion: Occasion, person: Person, send: Send, facts: Mapping[str, Any], *, again: bool
) -> str:
    """The letter: who is meant, who writes, the question and its options."""
    language = Language(send.reader.language or Language.SIMPLIFIED)
    step = occasion.step
    template = step.text or (f"plan/{send.questions[0]}" if send.questions else "plan/empty")
    nurse = bool(send.questions) and QUESTIONS[send.questions[0]].zero_is_nurse
    return wording.text(
        say(
            "plan/letter",
            name=person.patient.masked_name,
            own=send.reader.relation == "self",
            body=wording.text(say(template, **facts), language),
            nurse=nurse,
            again=again,
            moved=occasion.plan.repeats_when_moved and occasion.touch.moves > 0,
        ),
        language,
    )


def put(
    db: sa.Connection, wording: Wording, occasion: Occasion, person: Person, send: Send, until: datetime
) -> None:
    """Owe the letter, and leave its first question open."""
    touch, ask = occasion.touch, occasion.touch.asks + 1
    facts = facts_of(db, occasion)
    letter = Letter(
        key=rows.letter_key(touch.id, ask),
        purpose=occasion.purpose,
        text=text(wording, occasion, person, send, facts, again=ask > 1),
        not_before=occasion.now,
        useful_until=touch.useful_until,
        contact_id=send.reader.contact_id,
        patient_code=touch.patient_code,
        plan=occasion.plan.id,
        step=occasion.step.id,
        template=template_of(occasion),
        facts=_notice(occasion, facts),
        author="plan",
    )
    letters.put(db, letter, occasion.now)
    if send.questions:
        _leave_open(db, occasion, send, facts, until)


def template_of(occasion: Occasion) -> str:
    """Which of the platform's templates stands for it when the window is shut."""
    return "reminder" if occasion.plan.id in REMINDERS else "care"


def _notice(occasion: Occasion, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What such a template may show: nothing of the illness."""
    when = facts.get("start") or occasion.now
    shown = {
        "subject": occasion.plan.subject,
        "when": when.isoformat() if isinstance(when, datetime) else when,
    }
    if place := facts.get("place"):
        shown["place"] = place
    shown["note"] = "请在公众号里回复" if occasion.touch.questions else "请查看公众号消息"
    return shown


def facts_of(db: sa.Connection, occasion: Occasion) -> dict[str, Any]:
    """What the texts of this episode may name."""
    touch = occasion.touch
    kind, _, code = touch.episode.partition(":")
    anchor: datetime = touch.anchor_at
    if kind != "appointment":
        return {"day": anchor.astimezone(occasion.zone).date(), "urgent_phone": ""}
    row = rows.booking_facts(db, int(code))
    assert row is not None
    department = alias(row.department)
    place = row.location or department if department == row.department else department
    return {
        "start": row.start_at,
        "doctor": row.doctor,
        "department": department,
        "place": place,
        "number": row.number or "",
    }


def _leave_open(
    db: sa.Connection, occasion: Occasion, send: Send, facts: Mapping[str, Any], until: datetime
) -> None:
    """The question waits below a dialogue that is going on, and above an older question of ours."""
    mine = frames.Frame(
        form=FORM,
        step="visit" if send.questions[0] == "reminder" else "answer",
        draft={"touch": occasion.touch.id},
        patient=occasion.touch.patient_code,
        question=[_plain(one) for one in question(send.questions[0], facts)],
        until=until,
    )
    contact_id = send.reader.contact_id
    kept = [
        one
        for one in frames.load(conversations.open_forms(db, contact_id))
        if not (one.form == FORM and one.draft.get("touch") in (*send.replaces, occasion.touch.id))
    ]
    older = [one for one in kept if one.form == FORM]
    going_on = [one for one in kept if one.form != FORM]
    conversations.move(db, contact_id, forms=frames.keep([*older, mine, *going_on]))


def call_off(
    db: sa.Connection, wording: Wording, instance: Row, person: Person, now: datetime, zone: ZoneInfo
) -> None:
    """原手术时间已取消: whoever was told of an operation is told that its time holds no more."""
    reader = person.reader(now.astimezone(zone).date(), 1)
    if isinstance(reader, str) or person.patient.deceased_on is not None:
        return
    words = say("plan/preop_cancelled", name=person.patient.masked_name)
    letter = Letter(
        key=f"called_off/{instance.id}/{instance.moves}",
        purpose=Purpose.TRANSACTION,
        text=wording.text(words, Language(reader.language or Language.SIMPLIFIED)),
        not_before=morning_after(now, zone) or now,
        useful_until=now + timedelta(days=3),
        contact_id=reader.contact_id,
        patient_code=instance.patient_code,
        plan=instance.plan,
        step="called_off",
        template="reminder",
        facts={"subject": "安排变更", "when": now.isoformat(), "note": "原安排已取消,请查看公众号消息"},
        author="plan",
    )
    letters.put(db, letter, now)


def _plain(words: Say) -> Say:
    """Facts as they are kept in a row."""
    facts = {name: msgspec.to_builtins(value) for name, value in words.facts.items()}
    return say(words.template, **facts)
