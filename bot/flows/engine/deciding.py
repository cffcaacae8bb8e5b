"""May this contact go now? Decided when its time has come, by facts alone. No database, no network."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from bot.domain.letter import Purpose
from bot.flows.engine.people import Person, Reader
from bot.flows.plan import Plan, Step, spread
from storage.rows import Row

QUIET_FROM, QUIET_UNTIL = time(21), time(8)
LOOK_AGAIN: Final = timedelta(minutes=30)  # while a nurse speaks, a danger is open, or a question is
A_DAY: Final = timedelta(days=1)
PROACTIVE: Final = (Purpose.CARE.value, Purpose.SURVEY.value)  # what the daily cap counts
A_DAY_HOLDS: Final = 1
A_CROWDED_DAY_HOLDS: Final = 3  # the day of an operation and the two before
LOSS_BEFORE: Final = timedelta(days=45)  # a loss so long before the episode's day belongs to it
SURVEYED: Final = timedelta(days=30)
GRIEF: Final = timedelta(days=90)  # after a lost pregnancy nobody is asked how satisfied they are


@dataclass(frozen=True, slots=True)
class Send:
    """It goes, to this reader, with these questions."""

    reader: Reader
    questions: tuple[str, ...]
    replaces: tuple[int, ...] = ()  # open questions (touches) of less weight, which end with it


@dataclass(frozen=True, slots=True)
class Later:
    """Not now."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """It does not go. `stops`: nor does anything else of this instance."""

    state: str  # withheld, expired
    reason: str
    stops: bool = False


Verdict: TypeAlias = Send | Later | Never


@dataclass(frozen=True, slots=True)
class Occasion:
    """One contact whose time has come."""

    touch: Row
    plan: Plan
    step: Step
    purpose: Purpose
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def rank(self) -> tuple[int, int]:
        """What goes first when a day has room for one: care before surveys, then by risk."""
        return self.purpose.priority, self.touch.rank

    def later(self, at: datetime, reason: str, end: str = "expired") -> Later | Never:
        """Later, or never when it would be useless then."""
        return Later(at, reason) if at <= self.touch.useful_until else Never(end, reason)


def decide(
    occasion: Occasion, person: Person, allows: bool, *, unsigned_run: bool, paused: bool = False
) -> Verdict:
    """The verdict on one contact. `allows`: nobody said stop to its purpose. `paused`: its plan is on hold."""
    plan, touch = occasion.plan, occasion.touch
    if stopped := ends(occasion, person):
        return stopped
    if not plan.signed and not unsigned_run:
        return Never("withheld", "unsigned")
    if occasion.now > touch.useful_until:
        return Never("expired", "too_late")
    if paused:
        return occasion.later(occasion.now + LOOK_AGAIN, "paused")
    reader = person.reader(occasion.today, plan.minimum_level)
    if isinstance(reader, str):
        return Never("withheld", reader)
    if not allows:
        return Never("withheld", "no_consent")
    if touch.instance_state == "asking" and touch.step != "go_on":
        return Never("withheld", "silent")
    questions = tuple(touch.questions.split())
    if occasion.purpose is not Purpose.TRANSACTION:
        if verdict := _proactive(occasion, person, reader):
            return verdict
        questions = _not_answered(questions, occasion, person)
        if touch.questions and not questions:
            return Never("withheld", "answered")
    if not questions:
        return Send(reader, ())
    return _asking(occasion, person, reader, questions)


def ends(occasion: Occasion, person: Person) -> Never | Later | None:
    """What ends the whole plan: death, a lost pregnancy, a new stay in hospital."""
    plan, today = occasion.plan, occasion.today
    died = person.patient.deceased_on
    if died is not None and died <= today:
        return Never("withheld", "deceased", stops=True)
    anchor = occasion.touch.anchor_at.astimezone(occasion.zone).date()
    if plan.pregnancy and any(lost >= anchor - LOSS_BEFORE for lost in person.losses):
        return Never("withheld", "pregnancy_loss", stops=True)
    if occasion.purpose is Purpose.TRANSACTION:
        return None
    for since, until in person.stays:
        if since > anchor and since <= today and plan.ends_with_admission:
            return Never("withheld", "readmitted", stops=True)
        if since <= today and since > anchor and (until is None or until > today):
            return Never("withheld", "in_hospital")
    return None


def _proactive(occasion: Occasion, person: Person, reader: Reader) -> Later | Never | None:
    """What holds back a contact that nobody asked for."""
    now, survey = occasion.now, occasion.purpose is Purpose.SURVEY
    if reader.contact_id in person.alarming:
        return Never("withheld", "open_alert") if survey else occasion.later(now + LOOK_AGAIN, "open_alert")
    if survey and person.complaining:
        return Never("withheld", "open_complaint")
    if survey and any(occasion.today - lost <= GRIEF for lost in person.losses):
        return Never("withheld", "pregnancy_loss")
    if survey and any(
        one.purpose == Purpose.SURVEY.value
        and one.instance_id != occasion.touch.instance_id
        and now - one.asked_at <= SURVEYED
        for one in person.contacted
    ):
        return Never("withheld", "surveyed_lately")
    if reader.owner != "bot":
        return occasion.later(now + LOOK_AGAIN, "nurse_speaks")
    if morning := morning_after(now, occasion.zone):
        return occasion.later(morning + abs(spread(occasion.touch.key)), "quiet_hours")
    if _day_is_full(occasion, person):
        return occasion.later(now + A_DAY, "cap", end="withheld")
    return None


def _day_is_full(occasion: Occasion, person: Person) -> bool:
    """One contact a day, the most important; around an operation three."""
    today, zone = occasion.today, occasion.zone
    had: int = sum(
        one.purpose in PROACTIVE
        and one.id != occasion.touch.id
        and one.asked_at.astimezone(zone).date() == today
        for one in person.contacted
    )
    if occasion.step.crowded:
        return had >= A_CROWDED_DAY_HOLDS
    weightier = (  # something more important is still to come today
        one.purpose in PROACTIVE
        and (Purpose(one.purpose).priority, one.rank) < occasion.rank
        and one.useful_until >= occasion.now
        for one in person.to_come
    )
    return bool(had >= A_DAY_HOLDS or any(weightier))


def _not_answered(questions: Collection[str], occasion: Occasion, person: Person) -> tuple[str, ...]:
    """Nobody is asked the same thing twice on one day, whichever plan wants to know."""
    known = {
        key
        for one in person.contacted
        if one.state == "answered"
        and one.instance_id != occasion.touch.instance_id
        and one.asked_at.astimezone(occasion.zone).date() == occasion.today
        for key in one.questions.split()
    }
    return tuple(key for key in questions if key not in known)


def _asking(
    occasion: Occasion, person: Person, reader: Reader, questions: tuple[str, ...]
) -> Send | Later | Never:
    """One open question a person: a weightier one takes the place of the open one, others wait."""
    waiting = [
        one
        for one in person.open
        if one.contact_id == reader.contact_id
        and one.id != occasion.touch.id
        and one.useful_until > occasion.now
    ]
    if occasion.purpose is Purpose.TRANSACTION:
        return Send(reader, questions)
    weightier = [
        one
        for one in waiting
        if one.instance_id != occasion.touch.instance_id
        and (Purpose(one.purpose).priority, one.rank) <= occasion.rank
    ]
    if weightier:
        return occasion.later(occasion.now + LOOK_AGAIN, "open_question")
    return Send(reader, questions, tuple(one.id for one in waiting))


def morning_after(now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the night that it is now ends; None by day."""
    local = now.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, zone).astimezone(UTC)
