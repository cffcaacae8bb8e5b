"""After a stroke: the FAST signs, swallowing, mood; blood pressure twice a week; the review of needs at month 6, then yearly."""

from datetime import time

from bot.flows.plan import Plan, Repeat, Risk, Step

EIGHT = time(8)  # the reading before breakfast; nothing goes out before eight

PLAN = Plan(
    id="stroke",
    version=1,
    risk=Risk.HIGH,
    episode="tag",
    labels=frozenset({"卒中后"}),
    subject="健康随访",
    ends_with_admission=False,
    steps=(
        Step("d1", 1, questions=("fast", "flags")),
        Step("d3", 3, questions=("fast", "choking")),
        Step("d7", 7, questions=("fast", "med_vital")),
        Step("d14", 14, questions=("fast", "mood", "interest")),
        Step("m1", months=1, questions=("fast", "med_vital", "choking")),
        Step("m3", months=3, questions=("fast", "med_vital", "mood", "interest")),
        Step("m6", months=6, questions=("visit", "call")),
        Step("monday", 2, EIGHT, weekday=0, repeat=Repeat(days=7, until=91), questions=("bp",)),
        Step("thursday", 2, EIGHT, weekday=3, repeat=Repeat(days=7, until=91), questions=("bp",)),
        Step("yearly", months=12, repeat=Repeat(months=12), questions=("visit", "call")),
    ),
)
