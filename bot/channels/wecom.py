"""WeCom's callbacks: the self-built app, and the bell of 微信客服. Source: platform.md Parts 3 and 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.channels.envelope import Envelope, cdata, digest, parse
from bot.domain.errors import PushRefused
from bot.domain.inbound import Inbound, Reply

_COMMON = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "Event", "EventKey"}
)


@dataclass(frozen=True, slots=True)
class Bell:
    """Something waits at a 微信客服 account: it must be fetched. The bell itself says nothing more."""

    open_kfid: str
    token: str  # good for ten minutes


@dataclass(frozen=True, slots=True)
class CardPressed:
    """A colleague pressed a button of a card."""

    userid: str
    key: str
    task_id: str
    response_code: str


class WeComApp:
    """One corporation's webhook. Always encrypted."""

    def __init__(self, name: str, corp_id: str, token: str, aes_key: str) -> None:
        self.account = f"wecom/{name}"
        self._corp_id = corp_id
        self._envelope = Envelope(token, aes_key, corp_id)

    def verify(self, query: Mapping[str, str]) -> str:
        """The answer to the URL verification: what is inside `echostr`.

        Raises:
            PushRefused: wrong signature, or not meant for us.
        """
        # A plus sign that nobody encoded has become a space on the way.
        return self._envelope.open(query, query.get("echostr", "").replace(" ", "+")).decode()

    def read(self, query: Mapping[str, str], body: bytes) -> Inbound | Bell | CardPressed:
        """One push.

        Raises:
            PushRefused: not signed, not for us, or not a push at all.
        """
        sealed = parse(body).get("Encrypt")
        if not isinstance(sealed, str):
            raise PushRefused("not_encrypted")
        fields = parse(self._envelope.open(query, sealed))
        event = _text(fields.get("Event"))
        if event == "kf_msg_or_event":
            return Bell(_text(fields.get("OpenKfId")), _text(fields.get("Token")))
        if event in ("template_card_event", "template_card_menu_event"):
            return CardPressed(
                _text(fields.get("FromUserName")),
                _text(fields.get("EventKey")),
                _text(fields.get("TaskId")),
                _text(fields.get("ResponseCode")),
            )
        return _inbound(self.account, fields)

    def write(self, inbound: Inbound, reply: Reply, now: datetime, nonce: str) -> str:
        """An encrypted text reply; empty when there is nothing to show."""
        if not reply.text:
            return ""
        content = f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{cdata(reply.text)}]]></Content>"
        return self._close(inbound.openid, content, now, nonce)

    def grey_button(self, userid: str, name: str, now: datetime, nonce: str) -> str:
        """The reply to a pressed button that shows *name* instead, and cannot be pressed again."""
        content = (
            "<MsgType><![CDATA[update_button]]></MsgType>"
            f"<Button><ReplaceName><![CDATA[{cdata(name)}]]></ReplaceName></Button>"
        )
        return self._close(userid, content, now, nonce)

    def _close(self, userid: str, content: str, now: datetime, nonce: str) -> str:
        moment = int(now.timestamp())
        xml = (
            f"<xml><ToUserName><![CDATA[{cdata(userid)}]]></ToUserName>"
            f"<FromUserName><![CDATA[{self._corp_id}]]></FromUserName><CreateTime>{moment}</CreateTime>{content}</xml>"
        )
        return self._envelope.close(xml, str(moment), nonce)


def _inbound(account: str, fields: Mapping[str, Any]) -> Inbound:
    try:
        kind = _text(fields["MsgType"])
        written_at = datetime.fromtimestamp(int(_text(fields["CreateTime"])), UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise PushRefused("fields", 400) from error
    userid = _text(fields.get("FromUserName")) or "sys"
    number = _text(fields.get("MsgId"))
    event = kind == "event"
    return Inbound(
        account=account,
        openid=userid,
        key=f"{number}:{userid}" if number and not event else digest(fields),
        type=f"event:{_text(fields.get('Event'))}" if event else kind,
        written_at=written_at,
        text=_text(fields.get("Content")),
        choice=_text(fields.get("EventKey")) if event else "",
        payload={name: value for name, value in fields.items() if name not in _COMMON},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
