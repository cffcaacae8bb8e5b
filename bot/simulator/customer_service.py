"""客服消息: messages to a user who has just done something, within the ledger of `window.py`.

Source: developers.weixin.qq.com, 发送客服消息, 客服输入状态.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.simulator.config import AccountKind
from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError
from bot.simulator.screen import Side

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

TEXT_BYTES = 2048
MENU_ITEMS = 10
MENU_ITEM_BYTES = 180
TYPING_AFTER_MESSAGE = timedelta(seconds=30)
TYPING_LASTS = timedelta(seconds=15)

Shown = tuple[str, dict[str, Any]]
"""What a message looks like: its readable text, and the rest."""


def send(call: Call[OfficialAccount]) -> Answer:
    """`message/custom/send`. Says ok without any message id: a retry after a timeout may duplicate."""
    follower = call.subject.known(call.text("touser", 40003))
    kind = call.text("msgtype", 40008)
    if kind not in MESSAGES:
        raise ApiError(40008)
    if not isinstance(call.body.get(kind), dict):
        raise ApiError(44004)
    text, content = MESSAGES[kind](call.subject, call.body[kind])
    _permit(follower, call)
    follower.screen.show(call.now, Side.THEIRS, kind, text, "custom", **content)
    return OK


def _permit(follower: Follower, call: Call[OfficialAccount]) -> None:
    if not follower.subscribed:
        raise ApiError(45015)
    if follower.blacklisted:
        raise ApiError(43019)
    if follower.refuses_messages:
        raise ApiError(48002)
    follower.window.take(call.now)


def _text(account: OfficialAccount, part: Json) -> Shown:
    text = text_in(part, "content", 44004)
    if byte_length(text) > TEXT_BYTES:
        raise ApiError(45002)
    return text, {}


def _file(account: OfficialAccount, part: Json) -> Shown:
    media = account.media.get(text_in(part, "media_id", 40007))
    if "thumb_media_id" in part:
        account.media.get(text_in(part, "thumb_media_id", 40007))
    return str(part.get("title", "")), {"url": account.media_url(media.id)}


def _music(account: OfficialAccount, part: Json) -> Shown:
    account.media.get(text_in(part, "thumb_media_id", 40007))
    return str(part.get("title", "")), {"url": part.get("musicurl", "")}


def _news(account: OfficialAccount, part: Json) -> Shown:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise ApiError(44004)
    if len(articles) > 1:
        raise ApiError(45008)
    shown = [
        {
            "title": text_in(article, "title", 40035),
            "description": article.get("description", ""),
            "url": article.get("url", ""),
            "picture": article.get("picurl", ""),
        }
        for article in articles
    ]
    return "\n".join(f"{a['title']}\n{a['description']}" for a in shown), {"articles": shown}


def _article(account: OfficialAccount, part: Json) -> Shown:
    key = "article_id" if "article_id" in part else "media_id"
    return "", {key: text_in(part, key, 40007)}


def _menu(account: OfficialAccount, part: Json) -> Shown:
    if account.config.kind is not AccountKind.SERVICE or not account.config.verified:
        raise ApiError(40200)
    items = part.get("list")
    if not isinstance(items, list) or not 0 < len(items) <= MENU_ITEMS:
        raise ApiError(45098)
    for item in items:
        text_in(item, "id", 40035)
        if byte_length(text_in(item, "content", 40035)) > MENU_ITEM_BYTES:
            raise ApiError(45099)
    head, tail = str(part.get("head_content", "")), str(part.get("tail_content", ""))
    lines = [head, *(item["content"] for item in items), tail]
    return "\n".join(filter(None, lines)), {"head": head, "list": items, "tail": tail}


def _mini_program(account: OfficialAccount, part: Json) -> Shown:
    account.media.get(text_in(part, "thumb_media_id", 40007))
    return text_in(part, "title"), {"appid": text_in(part, "appid"), "path": part.get("pagepath", "")}


def _coupon(account: OfficialAccount, part: Json) -> Shown:
    return "", {"card": text_in(part, "card_id")}


MESSAGES: Mapping[str, Callable[[OfficialAccount, Json], Shown]] = MappingProxyType(
    {
        "text": _text,
        "image": _file,
        "voice": _file,
        "video": _file,
        "music": _music,
        "news": _news,
        "mpnews": _article,
        "mpnewsarticle": _article,
        "msgmenu": _menu,
        "wxcard": _coupon,
        "miniprogrampage": _mini_program,
    }
)


def typing(call: Call[OfficialAccount]) -> Answer:
    """`message/custom/typing`: 对方正在输入, at most 15 seconds, within 30 s of the user's message."""
    follower = call.subject.known(call.text("touser", 40003))
    command = call.text("command", 45072)
    if command not in ("Typing", "CancelTyping"):
        raise ApiError(45072)
    last = follower.last_message_at
    if last is None or call.now - last > TYPING_AFTER_MESSAGE:
        raise ApiError(45080)
    is_typing = follower.typing_until is not None and call.now < follower.typing_until
    if command == "Typing" and is_typing:
        raise ApiError(45081)
    follower.typing_until = call.now + TYPING_LASTS if command == "Typing" else None
    call.subject.tell_typing(follower)
    return OK


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("POST", "/cgi-bin/message/custom/send", send, verified=True),
    Endpoint("POST", "/cgi-bin/message/custom/typing", typing, verified=True),
)
