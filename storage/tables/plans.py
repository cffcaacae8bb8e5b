"""Promises over time: who follows which plan, every contact it owes, and why each went out or did not."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import BigId, maybe_moment, metadata, moment, row_id, text
from storage.types import SealedJSON

plan_instances = sa.Table(
    "plan_instances",
    metadata,
    row_id(),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # the one it began with
    sa.Column("episode", sa.Text, nullable=False),  # procedure:OP1, visit:V7, tag:糖尿病, appointment:12, …
    moment("anchor_at"),  # what the steps are counted from
    text("label"),  # of the episode: what a text may need to know of it
    text("state", default="running"),  # running, asking (whether to go on), stopped, finished
    text("reason"),
    sa.Column(
        "silent", sa.Integer, nullable=False, server_default="0"
    ),  # contacts in a row without an answer
    sa.Column("moves", sa.Integer, nullable=False, server_default="0"),  # how often the anchor moved
    maybe_moment("planned_until"),  # of a plan that repeats: up to where its contacts are written down
    moment("created_at"),
    moment("changed_at"),
    sa.UniqueConstraint("patient_code", "plan", "episode"),
    sa.Index("ix_plan_instances_plan_state", "plan", "state"),
    sa.Index("ix_plan_instances_episode", "episode"),
    sa.Index("ix_plan_instances_state_planned_until", "state", "planned_until"),
)

PENDING = "state IN ('planned', 'asked')"
ASKED = "asked_at IS NOT NULL"
MISSED = "state IN ('withheld', 'expired')"

touches = sa.Table(
    "touches",
    metadata,
    row_id(),
    # patient/plan/version/episode/step/occurrence: the same contact twice is one.
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("instance_id", sa.ForeignKey("plan_instances.id"), nullable=False, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False),
    text("step"),
    sa.Column("occurrence", sa.Integer, nullable=False, server_default="0"),
    text("purpose"),  # of its letter
    sa.Column("rank", sa.Integer, nullable=False),  # lower goes first: risk, then the order of the steps
    text("questions"),  # keys of the question bank, separated by spaces; those already answered are taken off
    sa.Column("place", sa.Integer, nullable=False, server_default="0"),  # which of them is open
    moment("due_at"),  # the next thing to do: send it, ask again, or take silence for an answer
    moment("useful_until"),
    text("state", default="planned"),  # planned, asked, sent, answered, silent, withheld, expired, cancelled
    text("reason"),
    sa.Column("asks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unclear", sa.Integer, nullable=False, server_default="0"),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=True),
    maybe_moment("asked_at"),
    maybe_moment("answered_at"),
    sa.Column("answers", SealedJSON("touches.answers"), nullable=True),  # question → what was answered
    sa.Index(
        "ix_touches_due",
        "due_at",
        "id",
        sqlite_where=sa.text(PENDING),
        postgresql_where=sa.text(PENDING),
    ),
    sa.Index(
        "ix_touches_asked",
        "asked_at",
        sqlite_where=sa.text(ASKED),
        postgresql_where=sa.text(ASKED),
    ),
    sa.Index(
        "ix_touches_missed",
        "useful_until",
        sqlite_where=sa.text(MISSED),
        postgresql_where=sa.text(MISSED),
    ),
    sa.Index("ix_touches_patient_code_asked_at", "patient_code", "asked_at"),
    sa.Index("ix_touches_contact_id_asked_at", "contact_id", "asked_at"),
)

plan_decisions = sa.Table(
    "plan_decisions",
    metadata,
    row_id(),
    sa.Column("instance_id", sa.ForeignKey("plan_instances.id"), nullable=False, index=True),
    sa.Column("touch_id", BigId, nullable=True, index=True),  # none: about the whole instance
    moment("at"),
    # started, moved, stopped, deferred, sent, asked_again, answered, silent, withheld, expired, cancelled, …
    text("decision"),
    text("reason"),
)
