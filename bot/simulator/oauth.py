"""网页授权: who is looking at our page inside WeChat.

Source: developers.weixin.qq.com, 网页授权.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.simulator.endpoint import OK, Answer, Call, Credential, Endpoint, Json
from bot.simulator.errors import ApiError

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

CODE_LIFE = timedelta(minutes=5)
TOKEN_LIFE = timedelta(seconds=7200)
REFRESH_LIFE = timedelta(days=30)
SCOPES = ("snsapi_base", "snsapi_userinfo")


class RedirectRefused(ValueError):
    """The authorisation page shows an error instead of going on (10003 and the like)."""


@dataclass(slots=True)
class Grant:
    """What a code, a user token or a refresh token stands for."""

    openid: str
    scope: str
    expires_at: datetime
    used: bool = False


class OauthDesk:
    """Codes and tokens of one account's visitors."""

    def __init__(self, account: OfficialAccount) -> None:
        self._account = account
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.refreshes: dict[str, Grant] = {}

    def authorize(self, url: str, follower: Follower) -> str:
        """Open an authorisation URL as *follower*; returns where the browser is sent.

        Raises RedirectRefused for another AppID, an unknown scope, or a redirect to another host.
        """
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        config = self._account.config
        target = urlsplit(query.get("redirect_uri", ""))
        if query.get("appid") != config.app_id or query.get("response_type") != "code":
            raise RedirectRefused("10016")
        if query.get("scope") not in SCOPES:
            raise RedirectRefused("10005")
        if config.oauth_host is not None and target.netloc != config.oauth_host:
            raise RedirectRefused("10003")
        code = secrets.token_urlsafe(24)
        now = self._account.clock.now()
        self.codes[code] = Grant(follower.openid, query["scope"], now + CODE_LIFE)
        added = urlencode({"code": code, "state": query.get("state", "")})
        joined = f"{target.query}&{added}" if target.query else added
        return target._replace(query=joined).geturl()

    def redeem(self, code: str, now: datetime) -> Grant:
        """Raises ApiError 40029 unknown, 40163 used before, 42003 expired."""
        grant = self.codes.get(code)
        if grant is None:
            raise ApiError(40029)
        if grant.used:
            raise ApiError(40163)
        grant.used = True
        if now > grant.expires_at:
            raise ApiError(42003)
        return grant

    def issue(self, grant: Grant, now: datetime) -> Json:
        """A user token, which is not the token of the API, and its refresh token."""
        token, refresh = secrets.token_urlsafe(60), secrets.token_urlsafe(60)
        self.tokens[token] = Grant(grant.openid, grant.scope, now + TOKEN_LIFE)
        self.refreshes[refresh] = Grant(grant.openid, grant.scope, now + REFRESH_LIFE)
        return {
            "access_token": token,
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "refresh_token": refresh,
            "openid": grant.openid,
            "scope": grant.scope,
        }


def exchange(call: Call[OfficialAccount]) -> Answer:
    """`/sns/oauth2/access_token`: unionid only with snsapi_userinfo."""
    if call.query.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    if not call.query.get("code"):
        raise ApiError(41008)
    grant = call.subject.oauth.redeem(call.query["code"], call.now)
    answer = call.subject.oauth.issue(grant, call.now)
    unionid = call.subject.known(grant.openid).unionid
    if unionid and grant.scope == "snsapi_userinfo":
        answer["unionid"] = unionid
    return answer


def refresh(call: Call[OfficialAccount]) -> Answer:
    grant = call.subject.oauth.refreshes.get(call.query.get("refresh_token", ""))
    if grant is None or call.now > grant.expires_at:
        raise ApiError(42002)
    return call.subject.oauth.issue(grant, call.now)


def user_info(call: Call[OfficialAccount]) -> Answer:
    """`/sns/userinfo`, with the scope for it (48001)."""
    grant = _grant(call)
    if grant.scope != "snsapi_userinfo":
        raise ApiError(48001)
    follower = call.subject.known(grant.openid)
    answer: Json = {"openid": grant.openid, "nickname": follower.name, "sex": 0, "privilege": []}
    answer.update(province="", city="", country="", headimgurl="")
    return {**answer, "unionid": follower.unionid} if follower.unionid else answer


def check(call: Call[OfficialAccount]) -> Answer:
    _grant(call)
    return OK


def _grant(call: Call[OfficialAccount]) -> Grant:
    grant = call.subject.oauth.tokens.get(call.query.get("access_token", ""))
    if grant is None or grant.openid != call.query.get("openid"):
        raise ApiError(40003)
    if call.now > grant.expires_at:
        raise ApiError(42001)
    return grant


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("GET", "/sns/oauth2/access_token", exchange, Credential.SECRET_IN_QUERY),
    Endpoint("GET", "/sns/oauth2/refresh_token", refresh, Credential.APP_ID_IN_QUERY),
    Endpoint("GET", "/sns/userinfo", user_info, Credential.USER_TOKEN),
    Endpoint("GET", "/sns/auth", check, Credential.USER_TOKEN),
)
