"""What we ask of WeCom's API. Source: developer.work.weixin.qq.com, read 2026-11-22."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from bot.channels.api import Api, Refused, ask
from bot.channels.errors import WECOM, Reaction
from bot.channels.limits import WECOM_DUPLICATE_CHECK
from bot.channels.tokens import Fetched, Tokens
from bot.channels.wechat_api import fetched
from bot.domain.clock import Clock
from storage.database import Database

GET_TOKEN = "/cgi-bin/gettoken"  # noqa: S105  a path
SEND = "/cgi-bin/message/send"
UPDATE_CARD = "/cgi-bin/message/update_template_card"


class WeComApi:
    """One secret of a corporation: the self-built app's, or 微信客服's.

    Every method raises what `Api.post` raises.
    """

    def __init__(
        self,
        name: str,
        corp_id: str,
        secret: str,
        base_url: str,
        *,
        agent_id: int = 0,
        session: aiohttp.ClientSession,
        database: Database,
        clock: Clock,
    ) -> None:
        self.account = name  # wecom/default, kf/default
        self._corp_id = corp_id
        self._secret = secret
        self._agent_id = agent_id
        self._base = base_url.rstrip("/")
        self._session = session
        self.api = Api(name, base_url, session, WECOM, Tokens(name, database, clock, self._fetch))

    async def write(self, userid: str, text: str) -> str:
        """A text from the app to one member; the platform's number of it.

        The same text twice within a minute reaches the member once.
        """
        return await self._send(userid, {"msgtype": "text", "text": {"content": text}})

    async def show_card(self, userid: str, card: Mapping[str, Any]) -> str:
        """A template card to one member; the platform's number of it. Its task_id may be used once."""
        return await self._send(userid, {"msgtype": "template_card", "template_card": card})

    async def update_card(self, userids: Sequence[str], response_code: str, replace_name: str) -> None:
        """Make the pressed buttons grey, for these members. A response_code is good once, for 72 hours."""
        await self.api.post(
            UPDATE_CARD,
            {
                "userids": list(userids),
                "agentid": self._agent_id,
                "response_code": response_code,
                "button": {"replace_name": replace_name},
            },
        )

    async def _send(self, userid: str, content: Mapping[str, Any]) -> str:
        answer = await self.api.post(
            SEND,
            {
                "touser": userid,
                "agentid": self._agent_id,
                "enable_duplicate_check": 1,
                "duplicate_check_interval": WECOM_DUPLICATE_CHECK,
                **content,
            },
        )
        if userid.lower() in str(answer.get("invaliduser", "")).lower().split("|"):
            raise Refused(SEND, 81013, Reaction.USER)
        return str(answer.get("msgid", ""))

    async def check_credentials(self) -> None:
        """Ask for a token, whatever is kept: returns when the platform gives one."""
        await self._fetch(force=False)

    async def _fetch(self, force: bool) -> Fetched:
        """There is no way to force a new token: a dead one is replaced by the platform itself."""
        query = {"corpid": self._corp_id, "corpsecret": self._secret}
        answer = await ask(self._session, "GET", f"{self._base}{GET_TOKEN}", params=query)
        return fetched(GET_TOKEN, answer, WECOM)
