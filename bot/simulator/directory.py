"""WeCom's token, members, media and addresses: the calls that send nothing.

Source: developer.work.weixin.qq.com, 获取access_token, 读取成员, 上传临时素材.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.simulator.endpoint import OK, Answer, Binary, Call, Credential, Endpoint, Json
from bot.simulator.errors import ApiError
from bot.simulator.media import WECOM_UPLOADS

if TYPE_CHECKING:
    from bot.simulator.wecom import App, Member


def get_token(call: Call[App]) -> Answer:
    """`gettoken`: the same token as long as it lives."""
    token = call.subject.tokens.get()
    left = int((token.expires_at - call.now).total_seconds())
    return {**OK, "access_token": token.value, "expires_in": left}


def get_member(call: Call[App]) -> Answer:
    member = call.subject.wecom.known(call.query.get("userid", ""))
    if member is None:
        raise ApiError(60111)
    return {**OK, **_described(member), "mobile": member.config.mobile}


def list_members(call: Call[App]) -> Answer:
    members = [_described(m) for m in call.subject.wecom.members.values() if m.in_scope]
    return {**OK, "userlist": members}


def _described(member: Member) -> Json:
    return {"userid": member.userid, "name": member.config.name, "department": [1], "status": 1}


def find_by_mobile(call: Call[App]) -> Answer:
    mobile = call.text("mobile", 40063)
    for member in call.subject.wecom.members.values():
        if member.config.mobile == mobile:
            return {**OK, "userid": member.userid}
    raise ApiError(46004)


def upload(call: Call[App]) -> Answer:
    if call.upload is None:
        raise ApiError(41005)
    kind = call.query.get("type", "")
    media = call.subject.wecom.media.upload(kind, call.upload, WECOM_UPLOADS)
    return {**OK, "type": kind, "media_id": media.id, "created_at": str(int(call.now.timestamp()))}


def download(call: Call[App]) -> Answer:
    media = call.subject.wecom.media.get(call.query.get("media_id", ""))
    return Binary(media.file.content, media.file.content_type, media.file.filename)


def addresses(call: Call[App]) -> Answer:
    return {**OK, "ip_list": ["127.0.0.1"]}


ENDPOINTS: tuple[Endpoint[App], ...] = (
    Endpoint("GET", "/cgi-bin/gettoken", get_token, Credential.SECRET_IN_QUERY),
    Endpoint("GET", "/cgi-bin/user/get", get_member),
    Endpoint("GET", "/cgi-bin/user/simplelist", list_members),
    Endpoint("GET", "/cgi-bin/user/list", list_members),
    Endpoint("POST", "/cgi-bin/user/getuserid", find_by_mobile),
    Endpoint("POST", "/cgi-bin/media/upload", upload),
    Endpoint("GET", "/cgi-bin/media/get", download),
    Endpoint("GET", "/cgi-bin/getcallbackip", addresses),
    Endpoint("GET", "/cgi-bin/get_api_domain_ip", addresses),
)
