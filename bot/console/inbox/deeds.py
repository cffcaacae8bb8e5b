"""Doing one thing in one conversation: who does it, why it may be refused, and what is shown then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console.inbox.thread import thread_facts
from bot.console.pages import ZONE, shown
from bot.console.people import STAFF, Staff, conversation_for
from bot.conversation import desk
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_thread as threads


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody, about to do something to a conversation they may see."""

    db: sa.Connection
    contact_id: int
    staff: Staff
    now: datetime
    zone: ZoneInfo

    def event(self, words: str, mentioned: tuple[str, ...] = ()) -> None:
        """Colleagues read in the thread what was done."""
        threads.add_note(self.db, self.contact_id, self.now, "event", self.staff.name, words, mentioned)


class Refused(Exception):
    """It cannot be done as it was asked; the colleague reads why, and keeps what they wrote."""


@dataclass(frozen=True, slots=True)
class Done:
    """What to tell the colleague. `undo`: where pressing 撤回 posts to; `held`: seconds it can be pressed."""

    words: str = ""
    undo: str = ""
    held: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What stood in the composer: it is kept as a draft whenever it could not go."""

    mode: str
    text: str


Act = Callable[[Deed], Done | None]


async def do(request: web.Request, act: Act, written: Written | None = None) -> web.Response:
    """Do one thing, and show the conversation as it is then."""
    contact_id, staff, now = int(request.match_info["id"]), request[STAFF], request.app[CLOCK].now()
    zone, problem, done = request.app[ZONE], "", None

    def write(db: sa.Connection) -> Done | None:
        conversation_for(db, staff, contact_id)
        return act(Deed(db, contact_id, staff, now, zone))

    try:
        done = await request.app[DATABASE].write(write)
    except desk.TakenByAnother as error:
        problem = f"{error.nurse} 已接手这个对话，您的内容没有发送。"
    except desk.NotTaken:
        problem = "请先接手，再回复。"
    except Refused as error:
        problem = str(error)
    except LookupError as error:
        raise web.HTTPNotFound from error
    if problem and written is not None and written.text:
        await request.app[DATABASE].write(
            lambda db: inbox_rows.keep_draft(db, contact_id, staff.name, written.mode, written.text, now)
        )
    request.app[WAKE].set()
    thread = await thread_facts(request, contact_id)
    status = 409 if problem else 200
    return shown(request, "thread.html", thread=thread, problem=problem, done=done or Done(), status=status)
