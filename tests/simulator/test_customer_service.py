"""Tokens and customer-service messages: who may be written to, how often, until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.simulator import AccountKind
from tests.simulator.world import NewWorld, World

MENU = {
    "head_content": "满意吗？",
    "list": [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}],
    "tail_content": "谢谢",
}


async def test_five_messages_in_48_hours_after_a_message(world: World) -> None:
    user = world.platform.follow("oUser1")
    assert (await world.writes("oUser1"))["errcode"] == 45015
    await user.says("你好")
    codes = [(await world.writes("oUser1"))["errcode"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45047]
    await user.says("再问一下")
    world.clock.advance(timedelta(hours=48))
    assert (await world.writes("oUser1"))["errcode"] == 0
    world.clock.advance(timedelta(seconds=1))
    assert (await world.writes("oUser1"))["errcode"] == 45015


async def test_a_click_opens_three_messages_for_a_minute(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.clicks("MENU_HELP")
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(4)] == [0, 0, 0, 45047]
    await user.scans("clinic7")
    world.clock.advance(timedelta(seconds=61))
    assert (await world.writes("oUser1"))["errcode"] == 45015


async def test_a_click_raises_what_is_left_and_never_adds(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    await user.clicks("MENU_HELP")
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    await user.clicks("MENU_HELP")
    world.clock.advance(timedelta(hours=2))
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(4)] == [0, 0, 0, 45047]


async def test_opening_a_page_opens_no_window(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.views("https://a.example/")
    assert (await world.writes("oUser1"))["errcode"] == 45015


async def test_a_menu_item_comes_back_as_text_and_counts_as_a_click(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    body = {"touser": "oUser1", "msgtype": "msgmenu", "msgmenu": MENU}
    assert (await world.call("message/custom/send", body))["errcode"] == 0
    world.clock.advance(timedelta(hours=49))
    await user.taps("满意")
    push = world.server.pushes[-1]
    assert (push["MsgType"], push["Content"], push["bizmsgmenuid"]) == ("text", "满意", "101")
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(4)] == [0, 0, 0, 45047]


async def test_a_sandbox_account_has_no_menus_and_drops_the_items_id(new_world: NewWorld) -> None:
    world = await new_world(kind=AccountKind.SANDBOX)
    user = world.platform.follow("oUser1")
    await user.says('<a href="weixin://bizmsgmenu?msgmenucontent=%E6%BB%A1%E6%84%8F&msgmenuid=7">满意</a>')
    body = {"touser": "oUser1", "msgtype": "msgmenu", "msgmenu": MENU}
    assert (await world.call("message/custom/send", body))["errcode"] == 40200
    await user.taps("满意")
    assert world.server.pushes[-1]["Content"] == "满意"
    assert "bizmsgmenuid" not in world.server.pushes[-1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "text", "text": {"content": "长" * 683}}, 45002),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text"}, 44004),
        ({"msgtype": "fax", "fax": {}}, 40008),
        ({"msgtype": "image", "image": {"media_id": "unknown"}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}}, 45008),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "?", "list": []}}, 45098),
        ({"msgtype": "text", "text": {"content": "hi"}, "touser": "oStranger"}, 40003),
    ],
)
async def test_a_wrong_message_is_refused_and_costs_nothing(
    world: World, body: dict[str, object], code: int
) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    assert (await world.call("message/custom/send", {"touser": "oUser1", **body}))["errcode"] == code
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(6)][-2:] == [0, 45047]


async def test_who_left_refused_or_was_blocked_is_not_written_to(world: World) -> None:
    user = world.platform.follow("oUser1")
    for state, code in (("blacklisted", 43019), ("refuses_messages", 48002), ("subscribed", 45015)):
        await user.says("你好")
        setattr(user.follower, state, state != "subscribed")
        assert (await world.writes("oUser1"))["errcode"] == code
        setattr(user.follower, state, state == "subscribed")


async def test_following_anew_opens_a_minute(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    await user.unfollows()
    assert (await world.writes("oUser1"))["errcode"] == 45015
    await user.follows()
    assert (await world.writes("oUser1"))["errcode"] == 0


async def test_typing_needs_a_fresh_message(world: World) -> None:
    user = world.platform.follow("oUser1")
    body = {"touser": "oUser1", "command": "Typing"}
    assert (await world.call("message/custom/typing", body))["errcode"] == 45080
    await user.says("你好")
    answers = [await world.call("message/custom/typing", body) for _ in range(2)]
    assert [answer["errcode"] for answer in answers] == [0, 45081]
    assert (await world.call("message/custom/typing", {"touser": "oUser1", "command": "x"}))[
        "errcode"
    ] == 45072


async def test_the_screen_shows_what_was_sent_and_the_log_how(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    await world.writes("oUser1", "您的报告已出")
    bubble = await user.receives("报告")
    assert (bubble.kind, bubble.via) == ("text", "custom")
    assert len(world.platform.calls.to("message/custom/send")) == 1
