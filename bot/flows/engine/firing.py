"""What is due now: sent, put off, or given up, each with its reason; and what silence means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.conversation import followup
from bot.domain.letter import Purpose
from bot.flows.engine import asking, pausing
from bot.flows.engine.book import RANK_OF_RISK, Book, Plans
from bot.flows.engine.deciding import Later, Never, Occasion, Send, decide, ends, morning_after
from bot.flows.engine.people import Census, Person
from bot.flows.plan import Risk, Step, spread
from bot.outbox.wording import Wording
from storage.queries import alerts
from storage.queries import plans as rows
from storage.rows import Row

BATCH: Final = 50  # in one transaction: answers to patients must not wait behind it
SOON: Final = timedelta(hours=4)  # the second asking on the first days
NEXT_DAY: Final = timedelta(hours=24)  # and later
FIRST_DAYS: Final = 1  # the day of the operation and the day after
ASKS: Final = 2
SILENT_CONTACTS: Final = 3  # in a row, before we ask whether to go on at all
# Contacts that no plan foresees: whether to go on at all, and whether somebody is content a week later.
UNFORESEEN: Final = {
    "go_on": Step("go_on", questions=("go_on",)),
    followup.CSAT_AGAIN: Step(followup.CSAT_AGAIN, questions=("csat",), text="plan/csat_again"),
}
EVENING: Final = time(17)
CALLING_HOURS: Final = ((time(10), time(11, 30)), (time(16), time(19)))
PHONE_TASK_DUE: Final = timedelta(hours=4)


@dataclass(slots=True)
class Firing:
    """One batch of due contacts, in one transaction."""

    db: sa.Connection
    now: datetime
    zone: ZoneInfo
    plans: Plans
    wording: Wording
    unsigned_run: bool
    ledger: list[dict[str, Any]] = field(default_factory=list)
    _paused: frozenset[str] = frozenset()
    _touched: set[object] = field(default_factory=set)  # patients and readers of this batch

    def fire(self) -> int:
        """Settle what is due; how many contacts that was."""
        due = rows.due(self.db, self.now, BATCH)
        if not due:
            return 0
        self._paused = pausing.paused(self.db)
        census = Census(self.db, [touch.patient_code for touch in due], self.now, self.zone)
        for touch in sorted_by_weight(due):
            near = {
                touch.patient_code,
                *(one.contact_id for one in census.people[touch.patient_code].readers),
            }
            if near & self._touched:
                self._settle_again(touch.id)
            else:
                self._settle(touch, census)
            self._touched |= near
        rows.write_down(self.db, self.ledger)
        return len(due)

    def _settle_again(self, touch_id: int) -> None:
        """What was just sent counts for the next contact of the same patient, or of the same reader."""
        touch = rows.touch(self.db, touch_id)
        if touch is not None and touch.state in rows.PENDING and touch.due_at <= self.now:
            self._settle(touch, Census(self.db, [touch.patient_code], self.now, self.zone))

    def _settle(self, touch: Row, census: Census) -> None:
        plan = self.plans.get((touch.plan, touch.version))
        step = plan.step(touch.step) or UNFORESEEN.get(touch.step) if plan else None
        if plan is None or step is None:
            self._end(touch, Never("withheld", "plan_withdrawn"))
            return
        person = census.people[touch.patient_code]
        purpose = Purpose(touch.purpose)
        occasion = Occasion(touch, plan, step, purpose, self.now, self.zone)
        reader = person.reader(occasion.today, plan.minimum_level)
        allows = isinstance(reader, str) or census.allows(reader, touch.patient_code, purpose)
        if touch.state == "asked":
            self._unanswered(occasion, person, allows)
            return
        paused = plan.id in self._paused
        match decide(occasion, person, allows, unsigned_run=self.unsigned_run, paused=paused):
            case Send() as send:
                self._send(occasion, person, send)
            case Later(at, reason):
                rows.change_touch(self.db, touch.id, due_at=at, reason=reason)
                self._note(touch, "deferred", reason)
            case Never() as never:
                self._end(touch, never)

    # Sending

    def _send(self, occasion: Occasion, person: Person, send: Send) -> None:
        touch = occasion.touch
        for other in send.replaces:
            self._superseded(other, send.reader.contact_id)
        until, next_look = self._patience(occasion)
        asking.put(self.db, self.wording, occasion, person, send, until)
        rows.change_touch(
            self.db,
            touch.id,
            state="asked" if send.questions else "sent",
            reason="",
            asks=touch.asks + 1,
            asked_at=self.now,
            contact_id=send.reader.contact_id,
            questions=" ".join(send.questions),
            place=0,
            due_at=next_look,
            useful_until=until,
        )
        self._note(touch, "asked_again" if touch.asks else "sent", "")
        if occasion.step.task and not touch.asks:
            self._errand(touch, occasion.step.task)

    def _patience(self, occasion: Occasion) -> tuple[datetime, datetime]:
        """Until when an answer counts, and when silence is looked at."""
        touch, now = occasion.touch, self.now
        wait = self._wait(occasion)
        void_in_the_morning = (
            touch.due_at.astimezone(self.zone).time() >= EVENING and wait == SOON and not touch.asks
        )
        until = touch.useful_until if void_in_the_morning else max(touch.useful_until, now + 2 * wait)
        if occasion.purpose is Purpose.TRANSACTION:
            return touch.useful_until, touch.useful_until
        look = now + wait
        if morning := morning_after(look, self.zone):
            look = morning + abs(spread(touch.key)) / 2
        return until, min(look, until)

    def _wait(self, occasion: Occasion) -> timedelta:
        anchor = occasion.touch.anchor_at.astimezone(self.zone).date()
        day = (occasion.today - anchor).days
        return SOON if 0 <= day <= FIRST_DAYS else NEXT_DAY

    def _superseded(self, touch_id: int, contact_id: int) -> None:
        """A newer question takes the place of one that was not answered."""
        older = rows.touch(self.db, touch_id)
        if older is not None:
            followup.close(self.db, contact_id, [touch_id])
            self._silent(older, superseded=True)

    # Silence

    def _unanswered(self, occasion: Occasion, person: Person, allows: bool) -> None:
        """Nobody answered yet: ask once more, or take it for silence."""
        touch = occasion.touch
        stop = ends(occasion, person)
        if isinstance(stop, Never):
            self._end(touch, stop)
            return
        reader = next((one for one in person.readers if one.contact_id == touch.contact_id), None)
        if reader is None or not allows:
            self._end(touch, Never("cancelled", "no_consent" if reader else "no_contact"))
            return
        if reader.contact_id in person.alarming or reader.owner != "bot":
            self._end(touch, Never("silent", "a_nurse_is_at_it"))
            return
        if reader.spoke_at is not None and touch.asked_at is not None and reader.spoke_at > touch.asked_at:
            self._end(touch, Never("silent", "wrote_something_else"))
            return
        if occasion.plan.id in self._paused:  # nobody is asked again, and nobody is to blame for silence
            followup.close(self.db, reader.contact_id, [touch.id])
            self._end(touch, Never("silent", "paused"))
            return
        if self._worth_repeating(occasion, person):
            questions = tuple(touch.questions.split()[touch.place :])
            self._send(occasion, person, Send(reader, questions))
            return
        followup.close(self.db, reader.contact_id, [touch.id])
        self._silent(touch)

    def _worth_repeating(self, occasion: Occasion, person: Person) -> bool:
        touch = occasion.touch
        soon = self.now + timedelta(hours=6)
        return (
            touch.asks < ASKS
            and self.now < touch.useful_until
            and occasion.purpose is Purpose.CARE
            and touch.step != "go_on"
            and morning_after(self.now, self.zone) is None
            and not any(one.instance_id == touch.instance_id and one.due_at <= soon for one in person.to_come)
        )

    def _silent(self, touch: Row, *, superseded: bool = False) -> None:
        """Silence is an answer, too: at high risk a nurse calls; else, after three, we ask whether to go on."""
        rows.change_touch(self.db, touch.id, state="silent", reason="")
        self._note(touch, "silent", "")
        plan = self.plans.get((touch.plan, touch.version))
        if plan is not None and plan.phone_when_silent and plan.step(touch.step) is not None:
            self._phone(touch, "回访未回复,请电话回访", next_calling_hour(self.now, self.zone))
        if touch.purpose != Purpose.CARE.value:
            return
        if touch.step == "go_on":
            self._stop(touch, "silent")
            return
        silent = touch.silent + 1
        rows.change_instances(self.db, [touch.instance_id], silent=silent)
        if touch.rank < RANK_OF_RISK * (Risk.HIGH + 1):
            # The operation's evening is followed by the next morning's question; any later silence is a call.
            if touch.asks >= ASKS or silent >= ASKS or not (superseded or self._first_evening(touch)):
                self._phone(touch, "高风险随访未回复,请电话联系", self.now + PHONE_TASK_DUE)
        elif silent >= SILENT_CONTACTS and touch.instance_state == "running":
            self._last_question(touch)

    def _first_evening(self, touch: Row) -> bool:
        asked, anchor = touch.asked_at or self.now, touch.anchor_at
        return bool(asked.astimezone(self.zone).date() == anchor.astimezone(self.zone).date())

    def _phone(self, touch: Row, why: str, due: datetime) -> None:
        alerts.add_task(
            self.db,
            {
                "at": self.now,
                "key": followup.silence_key(touch.id),
                "contact_id": touch.contact_id,
                "patient_code": touch.patient_code,
                "kind": "silence",
                "reason": f"{why}:{touch.plan} {touch.step}",
                "status": "open",
                "due_at": due,
            },
        )

    def _errand(self, touch: Row, what: str) -> None:
        """What a contact asks of a nurse, whatever the patient answers."""
        alerts.add_task(
            self.db,
            {
                "at": self.now,
                "key": f"plan:{touch.id}:errand",
                "contact_id": touch.contact_id,
                "patient_code": touch.patient_code,
                "kind": "plan",
                "reason": f"{touch.plan} {touch.step}:{what}",
                "status": "open",
                "due_at": self.now + PHONE_TASK_DUE,
            },
        )

    def _last_question(self, touch: Row) -> None:
        """还需要我们提醒您吗? tomorrow at ten; until it is answered the plan holds its breath."""
        day = self.now.astimezone(self.zone).date() + timedelta(days=1)
        due = datetime.combine(day, time(10), self.zone)
        rows.change_instances(self.db, [touch.instance_id], state="asking", changed_at=self.now)
        rows.add_touches(
            self.db,
            [
                {
                    "key": f"{touch.key}/go_on",
                    "instance_id": touch.instance_id,
                    "patient_code": touch.patient_code,
                    "step": "go_on",
                    "purpose": Purpose.CARE.value,
                    "rank": touch.rank,
                    "questions": "go_on",
                    "due_at": due,
                    "useful_until": due + timedelta(days=2),
                }
            ],
        )

    # Ending

    def _end(self, touch: Row, never: Never) -> None:
        if touch.state == "asked" and touch.contact_id is not None:
            followup.close(self.db, touch.contact_id, [touch.id])
        rows.change_touch(self.db, touch.id, state=never.state, reason=never.reason)
        self._note(touch, never.state, never.reason)
        if never.stops:
            self._stop(touch, never.reason)
        elif never.reason in ("no_contact", "no_guardian") and touch.rank < RANK_OF_RISK:
            self._unreachable(touch, never.reason)

    def _stop(self, touch: Row, reason: str) -> None:
        book = Book(self.db, self.now, self.zone, self.plans)
        book.stop_numbers([touch.instance_id], reason)
        book.close()

    def _unreachable(self, touch: Row, reason: str) -> None:
        """At high risk somebody must call whom no message reaches; once for a plan."""
        alerts.add_task(
            self.db,
            {
                "at": self.now,
                "key": f"no_route:plan:{touch.instance_id}",
                "contact_id": None,
                "patient_code": touch.patient_code,
                "kind": "no_route",
                "reason": f"{reason} {touch.plan} {touch.step}",
                "status": "open",
                "due_at": self.now + PHONE_TASK_DUE,
            },
        )

    def _note(self, touch: Row, decision: str, reason: str) -> None:
        self.ledger.append(
            {
                "instance_id": touch.instance_id,
                "touch_id": touch.id,
                "at": self.now,
                "decision": decision,
                "reason": reason,
            }
        )


def fire(
    db: sa.Connection, now: datetime, zone: ZoneInfo, plans: Plans, wording: Wording, *, unsigned_run: bool
) -> int:
    """Settle a batch of due contacts."""
    return Firing(db, now, zone, plans, wording, unsigned_run).fire()


def next_calling_hour(now: datetime, zone: ZoneInfo) -> datetime:
    """When people at home are best rung up."""
    local = now.astimezone(zone)
    for since, until in CALLING_HOURS:
        if local.time() < until:
            return max(local, datetime.combine(local.date(), since, zone))
    return datetime.combine(local.date() + timedelta(days=1), CALLING_HOURS[0][0], zone)


def sorted_by_weight(touches: Sequence[Row]) -> list[Row]:
    """What goes first at one moment."""
    return sorted(touches, key=lambda one: (Purpose(one.purpose).priority, one.rank, one.due_at, one.id))
