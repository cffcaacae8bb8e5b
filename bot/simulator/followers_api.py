"""What an account may learn about its followers, and the media they exchange.

Source: developers.weixin.qq.com, 获取用户基本信息, 获取关注用户列表, 新增临时素材, 获取临时素材.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bot.simulator.endpoint import OK, Answer, Binary, Call, Endpoint, Json, text_in
from bot.simulator.errors import ApiError
from bot.simulator.media import UPLOADS
from bot.simulator.tags import page

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

DESCRIBED_A_CALL = 100
REMARK_CHARACTERS = 30
ARTICLE_IMAGE_BYTES = 1024 * 1024


def info(call: Call[OfficialAccount]) -> Answer:
    """`user/info`. No nickname and no picture since December 2021; of who left, only that."""
    return _described(call.subject.known(call.query.get("openid", "")))


def infos(call: Call[OfficialAccount]) -> Answer:
    wanted = call.items("user_list", 40032)
    if len(wanted) > DESCRIBED_A_CALL:
        raise ApiError(40032)
    described = [_described(call.subject.known(text_in(one, "openid", 40003))) for one in wanted]
    return {"user_info_list": described}


def _described(follower: Follower) -> Json:
    if not follower.subscribed:
        return {"subscribe": 0, "openid": follower.openid}
    described: Json = {
        "subscribe": 1,
        "openid": follower.openid,
        "language": follower.language,
        "subscribe_time": int(follower.subscribed_at.timestamp()) if follower.subscribed_at else 0,
        "remark": follower.remark,
        "groupid": 0,
        "tagid_list": sorted(follower.tags),
        "subscribe_scene": follower.scene,
        "qr_scene": 0,
        "qr_scene_str": follower.qr_scene,
    }
    if follower.unionid:
        described["unionid"] = follower.unionid
    return described


def openids(call: Call[OfficialAccount]) -> Answer:
    """`user/get`, 10,000 a page."""
    following = [f.openid for f in call.subject.followers.values() if f.subscribed]
    return {"total": len(following), **page(following, call.query.get("next_openid", ""))}


def remark(call: Call[OfficialAccount]) -> Answer:
    follower = call.subject.known(call.text("openid", 40003))
    words = str(call.body.get("remark", ""))
    if len(words) > REMARK_CHARACTERS:
        raise ApiError(40097)
    follower.remark = words
    return OK


def upload(call: Call[OfficialAccount]) -> Answer:
    if call.upload is None:
        raise ApiError(41005)
    kind = call.query.get("type", "")
    media = call.subject.media.upload(kind, call.upload, UPLOADS)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media.id, "created_at": int(call.now.timestamp())}


def download(call: Call[OfficialAccount]) -> Answer:
    media = call.subject.media.get(call.query.get("media_id", ""))
    if media.kind == "video":
        return {"video_url": call.subject.media_url(media.id)}
    return Binary(media.file.content, media.file.content_type, media.file.filename)


def upload_article_image(call: Call[OfficialAccount]) -> Answer:
    if call.upload is None:
        raise ApiError(41005)
    if len(call.upload.content) > ARTICLE_IMAGE_BYTES:
        raise ApiError(40006)
    return {"url": call.subject.media_url(call.subject.media.keep("image", call.upload).id)}


def add_draft(call: Call[OfficialAccount]) -> Answer:
    """`draft/add`: the media_id that a mass message names."""
    media_id = secrets.token_urlsafe(32)
    call.subject.drafts[media_id] = call.items("articles", 40035)
    return {"media_id": media_id}


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("GET", "/cgi-bin/user/info", info),
    Endpoint("POST", "/cgi-bin/user/info/batchget", infos),
    Endpoint("GET", "/cgi-bin/user/get", openids),
    Endpoint("POST", "/cgi-bin/user/info/updateremark", remark),
    Endpoint("POST", "/cgi-bin/media/upload", upload),
    Endpoint("GET", "/cgi-bin/media/get", download),
    Endpoint("POST", "/cgi-bin/media/uploadimg", upload_article_image),
    Endpoint("POST", "/cgi-bin/draft/add", add_draft),
)
