"""After an injection in the face: two hours later, when a blocked vessel can still be treated."""

from datetime import timedelta

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="injection",
    version=1,
    risk=Risk.NORMAL,
    episode="procedure",
    traits=frozenset({"injection"}),
    anchor="at",
    subject="术后随访",
    steps=(
        Step(
            "h2",
            at=None,
            after=timedelta(hours=2),
            questions=("injected_colour",),
            useful=timedelta(hours=3),
            crowded=True,
        ),
    ),
)
