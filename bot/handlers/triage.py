"""Which department? Said from what hurts, never as a diagnosis; medicine questions go to a nurse."""

from __future__ import annotations

import re

import msgspec

from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, HandOver, Start, Turn
from bot.domain.words import Say, say
from bot.handlers import symptoms
from bot.handlers.appointment_wish import Heard, hear
from bot.handlers.information import doctor_card
from storage.queries import hospital

MEDICINE = "medication.postop"
_UNREAD = frozenset({"unknown", "health.consult", "thanks", "greeting.chitchat"})
_TODAY = re.compile(
    r"今[天日早晚].{0,6}(?:挂|约|看|能|有号|可以)|(?:挂|约|看).{0,3}今[天日]|today.{0,20}\b(?:see|book|visit)|\b(?:see|book|visit).{0,30}today"
)
SHOWN = 3
BOOK, NURSE, STOP = "book:", "nurse", "stop"


class Complaint(msgspec.Struct, frozen=True):
    """What was told, and the time that was wished with it."""

    told: str = ""
    heard: Heard = Heard()
    departments: tuple[str, ...] = ()  # codes of those that were named to the patient


class Triage(Form[Complaint]):
    """Departments for a symptom, with a way to book, a nurse, and the danger signs that mean 120."""

    name = "triage"
    draft = Complaint
    intents = frozenset({"triage.recommend", "health.consult", MEDICINE})
    words = frozenset({"推荐科室", "导诊", "分诊", "挂什么科", "看什么科", "triage", "which department"})

    def opens(self, talk: Talk) -> bool:
        """My knee hurts: what language could not tell, the part of the body does."""
        meaning = talk.said.meaning
        return meaning.text.isascii() and meaning.intent in _UNREAD and bool(symptoms.departments(talk))

    def begin(self, talk: Talk, draft: Complaint) -> Turn:
        draft = Complaint(talk.said.text, _wish(talk))
        if talk.said.meaning.intent == MEDICINE:
            return Ask("next", draft, say("triage/medicine"), _nurse_first(talk))
        return self._suggest(talk, draft) or self._nothing_read(talk, draft)

    def _nothing_read(self, talk: Talk, draft: Complaint) -> Turn:
        if talk.said.meaning.intent == "health.consult":
            return Ask("next", draft, say("triage/not_a_doctor"), _nurse_first(talk))
        if draft.heard.doctors or draft.heard.departments:
            return Start("information")  # asks after somebody, not whom to see
        return Ask("symptom", draft, say("triage/what_is_wrong"))

    @step("symptom")
    def symptom(self, talk: Talk, draft: Complaint) -> Turn:
        told = Complaint(talk.said.text, _wish(talk))
        return self._suggest(talk, told) or Again(say("triage/not_sure"))

    @step("next")
    def next(self, talk: Talk, draft: Complaint) -> Turn:
        choice = talk.said.choice or ""
        if choice.startswith(BOOK):
            department = choice.removeprefix(BOOK)
            heard = msgspec.to_builtins(draft.heard)
            opening = {key: heard[key] for key in ("days", "half", "time", "doctors")}
            return Start("appointment_book", opening | {"departments": [department] if department else []})
        if choice == NURSE:
            told = {"told": draft.told} if draft.told else {}
            return HandOver(talk.text(say("triage/reason")), slots=told)
        if choice == STOP or talk.said.no:
            return Done(say("triage/take_care"))
        fresh = Complaint(talk.said.text, hear(talk))
        return self._suggest(talk, fresh) or self._when(talk, draft, fresh.heard) or Again()

    def _when(self, talk: Talk, draft: Complaint, heard: Heard) -> Turn | None:
        """明天上午 in answer to the departments: a booking there."""
        if not (heard.days or heard.half or heard.time or heard.soonest) or talk.elsewhere:
            return None
        known = msgspec.to_builtins(heard)
        opening = {key: known[key] for key in ("days", "half", "time", "soonest")}
        return Start("appointment_book", opening | {"departments": list(draft.departments)})

    def _suggest(self, talk: Talk, draft: Complaint) -> Turn | None:
        """The departments that see it, and how to go on."""
        found = symptoms.departments(talk)[:SHOWN]
        if not found:
            return None
        rows = {row.code: row for row in hospital.all_departments(talk.db)}
        departments = [{"name": one.name, "location": rows[one.code].location} for one in found]
        words: list[Say] = [say("triage/suggest", departments=departments)]
        for code in _specialists(talk, {one.code for one in found}):
            if card := doctor_card(talk, code):
                words.append(card)
        book = [
            Choice(
                f"{BOOK}{one.code}", talk.text(say("triage/choice_book", department=one.name)), (one.name,)
            )
            for one in found
        ]
        words.append(say("triage/safety"))
        draft = msgspec.structs.replace(draft, departments=tuple(one.code for one in found))
        return Ask("next", draft, words, (*book, _nurse(talk), _stop(talk)))


def _wish(talk: Talk) -> Heard:
    """When somebody wants to be seen. 今天早上起来就肚子疼 tells when it began, not when to come."""
    heard = hear(talk)
    today = talk.today.isoformat()
    if any(first <= today for first, _ in heard.days) and not _TODAY.search(talk.said.meaning.text.lower()):
        return msgspec.structs.replace(heard, days=(), half="", time="")
    return heard


def _specialists(talk: Talk, departments: set[str]) -> list[str]:
    """The doctors there whose specialties name the part of the body that was spoken of."""
    parts = symptoms.parts_of_the_body(talk.said.meaning.text)
    return [
        row.code
        for row in hospital.all_doctors(talk.db)
        if row.department_code in departments and any(part in row.specialties for part in parts)
    ][:SHOWN]


def _nurse_first(talk: Talk) -> tuple[Choice, ...]:
    book = Choice(BOOK, talk.text(say("triage/choice_book", department="")), ("预约", "挂号", "预约挂号"))
    return (_nurse(talk), book, _stop(talk))


def _nurse(talk: Talk) -> Choice:
    return Choice(NURSE, talk.text(say("triage/choice_nurse")), ("护士", "人工", "请护士联系我"))


def _stop(talk: Talk) -> Choice:
    return Choice(STOP, talk.text(say("triage/choice_stop")), ("不用了", "不需要", "谢谢"))
