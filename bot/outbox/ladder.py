"""The escalation ladder: an alarm that nobody takes wakes more and more people. The rungs are in `ladder.toml`.

An alarm's `rung` is 0 until the ladder is put up, then one more than the rungs it has climbed. Taking it
(`bot.outbox.alarm.acknowledge`) stops the climb.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.outbox import letters
from bot.outbox.alarm import NOTICE
from bot.outbox.wording import Wording
from storage.queries import alerts, hospital, ladder
from storage.rows import Row, Rows

RUNGS: Final = Path(__file__).with_suffix(".toml")
MOST: Final = 100  # alarms of one transaction
NOBODY_RUNG: Final = timedelta(minutes=10)  # where the climb begins when there is nobody to tell
CALL_BACK: Final = timedelta(minutes=30)
NEXT_MORNING: Final = time(9)
TOLD_LATE: Final = timedelta(hours=1)  # so long after its rung a patient is not told any more
FACTS: Final = dict.fromkeys(("nurse_phone", "phone", "emergency_name"), "")


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens when nobody has taken the alarm by then."""

    after: int  # minutes
    tell: dict[str, list[str]] = {}  # ways by post
    patient: str = ""  # the text the patient gets
    incident: str = ""  # the severity of the incident that is filed
    call_patient: bool = False  # somebody must telephone

    @property
    def delay(self) -> timedelta:
        """From the receipt of the message."""
        return timedelta(minutes=self.after)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    everybody_from: int
    posts: dict[str, list[str]]
    E: list[Rung]
    U: list[Rung]

    def of(self, level: str) -> Sequence[Rung]:
        """The rungs of a level, the lowest first."""
        return self.E if level == "E" else self.U


@cache
def plan() -> Plan:
    """The ladder as it is written."""
    return msgspec.convert(tomllib.loads(RUNGS.read_text(encoding="utf-8")), Plan)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Climbs for every alarm that is due."""

    wording: Wording
    zone: ZoneInfo

    def __call__(self, db: sa.Connection, now: datetime) -> int:
        """How many rungs were climbed."""
        climbed = 0
        for alert in ladder.beginning(db, MOST):
            self._put_up(db, alert, now)
        for alert in ladder.due(db, now, MOST):
            climbed += self._climb(db, alert, now)
        return climbed

    def _put_up(self, db: sa.Connection, alert: Row, now: datetime) -> None:
        """When the next rung is due; where nobody was there to be told, at once up to the tenth minute."""
        if alert.level == "E":
            self._call_backs(db, alert, now)
        if alert.status != "open":
            alerts.change_alert(db, alert.id, rung=1)
            return
        first = plan().of(alert.level)[0]
        there = any(one.wecom_userid or one.phone for one in alerts.on_duty(db, now, plan().posts["nurse"]))
        begins = alert.at if there else alert.at - NOBODY_RUNG
        alerts.change_alert(db, alert.id, rung=1, next_rung_at=begins + first.delay)

    def _climb(self, db: sa.Connection, alert: Row, now: datetime) -> int:
        """Every rung whose time has come: after an outage several at once, so that nobody is left out."""
        rungs = plan().of(alert.level)
        begins = alert.next_rung_at - rungs[alert.rung - 1].delay
        coalesced = ladder.has_leader(db, alert.id, alert.contact_id, alert.level)
        number = int(alert.rung)
        while number <= len(rungs) and begins + rungs[number - 1].delay <= now:
            rung = rungs[number - 1]
            if not coalesced:
                self._tell(db, alert, number, rung, now)
                self._tell_patient(db, alert, number, rung, begins, now)
            self._file(db, alert, rung, now)
            number += 1
        following = begins + rungs[number - 1].delay if number <= len(rungs) else None
        alerts.change_alert(db, alert.id, rung=number, next_rung_at=following)
        return number - int(alert.rung)

    def _tell(self, db: sa.Connection, alert: Row, number: int, rung: Rung, now: datetime) -> None:
        text = f"{NOTICE.format(level=alert.level)}已{rung.after}分钟无人认领。警报编号 {alert.id}。"
        for post, ways in rung.tell.items():
            for person in _holders(db, post, rung, now):
                for address in _addresses(person, ways):
                    letter = Letter(
                        key=f"alert:{alert.id}:{number}:{person.name}:{address.partition(':')[0]}",
                        purpose=Purpose.ALARM,
                        text=text,
                        not_before=now,
                        address=address,
                        plan="alert",
                        step=str(alert.id),
                    )
                    letters.put(db, letter, now)

    def _tell_patient(
        self, db: sa.Connection, alert: Row, number: int, rung: Rung, begins: datetime, now: datetime
    ) -> None:
        if not rung.patient or now > begins + rung.delay + TOLD_LATE:
            return
        self.wording.hospital = FACTS | hospital.all_facts(db)
        language = Language(ladder.language_of(db, alert.contact_id) or Language.SIMPLIFIED)
        letter = Letter(
            key=f"alert:{alert.id}:{number}:patient",
            purpose=Purpose.ALARM,
            text=self.wording.text(say(rung.patient), language),
            not_before=now,
            useful_until=now + TOLD_LATE,
            contact_id=alert.contact_id,
        )
        letters.put(db, letter, now)

    def _file(self, db: sa.Connection, alert: Row, rung: Rung, now: datetime) -> None:
        if rung.incident:
            ladder.file_incident(db, now, alert.id, alert.contact_id, alert.patient_code, rung.incident)
        if rung.call_patient:
            _add_call(db, alert, "switchboard", "警报无人认领：请从总机致电患者", now, now)

    def _call_backs(self, db: sa.Connection, alert: Row, now: datetime) -> None:
        """Whoever was in danger is called after half an hour, and the next morning."""
        tomorrow = alert.at.astimezone(self.zone).date() + timedelta(days=1)
        morning = datetime.combine(tomorrow, NEXT_MORNING, self.zone)
        _add_call(db, alert, "soon", "E级警报后回访：30分钟", alert.at + CALL_BACK, now)
        _add_call(db, alert, "morning", "E级警报后回访：次日上午", morning, now)


def _add_call(db: sa.Connection, alert: Row, name: str, reason: str, due: datetime, now: datetime) -> None:
    alerts.add_task(
        db,
        {
            "at": now,
            "key": f"alert:{alert.id}:{name}",
            "contact_id": alert.contact_id,
            "patient_code": alert.patient_code,
            "kind": "callback",
            "reason": f"{reason}（警报{alert.id}）",
            "status": "open",
            "due_at": due,
        },
    )


def _holders(db: sa.Connection, post: str, rung: Rung, now: datetime) -> Rows:
    """Who is rostered for the post; else who stands in for it."""
    roles = plan().posts[post]
    found = ladder.rostered(db, now, post) or alerts.on_duty(db, now, roles)
    if not found and rung.after >= plan().everybody_from:
        found = ladder.of_roles(db, roles)
    return found


def _addresses(person: Row, ways: Sequence[str]) -> Iterator[str]:
    """By the ways of the rung, or by those that this person has."""
    known: Mapping[str, str] = {
        way: address
        for way, address in (
            ("wecom", person.wecom_userid),
            ("sms", person.phone),
            ("voice", person.phone),
        )
        if address
    }
    for way in [way for way in ways if way in known] or known:
        yield f"{way}:{known[way]}"
