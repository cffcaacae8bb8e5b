"""The APIs that hand out tokens and count calls.

Source: developers.weixin.qq.com, 获取接口调用凭据, 获取稳定版接口调用凭据, 接口调用额度.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.simulator.endpoint import OK, Answer, Call, Credential, Endpoint
from bot.simulator.errors import ApiError
from bot.simulator.quota import DAILY

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount

TICKET_LIFE = 7200


def token(call: Call[OfficialAccount]) -> Answer:
    """`GET token`: success has no errcode."""
    if call.query.get("grant_type") != "client_credential":
        raise ApiError(40002)
    issued = call.subject.tokens.classic()
    return {"access_token": issued.value, "expires_in": issued.left(call.now)}


def stable_token(call: Call[OfficialAccount]) -> Answer:
    if call.body.get("grant_type") != "client_credential":
        raise ApiError(40002)
    issued = call.subject.tokens.stable(force=call.body.get("force_refresh") is True)
    return {"access_token": issued.value, "expires_in": issued.left(call.now)}


def clear_quota(call: Call[OfficialAccount]) -> Answer:
    if call.body.get("appid") != call.subject.config.app_id:
        raise ApiError(40013)
    call.subject.quota.clear(call.now)
    return OK


def quota_get(call: Call[OfficialAccount]) -> Answer:
    path = call.text("cgi_path", 76021)
    if path not in DAILY:
        raise ApiError(76021)
    limit, used = call.subject.quota.limits[path], call.subject.quota.used(path, call.now)
    quota = {"daily_limit": limit, "used": used, "remain": limit - used}
    return {**OK, "quota": quota, "rate_limit": {"call_count": 0, "refresh_second": 60}}


def callback_addresses(call: Call[OfficialAccount]) -> Answer:
    return {"ip_list": ["127.0.0.1"]}


def ticket(call: Call[OfficialAccount]) -> Answer:
    """`ticket/getticket?type=jsapi`: one ticket, the same while it lives."""
    if call.query.get("type") not in ("jsapi", "wx_card"):
        raise ApiError(40097)
    return {**OK, "ticket": call.subject.jsapi_ticket, "expires_in": TICKET_LIFE}


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("GET", "/cgi-bin/token", token, Credential.SECRET_IN_QUERY),
    Endpoint("POST", "/cgi-bin/stable_token", stable_token, Credential.SECRET_IN_BODY),
    Endpoint("POST", "/cgi-bin/clear_quota", clear_quota),
    Endpoint("POST", "/cgi-bin/clear_quota/v2", clear_quota, Credential.SECRET_IN_BODY),
    Endpoint("POST", "/cgi-bin/openapi/quota/get", quota_get),
    Endpoint("GET", "/cgi-bin/getcallbackip", callback_addresses),
    Endpoint("GET", "/cgi-bin/get_api_domain_ip", callback_addresses),
    Endpoint("GET", "/cgi-bin/ticket/getticket", ticket),
)
