"""After a stroke: the FAST signs, blood pressure, swallowing, mood; the full review of needs at month 6, then yearly."""

from bot.flows.plan import Plan, Repeat, Risk, Step

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
        Step("d3", 3, questions=("fast", "bp", "choking")),
        Step("d7", 7, questions=("fast", "bp", "med_vital")),
        Step("d10", 10, questions=("bp",)),
        Step("d14", 14, questions=("fast", "bp", "mood", "interest")),
        Step("m1", months=1, questions=("fast", "med_vital", "choking")),
        Step("m3", months=3, questions=("fast", "med_vital", "mood", "interest")),
        Step("m6", months=6, questions=("visit", "call")),
        Step("yearly", months=12, repeat=Repeat(months=12), questions=("visit", "call")),
    ),
)
