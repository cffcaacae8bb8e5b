"""After an extraction or an implant: a week, and for implants to month 6."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="dental",
    version=1,
    risk=Risk.NORMAL,
    episode="procedure",
    labels=frozenset({"dental"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(20), questions=("bleed_tooth",), crowded=True),
        Step("d1", 1, questions=("pain", "swallow")),
        Step("d3", 3, questions=("tooth_pain", "swallow")),
        Step("d7", 7, questions=("tooth_pain", "stitches", "visit")),
        Step("m1", months=1, questions=("implant",)),
        Step("m3", months=3, questions=("implant",)),
        Step("m6", months=6, questions=("implant", "visit")),
    ),
)
