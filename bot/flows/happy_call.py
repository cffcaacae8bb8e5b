"""The happy call: one to three days after a discharge or a visit, one question at a time.

Who does not answer after a discharge is rung up: one work item, done in the chat or by phone, whichever comes first.
It finds problems, medicines not got, bookings not made; it is never sold as fewer readmissions.
"""

from datetime import timedelta

from bot.domain.letter import Purpose
from bot.flows.plan import Plan, Risk, Step

WITHIN = timedelta(hours=48)  # it may still begin on the third day

INPATIENT = Plan(
    id="happy_call",
    version=1,
    risk=Risk.NORMAL,
    episode="visit",
    labels=frozenset({"inpatient"}),
    statuses=frozenset({"done"}),
    anchor="discharged",
    purpose=Purpose.SURVEY,
    subject="出院回访",
    phone_when_silent=True,
    steps=(
        Step(
            "d1",
            1,
            questions=("feel", "flags", "med", "visit", "understood", "whom_to_call", "csat", "remark"),
            useful=WITHIN,
        ),
    ),
)

OUTPATIENT = Plan(
    id="happy_call_outpatient",
    version=1,
    risk=Risk.LOW,
    episode="visit",
    labels=frozenset({"outpatient"}),
    statuses=frozenset({"done"}),
    purpose=Purpose.SURVEY,
    subject="诊后回访",
    steps=(Step("d1", 1, questions=("feel", "med", "csat", "remark"), useful=WITHIN),),
)
