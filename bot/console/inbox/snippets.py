"""Answers at hand: found by pinyin initials, with what is known filled in; colleagues write them in the console."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from aiohttp import web

from bot.console.inbox import lint
from bot.console.labels import initials
from bot.console.pages import moved, shown
from bot.console.people import STAFF
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_snippets as rows

KINDS: Final[Mapping[str, str]] = {"answer": "常用语（/）", "care": "关怀语（;）"}
LONGEST: Final = 500  # characters
_VARIABLE = re.compile(r"\{([^{}]+)\}")

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Snippet:
    """An answer. `open`: how many variables nobody could fill."""

    name: str
    key: str
    text: str
    kind: str = "answer"
    by: str = ""  # empty: it came with the product
    open: int = 0


@cache
def _shipped() -> tuple[Snippet, ...]:
    file = Path(__file__).with_name("snippets.toml")
    found = tomllib.loads(file.read_text(encoding="utf-8"))["snippet"]
    return tuple(
        Snippet(one["name"], initials(one["name"]), one["text"], one.get("kind", "answer")) for one in found
    )


def at_hand(db: sa.Connection) -> list[Snippet]:
    """The answers that came with the product, as colleagues changed them, and their own."""
    found = {one.name: one for one in _shipped()}
    for row in rows.written(db):
        found.pop(row.name, None)
        if row.active:
            found[row.name] = Snippet(row.name, initials(row.name), row.text, row.kind, row.changed_by)
    return list(found.values())


def filled(
    written: Sequence[Snippet], known: Mapping[str, str], wanted: str = "", kind: str = "answer"
) -> list[Snippet]:
    """The answers whose initials or name begin with, or whose text holds, what is wanted; variables filled in."""
    wanted = wanted.strip().lower()
    ranked = sorted(
        (_rank(one, wanted), place, one)
        for place, one in enumerate(written)
        if one.kind == kind and _rank(one, wanted) < 9
    )
    return [_fill(one, known) for _, _, one in ranked]


def _rank(snippet: Snippet, wanted: str) -> int:
    if snippet.key.startswith(wanted) or snippet.name.startswith(wanted):
        return 0
    return 1 if wanted in snippet.key else 2 if wanted in snippet.text else 9


def _fill(snippet: Snippet, known: Mapping[str, str]) -> Snippet:
    text = _VARIABLE.sub(lambda match: known.get(match[1]) or match[0], snippet.text)
    return Snippet(
        snippet.name, snippet.key, text, snippet.kind, snippet.by, open=len(_VARIABLE.findall(text))
    )


# Writing them


async def _page(request: web.Request, problem: str = "") -> web.Response:
    found = await request.app[DATABASE].read(at_hand)
    chosen = next((one for one in found if one.name == request.query.get("name")), None)
    return shown(
        request,
        "answers_at_hand.html",
        found=found,
        chosen=chosen,
        kinds=KINDS,
        problem=problem,
        status=422 if problem else 200,
    )


@routes.get("/console/answers-at-hand")
async def listed(request: web.Request) -> web.Response:
    """Everything that `/` and `;` find."""
    return await _page(request)


@routes.post("/console/answers-at-hand")
async def keep(request: web.Request) -> web.Response:
    """A new answer, or a better one. What may not be said to patients may not be kept either."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    name, text, kind = (str(form.get(field, "")).strip() for field in ("name", "text", "kind"))
    if not name or not text or kind not in KINDS:
        return await _page(request, "请写名称和内容。")
    if bad := lint.check(_VARIABLE.sub("某某", text)):
        return await _page(request, "没有保存：" + "；".join(f"“{one.words}” {one.why}" for one in bad[:3]))

    def write(db: sa.Connection) -> None:
        rows.keep(db, name[:20], text[:LONGEST], kind, staff.name, now)
        audit.append(db, staff.name, "keep answer", f"answer:{name[:20]}", text[:LONGEST], now)

    await request.app[DATABASE].write(write)
    return moved("/console/answers-at-hand")


@routes.post("/console/answers-at-hand/remove")
async def remove(request: web.Request) -> web.Response:
    """Nobody needs it any more."""
    form, staff, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    name = str(form.get("name", "")).strip()[:20]
    kept = next((one for one in await request.app[DATABASE].read(at_hand) if one.name == name), None)
    if kept is None:
        raise web.HTTPNotFound

    def write(db: sa.Connection) -> None:
        rows.keep(db, name, kept.text, kept.kind, staff.name, now, active=False)
        audit.append(db, staff.name, "remove answer", f"answer:{name}", "", now)

    await request.app[DATABASE].write(write)
    return moved("/console/answers-at-hand")
