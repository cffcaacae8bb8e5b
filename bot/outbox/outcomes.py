"""What became of a letter that was handed over: written down, or tried again, or given to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog

from bot.channels.errors import UNFOLLOWED, Reaction
from bot.channels.limits import QUOTA_ZONE
from bot.domain.letter import LetterState, Purpose
from bot.outbox.carriers import Parcel
from bot.outbox.routes import OFFICIAL_ACCOUNT_ONLY, REPEAT_WITHIN, REPEATABLE, UNKNOWN, spread
from storage.queries import alerts, outbox, tokens
from storage.rows import Row

log = structlog.get_logger()

GAPS: Final = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1))
ALARM_GAPS: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 40, *[60] * 30))
A_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What carrying a parcel came to. `reaction` None: nobody knows whether it arrived."""

    parcel: Parcel
    reaction: Reaction | None
    parts_done: int = 0  # messages of the way that certainly went
    platform_id: str = ""
    code: int = 0


def record(db: sa.Connection, outcomes: Sequence[Outcome], now: datetime) -> list[LetterState]:
    """Write outcomes down; the end states that letters reached.

    A sender whose claim ran out meanwhile has no say any more: the fence number has grown.
    """
    ours = outbox.still_ours(db, {one.parcel.letter_id: one.parcel.fence for one in outcomes})
    changes: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for outcome in outcomes:
        row = ours.get(outcome.parcel.letter_id)
        if row is None:
            log.warning("letter_fenced_off", letter=outcome.parcel.letter_id)
            continue
        changes.append(_change(db, row, outcome, now))
        shown += _shown(row, outcome, now)
    outbox.change_letters(db, [change for change in changes if "tried" not in change])
    outbox.change_letters(db, [change for change in changes if "tried" in change])
    outbox.keep_sent(db, shown)
    return [state for change in changes if (state := LetterState(change["state"])) in ENDED]


ENDED: Final = frozenset(
    {
        LetterState.SENT,
        LetterState.DELIVERED,
        LetterState.EXPIRED,
        LetterState.SUPPRESSED,
        LetterState.FAILED,
    }
)


def _change(db: sa.Connection, row: Row, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The letter's new columns."""
    done = {
        "id": row.id,
        "claimed_until": None,
        "parts_sent": row.parts_sent + outcome.parts_done,
        "platform_id": outcome.platform_id or row.platform_id,
    }
    if outcome.reaction is Reaction.SENT:
        return done | {"state": LetterState.SENT.value, "reason": ""}
    change = done | {
        "state": LetterState.QUEUED.value,
        "reason": row.reason,
        "not_before": row.not_before,
        "attempts": row.attempts,
        "tried": row.tried,
        "sent_at": row.sent_at,
    }
    match outcome.reaction:
        case None:
            return change | _unknown(row, outcome, now)
        case Reaction.NEXT_MINUTE:
            return change | _closed(db, outcome, now + A_MINUTE, "pace", now)
        case Reaction.QUOTA:
            return change | _closed(db, outcome, next_midnight(now), "quota", now)
        case Reaction.RETRY | Reaction.RENEW_TOKEN:
            return change | _later(row, outcome, now)
        case Reaction.USER:
            return change | _user_gone(db, row, outcome, now)
        case _:
            return change | _other_way(row, {outcome.parcel.way.channel}, outcome, now)


def _unknown(row: Row, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """It may have arrived. An alarm goes again; what the platform recognises goes again in time; else nothing."""
    if outcome.parcel.purpose is Purpose.ALARM:
        return _later(row, outcome, now)
    later = now + _gap(outcome)
    if outcome.parcel.way.channel in REPEATABLE and later - row.sent_at < REPEAT_WITHIN:
        return {"reason": UNKNOWN, "not_before": later}
    return {"state": LetterState.SENDING.value, "reason": UNKNOWN}


def _closed(
    db: sa.Connection, outcome: Outcome, until: datetime, reason: str, now: datetime
) -> dict[str, Any]:
    """The platform takes no more by this way for a while, from nobody: all letters look for another one."""
    way = outcome.parcel.way
    tokens.close_api(db, f"{way.channel}:{way.account}", until)
    log.error("way_closed", channel=way.channel, account=way.account, until=until.isoformat())
    return {"reason": reason, "not_before": now, "sent_at": None}


def _later(row: Row, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Again, after a growing gap; at last by another way."""
    alarm = outcome.parcel.purpose is Purpose.ALARM
    if outcome.parcel.attempts > len(ALARM_GAPS if alarm else GAPS):
        return _other_way(row, {outcome.parcel.way.channel}, outcome, now)
    if alarm and outcome.parcel.way.channel == "wecom":
        # The nurse must be reached by another way within the minute, if there is one (safety.md §7.2).
        return _other_way(row, {"wecom"}, outcome, now)
    return {"reason": f"retry:{outcome.code}", "not_before": now + _gap(outcome), "sent_at": None}


def _gap(outcome: Outcome) -> timedelta:
    gaps = ALARM_GAPS if outcome.parcel.purpose is Purpose.ALARM else GAPS
    gap = gaps[min(outcome.parcel.attempts, len(gaps)) - 1]
    return gap + spread(f"{outcome.parcel.key}:{outcome.parcel.attempts}", gap / 4)


def _user_gone(db: sa.Connection, row: Row, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The user takes nothing from this account."""
    way = outcome.parcel.way
    if way.contact_id is not None and outcome.code in UNFOLLOWED and way.account.startswith("wechat/"):
        outbox.unfollow(db, way.contact_id)
    channels = OFFICIAL_ACCOUNT_ONLY if way.channel in OFFICIAL_ACCOUNT_ONLY else {way.channel}
    return _other_way(row, channels, outcome, now)


def _other_way(
    row: Row, channels: frozenset[str] | set[str], outcome: Outcome, now: datetime
) -> dict[str, Any]:
    """Not by this way. The postman decides anew without it."""
    tried = " ".join(sorted({*row.tried.split(), *channels}))
    reason = f"{outcome.parcel.way.channel}:{outcome.code}"
    return {"reason": reason, "tried": tried, "not_before": now, "attempts": 0, "sent_at": None}


def next_midnight(now: datetime) -> datetime:
    """When the platform's daily counters start anew."""
    tomorrow = now.astimezone(QUOTA_ZONE).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), QUOTA_ZONE)


def _shown(row: Row, outcome: Outcome, now: datetime) -> list[dict[str, Any]]:
    """The messages that the patient now has, for the thread and the quota."""
    parcel, done = outcome.parcel, outcome.parts_done
    return sent_messages(row, parcel.way.texts[:done], parcel.way.account, parcel.way.contact_id, now)


def sent_messages(
    row: Row, texts: Sequence[str], account: str, contact_id: int | None, now: datetime
) -> list[dict[str, Any]]:
    """Rows of the conversation for messages of a letter."""
    if contact_id is None:
        return []
    return [
        {
            "contact_id": contact_id,
            "account": account,
            "key": f"letter:{row.id}:{row.parts_sent + number}:{row.fence}",
            "dir": "out",
            "at": now,
            "type": "text",
            "channel": row.channel,
            "author": row.author,
            "patient_code": row.patient_code,
            "text": text,
            "letter_id": row.id,
        }
        for number, text in enumerate(texts)
    ]


def give_to_a_person(db: sa.Connection, row: Row | Mapping[str, Any], reason: str, now: datetime) -> None:
    """A letter that cannot be delivered becomes somebody's task."""
    values = row if isinstance(row, Mapping) else row._mapping
    alerts.add_task(
        db,
        {
            "at": now,
            "key": f"no_route:{values['id']}",
            "contact_id": values["contact_id"],
            "patient_code": values["patient_code"],
            "kind": "no_route",
            "reason": f"{reason} {values['purpose']} {values['plan']} {values['step']}".strip(),
            "status": "open",
        },
    )
