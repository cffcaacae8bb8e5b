"""The command bar and the search page: places, folders, colleagues' lists, patients, and words in conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.inbox import finding
from bot.console.inbox.narrowing import FOLDERS
from bot.console.pages import ZONE, shown
from bot.console.patients.pages import listed
from bot.console.people import STAFF, in_scope
from bot.console.permissions import may, places_of
from bot.domain.patient import Patient
from bot.domain.phone import normal_phone
from bot.hospital.identity import phone_index
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import console_inbox as inbox_rows
from storage.queries import console_patient as patient_rows

AROUND = 24  # characters shown either side of what was found
MORE = (
    ("写一条群发", "群发", "/console/broadcasts/new"),
    ("日历", "什么时候发什么", "/console/calendar"),
    ("患者看到的文字", "改写、版本", "/console/texts"),
    ("全部停发", "随访、问候、营销", "/console/stop"),
)
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Command:
    """Something to go to."""

    label: str
    hint: str
    path: str

    def answers(self, words: str) -> bool:
        """Whether these letters, pinyin initials or characters mean it."""
        return words in self.label.lower() or labels.initials(self.label).startswith(words)


def _places(role: str) -> list[Command]:
    found = [Command(place.label, f"G {place.key.upper()}", place.path) for place in places_of(role)]
    found += [Command(label, "文件夹", f"/console/inbox?folder={key}") for key, label in FOLDERS.items()]
    found.append(Command("警报", "所有未关闭的警报", "/console/alarms"))
    found.append(Command("我的账号", "登录、密码、两步验证", "/console/me"))
    if may(role, "GET", "/console/answers-at-hand"):
        found.append(Command("常用语", "/ ;", "/console/answers-at-hand"))
    if may(role, "GET", "/console/tickets"):
        found.append(Command("表扬", "工单", "/console/tickets?kind=praise"))
    for label, hint, path in MORE:
        if may(role, "GET", path):
            found.append(Command(label, hint, path))
    return found


@routes.get("/console/commands")
async def commands(request: web.Request) -> web.Response:
    """What these letters could mean, the likeliest first."""
    words, staff, now = (
        request.query.get("q", "").strip().lower()[:40],
        request[STAFF],
        request.app[CLOCK].now(),
    )
    today = now.astimezone(request.app[ZONE]).date()
    found = [one for one in _places(staff.role) if one.answers(words)]
    if words:
        phone = phone_index(words) if normal_phone(words) else ""
        rows = await request.app[DATABASE].read(
            lambda db: patient_rows.find(
                db, words.upper() if words.isascii() else words, phone, staff.departments, 8
            )
        )
        people = [
            Command(
                one["name"],
                f"{one['sex']}{one['age'] or ''} · {one['code']}",
                f"/console/patients/{one['code']}",
            )
            for one in listed(rows, today)
        ]
        waiting = await _waiting(request, words, now)
        found = [
            *people,
            *waiting,
            *found,
            Command(f"在聊天中搜索“{words}”", "全文", f"/console/search?q={words}"),
        ]
    return shown(request, "commands.html", commands=found[:12])


async def _waiting(request: web.Request, words: str, now: datetime) -> list[Command]:
    """People in the inbox now, by the pinyin initials of their names."""
    staff = request[STAFF]
    if not words.isascii():
        return []

    def read(db: sa.Connection) -> list[Command]:
        work = inbox_rows.folder_conditions(staff.name, now, now)["work"]
        ids = [row.id for row in inbox_rows.rows(db, [work, *in_scope(staff)], limit=100)]
        return [
            Command(Patient("", one.name).masked_name, "正在等待的对话", f"/console/conversations/{contact}")
            for contact, people in inbox_rows.people(db, ids).items()
            for one in people
            if labels.initials(one.name).startswith(words)
        ]

    return (await request.app[DATABASE].read(read))[:6]


@routes.get("/console/search")
async def search(request: web.Request) -> web.Response:
    """Messages in which the words stand."""
    words, staff = request.query.get("q", "").strip()[:60], request[STAFF]

    def read(db: sa.Connection) -> list[dict[str, Any]]:
        hits = finding.messages_with(db, words)
        ids = sorted({hit.contact_id for hit in hits})
        allowed = {
            row.id
            for row in inbox_rows.rows(
                db,
                [*inbox_rows.Narrowing(contact_ids=ids).conditions(), *in_scope(staff)],
                limit=300,
            )
        }
        people = inbox_rows.people(db, sorted(allowed))
        return [
            {
                "contact": hit.contact_id,
                "name": Patient("", people[hit.contact_id][0].name).masked_name
                if hit.contact_id in people
                else "未绑定用户",
                "at": hit.at,
                "author": {"patient": "患者", "bot": "小护"}.get(hit.author, hit.author),
                "parts": _parts(hit.text or "", words),
            }
            for hit in hits
            if hit.contact_id in allowed
        ][:60]

    found = await request.app[DATABASE].read(read) if words else []
    return shown(request, "search.html", words=words, found=found)


def _parts(text: str, words: str) -> tuple[str, str, str]:
    """What stands before, what was found, what stands after."""
    at = text.lower().find(words.lower())
    if at < 0:
        return text[: 2 * AROUND], "", ""
    end = at + len(words)
    return text[max(0, at - AROUND) : at], text[at:end], text[end : end + AROUND]
