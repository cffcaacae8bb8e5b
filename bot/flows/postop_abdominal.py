"""After laparoscopic and other abdominal operations: to day 30."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="abdominal",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"abdominal"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(19), questions=("flags",), crowded=True),
        Step("d1", 1, questions=("pain", "eat")),
        Step("d3", 3, questions=("belly", "temp", "wound", "bowel")),
        Step("d7", 7, questions=("wound", "belly", "skin_eyes", "med", "visit")),
        Step("d14", 14, questions=("flags", "visit")),
        Step("d30", 30, questions=("feel", "csat")),
    ),
)
