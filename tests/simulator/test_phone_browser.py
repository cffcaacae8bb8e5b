"""The phone in a real browser: what a visitor of the demo sees and taps."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, async_playwright, expect

from bot.simulator import Side
from tests.simulator.demo import Demo, running_demo
from tests.simulator.server import always

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP = ViewportSize(width=1366, height=768)
PHONE = ViewportSize(width=390, height=844)
MENU: list[dict[str, Any]] = [
    {"name": "看病", "sub_button": [{"type": "click", "name": "预约挂号", "key": "BOOK"}]},
    {"name": "人工", "type": "click", "key": "PERSON"},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests here: starting it costs more than they do."""
    async with async_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=installed)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def demo() -> AsyncIterator[Demo]:
    async with running_demo() as demo:
        yield demo


@pytest_asyncio.fixture(loop_scope="module")
async def screen(browser: Browser, demo: Demo) -> AsyncIterator[Page]:
    """The page on a desktop; fails the test for any error a browser reports, the CSP's included."""
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(message.text)

    def crashed(error: Error) -> None:
        problems.append(str(error))

    page = await browser.new_page(viewport=DESKTOP, locale="zh-CN")
    page.on("console", note)
    page.on("pageerror", crashed)
    await page.goto(f"{demo.base}/")
    await expect(page.locator("#chat-title")).to_have_text("示范医院")
    yield page
    await page.close()
    assert problems == []


async def test_a_visitor_types_and_reads_the_answer(screen: Page) -> None:
    await screen.fill("#message", "我想挂骨科 <b>周三</b>")
    await screen.press("#message", "Enter")
    await expect(screen.locator(".row.mine .bubble")).to_have_text("我想挂骨科 <b>周三</b>")
    await expect(screen.locator(".row.theirs .bubble")).to_have_text("我想挂骨科 <b>周三</b>")
    await expect(screen.locator("#message")).to_have_value("")


async def test_enter_picks_a_candidate_while_an_input_method_composes(screen: Page, demo: Demo) -> None:
    await screen.fill("#message", "nihao")
    await screen.locator("#message").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(screen.locator("#message")).to_have_value("nihao")
    assert demo.server.pushes == []
    await screen.press("#message", "Shift+Enter")
    assert demo.server.pushes == []


async def test_menu_items_and_links_in_a_text_are_tapped(screen: Page, demo: Demo) -> None:
    item = '<a href="weixin://bizmsgmenu?msgmenucontent=满意&msgmenuid=1">满意</a>'
    await demo.act("李秀英", do="say", text=f'请评价：{item}，详见 <a href="https://h.example/">这里</a>')
    await screen.click(".row.theirs >> text=满意")
    await expect(screen.locator(".row.mine .bubble").last).to_have_text("满意")
    assert demo.server.pushes[-1]["bizmsgmenuid"] == "1"
    link = screen.locator(".row.theirs a.link")
    await expect(link.first).to_have_attribute("href", "https://h.example/")
    await expect(link.first).to_have_attribute("rel", "noopener")


async def test_the_accounts_menu_opens_and_clicks(screen: Page, demo: Demo) -> None:
    demo.platform.account().menus.default = MENU
    demo.platform.publish("menu")
    await screen.click("text=看病")
    await screen.click("text=预约挂号")
    await expect(screen.locator("#push-list summary b").first).to_have_text("CLICK")
    assert demo.server.pushes[-1]["EventKey"] == "BOOK"
    await screen.click("[aria-label=切换到键盘]")
    await expect(screen.locator("#message")).to_be_visible()


async def test_the_plus_panel_sends_place_voice_and_a_scan(screen: Page, demo: Demo) -> None:
    for label in ("位置", "语音"):
        await screen.click("#plus")
        await screen.click(f".plus-panel >> text={label}")
    await expect(screen.locator(".row.mine")).to_have_count(2)
    await screen.click("#plus")
    await screen.click("text=扫一扫")
    await screen.click("text=七病区床头")
    await expect(screen.locator("#push-list summary b").first).to_have_text("SCAN")
    assert {push["MsgType"] for push in demo.server.pushes} == {"location", "voice", "event"}


async def test_a_voice_note_is_held_and_let_go(screen: Page, demo: Demo) -> None:
    await screen.click("[aria-label=切换到语音]")
    await screen.hover(".talk")
    await screen.mouse.down()
    await expect(screen.locator(".talk")).to_have_text("松开 发送")
    await screen.mouse.up()
    await expect(screen.locator(".row.mine .voice")).to_contain_text("1″")


async def test_a_stranger_follows_first(screen: Page, demo: Demo) -> None:
    await screen.click(".person >> text=赵敏")
    await screen.click("text=关注服务号")
    await expect(screen.locator("#message")).to_be_visible()
    assert demo.server.pushes[-1]["Event"] == "subscribe"
    await screen.click("#more")
    await screen.click("text=取消关注")
    await expect(screen.locator(".follow")).to_be_visible()


async def test_an_answer_to_somebody_else_is_a_badge(screen: Page, demo: Demo) -> None:
    await demo.platform.user("oLi").says("你好")
    await expect(screen.locator(".row.theirs")).to_have_count(1)
    demo.platform.follow("oZhao")
    await demo.platform.user("oZhao").says("在吗")
    await expect(screen.locator(".badge")).to_have_text("1")
    await screen.click(".person >> text=赵敏")
    await expect(screen.locator(".badge")).to_have_count(0)


async def test_a_code_arrives_and_is_filled_in(screen: Page, demo: Demo) -> None:
    sms = {"id": "1", "at": "now", "to": "13800000001", "kind": "code", "text": "验证码 482913"}
    await demo.post("sms", sms)
    await expect(screen.locator("#sms-list li")).to_contain_text("13800000001")
    await screen.click("#code-chip button")
    await expect(screen.locator("#message")).to_have_value("482913")


async def test_time_is_moved_to_tomorrow_at_ten(screen: Page, demo: Demo) -> None:
    await expect(screen.locator("#clock-day")).to_have_text("2026年6月1日 星期一")
    await screen.click("text=明天 10:00")
    await expect(screen.locator("#clock-day")).to_have_text("2026年6月2日 星期二")
    await expect(screen.locator("#phone-time")).to_have_text("10:00")


async def test_a_fault_is_made_and_mended(screen: Page, demo: Demo) -> None:
    await screen.select_option("select[name=path]", "message/custom/send")
    await screen.click("text=制造故障")
    await expect(screen.locator("#fault-list li")).to_contain_text("错误码 -1")
    await screen.click("text=全部恢复正常")
    await expect(screen.locator("#fault-list li")).to_have_count(0)


async def test_a_nurse_presses_a_card(screen: Page, demo: Demo) -> None:
    member = demo.platform.wecom.members["ZhangHushi"]
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "胸痛"},
        "button_list": [{"text": "我来处理", "key": "take"}],
    }
    member.screen.show(
        demo.platform.clock.now(), Side.THEIRS, "template_card", "胸痛", task_id="t1", card=card
    )
    await screen.click(".person >> text=张护士")
    await screen.click(".press >> text=我来处理")
    await expect(screen.locator("#push-list summary b").first).to_have_text("template_card_event")


async def test_on_a_phone_it_fills_the_screen_and_people_are_a_tap_away(browser: Browser, demo: Demo) -> None:
    context = await browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{demo.base}/")
    await expect(page.locator("#message")).to_be_visible()
    box = await page.locator("#phone").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.tap("#back")
    await page.tap(".person >> text=赵敏")
    await expect(page.locator(".follow")).to_be_visible()
    await context.close()


async def test_a_message_that_comes_by_itself_shows_and_so_does_the_call(screen: Page, demo: Demo) -> None:
    await demo.platform.user("oLi").says("你好")
    token = demo.platform.account().tokens.stable().value
    body = {"touser": "oLi", "msgtype": "text", "text": {"content": "您的报告已出"}}
    assert await demo.post(f"api/cgi-bin/message/custom/send?access_token={token}", body) == 200
    await expect(screen.locator(".row.theirs .bubble").last).to_have_text("您的报告已出")
    await expect(screen.locator("#call-list summary").first).to_contain_text("message/custom/send")
    assert token not in await screen.content()


async def test_typing_shows_in_the_title(screen: Page, demo: Demo) -> None:
    await demo.platform.user("oLi").says("你好")
    token = demo.platform.account().tokens.stable().value
    body = {"touser": "oLi", "command": "Typing"}
    await demo.post(f"api/cgi-bin/message/custom/typing?access_token={token}", body)
    await expect(screen.locator("#chat-title")).to_have_text("对方正在输入…")


async def test_a_server_that_fails_leaves_the_platforms_line(screen: Page, demo: Demo) -> None:
    demo.server.answer = always("not a reply")
    await screen.fill("#message", "在吗")
    await screen.click("#send")
    await expect(screen.locator(".notice-failure")).to_have_text("该服务号暂时无法提供服务，请稍后再试")
