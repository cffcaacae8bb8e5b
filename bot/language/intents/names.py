"""The names of what a message can want."""

from __future__ import annotations

from typing import Final

# Something the patient asks us to do or to look up; several may stand in one message.
TASKS: Final = frozenset(
    {
        "appointment.book",
        "appointment.cancel",
        "appointment.reschedule",
        "appointment.query",
        "report.query",
        "triage.recommend",
        "points.balance",
        "points.redeem",
        "membership.coupon",
        "human.handoff",
        "optout",
        "info.faq",
    }
)
# Wants that need no word of their own: any sentence may be one of these.
OPEN: Final = frozenset({"unknown", "health.consult", "medication.postop", "greeting.chitchat", "info.faq"})
INTENTS: Final = TASKS | OPEN | {"complaint", "praise", "thanks"}
# "emergency" is not among them: the red flags alone decide it.


def known(intent: str) -> str:
    """*intent* itself. Raises ValueError when nothing is called so."""
    if intent not in INTENTS:
        raise ValueError(f'no intent is called "{intent}"')
    return intent
