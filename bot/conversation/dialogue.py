"""One turn of the dialogue: the open question owns the reply, then global words, then what the message wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from bot.conversation import about, people
from bot.conversation.form import Form
from bot.conversation.frames import Frame
from bot.conversation.life import CANCEL, DEPTH, TRIES
from bot.conversation.said import chosen
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, HandOver, Start, Stop, Turn, all_words
from bot.domain.patient import Binding
from bot.domain.words import Say, say
from bot.language.meaning import Meaning

WHO = "?who"  # the question whom it is about is open
RESUME = "?resume"  # waits for the form above it, then begins again
BINDING = "binding"  # the form that proves who is speaking
SURE = 0.6  # confidence from which a message in the middle of a form is taken for another topic
CERTAIN = 0.8  # confidence from which it is, even where any words would be an answer
SHORTEST = 4  # characters that can tell of another topic; "很多" is an answer
SMALL_TALK = frozenset({"unknown", "thanks", "greeting.chitchat"})

AnyForm = Form[Any]


class FormClash(Exception):
    """Two forms claim the same name, word or intent."""


class Forms:
    """Every topic there is, found by name, word or intent."""

    def __init__(self, forms: Iterable[AnyForm]) -> None:
        self.by_name: dict[str, AnyForm] = {}
        self.by_word: dict[str, AnyForm] = {}
        self.by_intent: dict[str, AnyForm] = {}
        for form in forms:
            self._claim(self.by_name, [form.name], form)
            self._claim(self.by_word, form.words, form)
            self._claim(self.by_intent, form.intents, form)

    def opened_by(self, talk: Talk) -> AnyForm | None:
        """The form this text plainly begins, without being exactly one of its words."""
        return next((form for form in self.by_name.values() if form.opens(talk)), None)

    @staticmethod
    def _claim(index: dict[str, AnyForm], keys: Iterable[str], form: AnyForm) -> None:
        for key in keys:
            if key in index:
                raise FormClash(f"{key!r} is claimed by {index[key].name} and {form.name}")
            index[key] = form


@dataclass(slots=True)
class Outcome:
    """What one turn came to."""

    words: list[Say] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)  # numbered below the words
    frames: list[Frame] = field(default_factory=list)
    hand_over: HandOver | None = None
    left: list[Frame] = field(default_factory=list)  # what was open when a person was called


class Dialogue:
    """Takes one message through the open forms."""

    def __init__(self, forms: Forms, talk: Talk, frames: Sequence[Frame]) -> None:
        self._forms = forms
        self._talk = talk
        self._out = Outcome(frames=list(frames))

    def take(self) -> Outcome:
        """Answer the message."""
        said = self._talk.said
        given_up = said.plain in CANCEL or said.gives_up
        if self._frames and given_up and not self._kept(said.plain):
            self._frames.clear()
            self._say(say("common/cancelled"))
        elif (form := self._forms.by_word.get(said.plain)) and (form.anywhere or not self._frames):
            self._begin(form)
        else:
            self._take_up()
        return self._out

    def _take_up(self) -> None:
        """The open question owns the reply; without one the message is what it wants."""
        if self._frames:
            self._answer(self._frames[-1])
        else:
            self._route()

    def _kept(self, word: str) -> bool:
        form = self._forms.by_name.get(self._frames[-1].form)
        return form is not None and form.keeps(self._frames[-1].step, word)

    def begin(self, name: str, **opening: Any) -> Outcome:
        """Start one form, whatever the message says."""
        self._begin(self._forms.by_name[name], opening)
        return self._out

    @property
    def takes_pictures(self) -> bool:
        """Whether the open question can be answered with a picture."""
        form = self._forms.by_name.get(self._frames[-1].form) if self._frames else None
        return form is not None and form.media

    @property
    def _frames(self) -> list[Frame]:
        return self._out.frames

    def _say(self, *words: Say) -> None:
        self._out.words.extend(words)

    # The open question

    def _answer(self, frame: Frame) -> None:
        talk, form = self._talk, self._forms.by_name.get(frame.form)
        if form is None or (frame.step not in form.steps and frame.step not in (WHO, RESUME)):
            self._frames.remove(frame)  # a release took the topic away
            self._route()
            return
        draft = self._draft(form, frame.draft)
        talk.patient = self._patient(frame.patient)
        if frame.patient is not None and talk.patient is None:  # the link ended in the middle of it
            self._settle(Stop(say("about/not_any_more")), frame)
            return
        named = self._forms.by_word.get(talk.said.plain)  # a topic by its very name
        choice = chosen(talk.said.text, talk.said.tapped, frame.choices, exactly=named not in (None, form))
        talk.said = replace(talk.said, choice=choice)
        other = None if self._short_answer() else self._other_topic(form)
        talk.elsewhere = other is not None
        if form.tells_a_story(frame.step) and (passing := self._passing(form, frame.step)):
            self._begin(passing)
            return
        if frame.step == WHO:
            turn: Turn = self._who_answered(frame)
        elif frame.step == RESUME:
            turn = Start(form=form.name)
        elif (somebody := self._somebody_else(form, frame)) is not None:
            turn = self._for(somebody, form, frame, draft)
        else:
            turn = form.correct(talk, frame.step, draft) or form.answer(talk, frame.step, draft)
        if isinstance(turn, Again) and form.gives_way:
            self._frames.remove(frame)
            self._take_up()
        elif isinstance(turn, Again) and (other or form.opens(talk)):  # its own topic anew: said in full
            self._begin(other or form)
        else:
            self._settle(turn, frame)

    def _somebody_else(self, form: AnyForm, frame: Frame) -> Binding | None:
        """Whom it is about from now on: 给我妈挂 in the middle of a booking of one's own."""
        if not form.personal or form.names_others or frame.patient is None or self._short_answer():
            return None
        found = about.turned_to(self._talk.said, self._talk.bindings)
        return found if found is not None and found.patient.code != frame.patient else None

    def _for(self, somebody: Binding, form: AnyForm, frame: Frame, draft: Any) -> Turn:
        """Go on for another patient with what is settled, and what this message says."""
        talk = self._talk
        frame.patient, talk.patient = somebody.patient.code, somebody.patient
        settled = form.read(talk, draft)
        return self._ready(form, settled) or form.begin(talk, settled)

    def _short_answer(self) -> bool:
        said = self._talk.said
        return said.choice is not None or said.yes or said.no or said.plain.isdigit()

    def _passing(self, current: AnyForm, step: str) -> AnyForm | None:
        """The topic that a plain question in the middle of a story belongs to, or one called by its very name."""
        plain = self._talk.said.plain
        called = None if current.keeps(step, plain) else self._forms.by_word.get(plain)
        meaning = self._talk.said.meaning
        if called is None and meaning.confidence >= CERTAIN and not meaning.is_complaint:
            found = self._forms.by_intent.get(meaning.intent)
            called = found if found is not None and found.anywhere else None  # 我要退订, 帮我转人工
        if called is not None and called.name != current.name:
            return called
        return next((form for form in self._forms.by_name.values() if form.passing(self._talk)), None)

    def _other_topic(self, current: AnyForm) -> AnyForm | None:
        """The topic a message in the middle of a form clearly belongs to, when it is not this one."""
        meaning = self._talk.said.meaning
        form = self._forms.by_word.get(self._talk.said.plain) or self._forms.opened_by(self._talk)
        tells = len(self._talk.said.plain) >= SHORTEST
        if form is None and tells and meaning.intent not in SMALL_TALK and meaning.confidence >= SURE:
            form = self._forms.by_intent.get(meaning.intent)
        return form if form is not None and form.name != current.name else None

    def _who_answered(self, frame: Frame) -> Turn:
        talk = self._talk
        if talk.said.choice == "+":
            return Start(form="family", draft=self._draft(self._forms.by_name[frame.form], frame.draft))
        code = talk.said.choice
        if code is None:
            pointed = about.named(talk.said, talk.bindings)
            code = pointed[0].patient.code if len(pointed) == 1 else None
        if code is None:
            return Again()
        frame.patient = code
        talk.patient = self._patient(code)
        form = self._forms.by_name[frame.form]
        draft = self._draft(form, frame.draft)
        return self._ready(form, draft) or form.begin(talk, draft)

    # What the message wants

    def _route(self) -> None:
        if opened := self._forms.opened_by(self._talk):
            self._begin(opened)
            return
        meaning = self._talk.said.meaning
        if self._talk.said.plain.isdigit():  # an answer to a question that is not open
            self._begin(self._forms.by_name["lost"])
            return
        wanted = self._wanted(meaning)
        for name, part in list(wanted.items())[:DEPTH]:
            self._talk.part = part if len(wanted) > 1 else ""
            self._also(self._forms.by_name[name])
        self._talk.part = ""

    def _wanted(self, meaning: Meaning) -> dict[str, str]:
        """The forms the message asks for, in order, each with the part of the message that asks for it."""
        asked = [(want.intent, want.text) for want in meaning.wants]
        found: dict[str, str] = {}
        for intent, part in (*asked, (meaning.intent, "")):
            form = self._forms.by_intent.get(intent)
            if form is not None:
                found.setdefault(form.name, part)
        if len(found) > 1:
            found.pop("lost", None)
        return found or {"lost": ""}

    def _also(self, form: AnyForm) -> None:
        """A second want of the same message: answered at once if that takes no question, else kept for later."""
        if not self._frames:
            self._begin(form)
            return
        question, choices, asking = self._out.words, self._out.choices, list(self._frames)
        self._out.words, self._out.choices, self._out.frames = [], [], []
        self._begin(form)
        if self._frames:
            later = Frame(form=form.name, step=RESUME)
            self._out.words, self._out.choices, self._out.frames = question, choices, [later, *asking]
        else:
            self._out.words += question
            self._out.choices, self._out.frames = choices, asking

    def _begin(self, form: AnyForm, opening: Any = None) -> None:
        del self._frames[: max(0, len(self._frames) - DEPTH + 1)]
        self._frames[:] = [frame for frame in self._frames if frame.form != form.name]
        frame = self._opened(form, opening or {})
        self._frames.append(frame)
        self._talk.patient = None
        self._settle(self._enter(form, frame), frame)

    def _opened(self, form: AnyForm, opening: Any) -> Frame:
        """A form with what its caller knows and what the message says."""
        draft = form.read(self._talk, self._draft(form, dict(opening)))
        return Frame(form=form.name, step=RESUME, draft=msgspec.to_builtins(draft))

    def _enter(self, form: AnyForm, frame: Frame) -> Turn:
        """Settle whom it is about and whether we know the speaker well enough; then begin."""
        talk = self._talk
        draft = self._draft(form, frame.draft)
        if form.personal:
            if not talk.bindings:
                return Start(form=BINDING, opening={"need": max(1, form.level)}, draft=draft)
            talk.patient = self._patient(frame.patient) or self._pointed_at(form)
            if talk.patient is None:
                return self._ask_who(form, draft)
            frame.patient = talk.patient.code
            if not_ready := self._ready(form, draft):
                return not_ready
        return form.begin(talk, draft)

    def _pointed_at(self, form: AnyForm) -> Any:
        talk = self._talk
        if form.names_others:
            return talk.bindings[0].patient if len(talk.bindings) == 1 else None
        pointed = about.named(talk.said, talk.bindings)
        if len(pointed) == 1:
            return pointed[0].patient
        if len(talk.bindings) == 1 and talk.said.meaning.relation in (None, "self"):
            return talk.bindings[0].patient
        return None

    def _ask_who(self, form: AnyForm, draft: msgspec.Struct) -> Ask:
        people = about.choices(self._talk, self._talk.bindings)
        relation = self._talk.said.meaning.relation
        known = {one.relation for one in self._talk.bindings}
        if (
            relation and relation not in known and not form.names_others
        ):  # somebody who is not linked was meant
            add = Choice("+", self._talk.text(say("about/add_family")), ("添加家人", "添加"))
            return Ask(WHO, draft, say("about/not_linked"), (*people, add))
        return Ask(WHO, draft, say("about/for_whom"), people)

    def _ready(self, form: AnyForm, draft: msgspec.Struct | None = None) -> Turn | None:
        """What must happen before this form may speak about this patient; None: nothing."""
        talk, binding = self._talk, self._talk.binding
        if binding is None:
            return Start(form=BINDING, opening={"need": max(1, form.level)}, draft=draft)
        age = binding.patient.age(talk.today)
        if binding.relation == "self" and age is not None and age < about.CHILD_UNTIL:
            return Done(say("about/guardian_needed"))
        if form.level >= 2 and binding.scope == "booking":
            return Done(say("about/booking_only", name=binding.patient.masked_name))
        if binding.level < min(form.level, 2):
            opening = {"need": form.level, "patient": binding.patient.code}
            return Start(form=BINDING, opening=opening, draft=draft or self._draft(form, {}))
        return None

    # Carrying out what a step answered

    def _settle(self, turn: Turn, frame: Frame) -> None:
        match turn:
            case Ask():
                frame.step, frame.draft = turn.step, msgspec.to_builtins(turn.draft)
                frame.question, frame.choices = list(all_words(turn.words)), list(turn.choices)
                frame.tries = 0
                self._ask(frame)
            case Again():
                self._ask_again(frame, turn)
            case Done():
                self._frames.remove(frame)
                self._say(*all_words(turn.words))
                self._resume()
            case Stop():
                self._stop(turn, frame)
            case Start():
                self._start(turn, frame)
            case HandOver():
                slots = {key: value for one in self._frames for key, value in self._summary(one).items()}
                self._out.hand_over = replace(turn, slots=slots | turn.slots)
                self._out.left = [one for one in self._frames if one is not frame and one.question]
                self._frames.clear()

    def _ask(self, frame: Frame) -> None:
        self._say(*frame.question)
        self._out.choices = frame.choices

    def _ask_again(self, frame: Frame, turn: Again) -> None:
        frame.tries += 1
        if turn.words:
            self._say(turn.words)
        if frame.tries > TRIES:
            self._say(say("common/offer_person"))
        elif not turn.words:
            self._say(say("common/not_understood"))
        self._ask(frame)

    def _start(self, turn: Start, frame: Frame) -> None:
        self._say(*all_words(turn.words))
        if turn.draft is None:
            self._frames.remove(frame)
        else:
            frame.step, frame.draft = RESUME, msgspec.to_builtins(turn.draft)
            frame.question, frame.choices = [], []
        form = self._forms.by_name[turn.form]
        self._frames[:] = [one for one in self._frames if one.form != form.name]  # it was to come later: now
        inner = self._opened(form, turn.opening)
        self._frames.append(inner)
        self._settle(self._enter(form, inner), inner)

    def _stop(self, turn: Stop, frame: Frame) -> None:
        self._say(*all_words(turn.words))
        self._frames.remove(frame)
        while self._frames and (turn.everything or self._frames[-1].step == RESUME):
            self._frames.pop()
        self._resume()

    def _resume(self) -> None:
        """Take up the form below: begin it again when it waited, or repeat its question."""
        if not self._frames:
            return
        self._talk.bindings = people.speaks_for(self._talk.db, self._talk.contact, self._talk.now)
        while self._frames and self._is_over(self._frames[-1]):
            self._frames.pop()
        if not self._frames:
            return
        frame = self._frames[-1]
        if frame.step == RESUME:
            form = self._forms.by_name[frame.form]
            self._settle(self._enter(form, frame), frame)
        else:
            self._say(say("common/resume"))
            self._ask(frame)

    def _is_over(self, frame: Frame) -> bool:
        if frame.patient and not self._patient(frame.patient):
            return True  # the link ended in the middle of it
        form = self._forms.by_name.get(frame.form)
        return form is not None and form.outlived(self._talk, self._draft(form, frame.draft))

    def _summary(self, frame: Frame) -> dict[str, str]:
        form = self._forms.by_name.get(frame.form)
        return form.summary(self._draft(form, frame.draft)) if form else {}

    def _draft(self, form: AnyForm, values: Any) -> Any:
        return msgspec.convert(values, form.draft, strict=False)

    def _patient(self, code: str | None) -> Any:
        return next((one.patient for one in self._talk.bindings if one.patient.code == code), None)
