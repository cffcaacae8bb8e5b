"""Diabetes: two fasting readings a week for four weeks, then one; medicines, feet, check-ups."""

from datetime import time

from bot.flows.plan import Plan, Repeat, Risk, Step

EIGHT = time(8)  # the reading before breakfast; nothing goes out before eight

PLAN = Plan(
    id="diabetes",
    version=1,
    risk=Risk.NORMAL,
    episode="tag",
    labels=frozenset({"糖尿病"}),
    subject="健康随访",
    ends_with_admission=False,
    steps=(
        Step("monday", 1, EIGHT, weekday=0, repeat=Repeat(days=7), questions=("glu", "med_vital")),
        Step("thursday", 1, EIGHT, weekday=3, repeat=Repeat(days=7, until=28), questions=("glu",)),
        Step("feet", 8, weekday=2, repeat=Repeat(days=28), questions=("foot",)),
        Step("visit", months=3, weekday=1, repeat=Repeat(months=3), questions=("visit",)),
        Step("yearly", months=12, weekday=4, repeat=Repeat(months=12), text="plan/diabetes_yearly"),
    ),
)
