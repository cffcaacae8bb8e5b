"""Finding a doctor's time with the patient, one missing thing after another, until one is named to confirm.

Booking and moving are both this, with a different last step. Anything may be said at any time: every message is
first read for a department, doctor, day or hour, which replaces what was settled before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import ClassVar

import msgspec

from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Turn
from bot.domain.words import Say, say
from bot.handlers import appointment_words as texts
from bot.handlers import symptoms
from bot.handlers.appointment_wish import (
    AFTERNOON,
    MORNING,
    NOON,
    Heard,
    Wish,
    about_something_else,
    hear,
    merged,
)
from bot.hospital import appointments, waiting_list
from bot.hospital.appointments import Place, Reason, Refused
from storage.queries import appointments as queries

HORIZON = timedelta(days=60)
LIST = 9  # times shown at once
ALTERNATIVES = 3  # of the same doctor, and of colleagues


_LISTS = frozenset({"department", "doctor", "day", "slot"})  # questions that 不约了 answers


class Search(Wish, frozen=True):
    """How far the search has come."""

    read: bool = False  # the opening message has been read
    suggested: bool = False  # the department was found by what hurts, and must be shown
    missing: str = ""  # a department that was asked for and is not here
    past: str = ""  # a day that was asked for and is over
    slot: str = ""  # the code of the time to confirm
    moving: int | None = None  # the booking that is being moved
    moving_from: str = ""  # the code of its time
    old: Heard = Heard()  # what was said of it


class PlaceSearch(Form[Search]):
    """The questions that lead to one time of one doctor."""

    draft = Search
    personal = True
    level = 1
    confirm_words: ClassVar[str] = "appointment/confirm"
    stop_label: ClassVar[str] = "appointment/change_nothing"
    stopped_words: ClassVar[str] = "appointment/not_booked"

    def carry_out(self, talk: Talk, draft: Search) -> Turn:
        """Do it; the patient has said yes.

        Raises:
            Refused: a rule stands against it, or somebody was faster.
        """
        raise NotImplementedError

    def summary(self, draft: Search) -> dict[str, str]:
        settled = {
            "科室代码": "、".join(draft.departments),
            "医生代码": "、".join(draft.doctors),
            "日期": "、".join(first for first, _ in draft.days),
            "时段": draft.time or {MORNING: "上午", AFTERNOON: "下午"}.get(draft.half, ""),
            "号源": draft.slot,
        }
        return {name: value for name, value in settled.items() if value}

    # Reading

    def correct(self, talk: Talk, name: str, draft: Search) -> Turn | None:
        said = talk.said
        if said.no and said.choice is None and name in _LISTS and not said.plain.isdigit():
            return Done(say(self.stopped_words))
        if said.choice is not None or said.plain.isdigit() or said.yes or said.no:
            return None
        if about_something_else(talk):
            return None
        heard = hear(talk)
        if not heard and (name == "department" or said.meaning.intent == "appointment.book"):
            heard = _symptoms(talk, draft)
        if heard:
            return self.take(talk, draft, heard)
        if said.meaning.intent == "health.consult" and (draft.departments or draft.doctors):
            return self.go_on(talk, draft, [say("appointment/tell_the_doctor")])
        return None

    def read(self, talk: Talk, draft: Search) -> Search:
        return self.settle(talk, draft, hear(talk))

    def settle(self, talk: Talk, draft: Search, heard: Heard) -> Search:
        """The draft with what was said in it."""
        settled = msgspec.structs.replace(merged(draft, heard), read=True, slot="", past="")
        settled = msgspec.structs.replace(settled, missing=heard.missing)
        settled = _within_department(talk, draft, settled)
        if not settled.departments and not settled.doctors:
            codes = tuple(one.code for one in symptoms.departments(talk))
            settled = msgspec.structs.replace(settled, departments=codes, suggested=bool(codes))
        if heard.past:
            settled = msgspec.structs.replace(settled, past=heard.past)
        return settled

    def take(self, talk: Talk, draft: Search, heard: Heard) -> Turn:
        """Put what was said into the draft, and go on to what is still missing."""
        return self.go_on(talk, self.settle(talk, draft, heard))

    # What is missing

    def go_on(self, talk: Talk, draft: Search, notes: Sequence[Say] = ()) -> Turn:
        """Ask for the first thing that is still missing."""
        notes = (*_notes(talk, draft), *notes)
        draft = msgspec.structs.replace(draft, suggested=False, missing="", past="")
        if len(draft.doctors) > 1:
            return Ask("doctor", draft, (*notes, say("appointment/which_doctor")), _doctors(talk, draft))
        if not draft.doctors and len(draft.departments) != 1:
            return self._ask_department(talk, draft, notes)
        if len(draft.days) > 1:
            days = [Choice(f"{first}/{last}", texts.span(talk, first, last)) for first, last in draft.days]
            return Ask("day", draft, (*notes, say("appointment/which_day")), days)
        if not draft.days:
            return self._ask_day(talk, draft, notes)
        return self._within_days(talk, draft, notes)

    def _ask_department(self, talk: Talk, draft: Search, notes: Sequence[Say]) -> Turn:
        rows = queries.bookable_departments(talk.db, talk.now)
        if draft.departments:
            rows = [row for code in draft.departments for row in rows if row.code == code]
        if not rows:
            return Done((*notes, say("appointment/no_clinics")))
        question = "appointment/which_department" if draft.departments else "appointment/department"
        choices = [
            Choice(row.code, row.name, tuple(part for part in row.aliases.split("|") if part)) for row in rows
        ]
        return Ask("department", draft, (*notes, say(question)), choices)

    def _ask_day(self, talk: Talk, draft: Search, notes: Sequence[Say]) -> Turn:
        free = self._places(talk, draft, only_free=True)
        if not free:
            return self._full(talk, draft, self._places(talk, draft), notes)
        wanted = [place for place in free if _fits(talk, place, draft)] or free
        if draft.soonest or len(wanted) <= LIST:
            return self._list(talk, draft, wanted[:LIST], notes)
        return self._list_half_days(talk, draft, wanted, notes)

    def _within_days(self, talk: Talk, draft: Search, notes: Sequence[Say]) -> Turn:
        """The days are known: name the one time that fits, or show the times there are."""
        places = self._places(talk, draft)
        free = [place for place in places if place.free]
        fitting = [place for place in free if _fits(talk, place, draft)]
        if not fitting and draft.time and free:
            near = _nearest(free, texts.moment_of(talk, draft.days[0][0], draft.time))
            full = [place for place in places if not place.free and _fits(talk, place, draft)]
            if not full:  # no clinic at that hour, but on that day
                near = sorted(near[:LIST], key=lambda place: place.start)
                return self._list(
                    talk, draft, near, (*notes, say("appointment/no_such_hour", time=draft.time))
                )
        if not fitting:
            return self._full(talk, draft, places, notes)
        one_day = date.fromisoformat(draft.days[0][1]) - date.fromisoformat(draft.days[0][0]) == timedelta(1)
        certain = bool(draft.doctors) and bool(draft.half) and one_day
        if len(fitting) == 1 or certain:
            return self.confirm(talk, draft, fitting[0], notes, others=fitting[1:])
        if draft.soonest:
            return self._list(talk, draft, fitting[:LIST], notes)
        if not one_day and len(fitting) > LIST:
            return self._list_half_days(talk, draft, fitting, notes)
        if len(fitting) > LIST:
            return self._list_doctors(talk, draft, fitting, notes)
        return self._list(talk, draft, fitting, notes)

    def _places(self, talk: Talk, draft: Search, *, only_free: bool = False) -> list[Place]:
        since, until = talk.now, talk.now + HORIZON
        if len(draft.days) == 1:
            since = texts.moment_of(talk, draft.days[0][0])
            until = texts.moment_of(talk, draft.days[0][1])
        found = appointments.open_places(
            talk.db,
            talk.now,
            department="" if draft.doctors else draft.departments[0],
            doctor=draft.doctors[0] if draft.doctors else "",
            since=since,
            until=until,
            only_free=only_free,
        )
        found = [place for place in found if place.code != draft.moving_from]
        return [place for place in found if place.doctor_code != draft.avoid] or found

    # Showing what there is

    def _list(self, talk: Talk, draft: Search, places: Sequence[Place], notes: Sequence[Say]) -> Turn:
        choices = [
            Choice(place.code, texts.time_label(talk, place), (f"{place.start.astimezone(talk.zone):%H:%M}",))
            for place in places
        ]
        return Ask("slot", draft, (*notes, say("appointment/times", **texts.subject(talk, places))), choices)

    def _list_half_days(
        self, talk: Talk, draft: Search, places: Sequence[Place], notes: Sequence[Say]
    ) -> Turn:
        free: dict[tuple[str, bool], int] = {}
        for place in places:
            half = appointments.half_day(place.start, talk.zone)
            free[half] = free.get(half, 0) + place.free
        choices = [
            Choice(f"{day}/{AFTERNOON if late else MORNING}", texts.half_day_label(talk, day, late, count))
            for (day, late), count in list(free.items())[:LIST]
        ]
        return Ask("day", draft, (*notes, say("appointment/days", **texts.subject(talk, places))), choices)

    def _list_doctors(self, talk: Talk, draft: Search, places: Sequence[Place], notes: Sequence[Say]) -> Turn:
        first: dict[str, Place] = {}
        for place in places:
            first.setdefault(place.doctor_code, place)
        if len(first) == 1:
            return self._list(talk, draft, places[:LIST], notes)
        choices = [
            Choice(
                place.doctor_code,
                texts.doctor_label(
                    talk, place, sum(one.free for one in places if one.doctor_code == place.doctor_code)
                ),
                (place.doctor,),
            )
            for place in first.values()
        ]
        question = say("appointment/doctors", **texts.subject(talk, places))
        return Ask("doctor", draft, (*notes, question), choices)

    def _full(self, talk: Talk, draft: Search, places: Sequence[Place], notes: Sequence[Say] = ()) -> Turn:
        """Nothing is free as wished: the waiting list, and the nearest times instead."""
        wanted = [place for place in places if not place.free and _fits(talk, place, draft)]
        choices = []
        if wanted:
            label = texts.waiting_label(talk, wanted[0])
            choices.append(
                Choice(f"wait:{wanted[0].code}", label, ("候补", "加入候补", "排队", "waiting list"))
            )
        instead = self._alternatives(talk, draft)
        choices += [Choice(place.code, texts.place_label(talk, place)) for place in instead]
        if not choices:
            return Done((*notes, say("appointment/nothing")))
        about = texts.wished(talk, draft)
        return Ask(
            "full", draft, (*notes, say("appointment/full", waiting=bool(wanted), **about)), tuple(choices)
        )

    def _alternatives(self, talk: Talk, draft: Search) -> list[Place]:
        """The free times nearest to the wish: of the same doctor, then of the department."""
        day = draft.days[0][0] if draft.days else talk.today.isoformat()
        wanted = texts.moment_of(talk, day, draft.time or ("14:00" if draft.half == AFTERNOON else "08:00"))
        found: list[Place] = []
        department = draft.departments[0] if draft.departments else ""
        if draft.doctors:
            own = appointments.open_places(talk.db, talk.now, doctor=draft.doctors[0], only_free=True)
            found += _nearest(own, wanted)[:ALTERNATIVES]
            department = texts.department_of(talk, draft.doctors[0])
        all_free = appointments.open_places(talk.db, talk.now, department=department, only_free=True)
        colleagues = [place for place in all_free if place.doctor_code not in draft.doctors]
        found += _nearest(colleagues, wanted)[:ALTERNATIVES]
        return [place for place in found if place.code != draft.moving_from]

    # The answers

    @step("department")
    def department(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.choice is None:
            return Again()
        return self.go_on(talk, msgspec.structs.replace(draft, departments=(talk.said.choice,), doctors=()))

    @step("doctor")
    def doctor(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.choice is None:
            return Again()
        return self.go_on(talk, msgspec.structs.replace(draft, doctors=(talk.said.choice,)))

    @step("day")
    def day(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.choice is None:
            return Again()
        first, _, rest = talk.said.choice.partition("/")
        if rest in (MORNING, AFTERNOON):
            after = (date.fromisoformat(first) + timedelta(days=1)).isoformat()
            return self.go_on(talk, msgspec.structs.replace(draft, days=((first, after),), half=rest))
        return self.go_on(talk, msgspec.structs.replace(draft, days=((first, rest),)))

    @step("slot")
    def slot(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.choice is None:
            return Again()
        return self._chosen(talk, draft, talk.said.choice)

    @step("full")
    def full(self, talk: Talk, draft: Search) -> Turn:
        choice = talk.said.choice
        if choice is None and talk.said.no:
            return Done(say(self.stopped_words))
        if choice is None and not talk.said.yes:
            return Again()
        if choice is not None and not choice.startswith("wait:"):
            return self._chosen(talk, draft, choice)
        place = self._place_to_wait_for(talk, draft, choice)
        return self._wait(talk, draft, place) if place else Again()

    def _place_to_wait_for(self, talk: Talk, draft: Search, choice: str | None) -> Place | None:
        if choice is not None:
            return appointments.place(talk.db, choice.removeprefix("wait:"))
        full = [place for place in self._places(talk, draft) if not place.free and _fits(talk, place, draft)]
        return full[0] if full else None

    def _wait(self, talk: Talk, draft: Search, place: Place) -> Turn:
        assert talk.patient is not None
        try:
            position = waiting_list.join(
                talk.db,
                talk.now,
                talk.zone,
                patient=talk.patient,
                relation=texts.relation(talk),
                slot_code=place.code,
                contact_id=talk.contact.id,
            )
        except Refused as refused:
            if refused.reason == Reason.FREE:
                return self._chosen(talk, draft, place.code)
            return Done(texts.refusal(refused.reason, place))
        return Done(say("waiting_list/joined", position=position, **texts.facts(place)))

    def _chosen(self, talk: Talk, draft: Search, code: str) -> Turn:
        place = appointments.place(talk.db, code)
        if place is None or place.start < talk.now + appointments.LEAD:
            return self.go_on(talk, draft, [say("appointment/too_late")])
        if not place.free:
            return self._gone(talk, draft, place)
        return self.confirm(talk, draft, place)

    # The last question

    def confirm(
        self,
        talk: Talk,
        draft: Search,
        place: Place,
        notes: Sequence[Say] = (),
        others: Sequence[Place] = (),
    ) -> Turn:
        """Everything once more, for a yes."""
        assert talk.patient is not None
        try:
            appointments.check_limits(
                talk.db,
                talk.now,
                talk.zone,
                patient_code=talk.patient.code,
                doctor_code=place.doctor_code,
                start=place.start,
                apart_from=draft.moving,
            )
        except Refused as refused:
            return self.refused(talk, draft, refused.reason, place)
        hours = [f"{one.start.astimezone(talk.zone):%H:%M}" for one in others]
        question = say(self.confirm_words, others=hours, **self.confirm_facts(talk, draft, place))
        named = msgspec.structs.replace(draft, slot=place.code, doctors=(place.doctor_code,))
        return Ask("confirm", named, (*notes, question))

    def confirm_facts(self, talk: Talk, draft: Search, place: Place) -> dict[str, object]:
        """What the last question shows."""
        assert talk.patient is not None
        return texts.facts(place) | {"patient": talk.patient.masked_name}

    @step("confirm")
    def confirmed(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.no:
            return Ask(
                "change", draft, say("appointment/what_to_change"), texts.changes(talk, self.stop_label)
            )
        if not talk.said.yes:
            return Again()
        try:
            return self.carry_out(talk, draft)
        except Refused as refused:
            place = appointments.place(talk.db, draft.slot)
            if place is None:
                return self.go_on(
                    talk, msgspec.structs.replace(draft, slot=""), [say("appointment/too_late")]
                )
            return self.refused(talk, draft, refused.reason, place)

    @step("change")
    def change(self, talk: Talk, draft: Search) -> Turn:
        if talk.said.choice == "time":
            return self.take(talk, draft, Heard(other_time=True))
        if talk.said.choice == "doctor":
            department = draft.departments or (texts.department_of(talk, draft.doctors[0]),)
            kept = msgspec.structs.replace(draft, departments=department)
            return self.take(talk, kept, Heard(other_doctor=True))
        if talk.said.choice == "stop" or talk.said.no:
            return Done(say(self.stopped_words))
        return Again()

    def refused(self, talk: Talk, draft: Search, reason: Reason, place: Place) -> Turn:
        """Say kindly why not, and what instead."""
        if reason == Reason.FULL:
            return self._gone(talk, draft, place)
        if reason in (Reason.LATE, Reason.GONE):
            return self.go_on(talk, msgspec.structs.replace(draft, slot=""), [say("appointment/too_late")])
        return Done(texts.refusal(reason, place))

    def _gone(self, talk: Talk, draft: Search, place: Place) -> Turn:
        """Somebody was faster."""
        local = place.start.astimezone(talk.zone)
        wish = msgspec.structs.replace(
            draft,
            departments=(place.department_code,),
            doctors=(place.doctor_code,),
            days=((f"{local:%Y-%m-%d}", f"{local + timedelta(days=1):%Y-%m-%d}"),),
            half=AFTERNOON if local.hour >= NOON else MORNING,
            time=f"{local:%H:%M}",
            slot="",
        )
        return self._full(talk, wish, [place], [say("appointment/just_gone")])


def _symptoms(talk: Talk, draft: Search) -> Heard:
    """Other departments than the one that is settled, when somebody says what hurts."""
    codes = tuple(one.code for one in symptoms.departments(talk))
    return Heard() if set(codes) & set(draft.departments) else Heard(departments=codes)


def _notes(talk: Talk, draft: Search) -> list[Say]:
    """What the patient must know before the next question."""
    notes = []
    if draft.suggested and len(draft.departments) == 1:
        notes.append(
            say("appointment/suggested", department=texts.department_name(talk, draft.departments[0]))
        )
    if draft.missing and not draft.departments and not draft.doctors:
        notes.append(say("appointment/no_such_department", department=draft.missing))
    if draft.past:
        notes.append(say("appointment/past", when=draft.past))
    return notes


def _within_department(talk: Talk, before: Search, settled: Search) -> Search:
    """Of doctors with one name, those of the department that was settled before."""
    if len(settled.doctors) > 1 and len(before.departments) == 1:
        inside = tuple(
            code for code in settled.doctors if texts.department_of(talk, code) == before.departments[0]
        )
        return msgspec.structs.replace(settled, doctors=inside or settled.doctors)
    if not settled.doctors and not settled.departments and not settled.missing and before.doctors:
        return msgspec.structs.replace(settled, departments=(texts.department_of(talk, before.doctors[0]),))
    return settled


def _fits(talk: Talk, place: Place, draft: Search) -> bool:
    """Whether a time is at the wished hour, or in the wished half of the day."""
    local, end = place.start.astimezone(talk.zone), place.end.astimezone(talk.zone)
    if draft.time:
        asked = time.fromisoformat(draft.time)
        return local.time() <= asked < end.time()
    return not draft.half or (local.hour >= NOON) == (draft.half == AFTERNOON)


def _nearest(places: Sequence[Place], wanted: datetime) -> list[Place]:
    return sorted(places, key=lambda place: (abs(place.start - wanted), place.start, place.code))


def _doctors(talk: Talk, draft: Search) -> list[Choice]:
    by_code = {doctor.code: doctor for doctor in talk.knowledge.vocabulary.doctors}
    found = [by_code[code] for code in draft.doctors if code in by_code]
    return [Choice(one.code, texts.named_doctor(talk, one), (one.name,)) for one in found]
