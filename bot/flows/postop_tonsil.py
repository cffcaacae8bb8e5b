"""After tonsils, adenoids or nose: to day 14; the late bleeding of days 5 to 9 is asked for. Parents are written to."""

from datetime import time

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="tonsil",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"tonsil"}),
    subject="术后随访",
    steps=(
        Step("d0", 0, time(19), questions=("bleed_throat", "drink"), crowded=True),
        Step("d1", 1, questions=("bleed_throat", "drink")),
        Step("d2", 2, questions=("bleed_throat", "drink")),
        Step("d4", 4, questions=("bleed_throat",)),
        Step("d5", 5, questions=("bleed_throat",)),
        Step("d7", 7, questions=("bleed_throat",)),
        Step("d9", 9, questions=("bleed_throat",)),
        Step("d12", 12, questions=("bleed_throat",)),
        Step("d14", 14, questions=("bleed_throat", "visit")),
    ),
)
