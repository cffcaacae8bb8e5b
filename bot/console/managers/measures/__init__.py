"""What managers measure: every figure with its definition, how sure it is, and the people behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa

from bot.console.managers.measures import care, growth, service
from bot.console.managers.measures.base import Section, Span

SECTIONS: Final[Mapping[str, Callable[[sa.Connection, Span], Section]]] = {
    "satisfaction": service.satisfaction,
    "response": service.response,
    "workload": service.workload,
    "follow_up": care.follow_up,
    "complaints": care.complaints,
    "campaigns": growth.campaigns,
    "retention": growth.retention,
}
# Each figure's section, so that its page counts nothing else.
OF_SECTION: Final[Mapping[str, str]] = {
    figure: section
    for section, figures in {
        "satisfaction": "csat low_scores",
        "response": "first_reply first_reply_p90 answered promises alarms wait wait_p90 quick false",
        "workload": "replies tries colleagues workload",
        "follow_up": "coverage replied reached reach",
        "complaints": "complaints overdue on_time first_look handling handling_p90 accepted praise",
        "campaigns": "broadcasts",
        "retention": "retention_90 retention_180 retention_365 churn",
    }.items()
    for figure in figures.split()
}
