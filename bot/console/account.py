"""One's own account: where one is signed in, the password, the second factor."""

from __future__ import annotations

import io

import pyotp
import segno
import sqlalchemy as sa
from aiohttp import web

from bot.console.access import LONGEST, code_step, hash_password, own_page, right_password
from bot.console.pages import LANGUAGES, moved, shown
from bot.console.people import STAFF
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, staff

SHORTEST_PASSWORD = 10
SECRET_LENGTH = 32
# The first that anybody tries; the user's own name is refused too.
COMMON = (
    "password",
    "12345678",
    "qwertyui",
    "woaini",
    "xiaohu123",
    "hospital",
    "11111111",
    "88888888",
    "abc12345",
)

routes = web.RouteTableDef()


@routes.get("/console/me")
async def me(request: web.Request) -> web.Response:
    """Where I am signed in, and how."""
    return await _me(request)


async def _me(request: web.Request, *, problem: str = "", done: str = "", status: int = 200) -> web.Response:
    name, now = request[STAFF].name, request.app[CLOCK].now()
    sessions = await request.app[DATABASE].read(lambda db: staff.sessions_of(db, name, now - LONGEST))
    return shown(
        request,
        "me.html",
        sessions=sessions,
        problem=problem,
        done=done,
        languages=LANGUAGES,
        status=status,
    )


@routes.post("/console/me/sessions/{session:[0-9a-f]{64}}/end")
async def end(request: web.Request) -> web.Response:
    """Sign out somewhere else: only my own."""
    session, name, now = request.match_info["session"], request[STAFF].name, request.app[CLOCK].now()
    if not await request.app[DATABASE].write(lambda db: staff.end_session(db, session, now, of=name)):
        raise web.HTTPNotFound
    return moved("/console/me")


@routes.post("/console/me/sessions/end-others")
async def end_others(request: web.Request) -> web.Response:
    """Sign out everywhere but here."""
    me_now, now = request[STAFF], request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: staff.end_sessions(db, me_now.name, now, but=me_now.session))
    return moved("/console/me")


@routes.post("/console/me/language")
async def choose_language(request: web.Request) -> web.Response:
    """The language of my screens, from now on and everywhere."""
    form, name = await request.post(), request[STAFF].name
    language, back = str(form.get("language", "")), str(form.get("back", ""))
    if language not in LANGUAGES:
        raise web.HTTPUnprocessableEntity
    await request.app[DATABASE].write(lambda db: staff.change_user(db, name, language=language))
    return moved(own_page(back))


@routes.post("/console/me/password")
async def change_password(request: web.Request) -> web.Response:
    """A new password ends every other session."""
    form, me_now, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    old, new = str(form.get("old", "")), str(form.get("new", ""))
    user = await request.app[DATABASE].read(lambda db: staff.user(db, me_now.name))
    assert user is not None
    if not await right_password(old, user.password_hash):
        return await _me(request, problem="现在的密码不正确。", status=403)
    if len(new) < SHORTEST_PASSWORD or me_now.name in new or any(word in new.lower() for word in COMMON):
        return await _me(
            request, problem=f"新密码至少{SHORTEST_PASSWORD}位，不含姓名和常见组合。", status=422
        )
    hashed = hash_password(new)

    def write(db: sa.Connection) -> None:
        staff.change_user(db, me_now.name, password_hash=hashed)
        staff.end_sessions(db, me_now.name, now, but=me_now.session)
        audit.append(db, me_now.name, "change password", me_now.name, "", now)

    await request.app[DATABASE].write(write)
    return await _me(request, done="密码已更换，其他登录已退出。")


def _picture(address: str) -> str:
    """The QR code, as SVG without styles: the page's policy allows none."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, svgclass="qr", lineclass=None, omitsize=True
    )
    return drawn.getvalue().decode()


async def _enrolment(request: web.Request, secret: str, problem: str = "", status: int = 200) -> web.Response:
    address = pyotp.TOTP(secret).provisioning_uri(name=request[STAFF].name, issuer_name="Xiaohu")
    return shown(
        request, "totp.html", secret=secret, picture=_picture(address), problem=problem, status=status
    )


@routes.get("/console/me/totp")
async def offer(request: web.Request) -> web.Response:
    """A new secret, as a picture for the authenticator."""
    return await _enrolment(request, pyotp.random_base32(SECRET_LENGTH))


@routes.post("/console/me/totp")
async def enrol(request: web.Request) -> web.Response:
    """It counts from the first right code on. Replacing one needs a code of the old one."""
    form, me_now, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    secret, code = str(form.get("secret", "")), str(form.get("code", ""))
    if len(secret) != SECRET_LENGTH or not set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        raise web.HTTPUnprocessableEntity
    user = await request.app[DATABASE].read(lambda db: staff.user(db, me_now.name))
    assert user is not None
    if user.totp_secret and not code_step(user.totp_secret, str(form.get("old", "")), now):
        return await _enrolment(request, secret, "旧验证器的动态码不正确。", 403)
    step = code_step(secret, code, now)
    if not step:
        return await _enrolment(request, secret, "动态码不正确，请看验证器上最新的6位数字。", 403)

    def write(db: sa.Connection) -> None:
        staff.change_user(db, me_now.name, totp_secret=secret, totp_step=step)
        staff.end_sessions(db, me_now.name, now, but=me_now.session)
        audit.append(db, me_now.name, "enrol second factor", me_now.name, "", now)

    await request.app[DATABASE].write(write)
    return moved("/console/me")
