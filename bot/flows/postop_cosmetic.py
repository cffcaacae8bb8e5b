"""After cosmetic injections and operations: to month 3. Nothing is ever sold in it."""

from datetime import time, timedelta

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="cosmetic",
    version=1,
    risk=Risk.NORMAL,
    episode="procedure",
    labels=frozenset({"cosmetic"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(20), questions=("injected_colour", "one_side_swelling"), crowded=True),
        Step("d1", 1, questions=("injected_colour", "one_side_swelling")),
        Step("d3", 3, questions=("injected_colour", "temp")),
        Step("d7", 7, questions=("wound",)),
        Step("d14", 14, questions=("feel",)),
        Step("m1", months=1, questions=("feel",), useful=timedelta(days=3)),
        Step("m3", months=3, questions=("feel", "visit"), useful=timedelta(days=3)),
    ),
)
