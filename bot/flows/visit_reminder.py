"""A booking made here: the day before and two hours before; answered by coming, cancelling or moving.

And who did not come is asked whether to book anew.
"""

from datetime import time, timedelta

from bot.domain.letter import Purpose
from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="visit",
    version=1,
    risk=Risk.NORMAL,
    episode="appointment",
    statuses=frozenset({"planned"}),
    anchor="at",
    clinical=False,
    purpose=Purpose.TRANSACTION,
    subject="就诊提醒",
    minimum_level=1,
    ends_with_admission=False,
    repeats_when_moved=True,
    future_only=True,
    steps=(
        Step("t1d", -1, time(10), questions=("reminder",), useful=timedelta(hours=10), jitter=False),
        Step("t2h", at=None, after=timedelta(hours=-2), text="plan/visit_soon", useful=timedelta(hours=1)),
    ),
)

# Bookings that only the hospital's own system knows, by their day.
IMPORTED = Plan(
    id="visit_day",
    version=1,
    risk=Risk.NORMAL,
    episode="visit",
    labels=frozenset({"outpatient"}),
    statuses=frozenset({"planned"}),
    clinical=False,
    purpose=Purpose.TRANSACTION,
    subject="就诊提醒",
    minimum_level=1,
    ends_with_admission=False,
    repeats_when_moved=True,
    future_only=True,
    steps=(Step("t1d", -1, time(10), questions=("coming",), useful=timedelta(hours=10), jitter=False),),
)

MISSED_STEPS = (Step("rebook", 1, questions=("rebook",), useful=timedelta(days=2)),)
MISSED = Plan(
    id="missed",
    version=1,
    risk=Risk.LOW,
    episode="appointment",
    statuses=frozenset({"noshow"}),
    clinical=False,
    subject="就诊随访",
    minimum_level=1,
    steps=MISSED_STEPS,
)
MISSED_IMPORTED = Plan(
    id="missed_visit",
    version=1,
    risk=Risk.LOW,
    episode="visit",
    labels=frozenset({"outpatient", "exam"}),
    statuses=frozenset({"noshow"}),
    clinical=False,
    subject="就诊随访",
    minimum_level=1,
    steps=MISSED_STEPS,
)
