"""微信客服: fetching what customers wrote, and answering. Source: platform.md Part 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.channels.api import Api
from bot.domain.inbound import Inbound

SYNC = "/cgi-bin/kf/sync_msg"
SEND = "/cgi-bin/kf/send_msg"
SEND_ON_EVENT = "/cgi-bin/kf/send_msg_on_event"
STATE = "/cgi-bin/kf/service_state/get"
LIMIT = 1000  # messages of one sync_msg
CUSTOMER, SYSTEM = 3, 4  # where a message comes from; 5 is a colleague in the WeCom client
TOKEN_DEAD = 95007  # the bell's token is too old: go on without it, slowly


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages, and where the next ones begin."""

    messages: tuple[Mapping[str, Any], ...]
    cursor: str
    more: bool


class KfApi:
    """微信客服 of one corporation. Every method raises what `Api.post` raises."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def sync(self, open_kfid: str, cursor: str, token: str) -> Page:
        """The messages after *cursor*; without one, of the last three days."""
        body: dict[str, Any] = {"open_kfid": open_kfid, "limit": LIMIT, "voice_format": 0}
        if cursor:
            body["cursor"] = cursor
        if token:
            body["token"] = token
        answer = await self.api.post(SYNC, body)
        return Page(
            tuple(answer.get("msg_list", ())),
            str(answer.get("next_cursor", cursor)),
            answer.get("has_more") == 1,
        )

    async def write(self, open_kfid: str, to: str, text: str, msgid: str) -> str:
        """One text. *msgid* is ours, at most 32 characters: the platform refuses it a second time."""
        body = {
            "touser": to,
            "open_kfid": open_kfid,
            "msgid": msgid,
            "msgtype": "text",
            "text": {"content": text},
        }
        return str((await self.api.post(SEND, body)).get("msgid", msgid))

    async def welcome(self, code: str, text: str) -> None:
        """The one message a welcome_code is good for, within 20 seconds."""
        await self.api.post(SEND_ON_EVENT, {"code": code, "msgtype": "text", "text": {"content": text}})


def inbound_of(open_kfid: str, message: Mapping[str, Any]) -> Inbound | None:
    """One message or event of a customer, in our words; None: nothing that concerns a conversation."""
    kind, origin = message.get("msgtype"), message.get("origin")
    if not isinstance(kind, str) or origin not in (CUSTOMER, SYSTEM):
        return None
    raw = message.get(kind)
    content: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    customer = message.get("external_userid") or content.get("external_userid")
    if not isinstance(customer, str) or not customer:
        return None
    return Inbound(
        account=f"kf/{message.get('open_kfid') or content.get('open_kfid') or open_kfid}",
        openid=customer,
        key=f"{message.get('msgid', '')}:{customer}",
        type=f"event:{content.get('event_type', '')}" if kind == "event" else kind,
        written_at=datetime.fromtimestamp(int(message.get("send_time", 0)), UTC),
        text=str(content.get("content", "")) if kind == "text" else "",
        choice=str(content.get("menu_id", "")) if kind == "text" else "",
        payload=dict(content),
    )
