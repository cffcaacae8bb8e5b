"""The hospital as it was imported, and what was booked in it."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text
from storage.types import SealedText

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    text("value"),
    comment="hospital.csv: name, short_name, phone, nurse_phone, …",
)

departments = sa.Table(
    "departments",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    text("name"),
    text("location"),
    text("aliases"),  # separated by |
    text("description"),
)

doctors = sa.Table(
    "doctors",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    text("name"),
    text("title"),
    sa.Column("department_code", sa.ForeignKey("departments.code"), nullable=False, index=True),
    text("specialties"),
    sa.Column("fee_cents", sa.BigInteger, nullable=True),
)

slots = sa.Table(
    "slots",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("doctor_code", sa.ForeignKey("doctors.code"), nullable=False),
    moment("start_at"),
    moment("end_at"),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Index("ix_slots_doctor_code_start_at", "doctor_code", "start_at"),
    sa.Index("ix_slots_start_at", "start_at"),
)

appointments = sa.Table(
    "appointments",
    metadata,
    row_id(),
    sa.Column("number", sa.Text, nullable=True, unique=True),  # YY…; none while waiting
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=True),
    sa.Column("slot_code", sa.ForeignKey("slots.code"), nullable=False, index=True),
    sa.Column("doctor_code", sa.ForeignKey("doctors.code"), nullable=False),
    sa.Column("department_code", sa.ForeignKey("departments.code"), nullable=False),
    moment("start_at"),
    sa.Column("status", sa.Text, nullable=False),  # booked, cancelled, waiting, held, done, noshow
    maybe_moment("held_until"),  # a freed place kept for the first on the waiting list
    moment("created_at"),
    moment("changed_at"),
    sa.Index("ix_appointments_status_start_at", "status", "start_at"),
    sa.Index("ix_appointments_status_held_until", "status", "held_until"),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("department_code", sa.ForeignKey("departments.code"), nullable=True),
    sa.Column("doctor_code", sa.ForeignKey("doctors.code"), nullable=True),
    sa.Column("date", sa.Date, nullable=False, index=True),
    text("kind"),  # outpatient, inpatient, exam
    sa.Column("amount_cents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("discharged_on", sa.Date, nullable=True),
    text("status", default="done"),  # booked, done, cancelled, noshow, loss
)

procedures = sa.Table(
    "procedures",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("name", SealedText("procedures.name"), nullable=False),
    text("family"),
    sa.Column("department_code", sa.ForeignKey("departments.code"), nullable=True),
    sa.Column("doctor_code", sa.ForeignKey("doctors.code"), nullable=True),
    sa.Column("date", sa.Date, nullable=False, index=True),
    sa.Column("time", sa.Time, nullable=True),
    sa.Column("discharged_on", sa.Date, nullable=True),
    text("status"),  # planned, done, cancelled; empty = by the date
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    text("kind"),  # lab, imaging, pathology, exam
    sa.Column("title", SealedText("reports.title"), nullable=False),
    text("status"),  # pending, ready
    maybe_moment("issued_at"),
    text("contacted_by"),  # the clinician who told the patient
    maybe_moment("contacted_at"),
    maybe_moment("announced_at"),  # when whoever speaks for the patient was told that it is ready
    sa.Index(
        "ix_reports_unannounced",
        "issued_at",
        sqlite_where=sa.text("announced_at IS NULL"),
        postgresql_where=sa.text("announced_at IS NULL"),
    ),
)

report_items = sa.Table(
    "report_items",
    metadata,
    sa.Column("report_code", sa.ForeignKey("reports.code"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", SealedText("report_items.value"), nullable=False),
    text("unit"),
    text("reference_range"),
    text("flag"),  # H, L, A, C = critical
)

report_links = sa.Table(
    "report_links",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("report_code", sa.ForeignKey("reports.code"), nullable=False),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False),
    moment("created_at"),
    moment("expires_at"),
    maybe_moment("used_at"),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    text("questions"),  # separated by |
    text("answer"),
    text("answer_zh_hant"),
    text("answer_en"),
)

answer_versions = sa.Table(
    "answer_versions",
    metadata,
    row_id(),
    sa.Column("code", sa.Text, nullable=False, index=True),
    moment("at"),
    text("by"),
    text("questions"),
    text("answer"),
    text("answer_zh_hant"),
    text("answer_en"),
    comment="Every wording an answer has had in the console.",
)
