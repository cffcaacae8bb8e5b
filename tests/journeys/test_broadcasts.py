"""A broadcast from the first word to the stop, in a real browser, with the patients' phones on the simulated platform."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Page, async_playwright, expect

from bot.domain.clock import ShiftedClock, StoppedClock
from bot.simulator import User
from storage.tables import broadcasts, patient_tags, patients
from tests.conftest import NOW
from tests.console.conftest import House, hire
from tests.hospital_folder import bound, open_hospital
from tests.journeys.test_console import LOOK, OLD_MONITOR, PHONE, Ward, keep
from tests.outbox.conftest import Street

expect.set_options(timeout=15_000)
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

MEMBERS = ("oM1", "oM2", "oM3")
TEXT = "周六上午九点在门诊楼三层有健康讲座，欢迎参加。"


@dataclass
class Campaign:
    """The house with browsers in front of it, and the members' phones."""

    ward: Ward
    people: dict[str, User]


def _members(db: sa.Connection) -> None:
    for openid in MEMBERS:
        code = openid.removeprefix("o")
        row = {"code": code, "name": f"王敏{code}", "sex": "F", "marketing_consent": True}
        db.execute(patients.insert().values(**row))
        db.execute(patient_tags.insert().values(patient_code=code, tag="会员"))
        bound(openid, code)(db)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def campaign(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Campaign]:
    path = tmp_path_factory.mktemp("broadcasts") / "xiaohu.db"
    shutil.copy(sqlite_template, path)
    clock = ShiftedClock(NOW)  # at night a broadcast would wait
    async with AsyncExitStack() as stack, async_playwright() as playwright:
        post = await Street(stack, f"sqlite:///{path}", cast(StoppedClock, clock)).opens()
        await post.does(open_hospital)
        await post.does(bound("oU1", "P01"))
        await post.does(_members)
        await post.does(lambda db: hire(db, clock))
        people = {openid: post.platform.follow(openid) for openid in MEMBERS}
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=installed)
        worker = post.server.house.worker
        worker.start()
        yield Campaign(Ward(House(post.server, clock, stack), browser), people)
        await worker.stop()
        await browser.close()


async def _composes(campaign: Campaign, writer: Page) -> str:
    """A draft to all members, at one a minute; its path."""
    await campaign.ward.opens(writer, "/console/broadcasts/new")
    await writer.fill("[name=tag]", "会员")
    await expect(writer.locator("#audience")).to_contain_text("3 人会收到")
    await expect(writer.locator("#audience")).to_contain_text("王**1｜女")
    await writer.fill("#broadcast-text", "全市第一的健康讲座")
    await expect(writer.locator("#words .problem")).to_contain_text("全市第一")
    await writer.fill("#broadcast-text", TEXT)
    await expect(writer.locator("#words .bubble").first).to_contain_text(f"【广告】{TEXT}")
    await expect(writer.locator("#words .problem")).to_have_count(0)
    await writer.fill("[name=pace]", "1")
    await keep(writer, "broadcast-new")
    await writer.get_by_role("button", name="保存并提交审批").click()
    await expect(writer.locator(".pagehead .pill")).to_have_text("待审批")
    return writer.url.removeprefix(campaign.ward.house.server.url)


async def test_composed_approved_with_a_diff_started_watched_read_and_stopped(campaign: Campaign) -> None:
    ward = campaign.ward
    writer, manager = await ward.colleague("marketing"), await ward.colleague("manager")
    await expect(writer).to_have_url(re.compile("/console/calendar"))
    path = await _composes(campaign, writer)

    await ward.opens(manager, "/console/broadcasts?state=review")
    await manager.locator("tbody a").first.click()
    await manager.get_by_role("button", name="批准这一版").click()
    await expect(manager.locator(".pagehead .pill")).to_have_text("已批准")
    await ward.opens(writer, f"{path}/edit")
    await writer.fill("#broadcast-text", TEXT.replace("周六", "周日"))
    await writer.get_by_role("button", name="保存并提交审批").click()
    await ward.opens(manager, path)
    await expect(manager.locator(".diff del").first).to_have_text("六")
    await expect(manager.locator(".diff ins").first).to_have_text("日")
    await keep(manager, "broadcast-diff")
    await manager.get_by_role("button", name="批准这一版").click()

    await expect(writer.locator(".pagehead .pill")).to_have_text("已批准")  # told without a reload
    await ward.opens(writer, path)
    await writer.get_by_role("link", name="开始发送").click()
    await writer.get_by_role("button", name="开始发给 3 人").click()
    await expect(writer.locator(".sums")).to_contain_text("已发 1 条")
    await expect(writer.locator(".sums")).to_contain_text("等待 2 条")
    await keep(writer, "broadcast-running")
    screens = [person.screen for person in campaign.people.values()]
    assert sum("【广告】周日上午九点" in screen for screen in screens) == 1

    await writer.get_by_role("link", name="停止", exact=True).click()
    await writer.fill("[name=why]", "讲座取消")
    await keep(writer, "broadcast-stop")
    await writer.get_by_role("button", name="停止，拦下 2 条").click()
    await expect(writer.locator(".sums")).to_contain_text("已发 1 条，拦下 2 条，等待 0 条")
    await expect(writer.locator(".pagehead")).to_contain_text("讲座取消")

    await ward.opens(manager, "/console/stop")
    await manager.get_by_role("button", name="立即全部停发").click()
    await expect(writer.locator("#stop-strip")).to_contain_text("全部主动消息已停发", timeout=5_000)
    await manager.get_by_role("button", name=re.compile("恢复发送")).click()
    await expect(writer.locator("#stop-strip .stopped")).to_have_count(0, timeout=5_000)
    assert ward.problems == []


PAGES = {
    "marketing": (
        "calendar?day=2026-11-19",
        "broadcasts",
        "broadcasts/new?tag=会员",
        "broadcasts/1",
        "broadcasts/1?ask=stop",
        "broadcasts/1/people?is=withheld",
        "stop",
        "texts?topic=greeting",
        "texts/greeting/birthday",
    ),
    "manager": ("flows", "flows/joint", "flows/joint/people", "texts/red_flag/emergency?language=en"),
}


async def test_every_page_fits_and_is_accessible_on_a_monitor_and_a_phone(campaign: Campaign) -> None:
    ward, faults = campaign.ward, []
    if not await ward.house.asks(lambda db: db.scalar(sa.select(broadcasts.c.id).limit(1))):
        await _composes(campaign, await ward.colleague("marketing"))
    for role, paths in PAGES.items():
        page = await ward.colleague(role, OLD_MONITOR)
        for path in paths:
            await page.set_viewport_size(OLD_MONITOR)
            await ward.opens(page, f"/console/{path}")
            await page.wait_for_timeout(400)
            name = re.sub(r"[^a-z0-9]+", "-", path.lower())
            for size in (OLD_MONITOR, PHONE):
                await page.set_viewport_size(size)
                await keep(page, f"{size['width']}-{name}")
                wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                if wide > 1:
                    faults.append(f"{path} is {wide} px too wide at {size['width']}")
                faults += [f"{path} at {size['width']}: {fault}" for fault in await page.evaluate(LOOK)]
    assert not faults, "\n".join(faults)
    assert ward.problems == []
