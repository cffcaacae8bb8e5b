"""Whether letters go out: the accounts of the platforms, their templates and quotas, the dead letters and their mend."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from functools import partial
from typing import Any, Final, Protocol

import sqlalchemy as sa
from aiohttp import web

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.limits import MASS_A_MONTH, MASS_CALLS_A_DAY, QUOTA_ZONE
from bot.console import labels
from bot.console.pages import moved, shown
from bot.console.people import STAFF
from bot.console.services import RECEPTION
from bot.flows import PLANS
from bot.settings import Settings
from bot.web.api import SETTINGS, WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, cursors
from storage.queries import console_admin as admin_rows

UNSURE: Final = "unknown_outcome"  # the platform may have delivered it
# What helps, by the beginning of a reason.
MENDS: Final[Mapping[str, str]] = {
    "no_lawful_route": "没有合规的方式：配置模板消息或短信，或打电话",
    "no_route": "所有方式都试过：打电话，或请患者重新发一句话",
    UNSURE: "不知道平台收到没有：先问患者，再决定要不要重发",
    "quota": "额度用完：明天会恢复，也可以换一种方式",
    "40001": "AppSecret 不对或凭证过期：检查设置后重试",
    "40037": "模板被删除：检查下面“平台账号”里的模板",
    "43004": "患者没有关注：打电话",
    "45015": "48小时窗口已关：换一种方式",
    "45047": "条数用完：等患者再发一句话，或换一种方式",
}
PURPOSES: Final = ("care", "reminder", "report", "transaction")  # that a template may be for (contract.md §2)
FIELD: Final = re.compile(r"\{\{\s*(\w+)\.DATA\s*\}\}")


class TemplatePort(Protocol):
    """An official account that can be asked for its templates."""

    account: str

    async def templates(self) -> Sequence[Mapping[str, Any]]:
        """All templates it has now."""
        ...


OFFICIAL: web.AppKey[Sequence[TemplatePort]] = web.AppKey("official_accounts")

routes = web.RouteTableDef()


@routes.get("/console/admin/outbox")
async def outbox(request: web.Request) -> web.Response:
    """Letters that no way could deliver."""
    dead, reasons, waiting = await request.app[DATABASE].read(
        lambda db: (admin_rows.dead(db), admin_rows.dead_by_reason(db), admin_rows.waiting(db))
    )
    return shown(
        request,
        "outbox.html",
        dead=[
            (row, labels.reason(row.reason), labels.PURPOSES.get(row.purpose, row.purpose)) for row in dead
        ],
        reasons=[(row, labels.reason(row.reason), mend(row.reason)) for row in reasons],
        waiting=waiting,
    )


def mend(reason: str) -> str:
    """What helps against it; empty: nothing that we know of."""
    return next((words for code, words in MENDS.items() if code in reason), "")


@routes.post("/console/admin/outbox/{letter:\\d+}/retry")
async def retry(request: web.Request) -> web.Response:
    """Try every way again, or every one that was not tried."""
    form = await request.post()
    otherwise = form.get("how") == "otherwise"
    number, name, now = int(request.match_info["letter"]), request[STAFF].name, request.app[CLOCK].now()

    def write(db: sa.Connection) -> None:
        if admin_rows.retry(db, number, now, otherwise=otherwise):
            audit.append(db, name, "retry letter", f"letter:{number}", "otherwise" if otherwise else "", now)

    await request.app[DATABASE].write(write)
    request.app[WAKE].set()
    return moved("/console/admin/outbox")


@routes.post("/console/admin/outbox/{letter:\\d+}/close")
async def settle(request: web.Request) -> web.Response:
    """Give up, and say why: it was taken care of otherwise, or it is of no use any more."""
    form = await request.post()
    why = str(form.get("why", "")).strip()[:200]
    if not why:
        raise web.HTTPUnprocessableEntity
    number, name, now = int(request.match_info["letter"]), request[STAFF].name, request.app[CLOCK].now()

    def write(db: sa.Connection) -> None:
        if admin_rows.settle(db, number):
            audit.append(db, name, "settle letter", f"letter:{number}", why, now)

    await request.app[DATABASE].write(write)
    return moved("/console/admin/outbox")


@routes.post("/console/admin/outbox/retry-all")
async def retry_all(request: web.Request) -> web.Response:
    """What died of one reason tries again, now that the reason is gone."""
    form, name, now = await request.post(), request[STAFF].name, request.app[CLOCK].now()
    reason = str(form.get("reason", ""))
    if UNSURE in reason:  # it may have arrived: each is looked at by itself, never all sent a second time
        raise web.HTTPUnprocessableEntity

    def write(db: sa.Connection) -> None:
        numbers = admin_rows.dead_of(db, reason)
        tried = sum(admin_rows.retry(db, number, now) for number in numbers)
        audit.append(db, name, "retry letters", reason, str(tried), now)

    await request.app[DATABASE].write(write)
    request.app[WAKE].set()
    return moved("/console/admin/outbox")


@routes.get("/console/admin/accounts")
async def accounts(request: web.Request) -> web.Response:
    """Tokens, reach, quotas and templates of every account; the lexicon and the plans, and who signed them."""
    now, settings = request.app[CLOCK].now(), request.app[SETTINGS]
    local = now.astimezone(QUOTA_ZONE)
    day = datetime.combine(local.date(), time(), QUOTA_ZONE)

    def read(db: sa.Connection) -> dict[str, Any]:
        return {
            "tokens": {row.name: row.expires_at for row in admin_rows.tokens(db)},
            "reach": {row.account: row for row in admin_rows.reach(db, now)},
            "mass_today": admin_rows.mass_calls(db, day),
            "mass_month": admin_rows.mass_calls(db, day.replace(day=1)),
            "checked": {
                f"wechat/{account.name}": json.loads(
                    cursors.read(db, f"templates:wechat/{account.name}") or "{}"
                )
                for account in settings.official_accounts
            },
        }

    found = await request.app[DATABASE].read(read)
    lexicon, plans = _lexicon(request), sorted(PLANS.values(), key=lambda plan: plan.key)
    return shown(
        request,
        "accounts.html",
        accounts=_accounts(settings, found),
        others=[name for name in found["reach"] if not name.startswith("wechat/")],
        lexicon=lexicon,
        plans=plans,
        production=settings.env == "production",
        mass_a_month=MASS_A_MONTH,
        mass_a_day=MASS_CALLS_A_DAY,
        **found,
    )


def _accounts(settings: Settings, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"wechat/{account.name}",
            "app_id": account.app_id,
            "expires": found["tokens"].get(f"wechat/{account.name}"),
            "reach": found["reach"].get(f"wechat/{account.name}"),
            "today": found["mass_today"].get(f"wechat/{account.name}", 0),
            "month": found["mass_month"].get(f"wechat/{account.name}", 0),
            "without": [purpose for purpose in PURPOSES if purpose not in account.templates],
            "templates": account.templates,
            "checked": found["checked"].get(f"wechat/{account.name}", {}),
        }
        for account in settings.official_accounts
    ]


def _lexicon(request: web.Request) -> tuple[str, str]:
    """The version of the red-flag lexicon, and who signed it; empty: nobody yet."""
    known = request.app[RECEPTION].reading.plainly("你好", request.app[CLOCK].now()).red_flags.lexicon
    version, _, signer = known.partition(" ")
    return version, "" if signer == "unsigned" else signer


@routes.post("/console/admin/accounts/check")
async def check(request: web.Request) -> web.Response:
    """Ask the platforms whether the templates we were told of are still there, with the fields we fill."""
    app, now, name = request.app, request.app[CLOCK].now(), request[STAFF].name
    told = {f"wechat/{account.name}": account.templates for account in app[SETTINGS].official_accounts}
    for port in app[OFFICIAL]:
        try:
            result = drift(told.get(port.account, {}), await port.templates())
        except (Refused, Unreached, OutcomeUnknown) as error:
            result = {"error": str(error)[:200] or type(error).__name__}
        kept = json.dumps({"at": now.isoformat(), **result}, ensure_ascii=False)
        keep = partial(_keep, account=port.account, kept=kept, name=name, now=now)
        await app[DATABASE].write(keep)
    return moved("/console/admin/accounts")


def _keep(db: sa.Connection, account: str, kept: str, name: str, now: datetime) -> None:
    cursors.move(db, f"templates:{account}", kept)
    audit.append(db, name, "check templates", account, "", now)


def drift(told: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What differs between the templates of the settings and those of the platform."""
    there = {str(one.get("template_id")): one for one in found}
    gone = [purpose for purpose, template in told.items() if template.id not in there]
    renamed, lacking = {}, {}
    for purpose, template in told.items():
        if (one := there.get(template.id)) is None:
            continue
        if template.title and one.get("title") and one["title"] != template.title:
            renamed[purpose] = str(one["title"])
        fields = set(FIELD.findall(str(one.get("content", ""))))
        if fields and (unknown := sorted(set(template.fields) - fields)):
            lacking[purpose] = unknown
    return {"count": len(found), "gone": gone, "renamed": renamed, "lacking": lacking}
