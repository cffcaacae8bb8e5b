"""Questions about the hospital: its own answers, its departments and doctors, its address and telephone."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import cache

import opencc

from bot.conversation.form import Form, NoDraft, step
from bot.conversation.knowledge import Answer
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Turn
from bot.domain.language import Language
from bot.domain.words import Say, say
from bot.handlers import answer_search, symptoms
from bot.handlers import appointment_words as texts
from bot.handlers.answer_search import Found
from bot.handlers.appointment_wish import hear
from bot.hospital import appointments
from storage.queries import hospital

OPENERS = frozenset({"医院信息", "医院介绍", "医院简介", "咨询", "information", "8"})
_NO_TASK = frozenset({"unknown", "thanks", "greeting.chitchat", "health.consult", "medication.postop"})
_SURE = 0.6  # confidence
_PLAIN = 0.8  # confidence from which even the hospital's own question is not meant
DOCTORS = 3  # told of at once
HALF_DAYS = 4  # of a doctor's coming clinics
LISTED = 12
CHOICES = 4
TITLE = 40  # characters of an answer that stand for its question
TOPICS = 8

_QUESTION = re.compile(
    r"[?？]$|[吗呢么嘛]$|怎么|什么|哪|几点|几楼|多少|能不能|可不可以|有没有|边度|點|幾|^(?:where|when|what|how|can|do|does|is|are)\b"
)
_ALL_DEPARTMENTS = re.compile(r"(?:什么|哪些|多少|几个|所有).{0,2}科|科室(?:介绍|列表|大全|有)|departments")
_CLAUSES = re.compile(r"[,，。;；?？!！\n]|然后|还有|顺便|另外|\band\b")
_ABOUT_A_DOCTOR = re.compile(
    r"是谁|介绍|简介|厉害吗|擅长|坐诊|出诊|在哪|几楼|\bwho\b|\babout\b|\bwhen\b|\bwhere\b"
)
_FEE = re.compile(r"(?:挂号|诊查|门诊|专家).{0,2}(?:费|多少钱|几多钱)|诊金|registration fee|consultation fee")
_DEPARTMENTS_DOCTORS = re.compile(r"医生|专家|大夫|主任|教授|谁|doctor")
_WHO_SEES = re.compile(r"哪个|哪位|谁|什么科|哪科|which|who")
_FACTS = (
    ("complaint_phone", re.compile(r"投诉.{0,4}(?:电话|号码|热线|联系)|complaint.{0,12}(?:phone|number)")),
    ("nurse_phone", re.compile(r"护士.{0,4}(?:电话|号码|联系)|nurse.{0,12}(?:phone|number)")),
    ("emergency_name", re.compile(r"急诊(?:科|室|楼)?(?:在|怎么|几|位置)|where.{0,16}emergency")),
    ("phone", re.compile(r"电话|联系方式|热线|号码是|phone|telephone|call")),
    ("address", re.compile(r"地址|怎么走|怎么去|怎么到|路线|导航|位置|在哪|哪里|哪儿|address|where|get to")),
)
# What may stand in a question about the hospital as a whole; anything else has a subject of its own.
_THE_HOSPITAL = re.compile(
    r"地址|电话|号码|联系方式|联系|热线|位置|路线|导航|投诉|护士站|护士|急诊科|急诊室|急诊楼|急诊|坐车|开车|公交|地铁|服务|总机|详细|具体|医院|自己|过来|来"
    r"|address|phone|telephone|number|emergency|nurses?|complaints?|station|department|room|call|reach|from|here|way"
)


class Information(Form[NoDraft]):
    """Answers at once, in the middle of another dialogue too."""

    name = "information"
    intents = frozenset({"info.faq"})
    words = OPENERS - {"8"}
    digression = True

    def opens(self, talk: Talk) -> bool:
        """One of the hospital's own questions, whatever else it might be taken for: 胃镜要空腹吗."""
        meaning = talk.said.meaning
        if meaning.intent not in _NO_TASK and meaning.confidence >= _PLAIN:
            return False
        if answer_search.is_asked(talk.knowledge.answers, meaning.text):
            return True
        unsure = meaning.intent in _NO_TASK or meaning.confidence < _SURE
        return unsure and (_fact(talk) is not None or _about_a_doctor(talk))

    def passing(self, talk: Talk) -> bool:
        """停车在哪？ while somebody tells a story: a question, and one that has an answer."""
        meaning = talk.said.meaning
        if meaning.is_complaint or not _QUESTION.search(meaning.text.lower()):
            return False
        return answer_search.is_asked(talk.knowledge.answers, meaning.text) or _fact(talk) is not None

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if talk.said.plain in OPENERS:
            return Ask("question", draft, _overview(talk))
        return self._find(talk) or Done(say("information/unknown"))

    @step("question")
    def question(self, talk: Talk, draft: NoDraft) -> Turn:
        meaning = talk.said.meaning
        if meaning.intent not in _NO_TASK | {"info.faq"} and meaning.confidence >= _SURE:
            return Again()
        return self._find(talk) or Again(say("information/unknown"))

    @step("which")
    def which(self, talk: Talk, draft: NoDraft) -> Turn:
        chosen = [one for one in talk.knowledge.answers if one.code == talk.said.choice]
        if chosen:
            return Done(_told(talk, chosen[0]))
        if talk.said.no or talk.said.choice == "none":
            return Done(say("information/unknown"))
        return self._find(talk) or Again()

    def _find(self, talk: Talk) -> Turn | None:
        """The best that is known; None rather than something wrong."""
        text, answers = talk.part or talk.said.text, talk.knowledge.answers
        found = answer_search.find(answers, text)
        for clause in _CLAUSES.split(text) if talk.part else ():
            found = max(found, answer_search.find(answers, clause), key=_best)
        if found and found[0].score >= answer_search.SURE:
            return self._answer(talk, [one.answer for one in answer_search.close(found)])
        if cards := _cards(talk):
            return Done(cards)
        if missing := hear(talk).missing:
            return Done((say("appointment/no_such_department", department=missing), _departments(talk)))
        if found:
            return self._answer(talk, [one.answer for one in answer_search.close(found)])
        if fact := _fact(talk) or _fees(talk):
            return Done(fact)
        if _ALL_DEPARTMENTS.search(text.lower()):
            return Done(_departments(talk))
        if symptoms.departments(talk) and _WHO_SEES.search(text.lower()):
            return Start("triage")
        likely = answer_search.maybe(answers, text)
        return self._answer(talk, likely, sure=False) if likely else None

    def _answer(self, talk: Talk, answers: Sequence[Answer], *, sure: bool = True) -> Turn:
        if sure and len(answers) == 1:
            return Done(_told(talk, answers[0]))
        choices = [Choice(one.code, _title(talk, one)) for one in answers[:CHOICES] if one.questions]
        none = Choice("none", talk.text(say("information/none_of_these")), ("都不是",))
        return Ask("which", NoDraft(), say("information/which"), (*choices, none))


def doctor_card(talk: Talk, code: str) -> Say | None:
    """A doctor: where, for what, at which fee, and the next free times."""
    row = next((one for one in hospital.all_doctors(talk.db) if one.code == code), None)
    if row is None:
        return None
    free = appointments.open_places(talk.db, talk.now, doctor=code, only_free=True, limit=60)
    half_days = list(dict.fromkeys(appointments.half_day(place.start, talk.zone) for place in free))
    return say(
        "information/doctor",
        doctor=row.name,
        title=row.title,
        department=texts.department_name(talk, row.department_code),
        specialties="、".join(part for part in row.specialties.split("|") if part),
        fee=texts.yuan(row.fee_cents),
        clinics=[{"day": day, "afternoon": late} for day, late in half_days[:HALF_DAYS]],
    )


def _best(found: Sequence[Found]) -> float:
    return found[0].score if found else 0.0


def _cards(talk: Talk) -> tuple[Say, ...]:
    """The doctors or the department that this part of the message names."""
    meaning = talk.said.meaning
    if talk.part and not any(one.text in talk.part for one in (*meaning.doctors, *meaning.departments)):
        return ()
    return _doctor_cards(talk) or _department_card(talk)


def _doctor_cards(talk: Talk) -> tuple[Say, ...]:
    cards = [doctor_card(talk, code) for code in hear(talk).doctors[:DOCTORS]]
    found = tuple(card for card in cards if card is not None)
    return (*found, say("information/book_hint")) if found else ()


def _department_card(talk: Talk) -> tuple[Say, ...]:
    codes = hear(talk).departments[:DOCTORS]
    rows = [row for row in hospital.all_departments(talk.db) if row.code in codes]
    doctors = hospital.all_doctors(talk.db)
    cards = tuple(
        say(
            "information/department",
            department=row.name,
            location=row.location,
            description=row.description,
            doctors=[f"{one.name} {one.title}".strip() for one in doctors if one.department_code == row.code][
                :LISTED
            ],
        )
        for row in rows
    )
    return (*cards, say("information/book_hint")) if cards else ()


def _departments(talk: Talk) -> Say:
    rows = hospital.all_departments(talk.db)
    return say(
        "information/departments", departments=[{"name": row.name, "location": row.location} for row in rows]
    )


def _fact(talk: Talk) -> Say | None:
    """Address or telephone, when the question is about the hospital as a whole."""
    text = talk.said.meaning.text.lower()
    name = talk.knowledge.facts
    plain = text.replace(name["name"], "").replace(name["short_name"], "") if name["name"] else text
    if answer_search.subject(_THE_HOSPITAL.sub(" ", plain)).strip():
        return None
    key = next((key for key, pattern in _FACTS if pattern.search(text) and name.get(key)), None)
    return say(f"information/fact_{key}") if key else None


def _about_a_doctor(talk: Talk) -> bool:
    text = talk.said.meaning.text.lower()
    return _ABOUT_A_DOCTOR.search(text) is not None and bool(hear(talk).doctors)


def _fees(talk: Talk) -> Say | None:
    """What a registration costs, by the doctors' titles."""
    text = talk.said.meaning.text.lower()
    if not _FEE.search(text) or "退" in text or "refund" in text:
        return None
    by_title: dict[str, list[int]] = {}
    for row in hospital.all_doctors(talk.db):
        if row.fee_cents is not None:
            by_title.setdefault(row.title, []).append(row.fee_cents)
    titles = sorted(by_title.items(), key=lambda one: -max(one[1]))[:LISTED]
    if not titles:
        return None
    lines = [
        {"title": title, "least": texts.yuan(min(cents)), "most": texts.yuan(max(cents))}
        for title, cents in titles
    ]
    return say("information/fees", titles=lines)


def _overview(talk: Talk) -> Say:
    topics = [one.questions[0] for one in talk.knowledge.answers if one.questions][:TOPICS]
    return say("information/overview", topics=topics)


def _title(talk: Talk, answer: Answer) -> str:
    """What an answer is about, as the patient reads it: questions are kept in Chinese only."""
    if talk.language == Language.ENGLISH and answer.text_english:
        return textwrap.shorten(answer.text_english, TITLE, placeholder=" …")
    question = answer.questions[0]
    return _traditional().convert(question) if talk.language == Language.TRADITIONAL else question


def _told(talk: Talk, answer: Answer) -> Say:
    """The hospital's words, in the patient's language where the hospital wrote them."""
    text = answer.text
    if talk.language == Language.TRADITIONAL:
        text = answer.text_traditional or _traditional().convert(answer.text)
    if talk.language == Language.ENGLISH:
        text = answer.text_english or answer.text
    return say("information/answer", text=text)


@cache
def _traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2hk")
