"""Running the place from the browser: imports, dead letters, accounts and their templates, answers."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.console.administration.health import drift
from bot.settings import TemplateSettings
from storage.tables import departments, letters
from tests.console.conftest import COLLEAGUES, House, Visitor
from tests.serving import serving, settings

DEPARTMENTS = "code,name,location,aliases,description\nYK,眼科,三楼,,\n"
BROKEN = "code,name,location,aliases,description\nYK,=cmd,三楼,,\nYK,,三楼,,\n"


async def _upload(
    admin: Visitor, files: Mapping[str, bytes], *, only_checks: bool = False
) -> tuple[int, str]:
    form = aiohttp.FormData()
    for name, content in files.items():
        form.add_field("files", content, filename=name)
    if only_checks:
        form.add_field("only_checks", "1")
    address = admin.url + "/console/admin/imports"
    async with admin.session.post(address, data=form, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "") or await answer.text()


async def _settled(admin: Visitor, page: str) -> str:
    async with asyncio.timeout(20):
        for pause in itertools.repeat(0.05):
            seen = await admin.sees(page + "/progress")
            if 'hx-trigger="every 1s"' not in seen:
                break
            await asyncio.sleep(pause)
    return seen


async def _known(house: House) -> list[str]:
    return list(await house.asks(lambda db: db.execute(sa.select(departments.c.name)).scalars().all()))


async def test_a_folder_is_checked_and_then_imported_from_the_browser(house: House) -> None:
    admin = await house.colleague("admin")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("hospital/departments.csv", DEPARTMENTS)
        archive.writestr("__MACOSX/._departments.csv", "x")
    files = {"data.zip": packed.getvalue()}
    status, page = await _upload(admin, files, only_checks=True)
    assert status == 303
    assert "检查通过" in await _settled(admin, page)
    assert "眼科" not in await _known(house)
    _, page = await _upload(admin, files)
    done = await _settled(admin, page)
    assert "导入完成" in done
    assert "departments.csv" in done
    assert "眼科" in await _known(house)
    auditor = await house.colleague("auditor")
    assert "import done" in await auditor.sees("/console/audit")


async def test_every_refused_cell_is_listed_and_nothing_is_changed(house: House) -> None:
    admin = await house.colleague("admin")
    _, page = await _upload(admin, {"departments.csv": BROKEN.encode()})
    report = await _settled(admin, page)
    assert "有错误，未作任何改动" in report
    assert "不能以 = 开头" in report
    assert "不能为空" in report
    listed = await admin.sees(page + "/faults")
    assert "departments.csv,2,name," in listed
    assert "眼科" not in await _known(house)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"../../etc/passwd": b"x"}, "只接受"),
        ({"run.exe": b"x"}, "只接受"),
        ({"a.zip": b"not a zip"}, "打不开"),
        ({}, "请选择文件"),
    ],
)
async def test_uploads_that_are_none_are_refused_in_words(
    house: House, files: dict[str, bytes], said: str
) -> None:
    admin = await house.colleague("admin")
    status, page = await _upload(admin, files or {}, only_checks=True)
    assert status == 422
    assert said in page


def _dead(db: sa.Connection, house: House) -> None:
    now = house.clock.now()
    for number, reason in enumerate(("no_route", "no_route", "unknown_outcome")):
        db.execute(
            letters.insert().values(
                key=f"dead{number}",
                contact_id=1,
                purpose="care",
                channel="customer_service",
                tried="customer_service",
                state="failed",
                reason=reason,
                priority=3,
                body={"text": "您好"},
                author="plan",
                created_at=now,
                not_before=now,
                useful_until=now - timedelta(minutes=1),
                attempts=3,
            )
        )


async def _letters(house: House) -> dict[str, tuple[str, str]]:
    rows = await house.asks(
        lambda db: db.execute(sa.select(letters).where(letters.c.key.startswith("dead"))).all()
    )
    return {row.key: (row.state, row.reason or row.tried) for row in rows}


async def test_dead_letters_are_grouped_with_their_mend_and_given_up_with_a_reason(house: House) -> None:
    await house.says("你好")
    await house.does(lambda db: _dead(db, house))
    admin = await house.colleague("admin")
    page = await admin.sees("/console/admin/outbox")
    assert "先问患者" in page
    numbers = await house.asks(
        lambda db: db.execute(sa.select(letters.c.id).where(letters.c.state == "failed")).scalars().all()
    )
    last = max(numbers)
    before = await _letters(house)
    # What may have arrived is never sent again in a heap.
    assert (await admin.post("/console/admin/outbox/retry-all", reason="unknown_outcome"))[0] == 422
    assert await _letters(house) == before
    assert (await admin.post(f"/console/admin/outbox/{last}/close"))[0] == 422  # not without a reason
    assert (await admin.post(f"/console/admin/outbox/{last}/close", why="患者说已收到"))[0] == 303
    auditor = await house.colleague("auditor")
    assert "患者说已收到" in await auditor.sees("/console/audit")
    assert "先问患者" not in await admin.sees("/console/admin/outbox")


async def test_an_answer_is_used_at_once_and_its_old_wording_can_come_back(house: House) -> None:
    manager = await house.colleague("manager")
    first = {"code": "wifi", "questions": "有没有无线网|WIFI密码", "answer": "一楼大厅有免费无线网。"}
    assert (await manager.post("/console/admin/answers", **first))[0] == 303
    assert "一楼大厅有免费无线网" in await house.says("有没有无线网")
    await manager.post("/console/admin/answers", **first | {"answer": "全院都有免费无线网。"})
    assert "全院都有免费无线网" in await house.says("有没有无线网")
    page = await manager.sees("/console/admin/answers?code=wifi")
    assert page.count("恢复这个说法") == 2  # the first one, and the imported one before it
    await manager.post("/console/admin/answers", **first)
    assert "一楼大厅有免费无线网" in await house.says("有没有无线网")


def test_templates_that_the_platform_changed_are_told_apart() -> None:
    told = {
        "care": TemplateSettings(id="T1", title="随访通知", fields={"thing1": "subject", "time2": "when"}),
        "report": TemplateSettings(id="T2", title="报告通知", fields={"thing1": "subject"}),
        "reminder": TemplateSettings(id="T3", title="就诊提醒", fields={"thing1": "subject"}),
    }
    found = [
        {"template_id": "T1", "title": "随访通知", "content": "{{thing1.DATA}} {{time3.DATA}}"},
        {"template_id": "T2", "title": "检查报告通知", "content": "{{thing1.DATA}}"},
    ]
    assert drift(told, found) == {
        "count": 2,
        "gone": ["reminder"],
        "renamed": {"report": "检查报告通知"},
        "lacking": {"care": ["time2"]},
    }


@asynccontextmanager
async def _platform() -> AsyncIterator[str]:
    """A platform with one template."""

    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "expires_in": 7200})

    async def list_(request: web.Request) -> web.Response:
        return web.json_response({"template_list": [{"template_id": "T9", "title": "x", "content": ""}]})

    app = web.Application()
    app.router.add_post("/cgi-bin/stable_token", token)
    app.router.add_get("/cgi-bin/template/get_all_private_template", list_)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_accounts_show_tokens_reach_templates_and_who_signed(house: House, database_url: str) -> None:
    templates = '{"care": {"id": "T1", "title": "随访通知", "fields": {"thing1": "subject"}}}'
    async with _platform() as base:
        environment = {"XIAOHU_WECHAT__API_BASE": base, "XIAOHU_WECHAT__TEMPLATES": templates}
        async with serving(settings(database_url, **environment), house.clock) as server:
            admin = Visitor(server.url, (await house.visitor()).session)
            await admin.post("/console/login", name="系统管理员甲", password="a long enough passphrase")
            page = await admin.sees("/console/admin/accounts")
            assert "还没有与平台核对过" in page
            assert "词库版本" in page
            assert (await admin.post("/console/admin/accounts/check"))[0] == 303
            assert "平台上没有了" in await admin.sees("/console/admin/accounts")


async def test_a_colleague_of_one_branch_answers_only_its_account(house: House) -> None:
    await house.says("人工")
    admin = await house.colleague("admin")
    name = COLLEAGUES["nurse"]
    status, _ = await admin.post(
        f"/console/admin/users/{name}/change",
        what="role",
        role="nurse",
        departments="",
        accounts="wechat/west",
    )
    assert status == 303
    assert "wechat/west" in await admin.sees("/console/admin/users")
    nurse = await house.colleague()
    assert 'data-id="1"' not in await nurse.sees("/console/inbox?folder=all")
    assert (await nurse.get("/console/conversations/1"))[0] == 404
