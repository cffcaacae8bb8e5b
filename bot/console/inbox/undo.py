"""Taking back what one did a moment ago: each deed remembers how everything stood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from bot.console.inbox.deeds import Done
from bot.console.inbox.thread import thread_facts
from bot.console.pages import shown
from bot.console.people import STAFF, Staff, conversation_for
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_thread as threads
from storage.queries import console_undo as undos

SHOWN_FOR: Final = 8  # seconds the button stands on the screen
POSSIBLE_FOR: Final = timedelta(minutes=2)  # after that the patient may have acted on it
KEPT_FOR: Final = timedelta(days=1)

routes = web.RouteTableDef()


@dataclass(slots=True)
class Memory:
    """How the conversations stood, and what was added beside them."""

    before: list[dict[str, Any]]
    after: dict[int, tuple[str, str]] = field(default_factory=dict)
    letters: list[str] = field(default_factory=list)  # keys of letters that tell the patients
    tasks: list[str] = field(default_factory=list)  # keys of new tasks
    tags: list[tuple[str, str]] = field(default_factory=list)


def look(db: sa.Connection, contact_ids: Sequence[int]) -> Memory:
    """Remember how these conversations stand, before something is done."""
    return Memory([undos.standing(db, number) for number in contact_ids])


def keep(db: sa.Connection, staff: Staff, now: datetime, label: str, memory: Memory) -> str:
    """Where pressing 撤销 posts to."""
    changed = {str(one["id"]): undos.owner(db, one["id"]) for one in memory.before}
    undos.forget(db, now - KEPT_FOR)
    kept = {
        "before": memory.before,
        "after": changed,
        "letters": memory.letters,
        "tasks": memory.tasks,
        "tags": memory.tags,
    }
    return f"/console/undo/{undos.keep(db, staff.name, now, label, kept)}"


def remembered(
    db: sa.Connection,
    staff: Staff,
    now: datetime,
    label: str,
    contact_ids: Sequence[int],
    act: Callable[[Memory], None],
) -> str:
    """Do something to conversations so that it can be undone; where undoing posts to."""
    memory = look(db, contact_ids)
    act(memory)
    return keep(db, staff, now, label, memory)


def _undo(db: sa.Connection, staff: Staff, number: int, now: datetime) -> str:
    """Bring it back as far as nobody has changed it since; what to say."""
    row = undos.take(db, number, staff.name, now - POSSIBLE_FOR)
    if row is None:
        return "来不及撤销了。"
    kept, restored, changed = row.before, 0, 0
    if not undos.recall(db, kept["letters"]):
        return "来不及撤销：患者已经收到通知。"
    for before in kept["before"]:
        conversation_for(db, staff, before["id"])
        left = kept["after"].get(str(before["id"]))
        if left is None or undos.owner(db, before["id"]) != tuple(left):
            changed += 1
            continue
        undos.restore(db, before)
        threads.add_note(db, before["id"], now, "event", staff.name, f"撤销了“{row.label}”")
        restored += 1
    undos.cancel_tasks(db, kept["tasks"], now)
    undos.untag(db, [(code, tag) for code, tag in kept["tags"]])
    audit.append(
        db,
        staff.name,
        "undo",
        ",".join(f"conversation:{one['id']}" for one in kept["before"]),
        row.label,
        now,
    )
    skipped = f"，{changed} 个已被别人改动，没有恢复" if changed else ""
    return f"已撤销“{row.label}”{skipped}"


@routes.post("/console/undo/{undo:\\d+}")
async def undo(request: web.Request) -> web.Response:
    """Undo one's own last deed; shows the open conversation, if there is one, as it is then."""
    number, staff, now = int(request.match_info["undo"]), request[STAFF], request.app[CLOCK].now()
    opened = str((await request.post()).get("contact", ""))
    try:
        words = await request.app[DATABASE].write(lambda db: _undo(db, staff, number, now))
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    if not opened.isdigit():
        return shown(request, "toast.html", words=words, undo="", held=0)
    thread = await thread_facts(request, int(opened))
    return shown(request, "thread.html", thread=thread, problem="", done=Done(words))
