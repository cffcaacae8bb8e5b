"""The console in a real browser: colleagues racing, typing, reconnecting; every page on a small monitor and a phone."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from bot.domain.clock import SystemClock
from storage.tables import contacts, tasks, tickets
from tests.console.conftest import COLLEAGUES, PASSWORD, House, hire
from tests.console.test_calls import silent
from tests.hospital_folder import bound, open_hospital
from tests.serving import serving, settings

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

OLD_MONITOR = ViewportSize(width=1366, height=768)
PHONE = ViewportSize(width=390, height=780)
PICTURES = os.environ.get("XIAOHU_PICTURES")  # a folder to keep screenshots in
AXE = Path(__file__).parent / "axe" / "axe.min.js"


class Ward:
    """A house with browsers in front of it, on the real clock."""

    def __init__(self, house: House, browser: Browser) -> None:
        self.house, self.browser = house, browser
        self.problems: list[str] = []

    async def says(self, text: str, openid: str = "oU1") -> str:
        return await self.house.says(text, openid)

    async def colleague(self, role: str = "nurse", size: ViewportSize = OLD_MONITOR) -> Page:
        context = await self.browser.new_context(viewport=size, locale="zh-CN")
        await context.add_init_script(path=AXE)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.problems.append(message.text) if "Content Security" in message.text else None
            ),
        )
        await page.goto(f"{self.house.server.url}/console/")
        await page.fill("#name", COLLEAGUES[role])
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await expect(page.locator(".rail")).to_be_visible()
        return page

    async def opens(self, page: Page, path: str) -> None:
        answer = await page.goto(self.house.server.url + path)
        assert answer is not None
        assert answer.status == 200, path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ward(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ward]:
    path = tmp_path_factory.mktemp("console") / "xiaohu.db"
    shutil.copy(sqlite_template, path)
    clock = SystemClock()
    async with AsyncExitStack() as stack, async_playwright() as playwright:
        server = await stack.enter_async_context(serving(settings(f"sqlite:///{path}"), clock))
        await server.house.database.write(open_hospital)
        await server.house.database.write(bound("oU1", "P01"))
        await server.house.database.write(lambda db: hire(db, clock))
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=installed)
        yield Ward(House(server, clock, stack), browser)
        await browser.close()


async def keep(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/console-{name}.png")


async def test_of_two_nurses_who_press_at_once_one_wins_and_the_other_is_told(ward: Ward) -> None:
    await ward.says("人工", "oRace")
    one, other = await ward.colleague(), await ward.colleague("nurse2")
    for page in (one, other):
        await page.goto(f"{ward.house.server.url}/console/inbox?folder=unassigned")
        await page.locator("#people .row a").first.click()
        await expect(page.get_by_role("button", name="接手")).to_be_visible()
    await asyncio.gather(
        *(page.get_by_role("button", name="接手").click(no_wait_after=True) for page in (one, other))
    )
    owned = [page.locator("textarea") for page in (one, other)]
    told = [page.get_by_text("已接手这个对话") for page in (one, other)]
    await expect(owned[0].or_(told[0])).to_be_visible()
    await expect(owned[1].or_(told[1])).to_be_visible()
    assert sorted([await box.count() for box in owned]) == [0, 1]


async def test_a_message_is_seen_within_a_second_and_nothing_of_a_burst_is_lost_or_doubled(
    ward: Ward,
) -> None:
    nurse = await ward.colleague()
    await ward.says("人工", "oBurst")
    row = nurse.locator("#people .row").filter(has_text="人工").first
    await expect(row).to_be_visible(timeout=1_500)
    number = await ward.house.asks(_contact("oBurst"))
    await ward.opens(nurse, f"/console/conversations/{number}?shown=600")
    for count in range(200):
        await ward.says(f"第{count:03d}句", "oBurst")
        if count == 60:
            await nurse.context.set_offline(True)
        if count == 140:
            await nurse.context.set_offline(False)
    await expect(nurse.locator("#lines .patient", has_text="第199句")).to_be_visible(timeout=20_000)
    said = await nurse.locator("#lines .patient .text").all_inner_texts()
    numbered = [text for text in said if re.fullmatch(r"第\d{3}句", text.strip())]
    assert numbered == [f"第{count:03d}句" for count in range(200)]
    # A long conversation opens with its newest messages, and leads on to the older ones.
    await ward.opens(nurse, f"/console/conversations/{number}")
    await expect(nurse.locator("#lines .patient", has_text="第199句")).to_be_visible()
    await expect(nurse.locator("#lines .patient", has_text="第010句")).to_have_count(0)
    for _ in range(6):
        await nurse.get_by_role("link", name="更早的消息").click()
        if await nurse.locator("#lines .patient", has_text="第010句").count():
            break
    await expect(nurse.locator("#lines .patient", has_text="第010句")).to_be_visible()


async def test_an_alarm_rings_is_answered_and_is_closed_with_its_outcome(ward: Ward) -> None:
    nurse = await ward.colleague()
    await ward.says("刀口一直流血，头晕得站不起来", "oRings")
    number = await ward.house.asks(_contact("oRings"))
    bar = nurse.locator("#alarm-bar .ring")
    mine = bar.locator(f"a[href$='/conversations/{number}']")
    await expect(mine).to_be_visible(timeout=3_000)
    await expect(bar).to_contain_text("警报无人响应")
    await keep(nurse, "ringing")
    await mine.click()
    await nurse.get_by_role("button", name="为什么报警").click()
    await expect(nurse.locator(".reasons")).to_contain_text("规则")
    await ward.says("头还是晕", "oRings")  # the page is drawn anew, and what was opened stays open
    await expect(nurse.locator("#lines .patient", has_text="头还是晕")).to_be_visible()
    await expect(nurse.locator(".reasons").first).to_contain_text("规则")
    await nurse.get_by_role("button", name="认领").first.click()
    await expect(mine).to_have_count(0)
    await nurse.locator("select[name=disposition]").first.select_option("er")
    await nurse.get_by_role("button", name="关闭警报").first.click()
    await expect(nurse.locator("article.alarm.level-E")).to_have_count(0)


async def test_writing_keys_drafts_snippets_and_the_eight_seconds(ward: Ward) -> None:
    await ward.says("人工")
    nurse = await ward.colleague()
    number = await ward.house.asks(_contact("oU1"))
    await ward.opens(nurse, f"/console/conversations/{number}")
    text = nurse.locator("textarea")
    async with asyncio.timeout(30):
        while not await text.is_visible():
            await nurse.keyboard.press(
                "m"
            )  # take it; a key pressed while the page is being drawn is nobody's
            await nurse.wait_for_timeout(1_000)
    await text.fill("")
    await text.type("/wh")
    await nurse.locator(".snippet.on").wait_for()
    await nurse.keyboard.press("Enter")
    await expect(text).to_have_value(re.compile("您好"))
    await text.fill("写到一半")
    await nurse.wait_for_timeout(900)
    await nurse.reload()
    await expect(text).to_have_value("写到一半")  # drafts are kept
    await text.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await expect(nurse.locator("#lines .nurse")).to_have_count(0)  # an input method's Enter sends nothing
    await text.press("Enter")
    await expect(nurse.locator("#lines .nurse.held")).to_contain_text("写到一半")
    await keep(nurse, "held")
    await nurse.locator(".toast").get_by_role("button", name="撤回").click()
    await expect(text).to_have_value("写到一半")
    await text.fill("您得的是肺炎")
    await text.press("Enter")
    await expect(nurse.get_by_role("alert").filter(has_text="没有发送")).to_be_visible()
    await text.fill("您好，我看一下")
    await text.press("Control+Enter")
    await expect(nurse.locator("#lines .nurse").filter(has_text="我看一下")).to_be_visible()


async def test_the_command_bar_finds_people_by_pinyin(ward: Ward) -> None:
    await ward.says("人工")
    nurse = await ward.colleague("nurse2")
    await nurse.keyboard.press("Control+k")
    await nurse.keyboard.type("gd")
    await expect(nurse.locator("#command-results a").filter(has_text="工单")).to_be_visible()
    await nurse.keyboard.press("Enter")
    await expect(nurse).to_have_url(re.compile("/console/tickets"))
    await nurse.keyboard.press("?")
    await expect(nurse.locator("#help")).to_be_visible()


async def test_a_call_is_walked_through_with_keys_alone(ward: Ward) -> None:
    task = await silent(ward.house, "temp leg")
    nurse = await ward.colleague("nurse2")
    await ward.opens(nurse, f"/console/calls/{task}")
    question = nurse.locator("#question")
    await expect(question).to_contain_text("今天最高体温是？")
    await nurse.keyboard.press("1")
    await expect(question).to_contain_text("腿有没有不舒服？")
    await keep(nurse, "call")
    await nurse.keyboard.press("1")
    await expect(question).to_contain_text("问完了")
    await nurse.keyboard.press("1")  # how it ended
    await nurse.keyboard.press("Enter")
    await expect(nurse).to_have_url(re.compile(r"/console/calls$"))
    await expect(nurse.locator(f'.queue a[href="/console/calls/{task}"]')).to_have_count(0)


async def test_several_are_picked_taken_and_given_back_with_keys(ward: Ward) -> None:
    for openid in ("oOne", "oTwo", "oThree"):
        await ward.says("人工", openid)
    nurse = await ward.colleague()
    await ward.opens(nurse, "/console/inbox?folder=unassigned")
    rows = nurse.locator("#people .row")
    waiting = await rows.count()
    assert waiting >= 3
    for key in ("j", "x", "j", "j", "Shift+X"):
        await nurse.keyboard.press(key)
    await nurse.locator("#bulkbar").get_by_role("button", name="领取").click()
    await expect(nurse.locator("#bulk")).to_contain_text("3 个会改变")
    await keep(nurse, "bulk")
    await nurse.locator("#bulk").get_by_role("button", name="确认").click()
    await expect(rows).to_have_count(waiting - 3)
    await nurse.locator(".toast").get_by_role("button", name="撤销").click()
    await expect(rows).to_have_count(waiting)


PAGES = {
    "nurse": (
        "inbox",
        "inbox?folder=all",
        "conversations/{talk}",
        "conversations/{alarm}",
        "alarms",
        "search?q=人工",
        "patients?q=P01",
        "patients/P01",
        "tickets",
        "tickets/{ticket}",
        "calls",
        "calls/{call}",
        "pop?phone=13800000001",
        "pop?phone=13999999999",
        "answers-at-hand",
        "me",
    ),
    "manager": (
        "figures",
        "figures?of=response",
        "figures?of=workload",
        "figures?of=retention",
        "figures/alarms",
        "figures/month",
        "admin/roster",
        "admin/answers?code=wifi",
    ),
    "admin": (
        "admin",
        "admin/users",
        "admin/outbox",
        "admin/accounts",
        "admin/imports",
        "me/totp",
    ),
    "marketing": ("calendar", "broadcasts", "broadcasts/new", "texts", "stop"),
    "coordinator": ("flows", "flows/happy_call", "answers-at-hand"),
    "auditor": ("audit?verify=1",),
}


async def _busy_day(ward: Ward) -> dict[str, int | str]:
    """Something on every page; the numbers of what can be opened."""
    await ward.says("人工", "oTalk")
    await ward.says("刀口一直流血，头晕得站不起来", "oAlarm")
    for words in ("我要投诉，护士态度很差", "昨天输液时叫了三次没人来", "门诊二楼", "昨天下午", "没有", "是"):
        await ward.says(words, "oComplains")  # nobody of ours has taken this conversation

    def number(db: sa.Connection) -> dict[str, int | str]:
        kept: dict[str, int | str] = {
            name: _contact(openid)(db) for name, openid in (("talk", "oTalk"), ("alarm", "oAlarm"))
        }
        kept["ticket"] = db.execute(sa.select(tickets.c.number)).scalars().first() or ""
        kept["call"] = (
            db.execute(sa.select(tasks.c.id).where(tasks.c.kind == "callback")).scalars().first() or 0
        )
        return kept

    await ward.house.does(_call_to_make)
    return await ward.house.asks(number)


def _call_to_make(db: sa.Connection) -> None:
    contact = _contact("oTalk")(db)
    now = SystemClock().now()
    task = {"at": now, "kind": "callback", "contact_id": contact, "patient_code": "P01", "due_at": now}
    db.execute(tasks.insert().values(reason="承诺下午回电", **task))


@pytest.mark.parametrize("size", [OLD_MONITOR, PHONE], ids=["monitor", "phone"])
async def test_every_page_fits_is_accessible_and_breaks_no_rule(ward: Ward, size: ViewportSize) -> None:
    numbers = await _busy_day(ward)
    faults = []
    for role, paths in PAGES.items():
        page = await ward.colleague(role, size)
        for path in (path.format(**numbers) for path in paths):
            await ward.opens(page, f"/console/{path}")
            await page.wait_for_timeout(150)
            await keep(page, f"{size['width']}-{re.sub(r'[^a-z0-9]+', '-', path.lower())}")
            wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 1:
                faults.append(f"{path} is {wide} px too wide")
            faults += [f"{path} {fault}" for fault in await page.evaluate(LOOK)]
    assert not faults, "\n".join(faults)
    assert ward.problems == []


# What axe has against a page: WCAG 2.2 up to AA, and its best practices.
LOOK = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any.map((one) => one.message).join(" ")}`));
}"""


def _contact(openid: str) -> Callable[[sa.Connection], int]:
    return lambda db: db.execute(sa.select(contacts.c.id).where(contacts.c.openid == openid)).scalar_one()
