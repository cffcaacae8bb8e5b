"""COPD after an exacerbation: breath, oxygen, visit and inhaler, then every quarter; in October the vaccines."""

from bot.flows.plan import Plan, Repeat, Risk, Step

PLAN = Plan(
    id="copd",
    version=1,
    risk=Risk.HIGH,
    episode="tag",
    labels=frozenset({"慢阻肺"}),
    subject="健康随访",
    ends_with_admission=False,
    steps=(
        Step("d2", 2, questions=("breath", "spo2", "inhaler")),
        Step("d7", 7, questions=("breath", "spo2")),
        Step("d14", 14, questions=("breath", "med")),
        Step("d21", 21, questions=("visit",)),
        Step("m1", months=1, questions=("breath", "spo2", "med", "cat")),
        Step("quarterly", months=3, repeat=Repeat(months=3), questions=("breath", "spo2", "cat", "visit")),
        Step("vaccines", yearly_on=(10, 15), repeat=Repeat(months=12), text="plan/vaccines_autumn"),
    ),
)
