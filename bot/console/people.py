"""Who is signed in, and the one door to patients and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from aiohttp import web

from bot.console.permissions import ROLES
from storage.queries import audit, console_scope
from storage.rows import Row


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is signed in, and whose patients they may see."""

    name: str
    role: str
    departments: tuple[str, ...] = ()  # empty: every department's
    accounts: tuple[str, ...] = ()  # empty: every account's
    idle: bool = False  # not touched for a while: reads alarms only
    session: str = ""  # the token's hash
    enrolled: bool = False
    language: str = "zh"  # of their screens

    @property
    def title(self) -> str:
        """The role, as people say it."""
        return ROLES.get(self.role, self.role)


STAFF: web.RequestKey[Staff] = web.RequestKey("staff", Staff)

READ_AGAIN = timedelta(minutes=10)  # a page that refreshes itself is one reading


class Readings:
    """Who has which record open, so that a page that refreshes itself is written down once."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], datetime] = {}

    def fresh(self, name: str, object_: str, now: datetime) -> bool:
        """Whether this reading must be written down; if so, it counts as written."""
        last = self._last.get((name, object_))
        if last is not None and now - last < READ_AGAIN:
            return False
        if len(self._last) > 5_000:
            self._last = {key: at for key, at in self._last.items() if now - at < READ_AGAIN}
        self._last[name, object_] = now
        return True


READINGS = web.AppKey("readings", Readings)


def conversation_for(db: sa.Connection, staff: Staff, contact_id: int) -> Row:
    """The only way a console page comes by a conversation.

    Raises:
        LookupError: there is none, or it is not for these eyes: one answer, so that numbers cannot be guessed.
    """
    row = console_scope.conversation(db, contact_id, staff.departments, staff.accounts)
    if row is None:
        raise LookupError(contact_id)
    return row


def patient_for(db: sa.Connection, staff: Staff, code: str, now: datetime, *, why: str = "") -> Row:
    """The only way a console page comes by a patient. Reading is written down in the same transaction.

    Raises:
        LookupError: there is none, or it is not for these eyes.
    """
    row = console_scope.patient(db, code, staff.departments)
    if row is None:
        raise LookupError(code)
    audit.append(db, staff.name, "unmask" if why else "read", f"patient:{code}", why, now)
    return row


def in_scope(staff: Staff) -> Sequence[sa.ColumnElement[bool]]:
    """What a list of conversations must be narrowed by."""
    return console_scope.conditions(staff.departments, staff.accounts)
