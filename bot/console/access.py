"""Who may come in: password and second factor, sessions that can be ended, and requests that are really theirs."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

import pyotp
import sqlalchemy as sa
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from bot.console.pages import LANGUAGES, moved, page, preferred, shown
from bot.console.people import STAFF, Staff
from bot.console.permissions import BEFORE_ENROLMENT, HOME, OPEN_WHEN_IDLE, may
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, staff
from storage.rows import Row

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
TRIES, TRIES_WITHIN = 5, timedelta(minutes=5)  # wrong passwords for one name from one address
TRIES_OF_ADDRESS = 40  # … for any name: a ward may share an address, a robot tries more
STEP = 30  # seconds of a one-time code
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's floor: 31 ms
_NOBODY = HASHER.hash("nobody has this password")
_PUBLIC = ("/console/login", "/console/static/")


class Attempts:
    """Wrong sign-ins, by name and address: guessing is slow, and nobody can lock a colleague out from afar."""

    def __init__(self) -> None:
        self._wrong: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def too_many(self, name: str, address: str, now: datetime) -> bool:
        """Whether this name, or any, must wait at this address."""
        return (
            self._count((name, address), now) >= TRIES or self._count(("", address), now) >= TRIES_OF_ADDRESS
        )

    def _count(self, key: tuple[str, str], now: datetime) -> int:
        wrong = self._wrong.get(key)
        if wrong is None:
            return 0
        while wrong and now - wrong[0] > TRIES_WITHIN:
            wrong.popleft()
        if not wrong:
            del self._wrong[key]
        return len(wrong)

    def failed(self, name: str, address: str, now: datetime) -> None:
        """Remember a wrong one."""
        for key in ((name, address), ("", address)):
            self._wrong[key].append(now)

    def forget(self, name: str, address: str) -> None:
        """The right one came."""
        self._wrong.pop((name, address), None)


ATTEMPTS = web.AppKey("sign_in_attempts", Attempts)
SECURE = web.AppKey("secure_cookies", bool)
SECOND_FACTOR = web.AppKey("second_factor_required", bool)
_HASHING = asyncio.Semaphore(2)  # Argon2 takes 19 MB each


def hash_password(password: str) -> str:
    """For the users table."""
    return HASHER.hash(password)


async def right_password(password: str, known_hash: str) -> bool:
    """Whether it is the one; takes as long either way."""
    async with _HASHING:
        try:
            return await asyncio.to_thread(HASHER.verify, known_hash or _NOBODY, password)
        except VerificationError:
            return False


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _cookie(app: web.Application) -> tuple[str, str]:
    """Its name and path. A `__Host-` cookie cannot be planted by a neighbouring site, and needs HTTPS."""
    return ("__Host-xiaohu", "/") if app[SECURE] else ("xiaohu", "/console")


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every console page but the door needs a session with the right role; every change comes from our own pages."""
    if not request.path.startswith("/console"):
        return await handler(request)
    if request.method not in ("GET", "HEAD") and not _own(request):
        raise web.HTTPForbidden
    if request.path.startswith(_PUBLIC):
        return await handler(request)
    signed_in = await _signed_in(request)
    if signed_in is None:
        return _to("/console/login?next=" + quote(_wanted(request)), request)
    request[STAFF] = signed_in
    resource = request.match_info.route.resource
    route = (request.method, resource.canonical if resource is not None else "")
    if signed_in.idle and route not in OPEN_WHEN_IDLE:
        if may(signed_in.role, "GET", "/console/alarms") and request.method == "GET":
            return _to("/console/alarms", request)
        return _to("/console/login?next=" + quote(_wanted(request)), request)
    if request.app[SECOND_FACTOR] and not signed_in.enrolled and route not in BEFORE_ENROLMENT:
        return _to("/console/me/totp", request)
    if resource is not None and not may(signed_in.role, *route):
        return shown(request, "refused.html", status=403)
    return await handler(request)


def _to(location: str, request: web.Request) -> web.Response:
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": location})
    return web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})


def _wanted(request: web.Request) -> str:
    """Where to go after signing in: a page, never a part of one nor somebody else's site."""
    if request.method != "GET" or "HX-Request" in request.headers:
        return "/console/"
    return request.path_qs


def _own(request: web.Request) -> bool:
    """Not a cross-site form: browsers say where a request comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


async def _signed_in(request: web.Request) -> Staff | None:
    token = request.cookies.get(_cookie(request.app)[0])
    if not token:
        return None
    now, fingerprint = request.app[CLOCK].now(), _fingerprint(token)
    row = await request.app[DATABASE].read(lambda db: staff.session(db, fingerprint))
    if row is None or now - row.created_at > LONGEST:
        return None
    idle = now - row.seen_at > IDLE
    by_itself = request.path == "/console/events" or "X-Live" in request.headers  # a page refreshing itself
    if not idle and not by_itself and now - row.seen_at > timedelta(minutes=1):
        await request.app[DATABASE].write(lambda db: staff.touch_session(db, fingerprint, now))
    return Staff(
        row.name,
        row.role,
        departments=tuple(filter(None, row.departments.split("|"))),
        accounts=tuple(filter(None, row.accounts.split("|"))),
        idle=idle,
        session=fingerprint,
        enrolled=bool(row.enrolled),
        language=row.language if row.language in LANGUAGES else "zh",
    )


routes = web.RouteTableDef()


@routes.get("/console/")
async def home(request: web.Request) -> web.Response:
    """Everybody has their own first page."""
    return moved(HOME[request[STAFF].role])


@routes.get("/console/login")
async def door(request: web.Request) -> web.Response:
    """The sign-in page."""
    return _door(request, onward=own_page(request.query.get("next", "")))


def _door(
    request: web.Request,
    *,
    onward: str,
    problem: str = "",
    name: str = "",
    language: str = "",
    status: int = 200,
) -> web.Response:
    chosen = language if language in LANGUAGES else request.query.get("language", "")
    return page(
        "login.html",
        problem=problem,
        name=name,
        onward=onward,
        chosen=chosen,
        languages=LANGUAGES,
        status=status,
        language=chosen if chosen in LANGUAGES else preferred(request),
    )


def own_page(onward: str) -> str:
    """A page of ours to go on to; the first one, when it is somebody else's."""
    return onward if onward.startswith("/console/") and "\\" not in onward else "/console/"


@routes.post("/console/login")
async def sign_in(request: web.Request) -> web.Response:
    """Name, password, second factor; one answer for whatever is wrong."""
    form = await request.post()
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    onward, language = own_page(str(form.get("next", ""))), str(form.get("language", ""))
    now, address, attempts = request.app[CLOCK].now(), request.remote or "", request.app[ATTEMPTS]
    if attempts.too_many(name, address, now):
        problem = "尝试次数过多，请5分钟后再试。"
        return _door(request, onward=onward, problem=problem, name=name, language=language, status=429)
    user = await request.app[DATABASE].read(lambda db: staff.user(db, name))
    right = await right_password(password, user.password_hash if user is not None else "")
    step = code_step(user.totp_secret if user is not None else None, str(form.get("code", "")), now)
    token = secrets.token_urlsafe(32)
    agent = request.headers.get("User-Agent", "")[:200]
    came_in, before = False, request.cookies.get(_cookie(request.app)[0], "")
    if user is not None and right and user.active and step is not None:
        came_in = await request.app[DATABASE].write(
            lambda db: _open_session(db, user, step, token, now, agent, _fingerprint(before))
        )
    if came_in and language in LANGUAGES:
        await request.app[DATABASE].write(lambda db: staff.change_user(db, name, language=language))
    if not came_in:
        attempts.failed(name, address, now)
        problem = "姓名、密码或动态码不正确。"
        return _door(request, onward=onward, problem=problem, name=name, language=language, status=403)
    attempts.forget(name, address)
    response = moved(onward)
    cookie, path = _cookie(request.app)
    # Lax, not Strict: the alarm's link in WeCom and the call centre's screen pop come from other sites.
    response.set_cookie(cookie, token, httponly=True, samesite="Lax", secure=request.app[SECURE], path=path)
    return response


def _open_session(
    db: sa.Connection, user: Row, step: int, token: str, now: datetime, agent: str, before: str
) -> bool:
    if step and not staff.use_code(db, user.name, step):
        return False  # this code was used before: somebody looked over a shoulder
    staff.end_session(db, before, now)
    staff.add_session(db, _fingerprint(token), user.name, now, agent)
    audit.append(db, user.name, "sign in", user.name, agent, now)
    return True


def code_step(secret: str | None, code: str, now: datetime) -> int | None:
    """The time step whose code this is; 0 when none is asked for; None when it is wrong."""
    if not secret:
        return 0
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    digits = "".join(code.split())
    return next(
        (step for step in (present, present - 1, present + 1) if totp.verify(digits, for_time=step * STEP)),
        None,
    )


@routes.post("/console/logout")
async def sign_out(request: web.Request) -> web.Response:
    """End this session."""
    fingerprint, now = request[STAFF].session, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: staff.end_session(db, fingerprint, now))
    response = moved("/console/login")
    cookie, path = _cookie(request.app)
    response.del_cookie(cookie, path=path)
    return response
