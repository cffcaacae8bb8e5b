"""Refusals, with the platform's own wording. The same number means different things on the two platforms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

WECHAT_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        -1: "system error",
        0: "ok",
        40001: "invalid credential, access_token is invalid or not latest",
        40002: "invalid grant_type",
        40003: "invalid openid",
        40004: "invalid media type",
        40006: "invalid media size",
        40007: "invalid media_id",
        40008: "invalid message type",
        40013: "invalid appid",
        40014: "invalid access_token",
        40016: "invalid button size",
        40017: "invalid button type",
        40018: "invalid button name size",
        40019: "invalid button key size",
        40020: "invalid button url size",
        40023: "invalid sub button size",
        40025: "invalid sub button name size",
        40029: "invalid code",
        40032: "invalid openid list size",
        40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
        40035: "invalid parameter",
        40037: "invalid template_id",
        40050: "invalid tag id",
        40053: "invalid action info",
        40055: "invalid button url domain",
        40059: "invalid msg id",
        40066: "invalid url",
        40097: "invalid args",
        40125: "invalid appsecret",
        40130: "invalid openid list size, at least two openid",
        40152: "invalid group id",
        40163: "code been used",
        40164: "invalid ip, not in whitelist",
        40200: "invalid account type",
        40241: "The message is duplicate in 60 seconds",
        40243: "secret frozen",
        41001: "access_token missing",
        41002: "appid missing",
        41004: "appsecret missing",
        41005: "media data missing",
        41006: "media_id missing",
        41008: "missing code",
        41030: "invalid page",
        42001: "access_token expired",
        42002: "refresh_token expired",
        42003: "code expired",
        43001: "require GET method",
        43002: "require POST method",
        43004: "require subscribe",
        43019: "require remove blacklist",
        43101: "user refuse to accept the msg",
        43117: "Sending messages to this openid too frequently",
        44002: "empty post data",
        44004: "empty content",
        45001: "media size out of limit",
        45002: "content size out of limit",
        45008: "article size out of limit",
        45009: "reach max api daily quota limit",
        45011: "api minute-quota reach limit, must slower, retry next minute",
        45015: "response out of time limit or subscription is canceled",
        45026: "template num exceeds limit",
        45028: "has no masssend quota",
        45029: "qrcode count out of limit",
        45047: "out of response count limit",
        45050: "custom msg use invalid type",
        45056: "too many tag",
        45057: "can not delete tag, too many fans",
        45058: "can not modify system tag",
        45059: "too many tags on the user",
        45065: "clientmsgid exist",
        45066: "same clientmsgid retry too fast",
        45067: "clientmsgid size out of limit",
        45072: "invalid command",
        45080: "no message within 30 seconds",
        45081: "already typing",
        45083: "invalid speed",
        45084: "speed missing",
        45098: "msgmenu list size out of limit",
        45099: "msgmenu item content size out of limit",
        45157: "invalid tag name",
        45158: "tag name too long",
        45159: "invalid tag id",
        46003: "menu no exist",
        47001: "data format error",
        47003: "argument invalid!",
        48001: "api unauthorized",
        48002: "user block receive message",
        48006: "forbid to clear quota because of reaching the limit",
        49003: "not match openid with appid",
        65301: "menuid not exist",
        65302: "no selfmenu match",
        65303: "there is no selfmenu, please create selfmenu first",
        65305: "invalid matchrule",
        65320: "matchrule field not supported any more",
        65400: "please enable new kf",
        76021: "cgi_path not found",
        76022: "could not use this cgi_path, no permission",
    }
)

WECOM_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        -1: "system busy",
        0: "ok",
        40001: "invalid credential",
        40003: "invalid userid",
        40004: "invalid media type",
        40007: "invalid media_id",
        40008: "invalid message type",
        40013: "invalid corpid",
        40014: "invalid access_token",
        40056: "invalid agentid",
        40058: "invalid parameter",
        40063: "some parameters are empty",
        40068: "invalid tagid",
        40071: "invalid tag name",
        40096: "invalid external userid",
        41001: "access_token missing",
        41005: "missing media data",
        41048: "no customer to send",
        41050: "welcome code invalid",
        41051: "welcome msg has been distributed",
        41063: "group msg task is being dispatched",
        41093: "group msg has been cancelled",
        41094: "reminder too frequent",
        41096: "welcome msg is being distributed",
        42001: "access_token expired",
        42014: "invalid task_id",
        42017: "missing button key",
        43001: "require GET method",
        43002: "require POST method",
        43004: "require subscribe",
        44002: "empty post data",
        44004: "empty content",
        45002: "content size out of limit",
        45008: "article size out of limit",
        45009: "reach max api daily quota limit",
        45033: "api concurrent out of limit",
        46004: "user no exist",
        47001: "data format error",
        48002: "no permission to call the api",
        60020: "not allow to access from your ip",
        60111: "userid not found",
        81012: "empty user, party and tag",
        81013: "user & party & tag all invalid",
        82001: "all touser & toparty & totag invalid",
        82002: "invalid toparty list size",
        82003: "invalid totag list size",
        84061: "not external contact",
        84074: "no external contact permission",
        95000: "invalid open_kfid",
        95001: "kf message count out of limit",
        95002: "kf message out of time limit",
        95004: "open_kfid not exist",
        95005: "kf account count out of limit",
        95006: "invalid kf account name",
        95007: "invalid msg token",
        95008: "menu item count out of limit",
        95009: "invalid menu item type",
        95011: "secret does not match kf",
        95013: "conversation end",
        95014: "user is not kf servicer or not in serving",
        95016: "invalid service state change",
        95018: "send msg session status invalid",
        95019: "servicer suspended",
        95031: "no consultation within 48 hours",
    }
)


class ApiError(Exception):
    """An API call is refused: *code* and, where the platform adds them, more text and fields."""

    def __init__(self, code: int, detail: str = "", **fields: Any) -> None:
        super().__init__(f"{code} {detail}".rstrip())
        self.code = code
        self.detail = detail
        self.fields = fields


class ConnectionCut(Exception):
    """The simulated platform hangs up instead of answering."""


def refusal(error: ApiError, texts: Mapping[int, str], now: datetime) -> dict[str, Any]:
    """The JSON answer to a refused call; its errmsg ends with a request id that begins with the time."""
    words = f"{texts.get(error.code, 'error')} {error.detail}".rstrip()
    rid = f"{int(now.timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    return {"errcode": error.code, "errmsg": f"{words} rid: {rid}", **error.fields}
