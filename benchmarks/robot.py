"""WeRoBot, as its documentation has it, for comparison: gunicorn runs `application`."""

from __future__ import annotations

import os
from typing import Any

import werobot
from werobot.session.sqlitestorage import SQLiteStorage

from benchmarks.webhook import AES_KEY, APP_ID, TOKEN

SESSIONS = os.environ.get("SESSIONS", "")
robot: Any = werobot.WeRoBot(
    token=TOKEN,
    encoding_aes_key=AES_KEY,
    app_id=APP_ID,
    enable_session=bool(SESSIONS),
    session_storage=SQLiteStorage(SESSIONS) if SESSIONS else None,
)


if SESSIONS:

    @robot.text  # type: ignore[untyped-decorator]
    def remember(message: Any, session: dict[str, Any]) -> str:
        session["count"] = session.get("count", 0) + 1
        return f"{message.content} {session['count']}"

else:

    @robot.text  # type: ignore[untyped-decorator]
    def echo(message: Any) -> str:
        return str(message.content)


application = robot.wsgi
