"""`/r/{token}`: a cover page that uses nothing up, and one look at the report behind it."""

from __future__ import annotations

import tomllib
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.conversation.receive import Reception
from bot.domain.language import Language
from bot.domain.patient import Patient
from bot.hospital import reports
from bot.outbox.wording import moment_text
from bot.web.health import DATABASE
from bot.web.pages import PAGES, page
from bot.web.webhooks import CLOCK

RECEPTION = web.AppKey("reception", Reception)
ZONE = web.AppKey("zone", ZoneInfo)

WORDS = tomllib.loads((PAGES / "report.toml").read_text(encoding="utf-8"))

routes = web.RouteTableDef()


@routes.get("/r/{token}")
async def cover(request: web.Request) -> web.Response:
    """Scanners of links come here too: nothing is used up, nothing is told."""
    token, now = request.match_info["token"], request.app[CLOCK].now()
    lives = await request.app[DATABASE].read(lambda db: reports.link_lives(db, token, now))
    return _page(request, "cover.html") if lives else _page(request, "gone.html", status=410)


@routes.post("/r/{token}")
async def show(request: web.Request) -> web.Response:
    """The report, once."""
    token, now = request.match_info["token"], request.app[CLOCK].now()
    opened = await request.app[DATABASE].write(lambda db: reports.open_link(db, token, now))
    if opened is None:
        return _page(request, "gone.html", status=410)
    report = opened.report
    language = Language(report.language or Language.SIMPLIFIED)
    issued = moment_text(report.issued_at, language, request.app[ZONE]) if report.issued_at else ""
    patient = Patient(report.patient_code, report.patient_name).masked_name
    return _page(
        request, "report.html", language, report=report, items=opened.items, issued=issued, patient=patient
    )


def _page(
    request: web.Request,
    template: str,
    language: Language = Language.SIMPLIFIED,
    *,
    status: int = 200,
    **facts: Any,
) -> web.Response:
    hospital = request.app[RECEPTION].knowledge.facts
    return page(
        template, status=status, language=language, words=WORDS[language.value], hospital=hospital, **facts
    )
