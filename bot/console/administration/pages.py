"""Running the place: users, the duty roster, answers."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import sqlalchemy as sa
from aiohttp import web

from bot.console.access import hash_password
from bot.console.pages import ZONE, moved, shown
from bot.console.people import STAFF
from bot.console.permissions import ROLES
from bot.domain.phone import normal_phone
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, console_handover, importing, staff
from storage.queries import console_admin as admin_rows

POSTS = {
    "nurse": "值班护士",
    "second_nurse": "二线护士",
    "head_nurse": "护士长",
    "duty_officer": "总值班",
    "head_of_department": "科主任",
}
LATE = timedelta(minutes=5)  # the oldest letter is due that long: the postman is stuck
RESERVED = frozenset({"bot", "patient", "plan", "broadcast", "import", "system", "api"})

routes = web.RouteTableDef()


@routes.get("/console/admin")
async def overview(request: web.Request) -> web.Response:
    """What needs a hand."""
    now = request.app[CLOCK].now()

    def read(db: sa.Connection) -> dict[str, Any]:
        return {
            "waiting": admin_rows.waiting(db),
            "dead": len(admin_rows.dead(db)),
            "tokens": admin_rows.tokens(db),
            "shifts": [one for one in admin_rows.shifts(db, now) if one.start_at <= now],
            "users": sum(one.active for one in staff.everyone(db)),
        }

    found = await request.app[DATABASE].read(read)
    oldest = found["waiting"].oldest
    return shown(
        request, "admin.html", stuck=oldest is not None and now - oldest > LATE, posts=POSTS, **found
    )


@routes.get("/console/admin/roster")
async def roster(request: web.Request) -> web.Response:
    """Who is on duty, from today on."""
    return await _roster(request)


async def _roster(request: web.Request, problem: str = "") -> web.Response:
    now = request.app[CLOCK].now()
    shifts, people = await request.app[DATABASE].read(
        lambda db: (admin_rows.shifts(db, now), [one for one in staff.everyone(db) if one.active])
    )
    status = 422 if problem else 200
    return shown(
        request, "roster.html", shifts=shifts, people=people, posts=POSTS, problem=problem, status=status
    )


@routes.post("/console/admin/roster")
async def add_shift(request: web.Request) -> web.Response:
    """Somebody is on duty from then to then."""
    form, zone, name, now = (
        await request.post(),
        request.app[ZONE],
        request[STAFF].name,
        request.app[CLOCK].now(),
    )
    try:
        start, end = (
            datetime.fromisoformat(str(form.get(key, ""))).replace(tzinfo=zone) for key in ("start", "end")
        )
    except ValueError:
        return await _roster(request, "时间看不懂。")
    who, post = str(form.get("user", "")), str(form.get("post", "nurse"))
    if end <= start or end - start > timedelta(days=31) or post not in POSTS:
        return await _roster(request, "结束要晚于开始，最长31天。")

    def write(db: sa.Connection) -> bool:
        if staff.user(db, who) is None:
            return False
        admin_rows.add_shift(db, {"user_name": who, "start_at": start, "end_at": end, "post": post})
        audit.append(db, name, "add shift", who, f"{start.isoformat()} {post}", now)
        return True

    if not await request.app[DATABASE].write(write):
        return await _roster(request, "没有这位同事。")
    return moved("/console/admin/roster")


@routes.post("/console/admin/roster/{entry:\\d+}/remove")
async def remove_shift(request: web.Request) -> web.Response:
    """They are not on duty then."""
    number, name, now = int(request.match_info["entry"]), request[STAFF].name, request.app[CLOCK].now()

    def write(db: sa.Connection) -> None:
        admin_rows.remove_shift(db, number)
        audit.append(db, name, "remove shift", f"shift:{number}", "", now)

    await request.app[DATABASE].write(write)
    return moved("/console/admin/roster")


@routes.get("/console/admin/users")
async def users(request: web.Request) -> web.Response:
    """Everybody who may, or might, sign in."""
    return await _users(request)


async def _users(request: web.Request, problem: str = "", password: str = "", who: str = "") -> web.Response:
    people = await request.app[DATABASE].read(staff.everyone)
    return shown(
        request,
        "users.html",
        people=people,
        problem=problem,
        password=password,
        who=who,
        status=422 if problem else 200,
    )


@routes.post("/console/admin/users")
async def add_user(request: web.Request) -> web.Response:
    """A new colleague; their first password is shown this once."""
    form, by, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    name, role = str(form.get("name", "")).strip(), str(form.get("role", ""))
    if not name or not name.isprintable() or len(name) > 50 or name in RESERVED or role not in ROLES:
        return await _users(request, "姓名或角色不对。")
    phone = normal_phone(str(form.get("phone", ""))) if form.get("phone") else None
    password = secrets.token_urlsafe(12)
    values = {
        "name": name,
        "role": role,
        "password_hash": hash_password(password),
        "wecom_userid": str(form.get("wecom", "")).strip()[:64],
        "phone": phone,
        "departments": str(form.get("departments", "")).strip()[:200],
        "accounts": str(form.get("accounts", "")).strip()[:200],
        "created_at": now,
    }

    def write(db: sa.Connection) -> bool:
        if staff.user(db, name) is not None:
            return False
        staff.add_user(db, **values)
        audit.append(db, by, "add user", name, role, now)
        return True

    if not await request.app[DATABASE].write(write):
        return await _users(request, f"{name} 已经有了。")
    return await _users(request, password=password, who=name)


@routes.post("/console/admin/users/{name}/change")
async def change_user(request: web.Request) -> web.Response:
    """Role, departments, leaving, a new password. Whoever changes role or leaves is signed out; their work waits anew."""
    form, me, now = await request.post(), request[STAFF], request.app[CLOCK].now()
    name, what = request.match_info["name"], str(form.get("what", ""))
    if name == me.name:
        return await _users(request, "不能改自己的角色和状态。")
    password = secrets.token_urlsafe(12) if what == "password" else ""
    changes: dict[str, Any] = {}
    if what == "password":
        changes = {"password_hash": hash_password(password), "totp_secret": None, "totp_step": None}
    elif what == "role" and form.get("role") in ROLES:
        changes = {"role": str(form["role"])} | {
            scope: str(form.get(scope, "")).strip()[:200] for scope in ("departments", "accounts")
        }
    elif what in ("leave", "return"):
        changes = {"active": what == "return"}
    if not changes:
        return await _users(request, "没有可改的内容。")

    def write(db: sa.Connection) -> bool:
        if staff.user(db, name) is None:
            return False
        staff.change_user(db, name, **changes)
        staff.end_sessions(db, name, now)
        left = console_handover.left(db, name, now) if what == "leave" else 0
        audit.append(db, me.name, "change user", name, f"{what} {left or ''}".strip(), now)
        return True

    if not await request.app[DATABASE].write(write):
        raise web.HTTPNotFound
    return await _users(request, password=password, who=name) if password else moved("/console/admin/users")


@routes.get("/console/admin/answers")
async def answers(request: web.Request) -> web.Response:
    """What the bot answers to what is often asked, and every wording of the one that is open."""
    code = request.query.get("code", "")
    rows, versions = await request.app[DATABASE].read(
        lambda db: (admin_rows.known_answers(db), admin_rows.wordings(db, code) if code else [])
    )
    return shown(request, "answers.html", rows=rows, chosen=code, versions=versions)


@routes.post("/console/admin/answers")
async def keep_answer(request: web.Request) -> web.Response:
    """A new answer, or a better one. It is used from the next question on; the old wording is kept."""
    form, name, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    fields = ("code", "questions", "answer", "answer_zh_hant", "answer_en")
    values = {key: str(form.get(key, "")).strip()[:10_000] for key in fields}
    if not values["code"] or not values["answer"]:
        raise web.HTTPUnprocessableEntity

    def write(db: sa.Connection) -> None:
        if admin_rows.keep_answer(db, values, name, now):
            importing.set_revision(db, uuid4().hex)
            audit.append(db, name, "answer", values["code"], values["answer"][:200], now)

    await request.app[DATABASE].write(write)
    return moved("/console/admin/answers?code=" + quote(values["code"]))
