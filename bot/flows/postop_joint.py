"""After a hip or knee replacement or a fracture: counted from the discharge, to a year."""

from bot.flows.plan import Plan, Risk, Step

PLAN = Plan(
    id="joint",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=frozenset({"joint"}),
    anchor="discharge",
    subject="术后随访",
    steps=(
        Step("d1", 1, questions=("flags", "leg")),
        Step("d3", 3, questions=("pain", "leg")),
        Step("d7", 7, questions=("joint_wound", "temp", "leg", "med_vital")),
        Step("d14", 14, questions=("joint_wound", "temp")),
        Step("m1", months=1, questions=("walking", "leg")),
        Step("m3", months=3, questions=("walking", "joint_wound")),
        Step("m6", months=6, questions=("walking",)),
        Step("m12", months=12, questions=("visit",)),
    ),
)
