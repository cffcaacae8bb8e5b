"""Every table, by subject."""

from storage.tables.base import metadata
from storage.tables.care import (
    answers,
    appointments,
    departments,
    doctors,
    facts,
    procedures,
    report_items,
    report_links,
    reports,
    slots,
    visits,
)
from storage.tables.conversation import alerts, conversations, messages, tasks, ticket_entries, tickets
from storage.tables.loyalty import gifts, point_transfers, points_entries, purchases, redemptions, refunds
from storage.tables.outbox import cursors, leases, letters, platform_tokens
from storage.tables.people import (
    bindings,
    consents,
    contacts,
    identity_failures,
    one_time_codes,
    patient_tags,
    patients,
)
from storage.tables.staff import audit, roster, sessions, users

__all__ = [
    "alerts",
    "answers",
    "appointments",
    "audit",
    "bindings",
    "consents",
    "contacts",
    "conversations",
    "cursors",
    "departments",
    "doctors",
    "facts",
    "gifts",
    "identity_failures",
    "leases",
    "letters",
    "messages",
    "metadata",
    "one_time_codes",
    "patient_tags",
    "patients",
    "platform_tokens",
    "point_transfers",
    "points_entries",
    "procedures",
    "purchases",
    "redemptions",
    "refunds",
    "report_items",
    "report_links",
    "reports",
    "roster",
    "sessions",
    "slots",
    "tasks",
    "ticket_entries",
    "tickets",
    "users",
    "visits",
]
