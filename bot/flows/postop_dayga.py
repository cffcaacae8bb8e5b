"""After thyroid, breast and other day surgery under general anaesthesia: to a month."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="dayga",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"dayga"}),
    subject="术后随访",
    steps=(
        Step("d0_18", 0, time(18), questions=("neck", "awake"), crowded=True),
        Step("d0_20", 0, time(20), questions=("neck", "awake"), crowded=True),
        Step("d1", 1, questions=("neck", "tingling")),
        Step("d3", 3, questions=("drain", "temp")),
        Step("d7", 7, questions=("wound",)),
        Step("d14", 14, questions=("visit",)),
        Step("m1", months=1, questions=("feel",)),
    ),
)
