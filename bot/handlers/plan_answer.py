"""Answers to what a plan asked: numbers, words and readings; coming, cancelling and moving by reply."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import msgspec

from bot.conversation import followup
from bot.conversation.followup import Given
from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Done, HandOver, Start, Turn
from bot.domain.words import Say, say
from bot.handlers import appointment_words as texts
from bot.handlers.waiting_offer import freed
from bot.hospital import appointments, consents
from bot.hospital.appointments import Refused
from bot.hospital.questions import QUESTIONS, Answer, Level, Question, read
from storage.queries import plans
from storage.rows import Row

GRAVE: Final = frozenset({"C1", "C2", "C3"})  # a remark that is a complaint is taken as one
LATE: Final = timedelta(hours=48)  # so long after its time an answer still belongs to the last question
UNCLEAR: Final = 2  # then a nurse reads it herself
HEALTH: Final = frozenset({"health.consult", "medication.postop", "emergency"})
OPINIONS: Final = frozenset({"complaint", "praise"})  # an answer, where any words answer
# What may be a late answer: a number, a reading, a few words. A longer text is a message of its own.
SHORT: Final = re.compile(r"^[^\n]{1,12}$")
SEEN: Final = frozenset({"customer_service", "kf", "wecom"})  # ways that show the question itself


class Asked(msgspec.Struct, frozen=True):
    """The contact whose question is open."""

    touch: int = 0
    shown: bool = False  # the question stood in this chat already


class PlanAnswer(Form[Asked]):
    """The reply to a plan's question. Begun by the plan's letter; patients do not begin it."""

    name = "plan_answer"
    draft = Asked

    def opens(self, talk: Talk) -> bool:
        """A plain answer to the last question, after its time: late, but not lost."""
        if not talk.bindings or not SHORT.match(talk.said.text.strip()):
            return False
        late = _late(talk)
        return late is not None and followup.is_answer(_open_question(late).key, talk.said.text)

    def begin(self, talk: Talk, draft: Asked) -> Turn:
        late = _late(talk)
        if late is None:
            return Done()
        question = _open_question(late)
        answer = read(question, talk.said.text)
        assert answer is not None
        return self._settled(talk, late, question, answer, late=True)

    @step("answer")
    def answered(self, talk: Talk, draft: Asked) -> Turn:
        touch = plans.touch(talk.db, draft.touch)
        if touch is None or touch.state not in ("asked", "silent") or touch.instance_state == "stopped":
            return Done(say("plan/thanks_late"))
        question = _open_question(touch)
        answer = read(question, talk.said.meaning.text or talk.said.text)
        if _another_topic(talk, question, answer):
            return Again()  # the conversation goes there; the question comes after
        if answer is None and _unseen(talk, touch, draft):
            return Ask("answer", Asked(touch.id, shown=True), _words(touch, question))
        if answer is None:
            return self._not_understood(talk, touch, question)
        return self._settled(talk, touch, question, answer)

    @step("visit")
    def visit_answered(self, talk: Talk, draft: Asked) -> Turn:
        return self.answered(talk, draft)

    def outlived(self, talk: Talk, draft: Asked) -> bool:
        """停止随访 in answer to it."""
        touch = plans.touch(talk.db, draft.touch)
        return touch is None or not consents.allows(
            talk.db, talk.contact.id, touch.patient_code, touch.purpose, talk.now
        )

    def keeps(self, name: str, word: str) -> bool:
        """取消 in answer to the reminder of a visit means the visit."""
        return name == "visit"

    def _not_understood(self, talk: Talk, touch: Row, question: Question) -> Turn:
        """Words about health go to a nurse; anything else is asked once more."""
        if talk.said.meaning.intent in HEALTH and len(talk.said.plain) >= 4:
            given = _given(talk, touch, question.key, Answer(talk.said.text, Level.SAME_DAY))
            return Done(followup.take_free_text(talk.db, given).words)
        if touch.unclear + 1 >= UNCLEAR:
            given = _given(talk, touch, question.key, Answer(talk.said.text, Level.TASK))
            followup.take_free_text(talk.db, given)
            return HandOver("随访回答两次没有读懂")
        plans.change_touch(talk.db, touch.id, unclear=touch.unclear + 1)
        return Again()

    def _settled(
        self, talk: Talk, touch: Row, question: Question, answer: Answer, *, late: bool = False
    ) -> Turn:
        taken = followup.take(talk.db, _given(talk, touch, question.key, answer))
        if question.kind == "text" and talk.said.meaning.is_complaint and talk.said.meaning.severity in GRAVE:
            return Start("complaint")
        if topic := question.leads_to.get(answer.value):
            return self._lead(talk, touch, topic)
        if taken.next_question is None:
            words = taken.words
            if late and taken.level is Level.FINE:
                words = [say("plan/thanks_late")]
            return Done(words)
        following = QUESTIONS[taken.next_question]
        words = [*taken.words, *_words(touch, following)]
        return Ask("answer", Asked(touch.id, shown=True), words)

    def _lead(self, talk: Talk, touch: Row, topic: str) -> Turn:
        """Cancelling needs no second question: the reminder said what 2 does."""
        if topic != "cancel":
            return Start(topic)
        number = int(touch.episode.partition(":")[2])
        try:
            before = appointments.cancel(talk.db, talk.now, number, touch.patient_code)
        except Refused as refused:
            return Done(say(f"appointment/refused_{refused.reason}"))
        talk.patient = next(
            (one.patient for one in talk.bindings if one.patient.code == touch.patient_code), None
        )
        name = talk.patient.masked_name if talk.patient else ""
        words = say("appointment/cancelled", patient=name, number=before.number, **texts.facts(before))
        return freed(talk, before.slot_code, words)


def _given(talk: Talk, touch: Row, key: str, answer: Answer) -> Given:
    return Given(
        touch=touch,
        key=key,
        answer=answer,
        text=talk.said.text,
        contact_id=talk.contact.id,
        message_id=talk.message_id,
        now=talk.now,
        zone=talk.zone,
    )


def _open_question(touch: Row) -> Question:
    asked = touch.questions.split()
    return QUESTIONS[asked[min(touch.place, len(asked) - 1)]]


def _late(talk: Talk) -> Row | None:
    """The last question this user got and never answered, while an answer to it still means something."""
    row = plans.last_asked(talk.db, talk.contact.id, talk.now - LATE - timedelta(days=2))
    if row is None or row.useful_until + LATE < talk.now or row.instance_state == "stopped":
        return None
    return row


def _another_topic(talk: Talk, question: Question, answer: Answer | None) -> bool:
    """Whether the patient plainly wants something else than to be asked how they are."""
    intent = talk.said.meaning.intent
    if not talk.elsewhere or intent in HEALTH:
        return False
    return intent not in OPINIONS if question.kind == "text" else answer is None


def _unseen(talk: Talk, touch: Row, draft: Asked) -> bool:
    """Whether only a notice reached the phone (a template, a text message), not the question itself."""
    if draft.shown:
        return False
    letter = plans.letter_of(talk.db, touch.id, touch.asks)
    return letter is not None and letter.channel not in SEEN


def _words(touch: Row, question: Question) -> list[Say]:
    words = [say(f"plan/{question.key}")]
    if question.zero_is_nurse and question.kind != "text":
        words.append(say("plan/nurse"))
    return words
