"""WeCom's app: callbacks, tokens, messages to members, cards, customers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.simulator.server import reply_xml, text_reply
from tests.simulator.world import NewWorld, World

CARD = {
    "card_type": "button_interaction",
    "task_id": "alert-1",
    "main_title": {"title": "胸痛", "desc": "张* 13:05"},
    "horizontal_content_list": [{"keyname": "电话", "value": "138****0000"}],
    "button_list": [
        {"text": "我来处理", "style": 1, "key": "take:1"},
        {"text": "转交", "style": 2, "key": "pass:1"},
    ],
}


def message(kind: str, part: dict[str, Any], to: str = "ZhangHushi", **more: Any) -> dict[str, Any]:
    return {"touser": to, "agentid": 1000002, "msgtype": kind, kind: part, **more}


async def test_the_callback_url_answers_with_the_decrypted_echo(world: World) -> None:
    assert await world.platform.wecom.verify_url()
    world.wecom_server.decrypts_echo = False
    assert not await world.platform.wecom.verify_url()


async def test_a_members_text_is_pushed_and_answered(world: World) -> None:
    async def answer(push: dict[str, str]) -> str:
        return text_reply(push, f"收到：{push['Content']}")

    world.wecom_server.answer = answer
    nurse = world.platform.wecom.member("ZhangHushi")
    assert (await nurse.says("你好")).text == "收到：你好"
    push = world.wecom_server.pushes[0]
    assert (push["FromUserName"], push["AgentID"], push["MsgType"]) == ("ZhangHushi", "1000002", "text")
    assert push["MsgId"]
    assert "<AgentID>" in world.wecom_server.received[0].body
    assert nurse.screen.texts == ["收到：你好"]


async def test_any_status_but_200_is_pushed_three_times(world: World) -> None:
    async def broken(push: dict[str, str]) -> web.Response:
        return web.Response(status=204)

    world.wecom_server.answer = broken
    reply = await world.platform.wecom.member("li").enters()
    assert (reply.kind, reply.attempts) == ("failure", 3)


async def test_the_token_stays_the_same_until_it_ends(world: World) -> None:
    token = await world.wecom_token()
    assert await world.wecom_token() == token
    world.platform.wecom.app.tokens.kill()
    body = message("text", {"content": "hi"})
    assert (await world.post("/qyapi/cgi-bin/message/send", body, access_token=token))["errcode"] == 40014
    token = await world.wecom_token()
    world.clock.advance(timedelta(seconds=7200))
    assert (await world.post("/qyapi/cgi-bin/message/send", body, access_token=token))["errcode"] == 42001
    assert await world.wecom_token() != token


async def test_a_caller_from_elsewhere_is_refused(new_world: NewWorld) -> None:
    world = await new_world(wecom={"ip_whitelist": frozenset({"10.1.1.1"})})
    config = world.platform.wecom.config
    answer = await world.get("/qyapi/cgi-bin/gettoken", corpid=config.corp_id, corpsecret=config.secret)
    assert answer["errcode"] == 60020


@pytest.mark.parametrize(
    ("corpid", "secret", "code"), [("wwOther", "simulated-wecom-secret", 40013), (None, "wrong", 40001)]
)
async def test_wrong_credentials(world: World, corpid: str | None, secret: str, code: int) -> None:
    corpid = corpid or world.platform.wecom.config.corp_id
    answer = await world.get("/qyapi/cgi-bin/gettoken", corpid=corpid, corpsecret=secret)
    assert answer["errcode"] == code


async def test_some_bad_recipients_are_named_and_all_bad_refused(world: World) -> None:
    answer = await world.wecom_call("message/send", message("text", {"content": "hi"}, "zhanghushi|nobody"))
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")
    answer = await world.wecom_call("message/send", message("text", {"content": "hi"}, "nobody"))
    assert answer["errcode"] == 81013
    assert (await world.wecom_call("message/send", message("text", {"content": "hi"}, "")))[
        "errcode"
    ] == 81012


async def test_the_31st_message_of_a_minute_vanishes(world: World) -> None:
    nurse = world.platform.wecom.member("li")
    for number in range(31):
        body = message("text", {"content": str(number)}, "li")
        assert (await world.wecom_call("message/send", body))["errcode"] == 0
    assert len(nurse.screen.texts) == 30
    world.clock.advance(timedelta(minutes=1))
    await world.wecom_call("message/send", message("text", {"content": "again"}, "li"))
    assert len(nurse.screen.texts) == 31


async def test_a_long_text_is_cut_and_a_duplicate_dropped_on_wish(world: World) -> None:
    nurse = world.platform.wecom.member("li")
    body = message("text", {"content": "长" * 1000}, "li", enable_duplicate_check=1)
    for _ in range(2):
        assert (await world.wecom_call("message/send", body))["errcode"] == 0
    assert nurse.screen.texts == ["长" * 682]


async def test_a_pressed_card_tells_the_server_and_is_updated_once(world: World) -> None:
    nurse = world.platform.wecom.member("ZhangHushi")
    sent = await world.wecom_call("message/send", message("template_card", CARD))
    assert sent["response_code"]
    await nurse.presses("我来处理")
    event = world.wecom_server.pushes[-1]
    assert (event["Event"], event["EventKey"], event["TaskId"]) == (
        "template_card_event",
        "take:1",
        "alert-1",
    )
    assert "转交" in nurse.screen
    code = event["ResponseCode"]
    body = {"userids": ["ZhangHushi"], "agentid": 1000002, "response_code": code}
    update = {**body, "button": {"replace_name": "张护士已接手"}}
    assert (await world.wecom_call("message/update_template_card", update))["errcode"] == 0
    assert "张护士已接手" in nurse.screen
    assert (await world.wecom_call("message/update_template_card", update))["errcode"] == 40058
    with pytest.raises(LookupError):
        await nurse.presses("转交")


async def test_a_response_code_lives_72_hours(world: World) -> None:
    sent = await world.wecom_call("message/send", message("template_card", CARD))
    world.clock.advance(timedelta(hours=72, seconds=1))
    update = {"userids": ["li"], "response_code": sent["response_code"], "button": {"replace_name": "晚了"}}
    assert (await world.wecom_call("message/update_template_card", update))["errcode"] == 40058


async def test_a_card_may_be_updated_in_the_reply_to_its_event(world: World) -> None:
    async def answer(push: dict[str, str]) -> str:
        inner = "<MsgType>update_button</MsgType><Button><ReplaceName>已处理</ReplaceName></Button>"
        return reply_xml(push, inner)

    world.wecom_server.answer = answer
    nurse = world.platform.wecom.member("li")
    await world.wecom_call("message/send", message("template_card", CARD, "li"))
    await nurse.presses("take:1")
    assert "已处理" in nurse.screen


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"task_id": "with space"}, 42014),
        ({"task_id": ""}, 42014),
        ({"button_list": [{"text": "?"}]}, 42017),
        ({"card_type": "poem"}, 40058),
        ({"card_type": "text_notice"}, 40058),
    ],
)
async def test_a_wrong_card_is_refused(world: World, change: dict[str, Any], code: int) -> None:
    answer = await world.wecom_call("message/send", message("template_card", {**CARD, **change}))
    assert answer["errcode"] == code


async def test_a_task_id_is_used_once(world: World) -> None:
    codes = [
        (await world.wecom_call("message/send", message("template_card", CARD)))["errcode"] for _ in range(2)
    ]
    assert codes == [0, 42014]


async def test_selections_come_in_either_spelling(new_world: NewWorld) -> None:
    card = {**CARD, "card_type": "vote_interaction", "submit_button": {"text": "提交", "key": "s"}}
    seen = []
    for misspelt in (False, True):
        world = await new_world(wecom={"misspelt_options": misspelt})
        await world.wecom_call("message/send", message("template_card", card))
        nurse = world.platform.wecom.member("ZhangHushi")
        bubble = nurse.screen.newest
        assert bubble is not None
        await nurse.answers_card(bubble, "s", {"q1": ["a", "b"]})
        seen.append({"OptionId", "OpitonId"} & world.wecom_server.pushes[-1].keys())
    assert seen == [{"OptionId"}, {"OpitonId"}]


async def test_a_message_can_be_taken_back(world: World) -> None:
    nurse = world.platform.wecom.member("li")
    sent = await world.wecom_call("message/send", message("text", {"content": "误发"}, "li"))
    await world.wecom_call("message/recall", {"msgid": sent["msgid"]})
    assert "误发" not in nurse.screen


async def test_members_are_found_by_mobile(world: World) -> None:
    assert (await world.wecom_call("user/getuserid", {"mobile": "13800000011"}))["userid"] == "ZhangHushi"
    assert (await world.wecom_call("user/getuserid", {"mobile": "13900000000"}))["errcode"] == 46004
    assert (await world.wecom_ask("user/get", userid="li"))["name"] == "李护士"


async def test_a_new_customer_is_welcomed_once_within_20_seconds(world: World) -> None:
    contacts = world.platform.wecom.contacts
    customer = contacts.customer("woCustomer1")
    code = await customer.is_added_by("li", state="desk")
    event = world.wecom_server.pushes[-1]
    assert (event["FromUserName"], event["ChangeType"], event["State"]) == (
        "sys",
        "add_external_contact",
        "desk",
    )
    assert event["WelcomeCode"] == code
    body = {"welcome_code": code, "text": {"content": "欢迎"}}
    contacts.welcomes[code].sending = True
    assert (await world.wecom_call("externalcontact/send_welcome_msg", body))["errcode"] == 41096
    contacts.welcomes[code].sending = False
    codes = [(await world.wecom_call("externalcontact/send_welcome_msg", body))["errcode"] for _ in range(2)]
    assert codes == [0, 41051]
    assert customer.screen.texts == ["欢迎"]
    late = {**body, "welcome_code": await customer.is_added_by("ZhangHushi")}
    world.clock.advance(timedelta(seconds=21))
    assert (await world.wecom_call("externalcontact/send_welcome_msg", late))["errcode"] == 41050


async def test_tags_by_api_are_silent_and_tags_by_hand_are_told(world: World) -> None:
    customer = world.platform.wecom.contacts.customer("woCustomer1")
    await customer.is_added_by("li")
    body = {"group_name": "病种", "tag": [{"name": "糖尿病"}]}
    added = await world.wecom_call("externalcontact/add_corp_tag", body)
    tag = added["tag_group"]["tag"][0]["id"]
    assert (await world.wecom_call("externalcontact/add_corp_tag", body))["errcode"] == 40071
    before = len(world.wecom_server.pushes)
    mark = {"userid": "li", "external_userid": "woCustomer1", "add_tag": [tag]}
    assert (await world.wecom_call("externalcontact/mark_tag", mark))["errcode"] == 0
    assert len(world.wecom_server.pushes) == before
    await customer.is_tagged_by("li", tag)
    assert world.wecom_server.pushes[-1]["ChangeType"] == "edit_external_contact"
    described = await world.wecom_ask("externalcontact/get", external_userid="woCustomer1")
    assert described["follow_user"][0]["tags"][0]["tag_name"] == "糖尿病"
    await customer.is_deleted_by("li")
    assert (await world.wecom_call("externalcontact/mark_tag", mark))["errcode"] == 84061


async def test_a_mass_message_waits_for_the_member_and_keeps_the_monthly_cap(world: World) -> None:
    contacts = world.platform.wecom.contacts
    customer = contacts.customer("woCustomer1")
    await customer.is_added_by("li")
    pushes = len(world.wecom_server.pushes)
    body = {"external_userid": ["woCustomer1", "woStranger"], "text": {"content": "义诊"}}
    statuses = []
    for number in range(31):
        task = await world.wecom_call("externalcontact/add_msg_template", body)
        assert task["fail_list"] == ["woStranger"]
        assert len(customer.screen.texts) == min(number, 30)
        await contacts.confirm("li", task["msgid"])
        query = {"msgid": task["msgid"], "userid": "li"}
        result = await world.wecom_call("externalcontact/get_groupmsg_send_result", query)
        statuses.append(result["send_list"][0]["status"])
    assert statuses == [1] * 30 + [3]
    assert len(world.wecom_server.pushes) == pushes


async def test_nobody_to_send_to(world: World) -> None:
    body = {"external_userid": ["woStranger"], "text": {"content": "hi"}}
    assert (await world.wecom_call("externalcontact/add_msg_template", body))["errcode"] == 41048
