"""微信客服: the bell, pulling with a cursor, the session's states, what may be sent when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.simulator import Customer
from bot.simulator.kf import State
from tests.simulator.world import NewWorld, World


@pytest.fixture
def customer(world: World) -> Customer:
    return world.platform.kf.customer("wmPatient1", unionid="u1")


async def answer(world: World, text: str = "您好", **more: Any) -> Any:
    body = {
        "touser": "wmPatient1",
        "open_kfid": "wkDesk",
        "msgtype": "text",
        "text": {"content": text},
        **more,
    }
    return await world.wecom_call("kf/send_msg", body)


async def pull(world: World, cursor: str = "", **more: Any) -> Any:
    return await world.wecom_call("kf/sync_msg", {"cursor": cursor, "open_kfid": "wkDesk", **more})


async def state(world: World, target: int | None = None, servicer: str = "") -> Any:
    body: dict[str, Any] = {"open_kfid": "wkDesk", "external_userid": "wmPatient1"}
    if target is None:
        return await world.wecom_call("kf/service_state/get", body)
    body.update(service_state=target, servicer_userid=servicer)
    return await world.wecom_call("kf/service_state/trans", body)


async def test_the_bell_says_nothing_and_the_message_is_pulled(world: World, customer: Customer) -> None:
    await customer.says("伤口痛")
    bell = world.wecom_server.pushes[-1]
    assert bell["Event"] == "kf_msg_or_event"
    assert not {"FromUserName", "AgentID", "Content"} & bell.keys()
    assert "AgentID" not in world.wecom_server.received[-1].body
    pulled = await pull(world, token=bell["Token"])
    message = pulled["msg_list"][0]
    assert (message["origin"], message["text"], message["external_userid"]) == (
        3,
        {"content": "伤口痛"},
        "wmPatient1",
    )
    assert (await pull(world, pulled["next_cursor"]))["msg_list"] == []


async def test_a_cursor_goes_on_where_it_stopped(world: World, customer: Customer) -> None:
    for number in range(5):
        await customer.says(str(number))
    world.platform.kf.empty_pages = 1
    seen, cursor, more, pages = [], "", 1, 0
    while more:
        page = await pull(world, cursor, limit=2)
        seen += [message["text"]["content"] for message in page["msg_list"]]
        cursor, more, pages = page["next_cursor"], page["has_more"], pages + 1
    assert seen == ["0", "1", "2", "3", "4"]
    assert pages == 4


async def test_history_is_three_days_and_the_bells_token_ten_minutes(
    world: World, customer: Customer
) -> None:
    await customer.says("早")
    token = world.wecom_server.pushes[-1]["Token"]
    world.clock.advance(timedelta(minutes=10, seconds=1))
    assert (await pull(world, token=token))["errcode"] == 95007
    assert (await pull(world, token="foreign"))["errcode"] == 95007
    world.clock.advance(timedelta(days=3))
    assert (await pull(world))["msg_list"] == []


async def test_five_answers_in_48_hours(world: World, customer: Customer) -> None:
    await customer.says("在吗")
    assert [(await answer(world))["errcode"] for _ in range(6)] == [0, 0, 0, 0, 0, 95001]
    await customer.says("还在吗")
    world.clock.advance(timedelta(hours=47))
    assert (await answer(world))["errcode"] == 0
    world.clock.advance(timedelta(hours=1, seconds=1))
    assert (await answer(world))["errcode"] == 95002
    assert customer.screen.texts == ["您好"] * 6


async def test_a_message_id_is_used_once(world: World, customer: Customer) -> None:
    await customer.says("在吗")
    assert [(await answer(world, msgid="letter-1"))["errcode"] for _ in range(2)] == [0, 40058]
    assert (await answer(world, msgid="不行"))["errcode"] == 40058
    assert len(customer.screen.texts) == 1


async def test_an_ok_may_be_followed_by_a_failure(world: World, customer: Customer) -> None:
    await customer.says("在吗")
    world.platform.kf.fail_next = [10]
    assert (await answer(world, msgid="letter-1"))["errcode"] == 0
    await world.platform.settle()
    event = (await pull(world))["msg_list"][-1]["event"]
    assert (event["event_type"], event["fail_msgid"], event["fail_type"]) == ("msg_send_fail", "letter-1", 10)
    assert customer.screen.texts == []


async def test_the_bot_is_silent_while_a_person_serves(world: World, customer: Customer) -> None:
    assert (await state(world, 1))["errcode"] == 95013
    await customer.says("转人工")
    assert (await state(world))["service_state"] == State.NEW
    assert (await state(world, 4))["errcode"] == 95016
    assert (await state(world, 3, "nobody"))["errcode"] == 95014
    pooled = await state(world, 2)
    assert (await answer(world))["errcode"] == 95018
    event = {"code": pooled["msg_code"], "msgtype": "text", "text": {"content": "排队中"}}
    codes = [(await world.wecom_call("kf/send_msg_on_event", event))["errcode"] for _ in range(2)]
    assert codes == [0, 95007]
    nurse = world.platform.kf.servicer("li")
    await nurse.takes(customer)
    assert (await state(world))["servicer_userid"] == "li"
    await nurse.says(customer, "我是李护士")
    assert customer.screen.texts == ["排队中", "我是李护士"]
    messages = (await pull(world))["msg_list"]
    assert messages[-1]["origin"] == 5
    assert messages[-2]["event"]["change_type"] == 1
    await nurse.ends(customer)
    assert (await state(world))["service_state"] == State.ENDED
    await customer.says("谢谢")
    assert (await state(world))["service_state"] == State.NEW


async def test_a_servicer_who_stopped_cannot_be_given_a_customer(world: World, customer: Customer) -> None:
    await customer.says("转人工")
    await world.platform.kf.servicer("li").stops()
    assert (await state(world, 3, "li"))["errcode"] == 95019
    assert (await pull(world))["msg_list"][-1]["event"]["status"] == 2
    listed = await world.wecom_ask("kf/servicer/list", open_kfid="wkDesk")
    assert {s["userid"]: s["status"] for s in listed["servicer_list"]} == {"ZhangHushi": 0, "li": 1}


async def test_a_session_ends_by_itself_after_48_hours(world: World, customer: Customer) -> None:
    await customer.says("你好")
    await state(world, 1)
    world.clock.advance(timedelta(hours=48))
    assert (await state(world))["service_state"] == State.ENDED


async def test_a_welcome_code_comes_once_and_lives_20_seconds(world: World, customer: Customer) -> None:
    await customer.enters("menu", "a%3D1")
    event = (await pull(world))["msg_list"][-1]["event"]
    assert (event["scene"], event["scene_param"]) == ("menu", "a%3D1")
    body = {"code": event["welcome_code"], "msgtype": "text", "text": {"content": "欢迎"}}
    codes = [(await world.wecom_call("kf/send_msg_on_event", body))["errcode"] for _ in range(2)]
    assert codes == [0, 95007]
    await customer.enters()
    assert "welcome_code" not in (await pull(world))["msg_list"][-1]["event"]
    world.clock.advance(timedelta(hours=48))
    await customer.enters()
    late = (await pull(world))["msg_list"][-1]["event"]["welcome_code"]
    world.clock.advance(timedelta(seconds=21))
    assert (await world.wecom_call("kf/send_msg_on_event", {**body, "code": late}))["errcode"] == 95007
    await customer.says("你好")
    await customer.enters()
    assert "welcome_code" not in (await pull(world))["msg_list"][-1]["event"]


async def test_no_welcome_code_beside_a_native_welcome(new_world: NewWorld) -> None:
    world = await new_world(wecom={"native_welcome": True})
    await world.platform.kf.customer("wmPatient1").enters()
    assert "welcome_code" not in (await pull(world))["msg_list"][-1]["event"]


async def test_a_chosen_menu_item_is_a_message_with_its_id(world: World, customer: Customer) -> None:
    await customer.says("你好")
    menu: dict[str, Any] = {
        "head_content": "请选择",
        "list": [
            {"type": "click", "click": {"id": "101", "content": "预约"}},
            {"type": "view", "view": {"url": "https://h.example", "content": "官网"}},
            {"type": "text", "text": {"content": "或直接输入"}},
        ],
    }
    body = {"touser": "wmPatient1", "open_kfid": "wkDesk", "msgtype": "msgmenu", "msgmenu": menu}
    assert (await world.wecom_call("kf/send_msg", body))["errcode"] == 0
    await customer.chooses("预约")
    assert (await pull(world))["msg_list"][-1]["text"] == {"content": "预约", "menu_id": "101"}
    long = {**body, "msgmenu": {"list": menu["list"] * 4}}
    assert (await world.wecom_call("kf/send_msg", long))["errcode"] == 95008
    strange = {**body, "msgmenu": {"list": [{"type": "song", "song": {"content": "?"}}]}}
    assert (await world.wecom_call("kf/send_msg", strange))["errcode"] == 95009


async def test_accounts_and_customers_are_described(world: World, customer: Customer) -> None:
    accounts = await world.wecom_call("kf/account/list", {"offset": 0, "limit": 100})
    assert accounts["account_list"][0]["open_kfid"] == "wkDesk"
    wanted = {"external_userid_list": ["wmPatient1"]}
    assert (await world.wecom_call("kf/customer/batchget", wanted))["errcode"] == 95031
    await customer.says("你好")
    described = await world.wecom_call("kf/customer/batchget", wanted)
    assert described["customer_list"][0]["unionid"] == "u1"


@pytest.mark.parametrize(("open_kfid", "code"), [("", 95000), ("wkGone", 95004)])
async def test_an_unknown_account(world: World, open_kfid: str, code: int) -> None:
    assert (await world.wecom_call("kf/sync_msg", {"open_kfid": open_kfid}))["errcode"] == code
