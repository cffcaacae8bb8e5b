"""High blood pressure: a reading a day for two weeks, weekly to month 3, then monthly."""

from datetime import time

from bot.flows.plan import Plan, Repeat, Risk, Step

EIGHT = time(8)

PLAN = Plan(
    id="hypertension",
    version=1,
    risk=Risk.NORMAL,
    episode="tag",
    labels=frozenset({"高血压"}),
    subject="健康随访",
    ends_with_admission=False,
    steps=(
        Step("daily", 1, EIGHT, repeat=Repeat(days=1, until=14), questions=("bp",)),
        Step("weekly", 21, EIGHT, repeat=Repeat(days=7, until=91), questions=("bp", "med")),
        Step("monthly", 14, EIGHT, months=3, repeat=Repeat(months=1), questions=("bp", "med")),
    ),
)
