"""The follow-up protocol as a table: when each plan speaks, and what it asks. Source: safety.md §2.3 to §2.6."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from bot.flows import PLANS
from bot.flows.plan import contacts
from tests.chat import ZONE

ANCHOR = datetime(2026, 12, 1, 9, tzinfo=ZONE)  # a Tuesday
JITTER = timedelta(minutes=20)

# Plan, then its contacts: day from the anchor (or a date), hour, and questions of which each must be among those asked.
OPERATIONS = {
    "preop": "-7 10:00 preop_medicines; -3 10:00 preop_health; -1 10:00; -1 18:00; 0 06:30 preop_today_ate preop_today_fever",
    "preop_bowel": "-1 20:00 preop_bowel",
    "abdominal": "0 19:00 flags; 1 10:00 pain eat; 3 10:00 temp wound bowel belly; 7 10:00 wound med visit skin_eyes; "
    "14 10:00 flags visit; 30 10:00 feel csat",
    "birth": "1 10:00 flags; 3 10:00 flags lochia; 5 10:00 mood feeding; 7 10:00 wound leg; 14 10:00 mood; 28 10:00 mood; "
    "42 10:00 visit",
    "joint": "1 10:00 flags leg; 3 10:00 pain leg; 7 10:00 joint_wound leg med_vital; 14 10:00 joint_wound; "
    "2027-01-01 10:00 walking; 2027-03-01 10:00; 2027-06-01 10:00; 2027-12-01 10:00 visit",
    "cataract": "0 19:00 pain; 1 08:30 vision; 3 10:00; 7 10:00 drops; 14 10:00; 2027-01-01 10:00",
    "dental": "0 20:00 bleed_tooth; 1 10:00 pain swallow; 3 10:00 tooth_pain; 7 10:00 stitches; 2027-01-01 10:00 implant; "
    "2027-03-01 10:00 implant; 2027-06-01 10:00 implant",
    "tonsil": "0 19:00 bleed_throat drink; 1 10:00 drink; 2 10:00 drink; 4 10:00 bleed_throat; 5 10:00 bleed_throat; "
    "7 10:00 bleed_throat; 9 10:00 bleed_throat; 12 10:00 bleed_throat; 14 10:00 visit",
    "cosmetic": "0 20:00 injected_colour; 1 10:00; 3 10:00; 7 10:00; 14 10:00; 2027-01-01 10:00; 2027-03-01 10:00",
    "injection": "0 11:00 injected_colour",
    "pci": "0 19:00 puncture chest; 1 10:00 chest; 3 10:00 med_vital; 7 10:00 med_vital; 14 10:00 bp; "
    "2027-01-01 10:00 med_vital visit; 2027-03-01 10:00; 2027-06-01 10:00; 2027-12-01 10:00 med_vital",
    "endoscopy": "0 19:00 belly_endoscopy awake; 1 10:00; 3 10:00 stool_blood; 7 10:00 stool_blood; 10 10:00 stool_blood; "
    "14 10:00 stool_blood",
    "dayga": "0 18:00 neck awake; 0 20:00 neck awake; 1 10:00 tingling; 3 10:00 drain; 7 10:00 wound; 14 10:00 visit; "
    "2027-01-01 10:00",
}
CHRONIC = {
    "diabetes": "2026-12-03 08:00 glu; 2026-12-07 08:00 glu med_vital; 2026-12-09 10:00 foot; 2026-12-10 08:00 glu; "
    "2026-12-14 08:00 glu; 2026-12-17 08:00 glu; 2026-12-21 08:00; 2026-12-24 08:00; 2026-12-28 08:00; 2027-01-04 08:00",
    "hypertension": "; ".join(f"{day} 08:00 bp" for day in (*range(1, 15), 21, 28, 35)),
    "copd": "2 10:00 breath spo2; 7 10:00 breath; 14 10:00 breath; 21 10:00 visit; 2027-01-01 10:00 breath cat",
    "stroke": "1 10:00 fast flags; 2026-12-03 08:00 bp; 3 10:00 fast; 2026-12-07 08:00 bp; 7 10:00 fast; "
    "2026-12-10 08:00 bp; 2026-12-14 08:00 bp; 14 10:00 fast mood; 2026-12-17 08:00 bp; 2026-12-21 08:00 bp; "
    "2026-12-24 08:00 bp; 2026-12-28 08:00 bp; 2026-12-31 08:00 bp; 2027-01-01 10:00 fast; 2027-01-04 08:00 bp",
    "newborn": "2 10:00 milk jaundice; 3 10:00 cord; 5 10:00 nappies; 7 10:00 nappies; 14 10:00; 28 10:00 child_visit",
    "exam": "-3 18:00; -1 18:00",
    "exam_after": "7 10:00 exam_read; 30 10:00 recheck",
    "happy_call": "1 10:00 feel flags med visit understood whom_to_call csat remark",
    "happy_call_outpatient": "1 10:00 feel med csat",
}
EARLY = {"preop"}  # the morning of the operation is the only contact before eight


def written(row: str) -> tuple[datetime, set[str]]:
    """A row of the tables."""
    day, hour, *questions = row.split()
    date = datetime.fromisoformat(day) if "-" in day[1:] else ANCHOR.replace(hour=0) + timedelta(int(day))
    clock = time.fromisoformat(hour)
    return datetime.combine(date, clock, ZONE), set(questions)


@pytest.mark.parametrize("plan_id", [*OPERATIONS, *CHRONIC])
def test_the_protocol_is_kept(plan_id: str) -> None:
    expected = [written(row) for row in (OPERATIONS | CHRONIC)[plan_id].split("; ")]
    until = max(moment for moment, _ in expected) + timedelta(hours=2)
    plan = next(one for one in PLANS.values() if one.id == plan_id)
    found = sorted(contacts(plan, ANCHOR, ZONE, seed="P1/procedure:OP1", until=until), key=lambda one: one.at)
    kept = [one for one in found if one.at <= until]
    assert len(kept) == len(expected), [f"{one.step.id} {one.at.astimezone(ZONE)}" for one in kept]
    for due, (moment, questions) in zip(kept, sorted(expected, key=lambda one: one[0]), strict=True):
        assert abs(due.at - moment) <= JITTER, (due.step.id, due.at.astimezone(ZONE), moment)
        assert questions <= set(due.step.questions), (due.step.id, due.step.questions)
        assert plan_id in EARLY or due.at.astimezone(ZONE).hour >= 8


def test_the_autumn_vaccines_come_in_october() -> None:
    copd = next(one for one in PLANS.values() if one.id == "copd")
    until = ANCHOR + timedelta(days=800)
    days = [
        due.at.astimezone(ZONE).date().isoformat()
        for due in contacts(copd, ANCHOR, ZONE, seed="P1", until=until)
        if due.step.id == "vaccines"
    ]
    assert days == ["2027-10-15", "2028-10-15"]
