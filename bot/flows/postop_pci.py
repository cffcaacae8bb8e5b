"""After a stent or a pacemaker: to a year, and the antithrombotics all along."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="pci",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"pci"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(19), questions=("puncture", "chest"), crowded=True),
        Step("d1", 1, questions=("puncture", "chest")),
        Step("d3", 3, questions=("chest", "med_vital")),
        Step("d7", 7, questions=("med_vital", "chest")),
        Step("d14", 14, questions=("bp", "chest")),
        Step("m1", months=1, questions=("med_vital", "visit")),
        Step("m3", months=3, questions=("med_vital",)),
        Step("m6", months=6, questions=("med_vital",)),
        Step("m12", months=12, questions=("med_vital", "visit")),
    ),
)
