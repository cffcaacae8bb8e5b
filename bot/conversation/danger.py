"""Red flags in a conversation: they outrank every form, opt-out, quiet hour and hand-over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta

from bot.conversation.talk import Talk
from bot.domain.patient import Binding, Patient
from bot.domain.words import Say, say
from bot.language.meaning import Context, Procedure, RedFlags, Urgency
from bot.outbox import alarm
from storage.queries import alerts
from storage.rows import Row

SELF_HARM = frozenset({"M01", "M02", "M03", "M04"})
THREAT = "M06"
NOTICE = alarm.NOTICE
# How long an unanswered safety check waits before it counts as happening (safety.md §1.3).
EMERGENCY_PATIENCE = timedelta(minutes=3)
URGENT_PATIENCE = timedelta(minutes=10)


def subject(bindings: Sequence[Binding]) -> Patient | None:
    """Of whom the rules may know something: whom the account belongs to, or the only patient."""
    own = next((one for one in bindings if one.relation == "self"), None)
    if own is None and len(bindings) == 1:
        own = bindings[0]
    return own.patient if own else None


def context_of(patient: Patient, procedures: Iterable[Row], today: date) -> Context:
    """What the rules may know of the writer."""
    born = patient.birth_date
    recent = tuple(
        Procedure(row.family, (today - row.date).days) for row in procedures if (today - row.date).days <= 400
    )
    births = [one.day for one in recent if one.family == "birth" and one.day >= 0]
    return Context(
        procedures=recent,
        age_days=(today - born).days if born else None,
        postpartum_days=min(births) if births and min(births) <= 42 else None,
    )


def answer(talk: Talk, flags: RedFlags) -> Say | None:
    """Alarm the nurses; the words for the patient, or None when nothing is urgent."""
    if flags.urgency is None:
        return None
    first = next(flag for flag in flags.flags if flag.urgency == flags.urgency)
    _raise(talk, flags.urgency.value, first.concept, first.text, flags, other_person=first.other_person)
    return words(flags)


def doubt(talk: Talk, flags: RedFlags) -> dict[str, object]:
    """What must be asked, as the safety check's opening. Silence will count as happening."""
    if flags.urgency is not None:
        return {"alarmed": True}
    if not flags.flags:
        return {}  # only a question about a danger
    first = flags.flags[0]
    patience = EMERGENCY_PATIENCE if first.urgency == Urgency.EMERGENCY else URGENT_PATIENCE
    number = alerts.add_alert(
        talk.db,
        _row(talk, first.urgency.value, first.concept, first.text, flags, first.other_person)
        | {"status": "asking", "next_rung_at": talk.now + patience},
    )
    return {"alert": number, "urgency": first.urgency.value, "concept": first.concept, "text": first.text}


def confirm(talk: Talk, alert: int | None, urgency: str, concept: str, text: str) -> Say:
    """It is happening: the alarm it was waiting for."""
    if alert is None:
        _raise(talk, urgency, concept, text or talk.said.text, RedFlags(), other_person=False)
    else:
        alerts.change_alert(talk.db, alert, status="open", next_rung_at=None)
        alarm.tell_nurses(talk.db, talk.now, alert, urgency, NOTICE.format(level=urgency))
    return say("red_flag/emergency" if urgency == Urgency.EMERGENCY else "red_flag/urgent")


def stand_down(talk: Talk, alert: int | None, answered: str) -> None:
    """It is over, or was only a question."""
    if alert is not None:
        alerts.change_alert(
            talk.db, alert, status="closed", disposition=f"patient: {answered}", closed_at=talk.now
        )


def media(talk: Talk) -> None:
    """A nurse looks at what cannot be read."""
    alerts.add_task(
        talk.db,
        {
            "at": talk.now,
            "key": f"media:{talk.message_id}",
            "contact_id": talk.contact.id,
            "patient_code": talk.bindings[0].patient.code if len(talk.bindings) == 1 else None,
            "kind": "media",
            "reason": talk.said.type,
            "status": "open",
        },
    )


def _raise(talk: Talk, level: str, concept: str, text: str, flags: RedFlags, *, other_person: bool) -> None:
    alarm.raise_alert(
        talk.db,
        talk.now,
        _row(talk, level, concept, text, flags, other_person),
        NOTICE.format(level=level),
    )


def _row(
    talk: Talk, level: str, concept: str, text: str, flags: RedFlags, other_person: bool
) -> dict[str, object]:
    return {
        "at": talk.now,
        "contact_id": talk.contact.id,
        "patient_code": _patient_code(talk, other_person),
        "message_id": talk.message_id,
        "level": level,
        "concept": concept,
        "text_span": text,
        "reading": asdict(flags),
        "status": "open",
    }


def _patient_code(talk: Talk, other_person: bool) -> str | None:
    """Never write somebody else's danger to the account holder's record."""
    if other_person:
        return None
    own = [one for one in talk.bindings if one.relation == "self"]
    return own[0].patient.code if own else None


def words(flags: RedFlags) -> Say:
    """The signed text for the highest of the flags (safety.md §1.3)."""
    assert flags.urgency is not None
    concepts = {flag.concept for flag in flags.flags}
    if concepts & SELF_HARM:
        return say("red_flag/self_harm")
    if THREAT in concepts:
        return say("red_flag/threat")
    by_urgency = {
        Urgency.EMERGENCY: "red_flag/emergency",
        Urgency.URGENT: "red_flag/urgent",
        Urgency.SAME_DAY: "red_flag/same_day",
    }
    return say(by_urgency[flags.urgency])
