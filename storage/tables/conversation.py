"""What was said, where each conversation stands, and what a person must look at."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import BigId, maybe_moment, metadata, moment, row_id, text
from storage.types import SealedJSON, SealedText

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
    text("owner", default="bot"),  # bot, waiting (for a nurse), human
    text("nurse"),  # the console user who took it
    # The open forms, innermost last: what was asked and what is settled so far.
    sa.Column("forms", SealedJSON("conversations.forms"), nullable=True),
    maybe_moment("spoke_at"),  # the patient's last message
    maybe_moment("waiting_since"),
    maybe_moment("queue_notice_at"),
    sa.Column("handover", SealedJSON("conversations.handover"), nullable=True),  # reason, slots, urgency
    sa.Index("ix_conversations_owner_waiting_since", "owner", "waiting_since"),
    sa.Index("ix_conversations_spoke_at", "spoke_at"),
)

messages = sa.Table(
    "messages",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    # The platform's own number of it, or a digest of the body: a retry lands on the same row.
    # The passive reply to it has the same key after "re:".
    sa.Column("key", sa.Text, nullable=True),
    text("dir"),  # in, out
    moment("at"),  # when we received or sent it
    maybe_moment("written_at"),  # when the platform says the patient wrote it
    text("type"),  # text, image, voice, …, event:subscribe
    text("channel"),  # wechat, wecom, kf; out: passive, customer_service, template, …
    text("author"),  # patient, bot, plan, or a console user
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True),
    sa.Column("text", SealedText("messages.text"), nullable=True),
    sa.Column("payload", SealedJSON("messages.payload"), nullable=True),  # the rest of what was sent
    sa.Column("letter_id", BigId, nullable=True),
    sa.UniqueConstraint("account", "key"),
    sa.Index("ix_messages_contact_id_at", "contact_id", "at"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    row_id(),
    moment("at"),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True),
    sa.Column("message_id", sa.ForeignKey("messages.id"), nullable=True),
    text("level"),  # E, U, S
    text("concept"),
    sa.Column("text_span", SealedText("alerts.text_span"), nullable=True),
    sa.Column("reading", SealedJSON("alerts.reading"), nullable=True),  # rule, version, suppressed hits
    text("status", default="open"),  # open, acknowledged, closed
    text("acknowledged_by"),
    maybe_moment("acknowledged_at"),
    text("disposition"),  # how it ended: 120 called, phone advice, false alarm, …
    maybe_moment("closed_at"),
    sa.Column("rung", sa.Integer, nullable=False, server_default="0"),  # of the escalation ladder
    maybe_moment("next_rung_at"),
    sa.Index("ix_alerts_status_next_rung_at", "status", "next_rung_at"),
    sa.Index("ix_alerts_at", "at"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    row_id(),
    moment("at"),
    sa.Column("key", sa.Text, nullable=True, unique=True),  # the same reason twice is one task
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=True, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True, index=True),
    text("kind"),  # media, callback, plan, silence, handoff, complaint, no_route, low_score, report
    sa.Column("reason", SealedText("tasks.reason"), nullable=True),
    text("status", default="open"),  # open, done, cancelled
    maybe_moment("due_at"),
    text("assigned_to"),
    maybe_moment("done_at"),
    text("outcome"),
    sa.Index("ix_tasks_status_due_at", "status", "due_at"),
    sa.Index("ix_tasks_kind_at", "kind", "at"),
)

tickets = sa.Table(
    "tickets",
    metadata,
    row_id(),
    sa.Column("number", sa.Text, nullable=True, unique=True),  # TS…
    moment("at"),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False, index=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True),
    text("kind"),  # complaint, praise, suggestion
    text("severity"),  # C1 … C4
    text("emotion"),
    # received, acknowledged, assigned, investigating, replied, accepted, disputed, reopened, closed
    text("status"),
    sa.Column("due", sa.Date, nullable=True),
    text("owner"),
    sa.Column(
        "account_given", SealedJSON("tickets.account_given"), nullable=True
    ),  # what, where, when, who, wish
    # What it turned out to be about; the export counts by them.
    text("department_code"),
    text("doctor_code"),
    text("cause"),  # of labels.CAUSES
    maybe_moment("paused_at"),  # its clock stands still since then
    text("legal"),  # court, mediation, police: others settle it, and the record is frozen
    maybe_moment("closed_at"),
    text("closed_as"),  # settled, not_accepted
    text("quality"),  # sent to quality control, done there
    sa.Index("ix_tickets_status_due", "status", "due"),
    sa.Index("ix_tickets_kind_at", "kind", "at"),
)

ticket_entries = sa.Table(
    "ticket_entries",
    metadata,
    row_id(),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), nullable=False, index=True),
    moment("at"),
    text("kind"),  # addition, picture, note, reply, state, pause, cause, action, call_back, legal, quality
    text("author"),
    sa.Column("text", SealedText("ticket_entries.text"), nullable=True),
)

ticket_actions = sa.Table(
    "ticket_actions",
    metadata,
    row_id(),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), nullable=False, index=True),
    moment("at"),
    text("author"),
    sa.Column("text", SealedText("ticket_actions.text"), nullable=False),
    text("owner"),
    sa.Column("due", sa.Date, nullable=False),
    maybe_moment("done_at"),
    sa.Column("effect", SealedText("ticket_actions.effect"), nullable=True),
    sa.Column("check_on", sa.Date, nullable=False),  # when somebody looks whether it helped
    maybe_moment("checked_at"),
    comment="Corrective actions: who does what by when, and whether it helped.",
)
