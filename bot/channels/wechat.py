"""A WeChat official account: verify, read and answer its pushes. Source: platform.md Part 1."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from wechatpy.replies import ArticlesReply, ImageReply, TextReply

from bot.channels.envelope import Envelope, cdata, digest, parse
from bot.domain.errors import PushRefused
from bot.domain.inbound import Inbound, Reply

SUCCESS = "success"  # handled, nothing to show (platform.md §1.5)
PICTURE_ARTICLES = 8  # of one news reply to a menu tap; 1 after a message (platform.md §1.8)
_COMMON = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "Event", "EventKey"}
)


class OfficialAccount:
    """One account's webhook."""

    def __init__(
        self, name: str, app_id: str, token: str, aes_key: str, mode: Literal["plain", "compatible", "safe"]
    ) -> None:
        self.account = f"wechat/{name}"
        self._mode = mode
        self._envelope = Envelope(token, aes_key, app_id)

    def verify(self, query: Mapping[str, str]) -> str:
        """The answer to the URL verification: `echostr` exactly as it came.

        Raises:
            PushRefused: the signature is wrong.
        """
        self._envelope.check_plain(query)
        return query.get("echostr", "")

    def read(self, query: Mapping[str, str], body: bytes) -> Inbound:
        """One push.

        Raises:
            PushRefused: not signed, not for us, or not a push at all.
        """
        if self._mode == "plain" and query.get("encrypt_type", "raw") == "raw":
            self._envelope.check_plain(query)
            return _inbound(self.account, parse(body))
        sealed = parse(body).get("Encrypt")
        if not isinstance(sealed, str):
            raise PushRefused("not_encrypted")
        return _inbound(self.account, parse(self._envelope.open(query, sealed)))

    def write(self, inbound: Inbound, reply: Reply, now: datetime, query: Mapping[str, str]) -> str:
        """The passive reply as the platform wants it; `success` when there is nothing to show."""
        if not reply:
            return SUCCESS
        xml = _xml(inbound, reply, now)
        if query.get("encrypt_type", "raw") == "raw":
            return xml
        return self._envelope.close(xml, str(int(now.timestamp())), query.get("nonce", ""))


def _inbound(account: str, fields: dict[str, Any]) -> Inbound:
    try:
        openid = _text(fields["FromUserName"])
        kind = _text(fields["MsgType"]).strip()
        written_at = datetime.fromtimestamp(int(_text(fields["CreateTime"])), UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise PushRefused("fields", 400) from error
    if not openid or not kind:
        raise PushRefused("fields", 400)
    number = _text(fields.get("MsgId"))
    event = kind == "event"
    return Inbound(
        account=account,
        openid=openid,
        # The openid is part of the key: a number used twice must never show one patient another's answer.
        key=f"{number}:{openid}" if number and not event else digest(fields),
        type=f"event:{_text(fields.get('Event')).strip()}" if event else kind,
        written_at=written_at,
        text=_text(fields.get("Content")),
        choice=_text(fields.get("EventKey") if event else fields.get("bizmsgmenuid")),
        payload={name: value for name, value in fields.items() if name not in _COMMON}
        | ({"gh": fields["ToUserName"]} if fields.get("ToUserName") else {}),
    )


def _text(value: Any) -> str:
    """A field that should be text; an empty element is None, a repeated one a list."""
    if isinstance(value, list):
        value = value[0]
    return value if isinstance(value, str) else ""


def _xml(inbound: Inbound, reply: Reply, now: datetime) -> str:
    common = {
        "source": _text(inbound.payload.get("gh")),
        "target": inbound.openid,
        "time": int(now.timestamp()),
    }
    if reply.articles:
        news = ArticlesReply(**common)
        most = PICTURE_ARTICLES if inbound.is_event else 1
        for article in reply.articles[:most]:
            news.add_article(
                {
                    "title": cdata(article.title),
                    "description": cdata(article.description),
                    "image": cdata(article.picture_url),
                    "url": cdata(article.url),
                }
            )
        return str(news.render())
    if reply.image:
        return str(ImageReply(media_id=reply.image, **common).render())
    return str(TextReply(content=cdata(reply.text), **common).render())
