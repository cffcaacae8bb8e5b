"""What we start of ourselves, one file a plan. A new plan is a file, its texts, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.flows import (
    antenatal,
    chronic_copd,
    chronic_diabetes,
    chronic_hypertension,
    chronic_stroke,
    due,
    exam,
    happy_call,
    newborn,
    postop_abdominal,
    postop_birth,
    postop_cataract,
    postop_cosmetic,
    postop_dayga,
    postop_dental,
    postop_endoscopy,
    postop_injection,
    postop_joint,
    postop_pci,
    postop_tonsil,
    preop,
    preop_bowel,
    visit_reminder,
)
from bot.flows.plan import Plan

# Every version that somebody may still run with; who begins today begins with the newest.
PLANS: Final[Mapping[tuple[str, int], Plan]] = {
    plan.key: plan
    for plan in (
        preop.PLAN,
        preop_bowel.PLAN,
        postop_abdominal.PLAN,
        postop_birth.PLAN,
        postop_joint.PLAN,
        postop_cataract.PLAN,
        postop_dental.PLAN,
        postop_tonsil.PLAN,
        postop_cosmetic.PLAN,
        postop_injection.PLAN,
        postop_pci.PLAN,
        postop_endoscopy.PLAN,
        postop_dayga.PLAN,
        chronic_diabetes.PLAN,
        chronic_hypertension.PLAN,
        chronic_copd.PLAN,
        chronic_stroke.PLAN,
        antenatal.PLAN,
        newborn.PLAN,
        exam.BEFORE,
        exam.AFTER,
        exam.FINDINGS,
        exam.CONTACTED,
        due.REVISIT,
        due.REFILL,
        visit_reminder.PLAN,
        visit_reminder.IMPORTED,
        visit_reminder.MISSED,
        visit_reminder.MISSED_IMPORTED,
        happy_call.INPATIENT,
        happy_call.OUTPATIENT,
    )
}
