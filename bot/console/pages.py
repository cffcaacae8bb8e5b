"""Console pages: HTML from a template and its facts. A page's parts are templates of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web
from jinja2.runtime import Context

from bot.console import english
from bot.console.people import STAFF
from bot.console.permissions import ROLES, may, places_of
from bot.web.webhooks import CLOCK

TEMPLATES = Path(__file__).parents[2] / "templates" / "console"
STATIC = Path(__file__).parent / "static"
ZONE = web.AppKey("console_zone", ZoneInfo)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
WEEKDAYS = "一二三四五六日"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Browsers keep what they fetched until it changes: its digest is in its address.
EDITION = hashlib.sha256(
    b"".join(path.read_bytes() for path in (*sorted(STATIC.iterdir()), english.CATALOGUE) if path.is_file())
).hexdigest()[:10]


@jinja2.pass_context
def _moment(context: Context, at: datetime | None) -> str:
    """10:05 today, 昨天 10:05, 11-16 10:05, 2025-03-01 10:05."""
    if at is None:
        return ""
    local, today = at.astimezone(context["zone"]), context["now"].astimezone(context["zone"]).date()
    days = (today - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days in (1, -1):
        return f"{'昨天' if days == 1 else '明天'} {local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}（周{WEEKDAYS[day.weekday()]}）" if day else ""


def _day_in_english(day: date | None) -> str:
    return f"{day:%Y-%m-%d} ({DAYS[day.weekday()]})" if day else ""


def span(seconds: float) -> str:
    """How long: 刚刚, 5分钟, 3小时20分, 2天4小时."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes}分钟"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}小时{rest}分" if rest else f"{hours}小时"
    days, hours = divmod(hours, 24)
    return f"{days}天{hours}小时" if hours else f"{days}天"


@jinja2.pass_context
def _ago(context: Context, at: datetime | None) -> str:
    return "" if at is None else span((context["now"] - at).total_seconds())


@jinja2.pass_context
def _left(context: Context, at: datetime | None) -> str:
    """Time until then; empty once it has passed."""
    seconds = 0 if at is None else (at - context["now"]).total_seconds()
    return span(seconds) if seconds > 0 else ""


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _in_english(words: Callable[..., str]) -> Callable[..., str]:
    """The same filter for an English page."""

    @jinja2.pass_context
    def filtered(context: Context, value: Any) -> str:
        return english.say(words(context, value))

    return filtered


def _own_words(value: Any) -> Any:
    """`|t`: one of our own phrases, in the language of the page."""
    return english.say(value) if isinstance(value, str) else value


def _edition(language: str) -> jinja2.Environment:
    """All pages in one language."""
    edition = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[english.InEnglish] if language == "en" else [],
    )
    moments = {"moment": _moment, "ago": _ago, "left": _left}
    if language == "en":
        edition.filters |= {name: _in_english(words) for name, words in moments.items()}
        edition.filters |= {"day": _day_in_english, "t": _own_words}
    else:
        edition.filters |= moments | {"day": _day, "t": lambda value: value}
    edition.filters["money"] = _money
    edition.globals |= {"roles": ROLES, "edition": EDITION, "may": may, "language": language}
    return edition


LANGUAGES = {"zh": "中文", "en": "English"}
_editions = {language: _edition(language) for language in LANGUAGES}


def page(template: str, *, status: int = 200, language: str = "zh", **facts: Any) -> web.Response:
    """A page, or a part of one for a page that is open already."""
    text = _editions[language].get_template(template).render(**facts)
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def preferred(request: web.Request) -> str:
    """The language of whoever is not signed in yet: Chinese, until they choose."""
    chosen = request.query.get("language", "")
    return chosen if chosen in LANGUAGES else "zh"


def shown(request: web.Request, template: str, *, status: int = 200, **facts: Any) -> web.Response:
    """A page for whoever is signed in, with the time, the place and where they may go."""
    staff = request[STAFF]
    known = {
        "staff": staff,
        "places": places_of(staff.role),
        "here": request.path,
        "now": request.app[CLOCK].now(),
        "zone": request.app[ZONE],
    }
    return page(template, status=status, language=staff.language, **known | facts)


def words_of(request: web.Request) -> Callable[[str], str]:
    """What puts our own words into the language of whoever is signed in, outside a template."""
    return english.say if request[STAFF].language == "en" else str


def moved(location: str) -> web.Response:
    """After a form: go and look. htmx follows its own header."""
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


@cache
def _script_in_english(name: str) -> str:
    return english.in_english((STATIC / name).read_text(encoding="utf-8"))


async def script_in_english(request: web.Request) -> web.Response:
    """A script of the console with its words in English."""
    name = request.match_info["name"]
    if name not in {path.name for path in STATIC.glob("*.js")}:
        raise web.HTTPNotFound
    return web.Response(
        text=_script_in_english(name),
        content_type="text/javascript",
        headers={"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"},
    )
