"""What we ask of an official account's API. Source: developers.weixin.qq.com, read 2026-11-22."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from bot.channels.api import JSON, Api, Refused, errcode
from bot.channels.errors import WECHAT, WRONG_SECRET, Reaction, reaction
from bot.channels.hosts import Host
from bot.channels.tokens import Fetched, Tokens
from bot.domain.clock import Clock
from storage.database import Database

STABLE_TOKEN = "/cgi-bin/stable_token"  # noqa: S105  a path
CUSTOMER_SERVICE = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
TEMPLATES = "/cgi-bin/template/get_all_private_template"


class WeChatApi:
    """One official account. Every method raises what `Api.post` raises."""

    def __init__(
        self,
        name: str,
        app_id: str,
        app_secret: str,
        base_url: str,
        *,
        session: aiohttp.ClientSession,
        database: Database,
        clock: Clock,
    ) -> None:
        self.account = f"wechat/{name}"
        self._app_id = app_id
        self._app_secret = app_secret
        self._host = Host(base_url)
        self._session = session
        self.api = Api(
            self.account, base_url, session, WECHAT, Tokens(self.account, database, clock, self._fetch)
        )

    async def write(self, openid: str, text: str) -> None:
        """A customer-service text. The platform gives no number and does not recognise a repetition."""
        await self.api.post(
            CUSTOMER_SERVICE, {"touser": openid, "msgtype": "text", "text": {"content": text}}
        )

    async def notify(
        self, openid: str, template_id: str, values: Mapping[str, str], *, client_id: str, url: str = ""
    ) -> str:
        """A template message; the platform's number of it, for its TEMPLATESENDJOBFINISH.

        *client_id* (at most 64 characters) makes a repetition within ten minutes harmless.
        """
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "client_msg_id": client_id,
            "data": {key: {"value": value} for key, value in values.items()},
        }
        if url:
            body["url"] = url
        answer = await self.api.post(TEMPLATE, body)
        return str(answer.get("msgid", ""))

    async def templates(self) -> list[dict[str, Any]]:
        """All templates of the account: template_id, title, content with its fields."""
        answer = await self.api.get(TEMPLATES)
        found = answer.get("template_list")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    async def check_credentials(self) -> None:
        """Ask for a token, whatever is kept: returns when the platform gives one."""
        await self._fetch(force=False)

    async def _fetch(self, force: bool) -> Fetched:
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._app_secret,
            "force_refresh": force,
        }
        answer = await self._host.ask(
            self._session,
            "POST",
            STABLE_TOKEN,
            data=msgspec.json.encode(body),
            headers=JSON,
        )
        return fetched(STABLE_TOKEN, answer, WECHAT)


def fetched(path: str, answer: Mapping[str, Any], reactions: Mapping[int, Reaction]) -> Fetched:
    """The token in an answer.

    Raises:
        Refused: there is none.
    """
    token = answer.get("access_token")
    if isinstance(token, str) and token:
        return Fetched(token, timedelta(seconds=int(answer.get("expires_in", 7200))))
    code = errcode(answer) or -1
    wanted = Reaction.PERMANENT if code in WRONG_SECRET else reaction(reactions, code)
    raise Refused(path, code, wanted)
