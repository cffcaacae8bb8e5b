"""Coming in: password, second factor, sessions, idling, and who may open what."""

from __future__ import annotations

import re

import pyotp
import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.app import web_application
from bot.console.permissions import ALLOWED, OPEN_WHEN_IDLE, ROLES
from bot.web.webhooks import ACCOUNTS
from storage.queries import audit
from storage.tables import audit as audit_rows
from storage.tables import users, visits
from tests.console.conftest import COLLEAGUES, PASSWORD, House, Visitor


async def test_one_answer_for_a_wrong_name_and_a_wrong_password(house: House) -> None:
    visitor = await house.visitor()
    known = await visitor.post("/console/login", name=COLLEAGUES["nurse"], password="wrong")
    unknown = await visitor.post("/console/login", name="谁也不是", password="wrong")
    assert known[0] == unknown[0] == 403
    assert known[1].replace(COLLEAGUES["nurse"], "") == unknown[1].replace("谁也不是", "")


async def test_guessing_is_slowed_down_and_other_names_still_come_in(house: House) -> None:
    robot = await house.visitor()
    for _ in range(5):
        await robot.post("/console/login", name=COLLEAGUES["nurse"], password="wrong")
    assert (await robot.post("/console/login", name=COLLEAGUES["nurse"], password=PASSWORD))[0] == 429
    assert (await robot.post("/console/login", name=COLLEAGUES["manager"], password=PASSWORD))[0] == 303
    house.passes(minutes=6)
    assert (await robot.post("/console/login", name=COLLEAGUES["nurse"], password=PASSWORD))[0] == 303


async def test_a_second_factor_is_enrolled_and_then_asked_for_once_each(house: House) -> None:
    nurse = await house.colleague()
    page = await nurse.sees("/console/me/totp")
    assert "<svg" in page
    secret = re.search(r'id="secret">([A-Z2-7]{32})<', page)
    assert secret is not None
    totp = pyotp.TOTP(secret[1])
    assert (await nurse.post("/console/me/totp", secret=secret[1], code="000000"))[0] == 403
    code = totp.at(house.clock.now())
    assert (await nurse.post("/console/me/totp", secret=secret[1], code=code))[0] == 303

    again = await house.visitor()
    name = COLLEAGUES["nurse"]
    assert (await again.post("/console/login", name=name, password=PASSWORD))[0] == 403
    assert (await again.post("/console/login", name=name, password=PASSWORD, code=code))[0] == 403  # used up
    house.passes(minutes=1)
    code = totp.at(house.clock.now())
    assert (await again.post("/console/login", name=name, password=PASSWORD, code=code))[0] == 303
    third = await house.visitor()
    assert (await third.post("/console/login", name=name, password=PASSWORD, code=code))[0] == 403
    assert (await house.asks(lambda db: db.execute(sa.select(users.c.totp_secret)).scalars().all())).count(
        secret[1]
    ) == 1


async def test_sessions_are_listed_and_ended_only_one_s_own(house: House) -> None:
    here, there = await house.colleague(), await house.colleague()
    other = await house.colleague("nurse2")
    page = await here.sees("/console/me")
    ends = re.findall(r'action="(/console/me/sessions/[0-9a-f]{64}/end)"', page)
    assert len(ends) == 1
    assert (await other.post(ends[0]))[0] == 404
    assert (await there.get("/console/inbox"))[0] == 200
    assert (await here.post(ends[0]))[0] == 303
    assert (await there.get("/console/inbox"))[0] == 302


async def test_an_idle_screen_shows_alarms_and_nothing_else(house: House) -> None:
    nurse = await house.colleague()
    await house.says("刀口一直流血，头晕得站不起来")
    house.passes(minutes=16)
    status, where = await nurse.get("/console/inbox")
    assert (status, where) == (302, "/console/alarms")
    page = await nurse.sees("/console/alarms")
    assert "重新登录" in page
    assert "无人响应" in page
    assert "出血" not in page  # that there is an alarm, not what of
    status, where = await nurse.post("/console/conversations/1/take")
    assert status == 302
    assert where.startswith("/console/login")
    assert (await nurse.get("/console/conversations/1/live", **{"HX-Request": "true"}))[0] == 401


async def test_a_refresh_by_itself_keeps_nobody_awake(house: House) -> None:
    nurse = await house.colleague()
    for _ in range(3):
        house.passes(minutes=7)
        await nurse.get("/console/inbox/list", **{"X-Live": "1", "HX-Request": "true"})
    assert (await nurse.get("/console/inbox"))[1] == "/console/alarms"


async def test_a_dismissed_colleague_is_out_at_once(house: House) -> None:
    nurse = await house.colleague()
    await house.does(
        lambda db: db.execute(users.update().where(users.c.name == COLLEAGUES["nurse"]).values(active=False))
    )
    assert (await nurse.get("/console/inbox"))[0] == 302


async def test_other_sites_can_neither_post_nor_be_gone_to(house: House) -> None:
    nurse = await house.colleague()
    async with nurse.session.post(
        nurse.url + "/console/logout", headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False
    ) as answer:
        assert answer.status == 403
    visitor = await house.visitor()
    for onward in ("https://evil.example/", "//evil.example", "/\\evil.example", "/console/\\evil"):
        _, where = await visitor.post(
            "/console/login", name=COLLEAGUES["nurse"], password=PASSWORD, next=onward
        )
        assert where == "/console/"


async def test_every_page_is_in_the_table_and_every_entry_is_a_page(house: House) -> None:
    application = _console_routes(house)
    assert set(ALLOWED) == application
    assert set(ALLOWED) >= OPEN_WHEN_IDLE


def _console_routes(house: House) -> set[tuple[str, str]]:
    application: web.Application = web_application(house.server.house)
    assert application[ACCOUNTS]
    return {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/console")
        and route.method != "HEAD"
        and not route.resource.canonical.startswith(("/console/login", "/console/static"))
    }


def _example(path: str) -> str:
    values = {
        "id": "1",
        "code": "P01",
        "session": "0" * 64,
        "number": "TS000001",
        "kind": "csv",
        "figure": "x",
    }
    return re.sub(
        r"\{(\w+)\}", lambda match: values.get(match[1], "1"), path.replace("month/{kind}", "month/pdf")
    )


@pytest.mark.timeout(120)
async def test_roles_open_their_own_pages_and_no_others(house: House) -> None:
    """The whole matrix, generated from the routes: no unexpected 200."""
    await house.says("人工")
    stranger = await house.visitor()
    colleagues: dict[str, Visitor] = {role: await house.colleague(role) for role in ROLES}
    unexpected = []
    for method, path in sorted(_console_routes(house)):
        if path in ("/console/logout", "/console/events"):
            continue
        for role, visitor in [("", stranger), *colleagues.items()]:
            ask = visitor.get if method == "GET" else visitor.post
            status, _ = await ask(_example(path))
            allowed = role in ALLOWED[method, path]
            refused = status in ((302,) if not role else (403,))
            if path == "/console/me/password" and allowed:
                continue  # 403 there means: not the password
            if allowed == refused or status >= 500:
                unexpected.append((role, method, path, status))
    assert unexpected == []


async def test_the_chain_of_readings_holds_until_somebody_alters_it(house: House) -> None:
    await house.says("人工")
    nurse, auditor = await house.colleague(), await house.colleague("auditor")
    await nurse.sees("/console/conversations/1")
    assert "全链完好" in await auditor.sees("/console/audit?verify=1")
    export = await auditor.sees("/console/audit/export")
    assert '"conversation:1"' in export
    assert COLLEAGUES["nurse"] in export
    await house.does(
        lambda db: db.execute(
            audit_rows.update().where(audit_rows.c.object == "conversation:1").values(actor="谁也不是")
        )
    )
    assert await house.asks(audit.first_broken) is not None
    assert "接不上" in await auditor.sees("/console/audit?verify=1")


async def test_a_nurse_of_one_department_sees_its_patients_and_every_alarm(house: House) -> None:
    await house.says("人工")
    await house.does(
        lambda db: db.execute(
            visits.insert().values(
                code="V900",
                patient_code="P01",
                department_code="KQ",
                date=house.clock.now().date(),
                kind="outpatient",
            )
        )
    )
    await house.does(
        lambda db: db.execute(
            users.update().where(users.c.name == COLLEAGUES["nurse"]).values(departments="EK")
        )
    )
    nurse = await house.colleague()
    assert (await nurse.get("/console/conversations/1"))[0] == 404
    assert 'data-id="1"' not in await nurse.sees("/console/inbox")
    await house.says("刀口一直流血，头晕得站不起来")
    assert 'data-id="1"' in await nurse.sees("/console/inbox")
    assert (await nurse.get("/console/conversations/1"))[0] == 200
