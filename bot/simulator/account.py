"""One official account: its followers, what it may send them, and its webhook."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.simulator.config import AccountConfig, AccountKind
from bot.simulator.crypto import MessageCipher, new_nonce, sign
from bot.simulator.envelope import OfficialAccountEnvelope
from bot.simulator.errors import ApiError
from bot.simulator.follower import Follower
from bot.simulator.garbage import Garbage, spoilt
from bot.simulator.mass import MassDesk
from bot.simulator.media import MediaStore
from bot.simulator.menus import MenuBook
from bot.simulator.oauth import OauthDesk
from bot.simulator.qrcodes import QrBook
from bot.simulator.quota import DailyQuota
from bot.simulator.screen import Side
from bot.simulator.tags import TagBook
from bot.simulator.templates import TemplateBook
from bot.simulator.tokens import TokenBook
from bot.simulator.webhook import Attempt, Reader, Webhook
from bot.simulator.wire import (
    ARTICLES_AFTER_A_MESSAGE,
    ARTICLES_AFTER_AN_EVENT,
    OFFICIAL_ACCOUNT_REPLIES,
    BadReply,
    Field,
    Reply,
    read_reply,
)

if TYPE_CHECKING:
    from bot.simulator.platform import Platform

FIRST_MESSAGE_ID = 24_000_000_000_000_001
VERIFY_WITHIN = 5.0


class OfficialAccount:
    """The platform's side of a 公众号 or 服务号."""

    def __init__(self, config: AccountConfig, platform: Platform) -> None:
        self.config = config
        self.platform = platform
        self.clock = platform.clock
        self.followers: dict[str, Follower] = {}
        self.tokens = TokenBook(self.clock)
        self.quota = DailyQuota(sandbox=config.kind is AccountKind.SANDBOX)
        self.media = MediaStore(self.clock)
        self.menus = MenuBook()
        self.tags = TagBook()
        self.qrcodes = QrBook(self.clock)
        self.oauth = OauthDesk(self)
        self.mass = MassDesk(self)
        self.drafts: dict[str, list[Any]] = {}
        self.templates = TemplateBook(config)
        self.jsapi_ticket = secrets.token_urlsafe(64)
        self.cipher = MessageCipher(config.aes_key, config.app_id)
        self.url_verified = False
        self.webhook = Webhook(
            config.webhook_url,
            OfficialAccountEnvelope(config.token, config.mode, self.cipher),
            self.clock,
            platform.session,
            reply_timeout=platform.config.reply_timeout,
            pushes=platform.config.pushes,
        )
        self._next_message_id = FIRST_MESSAGE_ID

    def known(self, openid: str) -> Follower:
        """Somebody who is or was a follower. Raises ApiError 40003."""
        follower = self.followers.get(openid)
        if follower is None:
            raise ApiError(40003)
        return follower

    def subscriber(self, openid: str) -> Follower:
        """A follower. Raises ApiError 40003, or 43004 for somebody who has left."""
        follower = self.known(openid)
        if not follower.subscribed:
            raise ApiError(43004)
        return follower

    def media_url(self, media_id: str) -> str:
        return f"{self.platform.base_url}/media/{self.config.name}/{media_id}"

    def tell_typing(self, follower: Follower) -> None:
        until = follower.typing_until
        self.platform.publish(
            "typing", phone=follower.screen.owner, until=until.isoformat() if until else None
        )

    async def verify_url(self) -> bool:
        """Save the server configuration: a GET whose answer must be the echostr, byte for byte."""
        nonce, echo = new_nonce(), str(secrets.randbelow(9 * 10**18) + 10**18)
        timestamp = str(int(self.clock.now().timestamp()))
        query = {
            "signature": sign(self.config.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "echostr": echo,
        }
        answer = await self.webhook.get(query, VERIFY_WITHIN)
        self.url_verified = answer.status == 200 and answer.body == echo.encode()
        return self.url_verified

    async def pushes_garbage(self, kind: Garbage, openid: str = "oUser1") -> Attempt:
        """Send one request that should be refused, or shrugged off; returns status and body."""
        return await self.webhook.post(spoilt(self, openid, kind))

    def next_message_id(self) -> int:
        self._next_message_id += 1
        return self._next_message_id

    def addressed(self, sender: str, fields: list[Field], message_id: int | None = None) -> list[Field]:
        """A push with its common fields; a message has a MsgId, an event has none."""
        head: list[Field] = [
            ("ToUserName", self.config.original_id),
            ("FromUserName", sender),
            ("CreateTime", int(self.clock.now().timestamp())),
        ]
        tail: list[Field] = [] if message_id is None else [("MsgId", message_id)]
        return [*head, *fields, *tail]

    async def push(self, follower: Follower, push: list[Field], *, chat: bool, show: bool = True) -> Reply:
        """Deliver a push and put what comes back on the follower's screen.

        *chat* pushes show the platform's failure line when all attempts fail; *show* False throws a
        reply away (a menu button that opens a page).
        """
        is_message = not any(name == "Event" for name, _ in push)
        most = ARTICLES_AFTER_A_MESSAGE if is_message else ARTICLES_AFTER_AN_EVENT
        reply = await self.webhook.deliver(push, follower.openid, self._reader(follower.openid, most))
        if reply.kind == "failure":
            if chat:
                line = self.platform.config.failure_line
                follower.screen.show(self.clock.now(), Side.SYSTEM, "failure", line, "platform")
        elif show:
            self._show(follower, reply)
        return reply

    def push_later(self, openid: str, fields: list[Field]) -> None:
        """Push an event that stands behind no chat, soon; `await platform.settle()` waits for it."""
        follower = self.followers[openid]
        push = self.addressed(openid, fields)
        self.platform.later(self.push(follower, push, chat=False, show=False))

    def _reader(self, openid: str, most_articles: int) -> Reader:
        def read(body: bytes) -> Reply:
            reply = read_reply(
                body,
                sender=self.config.original_id,
                receiver=openid,
                kinds=OFFICIAL_ACCOUNT_REPLIES,
                most_articles=most_articles,
            )
            if reply.media_id and not self.media.has(reply.media_id):
                raise BadReply("the MediaId is unknown or older than three days")
            return reply

        return read

    def _show(self, follower: Follower, reply: Reply) -> None:
        if reply.kind in ("none", "transfer_customer_service"):
            return
        content: dict[str, object] = {}
        if reply.articles:
            content["articles"] = [
                {"title": a.title, "description": a.description, "picture": a.picture_url, "url": a.url}
                for a in reply.articles
            ]
        if reply.media_id:
            content["url"] = self.media_url(reply.media_id)
        text = reply.text or reply.fields.get("Title", "")
        follower.screen.show(self.clock.now(), Side.THEIRS, reply.kind, text, "passive", **content)

    def reconfigure(self, **changes: object) -> None:
        """Change the server configuration as its console would: mode, token, aes_key, webhook_url."""
        self.config = replace(self.config, **changes)  # type: ignore[arg-type]
        self.cipher = MessageCipher(self.config.aes_key, self.config.app_id)
        self.webhook.url = self.config.webhook_url
        self.webhook.envelope = OfficialAccountEnvelope(self.config.token, self.config.mode, self.cipher)
