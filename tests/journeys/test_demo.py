"""The demo as its visitor meets it: one command, a phone and a console side by side in a real browser."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from bot.command.demo import PASSWORD
from tests.web.test_wecom import _free_port

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

OLD_MONITOR = ViewportSize(width=1366, height=768)
PICTURES = os.environ.get("XIAOHU_PICTURES")  # a folder to keep screenshots in


@dataclass
class Visit:
    """A running demo and a browser in front of it."""

    url: str
    browser: Browser

    async def page(self, path: str) -> Page:
        context = await self.browser.new_context(viewport=OLD_MONITOR, locale="zh-CN")
        page = await context.new_page()
        page.set_default_timeout(15_000)
        await page.goto(self.url + path)
        return page

    async def phone(self) -> Page:
        return await self.page("/simulator/")

    async def console(self, name: str = "李护士") -> Page:
        page = await self.page("/console/")
        await page.fill("#name", name)
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await expect(page.locator("#people")).to_be_visible()
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visit]:
    folder, port = tmp_path_factory.mktemp("demo"), await _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XIAOHU_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "demo",
        "--port",
        str(port),
        cwd=folder,
        env=environment | {"PYTHONPATH": _root()},
    )
    try:
        async with asyncio.timeout(90):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    assert process.returncode is None, "the demo ended"
                    await asyncio.sleep(0.2)
        async with async_playwright() as playwright:
            installed = shutil.which("chromium") or shutil.which("google-chrome")
            browser = await playwright.chromium.launch(executable_path=installed)
            yield Visit(f"http://127.0.0.1:{port}", browser)
            await browser.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def _root() -> str:
    return str(Path(__file__).parents[2])


async def write(phone: Page, text: str, answer: str) -> None:
    """Type, press Enter, and wait for words that were not on the screen before."""
    before = await phone.locator("#chat").get_by_text(answer).count()
    box = phone.locator("#dock textarea, #dock [contenteditable], #dock input").first
    await box.fill(text)
    await box.press("Enter")
    await expect(phone.locator("#chat").get_by_text(answer).nth(before)).to_be_visible()


async def keep(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")  # makes the folder


async def test_a_visit_is_booked_in_one_sentence(visit: Visit) -> None:
    phone = await visit.phone()
    await write(phone, "明天上午骨科的号", "请")
    for _ in range(3):
        if await phone.locator("#chat").get_by_text("预约成功").count():
            break
        box = phone.locator("#dock textarea, #dock [contenteditable], #dock input").first
        await box.fill("1")
        await box.press("Enter")
        await phone.wait_for_timeout(1_500)
    await expect(phone.locator("#chat").get_by_text("预约成功").first).to_be_visible()
    await keep(phone, "phone-booking")


async def test_a_patient_in_danger_is_seen_answered_and_read(visit: Visit) -> None:
    console = await visit.console()
    phone = await visit.phone()
    await write(phone, "刀口一直流血，头晕得站不起来", "120")
    alarm = console.locator("#people .level-E, #people .level-U").first
    await expect(alarm).to_be_visible(timeout=5_000)  # without touching the page
    await alarm.click()
    await console.get_by_role("button", name="认领").click()
    await console.get_by_role("button", name="接手").click()
    await console.locator("textarea").fill("您好，我是李护士，马上给您打电话。")
    await console.locator("textarea").press("Enter")
    await expect(phone.locator("#chat").get_by_text("我是李护士").first).to_be_visible(timeout=10_000)
    await keep(console, "console-alarm")
    await keep(phone, "phone-alarm")
    await console.locator("button[data-key=e]").click()
    await expect(phone.locator("#chat").get_by_text("人工服务已结束").first).to_be_visible(timeout=10_000)


async def test_binding_uses_the_code_from_the_sms_tray(visit: Visit) -> None:
    phone = await visit.phone()
    await phone.locator("#people-list").get_by_text("陈桂兰").click()
    await write(phone, "绑定", "手机")
    await write(phone, "13800000004", "验证码")
    sms = phone.locator("#sms-list")
    await expect(sms).to_contain_text("验证码", timeout=10_000)
    code = re.search(r"(?<!\d)\d{6}(?!\d)", await sms.inner_text())
    assert code is not None
    await write(phone, code[0], "姓名")
    await write(phone, "陈桂兰 0087", "绑定成功")
