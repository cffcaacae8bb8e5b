"""Patients, the WeChat users who speak for them, and what they agreed to."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text
from storage.types import SealedText

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    text("name"),
    text("sex"),  # M, F or empty
    # A date, never a moment: China had summer time, and a birthday must not slip by a day.
    sa.Column("birth_date", sa.Date, nullable=True),
    sa.Column("lunar_birthday", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("phone", SealedText("patients.phone"), nullable=True),
    sa.Column("phone_index", sa.Text, nullable=True, index=True),
    sa.Column("id_number", SealedText("patients.id_number"), nullable=True),
    text("language"),
    text("source"),
    text("region"),
    sa.Column("allergies", SealedText("patients.allergies"), nullable=True),
    sa.Column("history", SealedText("patients.history"), nullable=True),
    sa.Column("vip_level", sa.Integer, nullable=True),
    sa.Column("marketing_consent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("deceased_on", sa.Date, nullable=True),
)

patient_tags = sa.Table(
    "patient_tags",
    metadata,
    sa.Column("patient_code", sa.ForeignKey("patients.code"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
    text("producer", default="import"),  # import, a console user, or rule NAME
    maybe_moment("since"),
    maybe_moment("until"),
    text("kind"),  # of labels.TAG_KINDS
    sa.Column("evidence", SealedText("patient_tags.evidence"), nullable=True),
    sa.Index("ix_patient_tags_tag", "tag"),
)

contacts = sa.Table(
    "contacts",
    metadata,
    row_id(),
    sa.Column("account", sa.Text, nullable=False),  # wechat/default, wecom/default, kf/<open_kfid>
    sa.Column("openid", sa.Text, nullable=False),
    sa.Column("unionid", sa.Text, nullable=True, index=True),
    sa.Column("followed", sa.Boolean, nullable=False, server_default=sa.true()),
    text("source"),  # the scene of the first QR code, never overwritten
    text("language"),  # of the last message; a bound patient's own language wins
    maybe_moment("noticed_at"),  # when the automation notice was last shown
    moment("created_at"),
    sa.UniqueConstraint("account", "openid"),
    sa.Index("ix_contacts_openid", "openid"),
)

bindings = sa.Table(
    "bindings",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    text("relation", default="self"),  # self, child, parent, spouse, other
    sa.Column("level", sa.Integer, nullable=False),  # 1: phone, 2: name and ID number too; 3 is a fresh code
    text("scope", default="all"),  # all, booking: what the patient allowed
    moment("created_at"),
    maybe_moment("expires_at"),
    maybe_moment("proven_at"),  # the last fresh code: L3 while it is young
    maybe_moment("ended_at"),
    text("ended_reason"),
)

one_time_codes = sa.Table(
    "one_time_codes",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False),
    sa.Column("phone_index", sa.Text, nullable=False),
    sa.Column("phone", SealedText("one_time_codes.phone"), nullable=False),
    sa.Column("code_hash", sa.Text, nullable=False),
    moment("created_at"),
    moment("expires_at"),
    maybe_moment("used_at"),
    sa.Index("ix_one_time_codes_phone_index_created_at", "phone_index", "created_at"),
    sa.Index("ix_one_time_codes_contact_id_created_at", "contact_id", "created_at"),
)

identity_failures = sa.Table(
    "identity_failures",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False),
    text("subject"),  # index of the phone, so that known and unknown ones look alike
    text("kind"),  # code, name
    moment("at"),
    sa.Index("ix_identity_failures_contact_id_at", "contact_id", "at"),
    sa.Index("ix_identity_failures_subject_at", "subject", "at"),
)

consents = sa.Table(
    "consents",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=True, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True, index=True),
    text("purpose"),  # care, survey, greeting, marketing
    sa.Column("granted", sa.Boolean, nullable=False),
    moment("at"),
    text("actor"),  # patient, import, or a console user
    text("text_hash"),  # of the exact words agreed to
)
