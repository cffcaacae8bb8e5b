"""Before an operation: what to tell us, what to bring, when to stop eating. We repeat the hospital's own order;
we decide nothing. The operation's hour is never named, so that a wrong one cannot be."""

from datetime import time, timedelta

from bot.domain.letter import Purpose
from bot.flows.plan import Plan, Risk, Step
from bot.hospital.episodes import FAMILIES

PLAN = Plan(
    id="preop",
    version=1,
    risk=Risk.HIGH,
    episode="procedure",
    labels=FAMILIES,
    subject="术前提醒",
    ends_with_admission=False,
    repeats_when_moved=True,
    announces_cancelling=True,
    future_only=True,
    steps=(
        Step("t7", -7, questions=("preop_medicines",), useful=timedelta(days=2)),
        Step("t3", -3, questions=("preop_health",), useful=timedelta(days=1)),
        Step(
            "t1_10",
            -1,
            time(10),
            text="plan/preop_fasting",
            useful=timedelta(hours=8),
            crowded=True,
            task="请确认患者已知道禁食禁水的具体时间",  # the order itself is not among what we are told
        ),
        Step("t1_18", -1, time(18), text="plan/preop_fasting", useful=timedelta(hours=2), crowded=True),
        Step(
            "t0",
            0,
            time(6, 30),
            questions=("preop_today_ate", "preop_today_fever"),
            purpose=Purpose.TRANSACTION,  # about the operation of this very day: it does not wait for eight
            useful=timedelta(hours=2),
            jitter=False,
            crowded=True,
        ),
    ),
)
