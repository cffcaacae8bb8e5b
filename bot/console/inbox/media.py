"""Pictures, voice and files of patients: fetched from the platform when somebody looks, kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
from aiohttp import web

from bot.channels.api import Api, OutcomeUnknown, Refused, Unreached
from bot.console.pages import HEADERS
from bot.console.people import STAFF, conversation_for
from bot.web.health import DATABASE
from storage.queries import console_thread as threads
from storage.rows import Row

MEDIA: Final = (
    "/cgi-bin/media/get"  # of official accounts and of WeCom alike; a file lives there for three days
)
MOST: Final = 12 * 1024 * 1024  # bytes; the platforms' own limit for pictures and voice is 10 MB
PLATFORMS: web.AppKey[Mapping[str, Api]] = web.AppKey("media_platforms")
# What a browser may draw, by its first bytes: what a file calls itself is not believed (ASVS 5.2.2).
PICTURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)

routes = web.RouteTableDef()


def picture_type(content: bytes) -> str:
    """The type of a picture; empty when it is none that is safe to draw."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in PICTURES if content.startswith(start)), "")


def platform_of(platforms: Mapping[str, Api], account: str) -> Api | None:
    """Whom to ask for a file that came through this account."""
    return platforms.get(account) or platforms.get(account.partition("/")[0])


@routes.get("/console/conversations/{id:\\d+}/media/{message:\\d+}")
async def media(request: web.Request) -> web.Response:
    """What a patient sent: a picture to look at, anything else to save."""
    contact_id, number, staff = (
        int(request.match_info["id"]),
        int(request.match_info["message"]),
        request[STAFF],
    )

    def read(db: sa.Connection) -> Row | None:
        conversation_for(db, staff, contact_id)
        return threads.message(db, contact_id, number)

    try:
        row = await request.app[DATABASE].read(read)
    except LookupError as error:
        raise web.HTTPNotFound from error
    payload = (row.payload or {}) if row is not None else {}
    name = str(payload.get("MediaId") or payload.get("media_id") or "")
    if row is None or not name:
        raise web.HTTPNotFound
    platform = platform_of(request.app[PLATFORMS], row.account)
    if platform is None:
        raise web.HTTPNotFound
    try:
        _kind, content = await platform.download(MEDIA, MOST, media_id=name)
    except (Refused, Unreached, OutcomeUnknown) as error:
        raise web.HTTPGone(text="平台上已经没有这个文件了（只保留三天），或暂时取不到。") from error
    return _answer(content, str(payload.get("Title") or f"{row.type}-{number}"))


def _answer(content: bytes, name: str) -> web.Response:
    kind = picture_type(content)
    saved = f"attachment; filename*=UTF-8''{quote(name[:80], safe='')}"
    return web.Response(
        body=content,
        headers={
            **HEADERS,
            "Content-Type": kind or "application/octet-stream",
            "Content-Disposition": "inline" if kind else saved,
            "Cache-Control": "private, max-age=600",
        },
    )
