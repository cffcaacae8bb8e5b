"""After a cataract operation: to a month. A second eye is another operation, and another instance."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="cataract",
    version=1,
    risk=Risk.NORMAL,
    episode="procedure",
    labels=frozenset({"cataract"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(19), questions=("pain",), crowded=True),
        Step("d1", 1, time(8, 30), questions=("vision",)),
        Step("d3", 3, questions=("vision", "drops")),
        Step("d7", 7, questions=("vision", "drops")),
        Step("d14", 14, questions=("vision",)),
        Step("m1", months=1, questions=("vision", "visit")),
    ),
)
