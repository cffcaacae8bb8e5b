"""A newborn: milk, nappies, colour and cord in the first month; then the national check-ups to three years.

Dates of vaccines are never computed: the orders in use differ, and a wrong one is worse than none.
"""

from datetime import timedelta

from bot.flows.plan import Plan, Risk, Step

A_WEEK = timedelta(days=7)
CHECKS = (3, 6, 8, 12, 18, 24, 30, 36)  # months of age

PLAN = Plan(
    id="newborn",
    version=1,
    risk=Risk.HIGH,
    episode="birth",
    subject="新生儿随访",
    pregnancy=True,
    steps=(
        Step("b2", 2, questions=("milk", "jaundice")),
        Step("b3", 3, questions=("milk", "jaundice", "cord")),
        Step("b5", 5, questions=("nappies", "jaundice", "cord")),
        Step("b7", 7, questions=("nappies", "jaundice", "cord")),
        Step("b14", 14, questions=("nappies", "jaundice", "cord")),
        Step("b28", 28, questions=("milk", "child_visit")),
        *(Step(f"m{age}", months=age, questions=("child_visit",), useful=A_WEEK) for age in CHECKS),
    ),
)
