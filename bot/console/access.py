"""Who may come in: password and second factor, sessions that can be ended, and requests that are really theirs."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pyotp
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from bot.console.pages import page
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import staff

COOKIE = "xiaohu"
IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
TRIES, TRIES_WITHIN = 5, timedelta(minutes=5)  # wrong passwords for one name from one address
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's floor: 31 ms
_NOBODY = HASHER.hash("nobody has this password")
_PUBLIC = ("/console/login", "/console/static/")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is signed in."""

    name: str
    role: str


STAFF: web.RequestKey[Staff] = web.RequestKey("staff", Staff)


class Attempts:
    """Wrong sign-ins, by name and address: guessing is slow, and nobody can lock a colleague out from afar."""

    def __init__(self) -> None:
        self._wrong: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def too_many(self, name: str, address: str, now: datetime) -> bool:
        """Whether this name must wait at this address."""
        wrong = self._wrong[name, address]
        while wrong and now - wrong[0] > TRIES_WITHIN:
            wrong.popleft()
        return len(wrong) >= TRIES

    def failed(self, name: str, address: str, now: datetime) -> None:
        """Remember a wrong one."""
        self._wrong[name, address].append(now)


ATTEMPTS = web.AppKey("sign_in_attempts", Attempts)
SECURE = web.AppKey("secure_cookies", bool)
_HASHING = asyncio.Semaphore(2)  # Argon2 takes 19 MB each


def hash_password(password: str) -> str:
    """For the users table."""
    return HASHER.hash(password)


async def _right(password: str, known_hash: str) -> bool:
    async with _HASHING:
        try:
            return await asyncio.to_thread(HASHER.verify, known_hash, password)
        except VerificationError:
            return False


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every console page but the door needs a session; every change must come from our own pages."""
    if not request.path.startswith("/console"):
        return await handler(request)
    if request.method not in ("GET", "HEAD") and not _own(request):
        raise web.HTTPForbidden
    if request.path.startswith(_PUBLIC):
        return await handler(request)
    signed_in = await _signed_in(request)
    if signed_in is None:
        if "HX-Request" in request.headers:
            return web.Response(status=401, headers={"HX-Redirect": "/console/login"})
        raise web.HTTPFound("/console/login")
    request[STAFF] = signed_in
    return await handler(request)


def _own(request: web.Request) -> bool:
    """Not a cross-site form: browsers say where a request comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


async def _signed_in(request: web.Request) -> Staff | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    now, fingerprint = request.app[CLOCK].now(), _fingerprint(token)
    row = await request.app[DATABASE].read(lambda db: staff.session(db, fingerprint))
    if row is None or now - row.seen_at > IDLE or now - row.created_at > LONGEST:
        return None
    live = request.path == "/console/events" or "HX-Trigger" in request.headers  # a page refreshing itself
    if not live and now - row.seen_at > timedelta(minutes=1):
        await request.app[DATABASE].write(lambda db: staff.touch_session(db, fingerprint, now))
    return Staff(row.name, row.role)


routes = web.RouteTableDef()


@routes.get("/console/login")
async def door(_request: web.Request) -> web.Response:
    """The sign-in page."""
    return page("login.html", problem="", name="")


@routes.post("/console/login")
async def sign_in(request: web.Request) -> web.Response:
    """Name, password, second factor; one answer for whatever is wrong."""
    form = await request.post()
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    now, address, attempts = request.app[CLOCK].now(), request.remote or "", request.app[ATTEMPTS]
    if attempts.too_many(name, address, now):
        return page("login.html", problem="尝试次数过多，请5分钟后再试。", name=name, status=429)
    user = await request.app[DATABASE].read(lambda db: staff.user(db, name))
    right = await _right(password, user.password_hash if user is not None and user.password_hash else _NOBODY)
    if user is None or not right or not user.active or not _second_factor(user.totp_secret, form, now):
        attempts.failed(name, address, now)
        return page("login.html", problem="姓名、密码或动态码不正确。", name=name, status=403)
    token = secrets.token_urlsafe(32)
    agent = request.headers.get("User-Agent", "")[:200]
    await request.app[DATABASE].write(lambda db: staff.add_session(db, _fingerprint(token), name, now, agent))
    response = web.Response(status=303, headers={"Location": "/console/"})
    secure = request.app[SECURE]
    response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=secure, path="/console")
    return response


def _second_factor(secret: str | None, form: object, now: datetime) -> bool:
    if not secret:
        return True
    code = str(getattr(form, "get")("code", "")).strip()  # noqa: B009  a MultiDict of aiohttp's
    return pyotp.TOTP(secret).verify(code, for_time=now, valid_window=1)


@routes.post("/console/logout")
async def sign_out(request: web.Request) -> web.Response:
    """End this session."""
    token, now = request.cookies.get(COOKIE, ""), request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: staff.end_session(db, _fingerprint(token), now))
    response = web.Response(status=303, headers={"Location": "/console/login"})
    response.del_cookie(COOKIE, path="/console")
    return response
