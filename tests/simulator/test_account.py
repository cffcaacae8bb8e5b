"""The rest of an official account: events, menus, tags, followers, codes, OAuth, media, mass messages."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator import AccountKind, Garbage, Mode, NotOnScreen
from bot.simulator.oauth import RedirectRefused
from tests.simulator.world import NewWorld, World

MENU = [
    {
        "name": "看病",
        "sub_button": [
            {"type": "click", "name": "预约挂号", "key": "BOOK"},
            {"type": "view", "name": "官网", "url": "https://h.example/"},
            {"type": "miniprogram", "name": "小程序", "url": "https://h.example/", "pagepath": "pages/a"},
            {"type": "location_select", "name": "发位置", "key": "PLACE"},
        ],
    },
    {
        "name": "拍照",
        "sub_button": [
            {"type": "pic_sysphoto", "name": "拍伤口", "key": "WOUND"},
            {"type": "scancode_waitmsg", "name": "扫码", "key": "SCAN"},
        ],
    },
]


# Events


async def test_events_carry_their_exact_names_and_no_message_id(world: World) -> None:
    user = world.platform.stranger("oUser1")
    await user.follows("clinic7")
    await user.scans("ward3")
    await user.clicks("HELP")
    await user.views("https://a.example/")
    await user.shares_location()
    await user.event("user_info_modified", OpenID="oUser1")
    await user.unfollows()
    pushes = world.server.pushes
    names = ["subscribe", "SCAN", "CLICK", "VIEW", "LOCATION", "user_info_modified", "unsubscribe"]
    assert [push["Event"] for push in pushes] == names
    assert all("MsgId" not in push for push in pushes)
    assert pushes[0]["EventKey"] == "qrscene_clinic7"
    assert pushes[1]["EventKey"] == "ward3"


async def test_a_subscription_event_repeats_its_list(new_world: NewWorld) -> None:
    world = await new_world(mode=Mode.PLAIN)
    await world.platform.follow("oUser1").turns_off_subscriptions(["T1", "T2"])
    body = world.server.received[0].body
    assert "<SubscribeMsgChangeEvent><List><TemplateId>" in body
    assert body.count("<List>") == 2


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("sends_picture", {"MsgType": "image", "PicUrl": None, "MediaId": None}),
        ("sends_voice", {"MsgType": "voice", "Format": "amr", "Recognition": ""}),
        ("sends_video", {"MsgType": "video", "ThumbMediaId": None}),
        ("sends_location", {"MsgType": "location", "Location_X": "23.134521", "Scale": "20"}),
    ],
)
async def test_messages_carry_their_fields(world: World, act: str, fields: dict[str, str | None]) -> None:
    await getattr(world.platform.follow("oUser1"), act)()
    push = world.server.pushes[0]
    assert push["MsgId"]
    for name, value in fields.items():
        assert push[name] if value is None else push[name] == value


async def test_the_picture_can_be_fetched_for_three_days(world: World) -> None:
    await world.platform.follow("oUser1").sends_picture(b"\x89PNG picture")
    push = world.server.pushes[0]
    async with world.client.get(push["PicUrl"]) as response:
        assert await response.read() == b"\x89PNG picture"
    query = {"media_id": push["MediaId"], "access_token": await world.token()}
    async with world.client.get(f"{world.base}/api/cgi-bin/media/get", params=query) as response:
        assert await response.read() == b"\x89PNG picture"
        assert "filename" in response.headers["Content-Disposition"]
    world.clock.advance(timedelta(days=3, seconds=1))
    assert (await world.ask("media/get", media_id=push["MediaId"]))["errcode"] == 40007


@pytest.mark.parametrize("kind", list(Garbage))
@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.SAFE])
async def test_garbage_reaches_the_server(new_world: NewWorld, mode: Mode, kind: Garbage) -> None:
    world = await new_world(mode=mode)
    attempt = await world.platform.account().pushes_garbage(kind)
    sound = {Garbage.UNKNOWN_EVENT, Garbage.UNKNOWN_MESSAGE}
    if mode is Mode.PLAIN:  # without encryption these look like any other push
        sound |= {Garbage.OVERSIZE}
    if kind in sound:
        assert attempt.status == 200
    elif kind in (Garbage.BAD_SIGNATURE, Garbage.NO_SIGNATURE):
        assert attempt.status == 500  # the little server of these tests raises
    assert attempt.sealed.query["openid"] == "oUser1"


# Menus


async def test_menu_buttons_do_what_their_type_says(world: World) -> None:
    user = world.platform.follow("oUser1")
    assert (await world.call("menu/create", {"button": MENU}))["errcode"] == 0
    await user.presses("预约挂号")
    assert await user.presses("官网") == "https://h.example/"
    for name in ("小程序", "发位置", "拍伤口", "扫码"):
        await user.presses(name)
    kinds = [push.get("Event", push["MsgType"]) for push in world.server.pushes]
    assert kinds == [
        "CLICK", "VIEW", "view_miniprogram", "location_select", "location", "pic_sysphoto", "image",
        "scancode_waitmsg",
    ]  # fmt: skip
    with pytest.raises(NotOnScreen):
        await user.presses("没有的")


@pytest.mark.parametrize(
    ("button", "code"),
    [
        ([{"type": "click", "name": "一", "key": "k"}] * 4, 40016),
        ([{"type": "click", "name": "名字太长了吧", "key": "k"}], 40018),
        ([{"type": "click", "name": "一"}], 40019),
        ([{"type": "click", "name": "一", "key": "k" * 129}], 40019),
        ([{"type": "view", "name": "一", "url": "https://h.example/" + "x" * 1024}], 40020),
        ([{"type": "view", "name": "一", "url": "h.example"}], 40055),
        ([{"type": "dance", "name": "一"}], 40017),
        ([{"name": "一", "sub_button": [{"type": "click", "name": "二", "key": "k"}] * 6}], 40023),
        ([{"name": "一", "sub_button": [{"type": "click", "name": "二" * 21, "key": "k"}]}], 40025),
    ],
)
async def test_menu_limits(world: World, button: list[dict[str, Any]], code: int) -> None:
    assert (await world.call("menu/create", {"button": button}))["errcode"] == code


async def test_the_newest_matching_menu_wins_and_deleting_takes_all(world: World) -> None:
    user = world.platform.follow("oUser1")
    tag = (await world.call("tags/create", {"tag": {"name": "孕妇"}}))["tag"]["id"]
    special = {"button": [{"type": "click", "name": "产检", "key": "K"}], "matchrule": {"tag_id": str(tag)}}
    assert (await world.call("menu/addconditional", special))["errcode"] == 65303
    await world.call("menu/create", {"button": MENU})
    assert (await world.call("menu/addconditional", {**special, "matchrule": {"sex": "2"}}))[
        "errcode"
    ] == 65320
    await world.call("menu/addconditional", special)
    await world.call("tags/members/batchtagging", {"openid_list": ["oUser1"], "tagid": tag})
    assert (await world.call("menu/trymatch", {"user_id": "oUser1"}))["button"][0]["name"] == "产检"
    await user.presses("产检")
    assert (await world.ask("menu/delete"))["errcode"] == 0
    assert (await world.ask("menu/get"))["errcode"] == 46003


# Tags and followers


async def test_tags_have_limits_and_push_nothing(world: World) -> None:
    for number in range(51):
        world.platform.follow(f"o{number}")
    created = await world.call("tags/create", {"tag": {"name": "糖尿病"}})
    tag = created["tag"]["id"]
    assert (await world.call("tags/create", {"tag": {"name": "糖尿病"}}))["errcode"] == 45157
    assert (await world.call("tags/create", {"tag": {"name": "长" * 11}}))["errcode"] == 45158
    assert (await world.call("tags/update", {"tag": {"id": 2, "name": "新"}}))["errcode"] == 45058
    everybody = [f"o{number}" for number in range(51)]
    body = {"openid_list": everybody, "tagid": tag}
    assert (await world.call("tags/members/batchtagging", body))["errcode"] == 40032
    body = {"openid_list": everybody[:50], "tagid": tag}
    assert (await world.call("tags/members/batchtagging", body))["errcode"] == 0
    assert (await world.call("user/tag/get", {"tagid": tag, "next_openid": ""}))["count"] == 50
    assert (await world.call("tags/members/batchtagging", {**body, "tagid": 999}))["errcode"] == 45159
    assert world.server.pushes == []
    await world.platform.user("o1").unfollows()
    assert (await world.call("tags/getidlist", {"openid": "o1"}))["tagid_list"] == []


async def test_a_hundred_tags_and_twenty_on_a_user(world: World) -> None:
    world.platform.follow("oUser1")
    tags = [(await world.call("tags/create", {"tag": {"name": f"标签{n}"}}))["tag"]["id"] for n in range(100)]
    assert (await world.call("tags/create", {"tag": {"name": "第101个"}}))["errcode"] == 45056
    for tag in tags[:20]:
        await world.call("tags/members/batchtagging", {"openid_list": ["oUser1"], "tagid": tag})
    body = {"openid_list": ["oUser1"], "tagid": tags[20]}
    assert (await world.call("tags/members/batchtagging", body))["errcode"] == 45059


async def test_followers_are_known_without_name_or_picture(world: World) -> None:
    user = world.platform.follow("oUser1", unionid="u1")
    described = await world.ask("user/info", openid="oUser1")
    assert (described["subscribe"], described["unionid"]) == (1, "u1")
    assert not {"nickname", "headimgurl", "sex"} & described.keys()
    await user.unfollows()
    assert await world.ask("user/info", openid="oUser1") == {"subscribe": 0, "openid": "oUser1"}


async def test_followers_are_listed_ten_thousand_a_page(world: World) -> None:
    for number in range(10_001):
        world.platform.follow(f"o{number:05d}")
    first = await world.ask("user/get")
    assert (first["total"], first["count"]) == (10_001, 10_000)
    second = await world.ask("user/get", next_openid=first["next_openid"])
    assert second["data"]["openid"] == ["o10000"]
    last = await world.ask("user/get", next_openid=second["next_openid"])
    assert (last["count"], "data" in last) == (0, False)


async def test_blocked_users_are_not_written_to(world: World) -> None:
    await world.platform.follow("oUser1").says("hi")
    await world.call("tags/members/batchblacklist", {"openid_list": ["oUser1"]})
    assert (await world.writes("oUser1"))["errcode"] == 43019
    await world.call("tags/members/batchunblacklist", {"openid_list": ["oUser1"]})
    assert (await world.writes("oUser1"))["errcode"] == 0


# Codes and OAuth


async def test_a_code_leads_to_its_scene_until_it_expires(world: World) -> None:
    body = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "ward7"}}}
    code = await world.call("qrcode/create", body)
    assert code["expire_seconds"] == 60
    user = world.platform.stranger("oUser1")
    await user.scans_code(code["ticket"])
    await user.scans_code(code["ticket"])
    assert [push["EventKey"] for push in world.server.pushes] == ["qrscene_ward7", "ward7"]
    assert {push["Ticket"] for push in world.server.pushes} == {code["ticket"]}
    world.clock.advance(timedelta(seconds=61))
    with pytest.raises(NotOnScreen):
        await user.scans_code(code["ticket"])
    url = f"{world.base}/mp/cgi-bin/showqrcode"
    async with world.client.get(url, params={"ticket": code["ticket"]}) as response:
        assert response.status == 404


async def test_permanent_codes_are_counted(world: World) -> None:
    world.platform.account().qrcodes.most_permanent = 1
    body = {"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 7}}}
    assert "ticket" in await world.call("qrcode/create", body)
    assert (await world.call("qrcode/create", body))["errcode"] == 45029
    wrong = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}
    assert (await world.call("qrcode/create", wrong))["errcode"] == 40053


def authorize_url(**changes: str) -> str:
    query = {
        "appid": "wx5f0c2d3e4a1b6c7d",
        "redirect_uri": "https%3A%2F%2Fh.example%2Fme",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
        **changes,
    }
    joined = "&".join(f"{name}={value}" for name, value in query.items())
    return f"https://open.weixin.qq.com/connect/oauth2/authorize?{joined}#wechat_redirect"


async def exchange(world: World, code: str) -> Any:
    query = {"appid": "wx5f0c2d3e4a1b6c7d", "secret": "simulated-app-secret", "code": code}
    return await world.get("/api/sns/oauth2/access_token", grant_type="authorization_code", **query)


async def test_a_code_tells_the_openid_once_within_five_minutes(new_world: NewWorld) -> None:
    world = await new_world(oauth_host="h.example")
    user = world.platform.follow("oUser1", unionid="u1")
    target = user.authorizes(authorize_url())
    assert target.startswith("https://h.example/me?code=")
    assert target.endswith("&state=s1")
    code = target.split("code=")[1].split("&")[0]
    granted = await exchange(world, code)
    assert (granted["openid"], "unionid" in granted) == ("oUser1", False)
    assert (await exchange(world, code))["errcode"] == 40163
    assert (await exchange(world, "unknown"))["errcode"] == 40029
    query = {"access_token": granted["access_token"], "openid": "oUser1"}
    assert (await world.get("/api/sns/userinfo", **query))["errcode"] == 48001
    late = user.authorizes(authorize_url(scope="snsapi_userinfo")).split("code=")[1].split("&")[0]
    world.clock.advance(timedelta(minutes=5, seconds=1))
    assert (await exchange(world, late))["errcode"] == 42003
    with pytest.raises(RedirectRefused):
        user.authorizes(authorize_url(redirect_uri="https%3A%2F%2Felsewhere.example%2F"))


async def test_the_wider_scope_tells_more(world: World) -> None:
    user = world.platform.follow("oUser1", name="李秀英", unionid="u1")
    target = user.authorizes(authorize_url(scope="snsapi_userinfo"))
    granted = await exchange(world, target.split("code=")[1].split("&")[0])
    assert granted["unionid"] == "u1"
    query = {"access_token": granted["access_token"], "openid": "oUser1"}
    assert (await world.get("/api/sns/userinfo", **query))["nickname"] == "李秀英"
    refreshed = await world.get(
        "/api/sns/oauth2/refresh_token",
        appid="wx5f0c2d3e4a1b6c7d",
        grant_type="refresh_token",
        refresh_token=granted["refresh_token"],
    )
    assert refreshed["openid"] == "oUser1"


# Media


async def test_uploaded_media_can_be_sent(world: World) -> None:
    user = world.platform.follow("oUser1")
    await user.says("hi")
    answer = await upload(world, "image", "a.png", b"\x89PNG")
    body = {"touser": "oUser1", "msgtype": "image", "image": {"media_id": answer["media_id"]}}
    assert (await world.call("message/custom/send", body))["errcode"] == 0
    bubble = user.screen.newest
    assert bubble is not None
    assert bubble.kind == "image"


@pytest.mark.parametrize(
    ("kind", "name", "size", "code"),
    [
        ("image", "a.bmp", 10, 40004),
        ("image", "a.png", 0, 40006),
        ("voice", "a.amr", 2 * 1024 * 1024 + 1, 40006),
        ("song", "a.mp3", 10, 40004),
    ],
)
async def test_upload_limits(world: World, kind: str, name: str, size: int, code: int) -> None:
    assert (await upload(world, kind, name, b"x" * size))["errcode"] == code


async def upload(world: World, kind: str, name: str, content: bytes) -> Any:
    form = aiohttp.FormData()
    form.add_field("media", io.BytesIO(content), filename=name, content_type="application/octet-stream")
    query = {"type": kind, "access_token": await world.token()}
    async with world.client.post(
        f"{world.base}/api/cgi-bin/media/upload", params=query, data=form
    ) as response:
        return await response.json(content_type=None)


# Mass messages


def to_tag(tag: int, text: str, **more: str) -> dict[str, Any]:
    return {
        "filter": {"is_to_all": False, "tag_id": tag},
        "msgtype": "text",
        "text": {"content": text},
        **more,
    }


async def test_a_job_is_accepted_then_told_and_a_user_gets_four_a_month(world: World) -> None:
    users = [world.platform.follow(f"oUser{n}") for n in range(3)]
    for user in users[:2]:
        user.follower.tags.add(2)
    for number in range(5):
        answer = await world.call("message/mass/sendall", to_tag(2, f"义诊{number}"))
        assert answer["errcode"] == 0
        await world.platform.settle()
        status = await world.call("message/mass/get", {"msg_id": answer["msg_id"]})
        assert status["msg_status"] == "SEND_SUCCESS"
    finished = [push for push in world.server.pushes if push["Event"] == "MASSSENDJOBFINISH"]
    assert [push["SentCount"] for push in finished] == ["2"] * 4 + ["0"]
    assert [push["TotalCount"] for push in finished] == ["2"] * 5
    assert users[0].screen.texts == ["义诊0", "义诊1", "义诊2", "义诊3"]
    assert users[2].screen.texts == []
    world.clock.advance(timedelta(days=30))
    await world.call("message/mass/sendall", to_tag(2, "七月义诊"))
    await world.platform.settle()
    assert "七月义诊" in users[0].screen


async def test_a_client_id_sends_once(world: World) -> None:
    user = world.platform.follow("oUser1")
    user.follower.tags.add(2)
    first = await world.call("message/mass/sendall", to_tag(2, "义诊", clientmsgid="job-1"))
    again = await world.call("message/mass/sendall", to_tag(2, "义诊", clientmsgid="job-1"))
    assert again["errcode"] == 45066
    world.clock.advance(timedelta(minutes=2))
    again = await world.call("message/mass/sendall", to_tag(2, "义诊", clientmsgid="job-1"))
    assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
    long = to_tag(2, "义诊", clientmsgid="x" * 65)
    assert (await world.call("message/mass/sendall", long))["errcode"] == 45067
    await world.platform.settle()
    assert user.screen.texts == ["义诊"]


async def test_to_all_once_a_day_and_with_the_administrators_consent(new_world: NewWorld) -> None:
    world = await new_world(mass_protection=True)
    user = world.platform.follow("oUser1")
    everybody = {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": "通知"}}
    job = (await world.call("message/mass/sendall", everybody))["msg_id"]
    other = {**everybody, "text": {"content": "又一个"}}
    assert (await world.call("message/mass/sendall", other))["errcode"] == 45028
    await world.platform.settle()
    assert user.screen.texts == []
    await world.platform.account().mass.confirm(job)
    assert user.screen.texts == ["通知"]
    world.clock.advance(timedelta(days=1))
    await world.call("message/mass/sendall", other)
    world.clock.advance(timedelta(minutes=31))
    await world.platform.settle()
    assert world.server.pushes[-1]["Status"] == "err(40002)"


async def test_a_subscription_account_sends_once_a_day(new_world: NewWorld) -> None:
    world = await new_world(kind=AccountKind.SUBSCRIPTION)
    world.platform.follow("oUser1")
    assert (await world.call("message/mass/sendall", to_tag(2, "一")))["errcode"] == 0
    assert (await world.call("message/mass/sendall", to_tag(2, "二")))["errcode"] == 45028
    body = {"touser": ["oUser1", "oUser2"], "msgtype": "text", "text": {"content": "三"}}
    assert (await world.call("message/mass/send", body))["errcode"] == 48001


async def test_lists_previews_and_unknown_jobs(world: World) -> None:
    user = world.platform.follow("oUser1")
    text = {"msgtype": "text", "text": {"content": "预览"}}
    assert (await world.call("message/mass/send", {"touser": ["oUser1"], **text}))["errcode"] == 40130
    assert (await world.call("message/mass/preview", {"touser": "oUser1", **text}))["errcode"] == 0
    assert user.screen.texts == ["预览"]
    assert (await world.call("message/mass/get", {"msg_id": 7}))["errcode"] == 40059
    assert (await world.call("message/mass/sendall", to_tag(999, "?")))["errcode"] == 40152
    assert (await world.call("message/mass/speed/set", {"speed": 9}))["errcode"] == 45083


async def test_an_article_is_drafted_and_sent(world: World) -> None:
    user = world.platform.follow("oUser1")
    user.follower.tags.add(2)
    draft = await world.call("draft/add", {"articles": [{"title": "秋冬养肺", "content": "…"}]})
    body = {**to_tag(2, ""), "msgtype": "mpnews", "mpnews": {"media_id": draft["media_id"]}}
    assert (await world.call("message/mass/sendall", body))["errcode"] == 0
    await world.platform.settle()
    assert user.screen.texts == ["秋冬养肺"]
