"""Days that the hospital wrote down as a tag: 复诊2026-12-20 (to come again), 续方2026-12-20 (new medicines).

Who has arranged to come about that day is not reminded; who has not come is asked once more.
"""

from datetime import timedelta

from bot.flows.plan import Plan, Risk, Step

REVISIT = Plan(
    id="revisit",
    version=1,
    risk=Risk.LOW,
    episode="due",
    labels=frozenset({"revisit"}),
    clinical=False,
    subject="就诊提醒",
    minimum_level=1,
    ends_with_admission=False,
    repeats_when_moved=True,
    steps=(
        Step("t7", -7, questions=("visit",), text="plan/revisit_due", useful=timedelta(days=3)),
        Step("t1", -1, questions=("visit",), text="plan/revisit_due", useful=timedelta(hours=20)),
        Step("late7", 7, questions=("visit",), text="plan/revisit_late", useful=timedelta(days=7)),
    ),
)

REFILL = Plan(
    id="refill",
    version=1,
    risk=Risk.LOW,
    episode="due",
    labels=frozenset({"refill"}),
    subject="就诊随访",
    ends_with_admission=False,
    steps=(
        Step("t5", -5, questions=("refill",), useful=timedelta(days=3)),
        Step("t0", 0, questions=("refill",), useful=timedelta(days=2)),
    ),
)
