"""The evening before a look into the bowel, or an operation of it: does the preparation work?

The hospital said when to drink it; nothing here says how much or when.
"""

from datetime import time, timedelta

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="preop_bowel",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    traits=frozenset({"bowel_prep"}),
    subject="术前提醒",
    ends_with_admission=False,
    repeats_when_moved=True,
    future_only=True,
    steps=(Step("t1_20", -1, time(20), questions=("preop_bowel",), useful=timedelta(hours=1), crowded=True),),
)
