"""Pushes: signatures, the three modes, the five-second rule, the strict reading of replies."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from bot.simulator import Mode
from tests.simulator.server import always, reply_xml, slow_then, text_reply
from tests.simulator.world import NewWorld, World

FAILURE = "暂时无法提供服务"


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_text_goes_out_and_the_reply_comes_back(new_world: NewWorld, mode: Mode) -> None:
    world = await new_world(mode=mode)
    user = world.platform.follow("oUser1")
    reply = await user.says("你好 ]]> 😀")
    assert (reply.kind, reply.text, reply.attempts) == ("text", "你好 ]]> 😀", 1)
    assert user.screen.texts == ["你好 ]]> 😀"]


async def test_the_echo_of_a_verification_must_match_to_the_byte(world: World) -> None:
    account = world.platform.account()
    assert await account.verify_url()
    assert account.url_verified
    world.server.echo_suffix = "\n"
    assert not await account.verify_url()
    assert set(world.server.received[0].query) == {"signature", "timestamp", "nonce", "echostr"}


async def test_plain_mode_sends_no_encrypt_and_safe_mode_nothing_else(new_world: NewWorld) -> None:
    seen = {}
    for mode in Mode:
        world = await new_world(mode=mode)
        await world.platform.follow("oUser1").says("你好")
        seen[mode] = world.server.received[0]
    assert all(request.query["openid"] == "oUser1" for request in seen.values())
    assert "Encrypt" not in seen[Mode.PLAIN].body
    assert "encrypt_type" not in seen[Mode.PLAIN].query
    assert "你好" in seen[Mode.COMPATIBLE].body
    assert "<Encrypt>" in seen[Mode.COMPATIBLE].body
    assert seen[Mode.SAFE].query["encrypt_type"] == "aes"
    assert seen[Mode.SAFE].body.startswith("<xml><ToUserName>")
    assert seen[Mode.SAFE].body.count("</") == 3


@pytest.mark.parametrize("slow", [1, 2])
async def test_a_late_server_is_asked_again_with_the_same_message(new_world: NewWorld, slow: int) -> None:
    world = await new_world(simulator={"reply_timeout": 0.1})
    world.server.answer = slow_then(world.server.answer, slow_attempts=slow)
    user = world.platform.follow("oUser1")
    reply = await user.says("在吗")
    assert (reply.text, reply.attempts) == ("在吗", slow + 1)
    assert len({push["MsgId"] for push in world.server.pushes}) == 1
    assert len({push["CreateTime"] for push in world.server.pushes}) == 1
    assert len({request.query["nonce"] for request in world.server.received}) == slow + 1


async def test_after_three_pushes_the_user_is_told(new_world: NewWorld) -> None:
    world = await new_world(simulator={"reply_timeout": 0.05})
    world.server.answer = slow_then(world.server.answer, slow_attempts=99)
    user = world.platform.follow("oUser1")
    reply = await user.says("在吗")
    assert (reply.kind, reply.attempts) == ("failure", 3)
    assert FAILURE in user.screen
    assert len(world.server.pushes) == 3


async def test_some_say_it_is_asked_three_times_more(new_world: NewWorld) -> None:
    world = await new_world(simulator={"reply_timeout": 0.05, "pushes": 4})
    world.server.answer = slow_then(world.server.answer, slow_attempts=3)
    reply = await world.platform.follow("oUser1").says("在吗")
    assert (reply.kind, reply.attempts) == ("text", 4)


async def test_a_server_that_is_not_there_is_a_failure(world: World) -> None:
    world.platform.account().reconfigure(webhook_url="http://127.0.0.1:9/wechat")
    user = world.platform.follow("oUser1")
    assert (await user.says("在吗")).attempts == 3
    assert FAILURE in user.screen


async def test_an_http_error_is_pushed_again_and_unfollowing_shows_nothing(world: World) -> None:
    async def broken(push: dict[str, str]) -> web.Response:
        return web.Response(status=500)

    world.server.answer = broken
    user = world.platform.follow("oUser1")
    assert (await user.unfollows()).kind == "failure"
    assert len(world.server.pushes) == 3
    assert user.screen.texts == []


@pytest.mark.parametrize("body", ["success", ""])
async def test_an_acknowledgement_shows_nothing(world: World, body: str) -> None:
    world.server.answer = always(body)
    user = world.platform.follow("oUser1")
    reply = await user.says("你好")
    assert (reply.kind, reply.attempts) == ("none", 1)
    assert user.screen.texts == []


@pytest.mark.parametrize(
    "inner",
    [
        "<MsgType>text</MsgType><Content></Content>",
        f"<MsgType>text</MsgType><Content>{'长' * 683}</Content>",
        "<MsgType>sticker</MsgType>",
        "<MsgType>image</MsgType><Image><MediaId>unknown</MediaId></Image>",
        "<MsgType>music</MsgType><Music><Title>t</Title></Music>",
        "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles>"
        + "<item><Title>t</Title></item>" * 2
        + "</Articles>",
        "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles><item><Title>t</Title></item></Articles>",
    ],
    ids=["empty", "2049 bytes", "unknown type", "unknown media", "no thumb", "two articles", "miscounted"],
)
async def test_a_reply_the_platform_cannot_show_is_a_failure(world: World, inner: str) -> None:
    async def answer(push: dict[str, str]) -> str:
        return reply_xml(push, inner)

    world.server.answer = answer
    user = world.platform.follow("oUser1")
    assert (await user.says("你好")).kind == "failure"
    assert FAILURE in user.screen


@pytest.mark.parametrize("body", ['{"text": "hi"}', "<html/>", "<xml><oops></xml>", "hi"])
async def test_what_is_no_reply_is_a_failure(new_world: NewWorld, body: str) -> None:
    world = await new_world(mode=Mode.PLAIN)
    world.server.answer = always(body)
    user = world.platform.follow("oUser1")
    reply = await user.says("你好")
    assert (reply.kind, reply.attempts) == ("failure", 1)


async def test_names_that_were_not_swapped_are_a_failure(world: World) -> None:
    async def unswapped(push: dict[str, str]) -> str:
        swapped = {"FromUserName": push["ToUserName"], "ToUserName": push["FromUserName"]}
        return text_reply(swapped, "hi")

    world.server.answer = unswapped
    assert "swapped" in (await world.platform.follow("oUser1").says("你好")).failure


async def test_safe_mode_refuses_a_plain_reply_and_compatible_mode_takes_it(new_world: NewWorld) -> None:
    kinds = {}
    for mode in (Mode.SAFE, Mode.COMPATIBLE):
        world = await new_world(mode=mode)
        world.server.encrypts = False
        kinds[mode] = (await world.platform.follow("oUser1").says("你好")).kind
    assert kinds == {Mode.SAFE: "failure", Mode.COMPATIBLE: "text"}


async def test_an_event_may_be_answered_with_eight_articles(world: World) -> None:
    async def eight(push: dict[str, str]) -> str:
        items = "<item><Title>t</Title></item>" * 8
        inner = f"<MsgType>news</MsgType><ArticleCount>8</ArticleCount><Articles>{items}</Articles>"
        return reply_xml(push, inner)

    world.server.answer = eight
    reply = await world.platform.follow("oUser1").clicks("MENU_NEWS")
    assert len(reply.articles) == 8


async def test_two_messages_of_one_user_are_pushed_at_once(world: World) -> None:
    both = asyncio.Barrier(2)

    async def wait_for_the_other(push: dict[str, str]) -> str:
        await both.wait()
        return text_reply(push, push["Content"])

    world.server.answer = wait_for_the_other
    user = world.platform.follow("oUser1")
    replies = await asyncio.gather(user.says("一"), user.says("二"))
    assert [reply.text for reply in replies] == ["一", "二"]


async def test_a_repeated_push_has_the_same_id(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("你好")
    await user.repeats()
    first, second = world.server.pushes
    assert first == second
    assert len(user.screen.received) == 1


async def test_copies_reach_the_server_and_one_answer_the_user(world: World) -> None:
    world.platform.account().webhook.copies = 3
    user = world.platform.follow("oUser1")
    await user.says("你好")
    assert len(world.server.pushes) == 3
    assert user.screen.texts == ["你好"]


async def test_later_messages_can_overtake_earlier_ones(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says_together("一", "二", "三", reverse=True)
    arrived = [push["Content"] for push in world.server.pushes]
    assert arrived == ["三", "二", "一"]
    assert sorted(push["MsgId"] for push in world.server.pushes) == [
        push["MsgId"] for push in reversed(world.server.pushes)
    ]
