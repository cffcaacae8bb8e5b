"""Health checks: before (fasting, what to bring) and after (understood? rechecked? again next year).

What an abnormal finding means is told by a clinician by phone first; nothing here speaks of a result.
"""

from datetime import time, timedelta

from bot.flows.plan import Plan, Risk, Step

BEFORE = Plan(
    id="exam",
    version=1,
    risk=Risk.LOW,
    episode="visit",
    labels=frozenset({"exam"}),
    statuses=frozenset({"planned"}),
    clinical=False,
    subject="体检提醒",
    minimum_level=1,
    ends_with_admission=False,
    repeats_when_moved=True,
    steps=(
        Step("t3", -3, time(18), text="plan/exam_before", useful=timedelta(hours=20)),
        Step("t1", -1, time(18), text="plan/exam_before", useful=timedelta(hours=3)),
    ),
)

AFTER = Plan(
    id="exam_after",
    version=1,
    risk=Risk.LOW,
    episode="visit",
    labels=frozenset({"exam"}),
    statuses=frozenset({"done"}),
    anchor="reported",
    subject="体检随访",
    steps=(
        Step("r7", 7, questions=("exam_read",), useful=timedelta(days=7)),
        Step("r30", 30, questions=("recheck",), useful=timedelta(days=7)),
        Step("m11", months=11, text="plan/exam_again", useful=timedelta(days=20)),
    ),
)

FINDINGS = Plan(
    id="exam_findings",
    version=1,
    risk=Risk.LOW,
    episode="visit",
    labels=frozenset({"exam"}),
    traits=frozenset({"finding"}),
    statuses=frozenset({"done"}),
    anchor="reported",
    subject="体检随访",
    steps=(
        Step("m3", months=3, questions=("recheck",), useful=timedelta(days=7)),
        Step("m6", months=6, questions=("recheck",), useful=timedelta(days=7)),
    ),
)

# A value that threatens life: the hospital calls; we only ask whether it did, and say nothing of the value.
CONTACTED = Plan(
    id="exam_contacted",
    version=1,
    risk=Risk.HIGH,
    episode="report",
    labels=frozenset({"critical"}),
    statuses=frozenset({"done"}),
    subject="体检随访",
    steps=(Step("r1", 1, questions=("contacted",)),),
)
