"""A pregnancy whose weeks are known (tag 孕N周): the check-ups, and from 28 weeks on the child's movements.

A lost pregnancy ends it within the minute. Nothing in a text names the department or the reason.
"""

from datetime import timedelta

from bot.flows.plan import Plan, Repeat, Risk, Step

A_WEEK = timedelta(days=7)

PLAN = Plan(
    id="antenatal",
    version=1,
    risk=Risk.HIGH,
    episode="pregnancy",
    subject="就诊随访",
    pregnancy=True,
    ends_with_admission=False,
    steps=(
        # Three days before the weeks in which each check-up is due.
        Step("w11", 11 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("w16", 16 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("w21", 21 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("w24", 24 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("w35", 35 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("w37", 37 * 7 - 3, questions=("antenatal_visit",), useful=A_WEEK),
        Step("movements", 28 * 7, repeat=Repeat(days=7, until=41 * 7), questions=("movements",)),
    ),
)
