"""Keeping the book of plans: begin, move and stop instances, and lay down the contacts they owe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.flows.plan import HORIZON, Due, Plan, contacts, repeats, touch_key
from bot.hospital.episodes import Episode, midnight
from storage.queries import plans as rows
from storage.rows import Row

FIXED: Final = frozenset({"tag", "pregnancy"})  # their beginning is when we first heard of them
A_DAY: Final = timedelta(days=1)
RANK_OF_RISK: Final = 1000  # ranks between two risks: steps of one plan

Plans = Mapping[tuple[str, int], Plan]


def anchor_of(plan: Plan, episode: Episode, zone: ZoneInfo) -> datetime | None:
    """What the steps are counted from; None: not known (yet), and then nothing is planned."""
    match plan.anchor:
        case "at":
            return episode.at
        case "reported":
            return midnight(episode.reported_on, zone) if episode.reported_on else None
        case "discharged":
            return midnight(episode.discharged_on, zone) if episode.discharged_on else None
        case "discharge":
            return midnight(episode.discharged_on or episode.day, zone)
        case _:
            return episode.at or midnight(episode.day, zone)


def begins(plan: Plan, episode: Episode) -> bool:
    """Whether this plan hangs on this episode."""
    return (
        plan.episode == episode.kind
        and (not plan.labels or episode.label in plan.labels)
        and plan.traits <= episode.traits
        and episode.status in plan.statuses
    )


@dataclass(slots=True)
class Book:
    """One look at the episodes, in one transaction."""

    db: sa.Connection
    now: datetime
    zone: ZoneInfo
    plans: Plans
    ledger: list[dict[str, Any]] = field(default_factory=list)
    called_off: list[Row] = field(
        default_factory=list
    )  # whose patients must be told that a time holds no more

    def reconcile(self, episodes: Iterable[Episode]) -> int:
        """Bring the instances of these episodes up to them; how many began, moved or stopped."""
        by_kind: dict[str, list[Plan]] = defaultdict(list)
        for plan in newest(self.plans):
            by_kind[plan.episode].append(plan)
        done, batch = 0, list[Episode]()
        for episode in episodes:
            if episode.kind in by_kind:
                batch.append(episode)
            if len(batch) >= rows.AT_ONCE:
                done += self._reconcile(batch, by_kind)
                batch = []
        done += self._reconcile(batch, by_kind)
        self._write_down()
        return done

    def _reconcile(self, episodes: Sequence[Episode], by_kind: Mapping[str, Sequence[Plan]]) -> int:
        known = {
            (row.patient_code, row.plan, row.episode): row
            for row in rows.instances_of(self.db, [one.key for one in episodes])
        }
        new: list[tuple[Plan, Episode, datetime]] = []
        moved: list[tuple[Row, Plan, datetime]] = []
        stopped: dict[str, list[Row]] = defaultdict(list)
        again: list[tuple[Row, Plan, datetime]] = []
        for episode in {one.key: one for one in episodes}.values():
            for plan in by_kind[episode.kind]:
                row = known.get((episode.patient_code, plan.id, episode.key))
                anchor = anchor_of(plan, episode, self.zone)
                fits = begins(plan, episode) and anchor is not None
                if row is None:
                    if fits and anchor is not None and not self._over(plan, episode, anchor):
                        new.append((plan, episode, anchor))
                elif row.state in rows.RUNNING and not fits:
                    stopped[_why(plan, episode)].append(row)
                    if plan.announces_cancelling and row.anchor_at > self.now - A_DAY:
                        self.called_off.append(row)
                elif anchor is not None and fits and episode.kind not in FIXED:
                    own = self.plans.get((row.plan, row.version), plan)
                    if row.state in rows.RUNNING and row.anchor_at != anchor:
                        moved.append((row, own, anchor))
                    elif row.state == "stopped" and row.reason in REOPENS:
                        again.append((row, own, anchor))
        self._begin(new)
        for reason, of_reason in stopped.items():
            self.stop(of_reason, reason)
        if again:
            rows.change_instances(self.db, [one.id for one, *_ in again], state="running", reason="")
        self._move(moved + again)
        return len(new) + len(moved) + len(again) + sum(map(len, stopped.values()))

    def _over(self, plan: Plan, episode: Episode, anchor: datetime) -> bool:
        """Whether nothing of it could still be sent."""
        if plan.future_only and anchor <= self.now:
            return True
        return all(
            one.useful_until <= self.now
            for one in self._contacts(plan, anchor, episode.patient_code, episode.key)
        )

    def _contacts(self, plan: Plan, anchor: datetime, patient: str, episode: str) -> list[Due]:
        seed = f"{patient}/{episode}"
        return list(contacts(plan, anchor, self.zone, seed=seed, until=self.now + HORIZON))

    # Beginning

    def _begin(self, new: Sequence[tuple[Plan, Episode, datetime]]) -> None:
        numbers = rows.begin(
            self.db,
            [
                {
                    "patient_code": episode.patient_code,
                    "plan": plan.id,
                    "version": plan.version,
                    "episode": episode.key,
                    "anchor_at": anchor,
                    "label": episode.label,
                    "planned_until": self.now + HORIZON if repeats(plan) else None,
                    "created_at": self.now,
                    "changed_at": self.now,
                }
                for plan, episode, anchor in new
            ],
        )
        planned: list[dict[str, Any]] = []
        for number, (plan, episode, anchor) in zip(numbers, new, strict=True):
            self._note(number, None, "started", f"{plan.id} v{plan.version}")
            planned += [
                self._touch(number, plan, episode.patient_code, episode.key, one)
                for one in self._contacts(plan, anchor, episode.patient_code, episode.key)
                if episode.since is None or one.at >= episode.since  # no reminder right after the booking
            ]
        rows.add_touches(self.db, planned)

    def _touch(
        self, instance: int, plan: Plan, patient: str, episode: str, due: Due, occurrence: int | None = None
    ) -> dict[str, Any]:
        past = due.useful_until <= self.now
        number = due.occurrence if occurrence is None else occurrence
        return {
            "key": touch_key(patient, plan, episode, due.step.id, number),
            "instance_id": instance,
            "patient_code": patient,
            "step": due.step.id,
            "occurrence": number,
            "purpose": (due.step.purpose or plan.purpose).value,
            "rank": rank(plan, due),
            "questions": " ".join(due.step.questions),
            "due_at": due.at,
            "useful_until": due.useful_until,
            "state": "expired" if past else "planned",
            "reason": "past" if past else "",
        }

    # Moving

    def _move(self, moved: Sequence[tuple[Row, Plan, datetime]]) -> None:
        """The pending contacts go with their anchor; what was told already is told anew only by a reminder."""
        rows.move_anchors(self.db, {row.id: anchor for row, _, anchor in moved}, self.now)
        by_instance: dict[int, list[Row]] = defaultdict(list)
        for touch in rows.touches_of(self.db, [row.id for row, *_ in moved]):
            by_instance[touch.instance_id].append(touch)
        asked = [
            one.id for several in by_instance.values() for one in several if one.state in ("asked", "sent")
        ]
        unsent = set(rows.suppress_letters(self.db, asked, "moved"))
        changes: list[dict[str, Any]] = []
        added: list[dict[str, Any]] = []
        told: list[Row] = []
        for row, plan, anchor in moved:
            self._note(
                row.id,
                None,
                "moved",
                f"{row.anchor_at.astimezone(self.zone):%Y-%m-%d %H:%M} to {anchor.astimezone(self.zone):%Y-%m-%d %H:%M}",
            )
            of_step: dict[Any, list[Row]] = defaultdict(list)
            for touch in by_instance[row.id]:
                of_step[_name(plan, touch.step, touch.occurrence)].append(touch)
            for due in self._contacts(plan, anchor, row.patient_code, row.episode):
                earlier = of_step.get(_name(plan, due.step.id, due.occurrence), [])
                movable = [one for one in earlier if one.state in MOVABLE or one.id in unsent]
                if movable:
                    changes.append(self._moved(movable[-1], due))
                elif not earlier:
                    added.append(self._touch(row.id, plan, row.patient_code, row.episode, due))
                elif plan.repeats_when_moved and self._another_day(row.anchor_at, anchor):
                    told.append(row)
                    changes += [_cancelled(one) for one in earlier if one.state == "asked"]
                    if due.useful_until > self.now:
                        added.append(
                            self._touch(row.id, plan, row.patient_code, row.episode, due, row.moves + 1)
                        )
        rows.change_touches(self.db, changes)
        rows.add_touches(self.db, added)
        self.called_off += {one.id: one for one in told if self._announces(one)}.values()

    def _another_day(self, old: datetime, new: datetime) -> bool:
        return old.astimezone(self.zone).date() != new.astimezone(self.zone).date()

    def _announces(self, row: Row) -> bool:
        plan = self.plans.get((row.plan, row.version))
        return plan is not None and plan.announces_cancelling

    def _moved(self, touch: Row, due: Due) -> dict[str, Any]:
        past = due.useful_until <= self.now
        return {
            "id": touch.id,
            "due_at": due.at,
            "useful_until": due.useful_until,
            "state": "expired" if past else "planned",
            "reason": "past" if past else "",
        }

    # Stopping

    def stop(self, instances: Sequence[Row], reason: str) -> None:
        """Nothing more of these instances goes out; what is queued stays at home."""
        numbers = [row.id for row in instances]
        self.stop_numbers(numbers, reason)

    def stop_numbers(self, numbers: Sequence[int], reason: str) -> None:
        """The same by number."""
        rows.cancel_pending(self.db, numbers, reason)
        rows.change_instances(self.db, numbers, state="stopped", reason=reason, changed_at=self.now)
        for number in numbers:
            self._note(number, None, "stopped", reason)

    # Going on

    def extend(self, most: int = 500) -> int:
        """Lay down the next contacts of plans that repeat; how many plans were looked at."""
        running = rows.to_extend(self.db, self.now + HORIZON / 2, most)
        known: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for touch in rows.touches_of(self.db, [row.id for row in running]):
            known[touch.instance_id].add((touch.step, touch.occurrence))
        added = []
        for row in running:
            plan = self.plans.get((row.plan, row.version))
            if plan is None:
                continue
            for due in self._contacts(plan, row.anchor_at, row.patient_code, row.episode):
                if (due.step.id, due.occurrence) not in known[row.id]:
                    added.append(self._touch(row.id, plan, row.patient_code, row.episode, due))
        rows.add_touches(self.db, added)
        rows.change_instances(self.db, [row.id for row in running], planned_until=self.now + HORIZON)
        return len(running)

    # The ledger

    def _note(self, instance: int, touch: int | None, decision: str, reason: str) -> None:
        self.ledger.append(
            {
                "instance_id": instance,
                "touch_id": touch,
                "at": self.now,
                "decision": decision,
                "reason": reason,
            }
        )

    def _write_down(self) -> None:
        rows.write_down(self.db, self.ledger)
        self.ledger.clear()

    def close(self) -> None:
        """Write down what was decided."""
        self._write_down()


MOVABLE: Final = frozenset({"planned", "expired", "cancelled", "withheld"})
REOPENS: Final = frozenset({"cancelled", "no_anchor"})  # the episode is there again


def rank(plan: Plan, due: Due) -> int:
    """Lower goes first: by risk, then by the order of the steps."""
    return plan.risk * RANK_OF_RISK + min(due.order, RANK_OF_RISK - 1)


def newest(plans: Plans) -> list[Plan]:
    """The version of each plan with which somebody begins today."""
    best: dict[str, Plan] = {}
    for plan in plans.values():
        if plan.id not in best or plan.version > best[plan.id].version:
            best[plan.id] = plan
    return list(best.values())


def _why(plan: Plan, episode: Episode) -> str:
    if episode.status in ("cancelled", "noshow", "loss"):
        return "pregnancy_loss" if episode.status == "loss" else "cancelled"
    return "no_anchor" if episode.status in plan.statuses else "cancelled"


def _name(plan: Plan, step_id: str, occurrence: int) -> object:
    """What identifies a contact when its anchor moves: of a step that comes once, the step."""
    step = plan.step(step_id)
    return (step_id, occurrence) if step is not None and step.repeat else step_id


def _cancelled(touch: Row) -> dict[str, Any]:
    return {
        "id": touch.id,
        "due_at": touch.due_at,
        "useful_until": touch.useful_until,
        "state": "cancelled",
        "reason": "moved",
    }
