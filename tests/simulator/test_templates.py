"""Template messages and subscription notices: typed keys, grants, and the result that comes as an event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.simulator import AccountKind, Template, TypedValues
from bot.simulator.typed_values import fits
from tests.simulator.world import NewWorld, World


def notice(**changes: Any) -> dict[str, Any]:
    facts = {
        "thing1": "骨科复诊",
        "time2": "2026年6月3日 09:30",
        "enum3": "已预约",
        "first": "您好",
        "remark": "再见",
    }
    facts.update(changes.pop("facts", {}))
    values = {key: {"value": value, "color": "#ff0000"} for key, value in facts.items()}
    return {"touser": "oUser1", "template_id": "T-reminder", "data": values, **changes}


async def test_a_template_arrives_without_a_window_and_its_result_follows(world: World) -> None:
    user = world.platform.follow("oUser1")
    answer = await world.call("message/template/send", notice(url="https://h.example/"))
    assert answer["errcode"] == 0
    assert user.screen.texts == ["就诊提醒\n项目：骨科复诊\n时间：2026年6月3日 09:30\n状态：已预约"]
    await world.platform.settle()
    event = world.server.pushes[-1]
    assert (event["Event"], event["Status"]) == ("TEMPLATESENDJOBFINISH", "success")
    assert event["MsgID"] == str(answer["msgid"])
    assert "MsgId" not in event


async def test_a_result_may_tell_of_a_user_who_blocked_us_or_of_a_failure(world: World) -> None:
    user = world.platform.follow("oUser1")
    user.follower.refuses_templates = True
    assert (await world.call("message/template/send", notice()))["errcode"] == 0
    user.follower.refuses_templates = False
    world.platform.account().templates.system_failures = 1
    assert (await world.call("message/template/send", notice()))["errcode"] == 0
    await world.platform.settle()
    assert [push["Status"] for push in world.server.pushes] == ["failed:user block", "failed: system failed"]
    assert user.screen.texts == []


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"thing1": "一" * 21}, "data.thing1.value"),
        ({"thing1": " "}, "data.thing1.value"),
        ({"time2": "明天上午"}, "data.time2.value"),
        ({"enum3": "差不多"}, "data.enum3.value"),
    ],
)
async def test_a_value_that_breaks_its_keys_rule_is_named(
    world: World, facts: dict[str, str], named: str
) -> None:
    world.platform.follow("oUser1")
    answer = await world.call("message/template/send", notice(facts=facts))
    assert answer["errcode"] == 47003
    assert answer["errmsg"].startswith(f"argument invalid! {named}")


async def test_a_lenient_platform_cuts_and_newlines_vanish(new_world: NewWorld) -> None:
    world = await new_world(simulator={"typed_values": TypedValues.CUT})
    user = world.platform.follow("oUser1")
    assert (await world.call("message/template/send", notice(facts={"thing1": "上\n" + "一" * 30})))[
        "errcode"
    ] == 0
    assert f"项目：上{'一' * 19}\n" in user.screen


async def test_a_client_message_id_sends_once_in_ten_minutes(world: World) -> None:
    user = world.platform.follow("oUser1")
    first = await world.call("message/template/send", notice(client_msg_id="letter-1"))
    again = await world.call("message/template/send", notice(client_msg_id="letter-1"))
    assert first["msgid"] == again["msgid"]
    assert len(user.screen.texts) == 1
    world.clock.advance(timedelta(minutes=10))
    await world.call("message/template/send", notice(client_msg_id="letter-1"))
    assert len(user.screen.texts) == 2


async def test_only_followers_and_known_templates(world: World) -> None:
    assert (await world.call("message/template/send", notice()))["errcode"] == 40003
    user = world.platform.follow("oUser1")
    assert (await world.call("message/template/send", notice(template_id="T-other")))["errcode"] == 40037
    await user.unfollows()
    assert (await world.call("message/template/send", notice()))["errcode"] == 43004


async def test_each_grant_sends_one_subscription_notice(world: World) -> None:
    user = world.platform.follow("oUser1")
    assert (await world.call("message/subscribe/bizsend", notice()))["errcode"] == 43101
    await user.answers_subscription("T-reminder")
    await user.answers_subscription("T-reminder", accept=False)
    answer = await world.call("message/subscribe/bizsend", notice())
    assert answer == {"errcode": 0, "errmsg": "ok"}
    assert (await world.call("message/subscribe/bizsend", notice()))["errcode"] == 43101
    await world.platform.settle()
    events = [push["Event"] for push in world.server.pushes]
    assert events == ["subscribe_msg_popup_event"] * 2 + ["subscribe_msg_sent_event"]


async def test_unfollowing_takes_the_grants_along(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.answers_subscription("T-reminder")
    await user.unfollows()
    await user.follows()
    assert (await world.call("message/subscribe/bizsend", notice()))["errcode"] == 43101


async def test_a_sandbox_account_has_no_subscription_notices(new_world: NewWorld) -> None:
    world = await new_world(kind=AccountKind.SANDBOX)
    world.platform.follow("oUser1")
    assert (await world.call("message/subscribe/bizsend", notice()))["errcode"] == 48001


async def test_an_unverified_account_may_not_send_templates(new_world: NewWorld) -> None:
    world = await new_world(verified=False)
    world.platform.follow("oUser1")
    assert (await world.call("message/template/send", notice()))["errcode"] == 48001


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("thing1", "一" * 20, "一" * 21),
        ("number1", "12.5", "十二"),
        ("letter1", "ABC", "A1"),
        ("symbol1", "+-*", "++++++"),
        ("character_string1", "YY000123", "编号1"),
        ("time1", "15:01~16:00", "下午三点"),
        ("time1", "2019年10月1日 15:01", "2019年10月1日"),
        ("date1", "2019年10月1日", "10月1日"),
        ("date1", "2026-06-03 09:30", "15:01"),
        ("amount1", "¥39.8元", "三十元"),
        ("phone_number1", "+86-010-12345678", "电话12345"),
        ("car_number1", "粤A8Z888挂", "粤A8Z888挂挂挂"),
        ("name1", "欧阳*", "张三丰张三丰张三丰张三"),
        ("phrase1", "已预约", "已经预约好了"),
        ("keyword1", "任何" * 50, None),
    ],
)
def test_typed_keys(key: str, good: str, bad: str | None) -> None:
    template = Template(id="T", title="t", content="")
    assert fits(template, key, good)
    assert bad is None or not fits(template, key, bad)
