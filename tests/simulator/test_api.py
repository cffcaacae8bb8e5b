"""What every call has in common: tokens, errors with a request id, quotas, faults on demand."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.simulator.world import NewWorld, World

CREDENTIALS = {"appid": "wx5f0c2d3e4a1b6c7d", "secret": "simulated-app-secret"}
STABLE = {"grant_type": "client_credential", **CREDENTIALS}


async def classic(world: World) -> Any:
    return await world.get("/api/cgi-bin/token", grant_type="client_credential", **CREDENTIALS)


async def code_with(world: World, token: str) -> int:
    answer = await world.get("/api/cgi-bin/getcallbackip", access_token=token)
    return int(answer.get("errcode", 0))


async def test_each_classic_call_gives_a_new_token_and_the_last_one_lives_five_minutes(world: World) -> None:
    first, second = await classic(world), await classic(world)
    assert first["access_token"] != second["access_token"]
    assert "errcode" not in first
    assert await code_with(world, first["access_token"]) == 0
    world.clock.advance(timedelta(minutes=5))
    assert await code_with(world, first["access_token"]) == 40001
    assert await code_with(world, second["access_token"]) == 0
    world.clock.advance(timedelta(seconds=7200))
    assert await code_with(world, second["access_token"]) == 42001


async def test_the_stable_token_stays_until_its_last_five_minutes(world: World) -> None:
    first = await world.post("/api/cgi-bin/stable_token", STABLE)
    world.clock.advance(timedelta(seconds=6900))
    again = await world.post("/api/cgi-bin/stable_token", STABLE)
    assert again == {"access_token": first["access_token"], "expires_in": 300}
    world.clock.advance(timedelta(seconds=1))
    renewed = await world.post("/api/cgi-bin/stable_token", STABLE)
    assert renewed["expires_in"] == 7200
    assert await code_with(world, first["access_token"]) == 0
    await classic(world)
    assert await code_with(world, renewed["access_token"]) == 0


async def test_a_forced_refresh_kills_the_old_token_but_not_too_often(world: World) -> None:
    force = {**STABLE, "force_refresh": True}
    first = (await world.post("/api/cgi-bin/stable_token", STABLE))["access_token"]
    second = (await world.post("/api/cgi-bin/stable_token", force))["access_token"]
    assert await code_with(world, first) == 40001
    assert (await world.post("/api/cgi-bin/stable_token", force))["access_token"] == second
    for _ in range(19):
        world.clock.advance(timedelta(seconds=30))
        await world.post("/api/cgi-bin/stable_token", force)
    world.clock.advance(timedelta(seconds=30))
    assert (await world.post("/api/cgi-bin/stable_token", force))["errcode"] == 45009


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wxother"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
    ],
)
async def test_wrong_credentials_are_named(world: World, change: dict[str, str], code: int) -> None:
    assert (await world.post("/api/cgi-bin/stable_token", {**STABLE, **change}))["errcode"] == code


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("abc", 40014), ("68_" + "x" * 133, 40001)])
async def test_a_token_nobody_issued(world: World, token: str, code: int) -> None:
    assert await code_with(world, token) == code


async def test_a_caller_outside_the_whitelist_is_told_its_address(new_world: NewWorld) -> None:
    world = await new_world(ip_whitelist=frozenset({"10.1.1.1"}))
    answer = await world.post("/api/cgi-bin/stable_token", STABLE)
    assert answer["errcode"] == 40164
    assert "127.0.0.1" in answer["errmsg"]


async def test_a_refusal_ends_with_a_request_id_that_begins_with_the_time(world: World) -> None:
    answer = await world.get("/api/cgi-bin/getcallbackip")
    rid = re.search(r" rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}$", answer["errmsg"])
    assert rid is not None
    assert int(rid[1], 16) == int(world.clock.now().timestamp())


async def test_the_method_is_checked(world: World) -> None:
    token = await world.token()
    answer = await world.get("/api/cgi-bin/message/custom/send", access_token=token)
    assert answer["errcode"] == 43002
    assert (await world.post("/api/cgi-bin/user/info", {"a": 1}, access_token=token))["errcode"] == 43001


@pytest.mark.parametrize(("content", "code"), [(b"{", 47001), (b"[]", 47001), (b"", 44002)])
async def test_a_body_that_is_no_json_object(world: World, content: bytes, code: int) -> None:
    url = f"{world.base}/api/cgi-bin/message/custom/send"
    async with world.client.post(url, data=content, params={"access_token": await world.token()}) as response:
        assert (await response.json(content_type=None))["errcode"] == code


async def test_escaped_unicode_may_be_refused(new_world: NewWorld) -> None:
    world = await new_world(simulator={"refuse_unicode_escapes": True})
    await world.platform.follow("oUser1").says("hi")
    assert (await world.writes("oUser1", "您好"))["errcode"] == 40033
    assert (await world.writes("oUser1", "hello"))["errcode"] == 0


async def test_the_daily_quota_ends_and_begins_at_midnight_in_beijing(world: World) -> None:
    user = world.platform.follow("oUser1")
    account = world.platform.account()
    account.quota.limits["/cgi-bin/message/custom/send"] = 2
    await user.says("hi")
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(3)] == [0, 0, 45009]
    body = {"cgi_path": "/cgi-bin/message/custom/send"}
    quota = (await world.call("openapi/quota/get", body))["quota"]
    assert quota == {"daily_limit": 2, "used": 2, "remain": 0}
    world.clock.advance(timedelta(hours=14))
    assert (await world.writes("oUser1"))["errcode"] == 0


async def test_the_quota_can_be_cleared_ten_times_a_month(world: World) -> None:
    body = {"appid": CREDENTIALS["appid"]}
    codes = [(await world.call("clear_quota", body))["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [48006]


async def test_a_fault_befalls_as_many_calls_as_it_should(world: World) -> None:
    await world.platform.follow("oUser1").says("hi")
    world.platform.faults.refuse("message/custom/send", -1, times=2)
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(3)] == [-1, -1, 0]
    world.platform.faults.refuse("message/custom/send", 43117, times=None)
    assert [(await world.writes("oUser1"))["errcode"] for _ in range(3)] == [43117] * 3
    world.platform.faults.clear()
    assert (await world.writes("oUser1"))["errcode"] == 0


async def test_http_errors_and_garbage(world: World) -> None:
    url = f"{world.base}/api/cgi-bin/getcallbackip"
    query = {"access_token": await world.token()}
    world.platform.faults.status("getcallbackip", 502)
    async with world.client.get(url, params=query) as response:
        assert response.status == 502
    world.platform.faults.garbage("getcallbackip")
    async with world.client.get(url, params=query) as response:
        with pytest.raises(ValueError, match="Unterminated"):
            await response.json(content_type=None)


async def test_a_hanging_call_and_a_cut_connection(world: World) -> None:
    token = await world.token()
    world.platform.faults.hang("getcallbackip")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await world.get("/api/cgi-bin/getcallbackip", access_token=token)
    world.platform.faults.reset("getcallbackip", times=2)  # clients repeat a GET on a used connection
    with pytest.raises(aiohttp.ClientError):
        await world.get("/api/cgi-bin/getcallbackip", access_token=token)


async def test_a_lost_answer_leaves_the_message_sent(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("hi")
    world.platform.faults.drop_answer("message/custom/send")
    with pytest.raises(aiohttp.ClientError):
        await world.writes("oUser1", "只有一次")
    assert user.screen.texts.count("只有一次") == 1


async def test_a_killed_token_is_answered_like_one_that_was_replaced(world: World) -> None:
    await world.platform.follow("oUser1").says("hi")
    world.platform.faults.kill_token("message/custom/send")
    assert (await world.writes("oUser1"))["errcode"] == 40001
    assert (await world.writes("oUser1"))["errcode"] == 0


async def test_the_sms_port_takes_each_message_once(world: World) -> None:
    sms = {
        "id": "1",
        "at": "2026-06-01T10:00:00+08:00",
        "to": "13800000001",
        "kind": "code",
        "text": "码 123456",
    }
    for _ in range(2):
        async with world.client.post(f"{world.base}/sms", json=sms) as response:
            assert response.status == 202
    assert world.platform.sms.newest_code("13800000001") == "123456"
    assert len(world.platform.sms) == 1
    async with world.client.post(f"{world.base}/sms", json={"to": "1"}) as response:
        assert response.status == 400
    with pytest.raises(LookupError):
        world.platform.sms.newest_code("13900000000")


async def test_several_accounts_share_a_host_and_are_told_apart_by_their_token(world: World) -> None:
    answer = await world.call("message/custom/send", {"touser": "oElsewhere", "msgtype": "text"})
    assert answer["errcode"] == 40003
    call = world.platform.calls.to("message/custom/send")[0]
    assert call.answer["errcode"] == 40003
    assert call.host == "wechat"
