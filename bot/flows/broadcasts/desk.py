"""What people do with a broadcast: write it, approve it, start it, stop it.

draft → approved (by somebody else, a manager) → running → finished
                                                    ↕ paused, or for good: stopped
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.letter import Letter, Purpose
from bot.flows.broadcasts import lint
from bot.hospital import segments
from bot.hospital.segments import ATTRIBUTED, Segment
from bot.outbox import letters
from bot.outbox.routes import client_id
from storage.queries import audit, broadcast_desk, broadcasts, masses, staff
from storage.rows import Row

PURPOSES: Final = (Purpose.CARE, Purpose.GREETING, Purpose.MARKETING)
APPROVER: Final = "manager"
CANARY_FROM: Final = 100  # letters; fewer go all at once
CANARY: Final = 20
HOLD_OUT_AT_MOST: Final = 50  # per cent
CHUNK: Final = 5_000
NO_LETTER: Final = ("suppressed", "expired")
CONTENT: Final = (
    "purpose",
    "text",
    "segment",
    "hold_out",
    "pace",
    "scheduled_at",
    "licence",
    "licence_until",
)
TRIAL_USEFUL: Final = timedelta(minutes=30)
DEEPEST: Final = 5  # audiences that build on the readers of earlier broadcasts


class BroadcastRefused(Exception):
    """It must not be done; the message says why."""


class ChangedMeanwhile(BroadcastRefused):
    """Somebody else changed it since it was read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written before anybody approves."""

    segment: Segment
    text: str
    purpose: Purpose
    by: str
    hold_out: int = 0  # per cent who get nothing, for comparison
    pace: int = 0  # letters a minute; 0: as fast as the platform takes them
    licence: str = ""
    licence_until: date | None = None
    scheduled_at: datetime | None = None


def create(db: sa.Connection, draft: Draft, now: datetime, zone: ZoneInfo) -> int:
    """Write one; its number.

    Raises:
        BroadcastRefused: no such user, or the text or the audience must not be used for the purpose.
    """
    _user(db, draft.by)
    if draft.purpose not in PURPOSES:
        raise BroadcastRefused(f"purpose {draft.purpose}: not for broadcasts")
    if not 0 <= draft.hold_out <= HOLD_OUT_AT_MOST:
        raise BroadcastRefused(f"hold-out {draft.hold_out}: from 0 to {HOLD_OUT_AT_MOST} per cent")
    values = {
        "purpose": draft.purpose.value,
        "text": draft.text.strip(),
        "segment": segments.dump(draft.segment),
        "created_by": draft.by,
        "created_at": now,
        "hold_out": draft.hold_out,
        "pace": max(0, draft.pace),
        "licence": draft.licence,
        "licence_until": draft.licence_until,
        "scheduled_at": draft.scheduled_at,
    }
    _check(db, values, now, zone)
    number = broadcasts.add(db, **values)
    _keep(db, number, draft.by, "written", now)
    _audit(db, draft.by, "create", number, now)
    return number


def edit(
    db: sa.Connection,
    number: int,
    by: str,
    now: datetime,
    zone: ZoneInfo,
    *,
    seen: int | None = None,
    **changes: Any,
) -> None:
    """Change what is not running yet. It goes back to be approved. *seen*: the version that was read.

    Raises:
        BroadcastRefused: it runs already, or must not say that.
        ChangedMeanwhile: another version was written since.
    """
    row = _broadcast(db, number, "draft", "approved")
    _still(db, number, seen)
    _user(db, by)
    _check(db, {**row._asdict(), **changes}, now, zone)
    broadcasts.change(
        db,
        number,
        **changes,
        state="draft",
        approved_by="",
        approved_at=None,
        approved_hash="",
        submitted_at=None,
        reason="",
        created_by=by,
    )
    _keep(db, number, by, "written", now)
    _audit(db, by, "edit", number, now)


def submit(db: sa.Connection, number: int, by: str, now: datetime) -> None:
    """Ask a second person to look at it.

    Raises:
        BroadcastRefused: it is no draft.
    """
    _broadcast(db, number, "draft")
    broadcasts.change(db, number, submitted_at=now, reason="")
    _audit(db, by, "submit", number, now)


def send_back(db: sa.Connection, number: int, by: str, why: str, now: datetime) -> None:
    """The second person does not agree, or not any more; the writer reads why.

    Raises:
        BroadcastRefused: it runs already.
    """
    _broadcast(db, number, "draft", "approved")
    cleared = {"approved_by": "", "approved_at": None, "approved_hash": "", "submitted_at": None}
    broadcasts.change(db, number, state="draft", reason=why, **cleared)
    _audit(db, by, "send back", number, now)


def approve(
    db: sa.Connection, number: int, by: str, now: datetime, zone: ZoneInfo, *, seen: int | None = None
) -> None:
    """A second person, a manager, agrees to exactly these words for exactly these people.

    Raises:
        BroadcastRefused: the writer's own, no manager, or no draft.
        ChangedMeanwhile: another version was written since *seen*.
    """
    row = _broadcast(db, number, "draft")
    _still(db, number, seen)
    user = _user(db, by)
    if by == row.created_by:
        raise BroadcastRefused(f"--by {by}: wrote broadcast {number}; somebody else must approve it")
    if user.role != APPROVER:
        raise BroadcastRefused(f"--by {by}: is no {APPROVER}")
    _check(db, row._asdict(), now, zone)
    broadcasts.change(
        db,
        number,
        state="approved",
        approved_by=by,
        approved_at=now,
        approved_hash=_fingerprint(row),
        reason="",
    )
    _keep(db, number, by, "approved", now)
    _audit(db, by, "approve", number, now)


def start(db: sa.Connection, number: int, by: str, now: datetime, zone: ZoneInfo) -> None:
    """Take the audience as it stands now, and begin.

    Raises:
        BroadcastRefused: nobody approved it, or not these words.
    """
    row = _broadcast(db, number, "approved")
    if row.approved_hash != _fingerprint(row):
        raise BroadcastRefused(f"broadcast {number}: was changed after it was approved")
    _check(db, row._asdict(), now, zone)
    segment, purpose = segments.load(row.segment), Purpose(row.purpose)
    broadcasts.take_audience(
        db, number, segments.compiled(segment, now, zone), segments.rules(segment, purpose, now, zone)
    )
    if row.hold_out:
        _hold_out(db, number, row.hold_out)
    due = broadcasts.audience_verdicts(db, number).get("", 0)
    canary = CANARY if due > CANARY_FROM else 0
    broadcasts.change(db, number, state="running", started_at=now, started_by=by, canary=canary)
    _audit(db, by, "start", number, now)


def start_soon(db: sa.Connection, number: int, by: str, at: datetime, now: datetime, zone: ZoneInfo) -> None:
    """Begin in a moment: until then it can be called back as if nothing had been.

    Raises:
        BroadcastRefused: nobody approved it, or not these words.
    """
    row = _broadcast(db, number, "approved")
    if row.approved_hash != _fingerprint(row):
        raise BroadcastRefused(f"broadcast {number}: was changed after it was approved")
    _check(db, row._asdict(), now, zone)
    broadcasts.change(db, number, scheduled_at=at, started_by=by)
    _audit(db, by, "start soon", number, now)


def call_back(db: sa.Connection, number: int, by: str, now: datetime) -> None:
    """It does not begin by itself after all; the approval stands.

    Raises:
        BroadcastRefused: it has begun, or was not going to.
    """
    _broadcast(db, number, "approved")
    broadcasts.change(db, number, scheduled_at=None, started_by="")
    _audit(db, by, "call back", number, now)


def pause(db: sa.Connection, number: int, by: str, reason: str, now: datetime) -> None:
    """Nothing more goes out for now; what waits in the outbox is held.

    Raises:
        BroadcastRefused: it is not running.
    """
    _broadcast(db, number, "running")
    broadcasts.move_letters(db, number, ("queued", "gathered"), "held", "paused")
    masses.take_back(db, broadcasts.plan_of(number), "held", "paused")
    broadcasts.change(db, number, state="paused", reason=reason)
    _audit(db, by, "pause", number, now)


def resume(db: sa.Connection, number: int, by: str, now: datetime) -> None:
    """Go on where it was paused. A trial that was paused for its failures counts as passed: somebody looked.

    Raises:
        BroadcastRefused: it is not paused.
    """
    row = _broadcast(db, number, "paused")
    broadcasts.move_letters(db, number, ("held",), "queued", "")
    broadcasts.change(db, number, state="running", reason="", canary_passed_at=row.canary_passed_at or now)
    _audit(db, by, "resume", number, now)


def stop(db: sa.Connection, number: int, by: str, now: datetime, reason: str = "") -> None:
    """For good. What has not left the house never does.

    Raises:
        BroadcastRefused: it is over already.
    """
    _broadcast(db, number, "draft", "approved", "running", "paused")
    broadcasts.move_letters(db, number, ("queued", "held", "gathered"), "suppressed", "stopped")
    masses.take_back(db, broadcasts.plan_of(number), "suppressed", "stopped")
    broadcasts.change(db, number, state="stopped", ended_at=now, reason=reason)
    _audit(db, by, "stop", number, now)


def try_out(db: sa.Connection, number: int, contact_id: int, by: str, text: str, now: datetime) -> None:
    """Send it to the writer's own WeChat user, marked as a trial; it counts nowhere."""
    plan = f"{broadcast_desk.TEST}{number}"
    trial = Letter(
        key=f"{plan}:{by}:{now.isoformat()}",
        purpose=Purpose.CARE,
        text=text,
        not_before=now,
        useful_until=now + TRIAL_USEFUL,
        contact_id=contact_id,
        plan=plan,
        author=by,
    )
    letters.put(db, trial, now)
    _audit(db, by, "try out", number, now)


def state(db: sa.Connection, number: int) -> str:
    """draft, approved, running, paused, stopped or finished.

    Raises:
        BroadcastRefused: there is no such broadcast.
    """
    return str(_known(db, number).state)


def status(db: sa.Connection, number: int) -> dict[str, Any]:
    """Where it stands, and what became of every member of the audience.

    `planned` is the audience; each of them is withheld for a reason, sent (of which some are known to be delivered),
    failed, or still waiting. `replied`, `booked` (within 48 hours) and `unfollowed` count those whom it reached.

    Raises:
        BroadcastRefused: there is no such broadcast.
    """
    row = _known(db, number)
    verdicts = broadcasts.audience_verdicts(db, number)
    eligible = verdicts.pop("", 0)
    counts = dict.fromkeys(("sent", "delivered", "failed"), 0)
    withheld, written = dict(verdicts), 0
    for letter in broadcasts.letter_states(db, number):
        written += letter.size
        if letter.state in NO_LETTER:
            reason = _reason(letter)
            withheld[reason] = withheld.get(reason, 0) + letter.size
        elif letter.state in counts:
            counts[letter.state] += letter.size
    if row.state == "stopped" and eligible > written:
        withheld["stopped"] = withheld.get("stopped", 0) + eligible - written
    planned = eligible + sum(verdicts.values())
    sent = counts["sent"] + counts["delivered"]
    return {
        "id": row.id,
        "state": row.state,
        "reason": row.reason or None,
        "purpose": row.purpose,
        "planned": planned,
        "withheld": dict(sorted(withheld.items())),
        "sent": sent,
        "delivered": counts["delivered"],
        "failed": counts["failed"],
        "waiting": planned - sum(withheld.values()) - sent - counts["failed"],
        **broadcasts.answers(db, number, ATTRIBUTED),
    }


def _reason(letter: Row) -> str:
    """The first word of a letter's reason; the rest says what single routes answered."""
    return str(letter.reason or letter.state).partition(" ")[0]


def _broadcast(db: sa.Connection, number: int, *states: str) -> Row:
    row = broadcasts.broadcast(db, number)
    if row is None:
        raise BroadcastRefused(f"broadcast {number}: there is none")
    if states and row.state not in states:
        raise BroadcastRefused(f"broadcast {number}: is {row.state}, not {' or '.join(states)}")
    return row


def _known(db: sa.Connection, number: int) -> Row:
    row = broadcast_desk.one(db, number)
    if row is None:
        raise BroadcastRefused(f"broadcast {number}: there is none")
    return row


def _user(db: sa.Connection, name: str) -> Row:
    user = staff.user(db, name)
    if user is None or not user.active:
        raise BroadcastRefused(f"--by {name}: there is no such console user")
    return user


def _keep(db: sa.Connection, number: int, by: str, event: str, now: datetime) -> None:
    row = _known(db, number)
    broadcast_desk.add_version(db, number, by, event, content(row), now)


def content(row: Row) -> dict[str, Any]:
    """Everything that an approval is about, as it is kept: JSON values."""
    values = {name: getattr(row, name) for name in CONTENT}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _still(db: sa.Connection, number: int, seen: int | None) -> None:
    if seen is not None and seen != broadcast_desk.newest_version(db, number):
        raise ChangedMeanwhile(f"broadcast {number}: was changed meanwhile")


def check_audience(db: sa.Connection, segment: Segment, purpose: Purpose) -> None:
    """Whether the purpose may use these conditions, and those of the earlier broadcasts on which they build.

    Raises:
        BroadcastRefused: it may not; who was chosen by health once must not be advertised to by that (MKT-07).
    """
    waiting, looked_at = [segment], 0
    while waiting:
        one = waiting.pop()
        try:
            segments.check(one, purpose)
        except segments.SegmentRefused as refusal:
            raise BroadcastRefused(str(refusal)) from refusal
        looked_at += 1
        if looked_at > DEEPEST:
            raise BroadcastRefused("受众引用的群发太多层")
        waiting += [segments.load(_known(db, number).segment) for number in one.earlier]


def _check(db: sa.Connection, values: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> None:
    purpose = Purpose(values["purpose"])
    check_audience(db, segments.load(values["segment"]), purpose)
    faults = lint.faults(
        values["text"],
        purpose,
        licence=values["licence"],
        licence_until=values["licence_until"],
        today=now.astimezone(zone).date(),
    )
    if faults:
        raise BroadcastRefused("；".join(faults))


def _fingerprint(row: Row) -> str:
    """Of everything that an approval is about."""
    parts = (row.purpose, row.text, row.segment, row.licence, str(row.licence_until), str(row.hold_out))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _hold_out(db: sa.Connection, number: int, share: int) -> None:
    """Keep back so many per cent, always the same people for the same broadcast."""
    cursor = ""
    while codes := broadcasts.eligible_after(db, number, cursor, CHUNK):
        kept = [code for code in codes if int(client_id(f"{number}:{code}")[:8], 16) % 100 < share]
        broadcasts.set_verdict(db, number, kept, "held_out")
        cursor = codes[-1]


def _audit(db: sa.Connection, by: str, action: str, number: int, now: datetime) -> None:
    audit.append(db, by, f"broadcast {action}", f"broadcast {number}", "", now)
