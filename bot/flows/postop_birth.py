"""After a birth: the mother, to day 42. A lost pregnancy ends it at once."""

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="birth",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"birth"}),
    subject="产后随访",
    pregnancy=True,
    steps=(
        Step("d1", 1, questions=("flags",)),
        Step("d3", 3, questions=("flags", "lochia", "headache")),
        Step("d5", 5, questions=("mood", "interest", "feeding")),
        Step("d7", 7, questions=("wound", "leg", "lochia")),
        Step("d14", 14, questions=("mood", "interest", "headache")),
        Step("d28", 28, questions=("mood", "interest")),
        Step("d42", 42, questions=("visit", "feel")),
    ),
)
