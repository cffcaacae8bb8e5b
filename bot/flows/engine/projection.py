"""What would go out between two moments, and what would be withheld and why. Nothing is written.

The same episodes, the same clock times and the same decisions as when the time has really come; answers,
alarms and opt-outs that are still to come are not foreseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.flows.engine import asking, pausing
from bot.flows.engine.book import Plans, anchor_of, begins, newest, rank
from bot.flows.engine.deciding import Later, Never, Occasion, Send, Verdict, decide
from bot.flows.engine.firing import UNFORESEEN
from bot.flows.engine.people import Census, Person
from bot.flows.greetings import greetings_for
from bot.flows.plan import Due, Plan, contacts, touch_key
from bot.hospital import episodes
from bot.hospital.episodes import Episode
from bot.outbox.wording import Wording
from storage.queries import greetings
from storage.queries import plans as rows
from storage.rows import Row

TRIES: Final = 50  # times a contact may be put off
GREETING_HOUR: Final = time(10)
PAGE: Final = 500
DONE: Final = frozenset({"asked", "sent", "answered", "silent", "withheld"})


@dataclass(frozen=True, slots=True)
class Line:
    """One contact as it would be, and the letter it would become."""

    at: datetime
    patient: str
    openid: str | None
    contact_id: int | None
    plan: str
    step: str
    purpose: Purpose
    text: str
    template: str
    decision: str  # send, or the reason why not
    why: str


@dataclass(slots=True)
class Projection:
    """One look ahead. `unsigned_run`: plans without a signature run here, too."""

    db: sa.Connection
    plans: Plans
    wording: Wording
    zone: ZoneInfo
    unsigned_run: bool
    _paused: frozenset[str] = frozenset()
    _people: dict[str, Person] = field(default_factory=dict)
    _census: Census | None = None

    def lines(self, since: datetime, until: datetime, patient: str | None) -> list[Line]:
        """Everything from one moment to the other, in order."""
        self.wording.hospital = rows.hospital_facts(self.db)
        self._paused = pausing.paused(self.db)
        found = [*self._contacts(since, until, patient), *self._greetings(since, until, patient)]
        return sorted(found, key=lambda line: (line.at, line.patient, line.plan, line.step))

    # Plans

    def _contacts(self, since: datetime, until: datetime, patient: str | None) -> Iterator[Line]:
        occasions = sorted(
            self._occasions(since, until, patient),
            key=lambda one: (one.now, one.purpose.priority, one.touch.rank),
        )
        codes = sorted({one.touch.patient_code for one in occasions})
        self._census = Census(self.db, codes, since, self.zone)
        self._people = self._census.people
        to_come: dict[tuple[str, date], list[Any]] = defaultdict(list)
        for one in occasions:
            to_come[one.touch.patient_code, one.today].append(one.touch)
        for occasion in occasions:
            person = self._people[occasion.touch.patient_code]
            person.to_come = to_come[occasion.touch.patient_code, occasion.today]
            line, moved = self._decided(occasion, person)
            to_come[occasion.touch.patient_code, occasion.today].remove(occasion.touch)
            if since <= moved < until:
                yield line

    def _decided(self, occasion: Occasion, person: Person) -> tuple[Line, datetime]:
        verdict: Verdict = Never("withheld", "")
        for _ in range(TRIES):
            verdict = self._verdict(occasion, person)
            if not isinstance(verdict, Later) or verdict.at <= occasion.now:
                break
            occasion = Occasion(
                occasion.touch, occasion.plan, occasion.step, occasion.purpose, verdict.at, self.zone
            )
        if isinstance(verdict, Send):
            sent = SimpleNamespace(**vars(occasion.touch) | {"asked_at": occasion.now, "state": "asked"})
            person.contacted.append(cast(Row, sent))
        return self._line(occasion, person, verdict), occasion.now

    def _verdict(self, occasion: Occasion, person: Person) -> Verdict:
        assert self._census is not None
        if gone := getattr(occasion.touch, "gone", ""):
            return Never("withheld", gone)
        reader = person.reader(occasion.today, occasion.plan.minimum_level)
        allows = isinstance(reader, str) or self._census.allows(
            reader, occasion.touch.patient_code, occasion.purpose
        )
        if occasion.plan.id in self._paused:
            return Never("withheld", "paused")
        return decide(occasion, person, allows, unsigned_run=self.unsigned_run)

    def _line(self, occasion: Occasion, person: Person, verdict: Verdict) -> Line:
        touch, plan = occasion.touch, occasion.plan
        reader = person.reader(occasion.today, plan.minimum_level)
        known = None if isinstance(reader, str) else reader
        text = ""
        if known is not None:
            send = verdict if isinstance(verdict, Send) else Send(known, tuple(touch.questions.split()))
            facts = asking.facts_of(self.db, occasion)
            text = asking.text(self.wording, occasion, person, send, facts, again=False)
        anchor = touch.anchor_at.astimezone(self.zone)
        return Line(
            at=occasion.now,
            patient=touch.patient_code,
            openid=known.openid if known else None,
            contact_id=known.contact_id if known else None,
            plan=plan.id,
            step=occasion.step.id,
            purpose=occasion.purpose,
            text=text,
            template=asking.template_of(occasion),
            decision="send" if isinstance(verdict, Send) else verdict.reason,
            why=f"{touch.episode} {anchor:%Y-%m-%d} {plan.id} v{plan.version} {occasion.step.id}",
        )

    def _occasions(self, since: datetime, until: datetime, patient: str | None) -> Iterator[Occasion]:
        """Contacts that would be looked at in the span, written down already or not."""
        today = since.astimezone(self.zone).date()
        found = [*episodes.imported(self.db, today, since, self.zone, patient)]
        found += episodes.booked(self.db, since, self.zone, patient, ahead=until - since + timedelta(days=3))
        by_key = {one.key: one for one in found}
        known: dict[tuple[str, str, str], Row] = {
            (row.patient_code, row.plan, row.episode): row
            for row in rows.instances_of(self.db, sorted(by_key))
        }
        touches: dict[int, dict[tuple[str, int], Row]] = defaultdict(dict)
        for touch in rows.touches_of(self.db, [row.id for row in known.values()]):
            touches[touch.instance_id][touch.step, touch.occurrence] = touch
        for episode in by_key.values():
            for plan in newest(self.plans):
                if plan.episode == episode.kind:
                    row = known.get((episode.patient_code, plan.id, episode.key))
                    own = self.plans.get((plan.id, row.version), plan) if row else plan
                    kept = touches[row.id] if row else {}
                    yield from self._of_episode(own, episode, row, kept, since, until)

    def _of_episode(
        self,
        plan: Plan,
        episode: Episode,
        instance: Row | None,
        kept: dict[tuple[str, int], Row],
        since: datetime,
        until: datetime,
    ) -> Iterator[Occasion]:
        fits = begins(plan, episode)
        if instance is None and not fits:
            return
        anchor = anchor_of(plan, episode, self.zone)
        if instance is not None and episode.kind in ("tag", "pregnancy"):
            anchor = instance.anchor_at
        if anchor is None or (plan.future_only and anchor <= since and instance is None):
            return
        gone = "" if fits else "cancelled"
        if instance is not None and instance.state == "stopped":
            gone = instance.reason
        moved = instance is not None and instance.anchor_at != anchor
        seed = f"{episode.patient_code}/{episode.key}"
        for due in contacts(plan, anchor, self.zone, seed=seed, until=until):
            stored = kept.get((due.step.id, due.occurrence))
            if stored is not None and stored.state in DONE:
                continue
            at = stored.due_at if stored is not None and stored.state == "planned" and not moved else due.at
            if stored is None and episode.since is not None and due.at < episode.since:
                continue
            at = max(at, since)
            if at >= until or due.useful_until < since:
                continue
            touch = self._touch(plan, episode, due, anchor, instance, gone)
            purpose = due.step.purpose or plan.purpose
            yield Occasion(cast(Row, touch), plan, due.step, purpose, at, self.zone)
        for stored in kept.values():
            step = UNFORESEEN.get(stored.step)
            at = max(stored.due_at, since)
            if step is not None and instance is not None and stored.state == "planned" and at < until:
                touch = SimpleNamespace(
                    **stored._asdict()
                    | {
                        "episode": episode.key,
                        "plan": plan.id,
                        "anchor_at": instance.anchor_at,
                        "instance_state": instance.state,
                        "moves": instance.moves,
                        "gone": gone,
                    }
                )
                yield Occasion(cast(Row, touch), plan, step, Purpose(stored.purpose), at, self.zone)

    def _touch(
        self, plan: Plan, episode: Episode, due: Due, anchor: datetime, instance: Row | None, gone: str
    ) -> SimpleNamespace:
        """A contact as it stands, or would stand, in its row."""
        key = touch_key(episode.patient_code, plan, episode.key, due.step.id, due.occurrence)
        return SimpleNamespace(
            id=key,
            key=key,
            instance_id=instance.id if instance else f"{plan.id}/{episode.key}",
            patient_code=episode.patient_code,
            episode=episode.key,
            plan=plan.id,
            step=due.step.id,
            purpose=(due.step.purpose or plan.purpose).value,
            rank=rank(plan, due),
            questions=" ".join(due.step.questions),
            due_at=due.at,
            useful_until=due.useful_until,
            anchor_at=anchor,
            instance_state=instance.state if instance else "running",
            moves=instance.moves if instance else 0,
            asks=0,
            gone=gone,
        )

    # Greetings

    def _greetings(self, since: datetime, until: datetime, patient: str | None) -> Iterator[Line]:
        day = since.astimezone(self.zone).date()
        while (at := datetime.combine(day, GREETING_HOUR, self.zone)) < until:
            if at >= since:
                yield from self._greetings_of(day, at, patient)
            day += timedelta(days=1)

    def _greetings_of(self, day: date, at: datetime, patient: str | None) -> Iterator[Line]:
        seen: set[str] = set()
        after = ""
        while people := greetings.bound_patients(self.db, at, after=after, most=PAGE, only=patient):
            for one in greetings_for(self.db, people, day, at, self.zone, self.wording):
                if one.key in seen:
                    continue
                seen.add(one.key)
                yield Line(
                    at=at,
                    patient=one.patient.code,
                    openid=one.reader.openid,
                    contact_id=one.reader.contact_id,
                    plan="greeting",
                    step=one.occasion.name,
                    purpose=Purpose.GREETING,
                    text=one.text,
                    template="",
                    decision=one.reason or "send",
                    why=f"{one.occasion.name} {day}",
                )
            after = people[-1].code
