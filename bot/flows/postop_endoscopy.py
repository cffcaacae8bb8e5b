"""After an endoscopy: a day; where something was removed the late bleeding is asked for to day 14."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="endoscopy",
    version=1,
    risk=Risk.NORMAL,
    episode="procedure",
    labels=frozenset({"endoscopy"}),
    subject="检查后随访",
    steps=(
        Step("d0", 0, time(19), questions=("belly_endoscopy", "awake"), crowded=True),
        Step("d1", 1, questions=("belly_endoscopy", "stool_blood")),
        Step("d3", 3, questions=("stool_blood",)),
        Step("d7", 7, questions=("stool_blood",)),
        Step("d10", 10, questions=("stool_blood",)),
        Step("d14", 14, questions=("stool_blood", "visit")),
    ),
)
