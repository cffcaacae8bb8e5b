"""企业微信: one corporation, its self-built app, its members' phones, and the callbacks.

Source: developer.work.weixin.qq.com, 接收消息与事件, 获取access_token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.simulator.app_messages import card_text
from bot.simulator.clock import Clock
from bot.simulator.config import Member as MemberConfig
from bot.simulator.config import WecomConfig
from bot.simulator.crypto import MessageCipher, new_nonce, sign
from bot.simulator.envelope import WecomEnvelope
from bot.simulator.errors import ApiError
from bot.simulator.external_contacts import ContactBook
from bot.simulator.kf import Kf
from bot.simulator.media import MediaStore
from bot.simulator.screen import Bubble, Screen, Side
from bot.simulator.webhook import Reader, Webhook
from bot.simulator.wire import APP_REPLIES, ARTICLES_AFTER_AN_EVENT, Field, Reply, read_reply

if TYPE_CHECKING:
    from bot.simulator.platform import Platform

VERIFY_WITHIN = 1.0
TOKEN_LIFE = timedelta(seconds=7200)
FIRST_MESSAGE_ID = 7_100_000_000_000_000_000
RESPONSE_CODE_LIFE = timedelta(hours=72)


@dataclass(slots=True)
class AppToken:
    value: str
    expires_at: datetime
    dead: bool = False


class AppTokens:
    """Tokens of one secret: the same is handed out as long as it is valid."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, AppToken] = {}
        self._current: AppToken | None = None

    def get(self) -> AppToken:
        now = self._clock.now()
        if self._current is None or self._current.dead or now >= self._current.expires_at:
            self._current = AppToken(secrets.token_urlsafe(160), now + TOKEN_LIFE)
            self._known[self._current.value] = self._current
        return self._current

    def owns(self, value: str) -> bool:
        return value in self._known

    def check(self, value: str) -> None:
        """Raises ApiError 41001 missing, 40014 unknown or killed, 42001 expired."""
        if not value:
            raise ApiError(41001)
        token = self._known.get(value)
        if token is None or token.dead:
            raise ApiError(40014)
        if self._clock.now() >= token.expires_at:
            raise ApiError(42001)

    def kill(self) -> None:
        """The token dies before its time (40014)."""
        for token in self._known.values():
            token.dead = True

    def expire(self) -> None:
        """The token ends before its time (42001)."""
        for token in self._known.values():
            token.expires_at = self._clock.now()
        self._current = None


class App:
    """What one secret opens: the self-built app, or 微信客服 (*agent_id* None)."""

    def __init__(self, wecom: Wecom, secret: str, agent_id: int | None) -> None:
        self.wecom = wecom
        self.secret = secret
        self.agent_id = agent_id
        self.tokens = AppTokens(wecom.clock)


@dataclass
class Member:
    """An employee and the app's chat on their phone. *in_scope* is the app's visible range."""

    config: MemberConfig
    screen: Screen
    in_scope: bool = True
    received_at: list[datetime] = field(default_factory=list)

    @property
    def userid(self) -> str:
        return self.config.userid


@dataclass(slots=True)
class ResponseCode:
    task_id: str
    expires_at: datetime


class Wecom:
    """The corporation's side of WeCom."""

    def __init__(self, config: WecomConfig, platform: Platform) -> None:
        self.config = config
        self.platform = platform
        self.clock = platform.clock
        self.members: dict[str, Member] = {}
        self.media = MediaStore(self.clock)
        self.cipher = MessageCipher(config.aes_key, config.corp_id)
        self.webhook = self._webhook(config.agent_id)
        self.app = App(self, config.secret, config.agent_id)
        self.kf_app = App(self, config.kf_secret, None)
        self.cards: dict[str, dict[str, Any]] = {}
        self.response_codes: dict[str, ResponseCode] = {}
        self.sent_before: dict[str, datetime] = {}
        self.menu: list[Any] = []
        self.url_verified = False
        self._next_message_id = FIRST_MESSAGE_ID
        for member in config.members:
            self.hire(member.userid, member.name, member.mobile)
        self.contacts = ContactBook(self)
        self.kf = Kf(self, self._webhook(None))

    def _webhook(self, agent_id: int | None) -> Webhook:
        return Webhook(
            self.config.webhook_url,
            WecomEnvelope(self.config.token, self.cipher, self.config.corp_id, agent_id),
            self.clock,
            self.platform.session,
            reply_timeout=self.platform.config.reply_timeout,
            pushes=self.platform.config.pushes,
        )

    @property
    def apps(self) -> tuple[App, App]:
        return self.app, self.kf_app

    def hire(self, userid: str, name: str, mobile: str = "") -> Employee:
        """Add a member to the app's visible range, without an event."""
        config = MemberConfig(userid=userid, name=name, mobile=mobile)
        self.members[userid] = Member(config, self.platform.new_screen(f"wecom:{userid}"))
        return Employee(self, self.members[userid])

    def member(self, userid: str) -> Employee:
        return Employee(self, self.members[userid])

    def known(self, userid: str) -> Member | None:
        """Userids are compared in lower case."""
        return next((m for m in self.members.values() if m.userid.lower() == userid.lower()), None)

    async def verify_url(self) -> bool:
        """Save the callback URL: the answer, within a second, must be the echostr decrypted."""
        nonce, timestamp = new_nonce(), str(int(self.clock.now().timestamp()))
        secret = str(secrets.randbelow(9 * 10**18) + 10**18).encode()
        echo = self.cipher.encrypt(secret)
        signature = sign(self.config.token, timestamp, nonce, echo)
        query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        answer = await self.webhook.get(query, VERIFY_WITHIN)
        self.url_verified = answer.status == 200 and answer.body == secret
        return self.url_verified

    def next_message_id(self) -> int:
        self._next_message_id += 1
        return self._next_message_id

    def new_response_code(self, task_id: str) -> str:
        code = secrets.token_urlsafe(32)
        self.response_codes[code] = ResponseCode(task_id, self.clock.now() + RESPONSE_CODE_LIFE)
        return code

    def media_url(self, media_id: str) -> str:
        return f"{self.platform.base_url}/media/wecom/{media_id}"

    async def callback(self, sender: str, fields: list[Field], *, message: bool = False) -> Reply:
        """Push one message or event of the app; an empty 200 is an acknowledgement."""
        head: list[Field] = [
            ("ToUserName", self.config.corp_id),
            ("FromUserName", sender),
            ("CreateTime", int(self.clock.now().timestamp())),
        ]
        tail: list[Field] = [("MsgId", self.next_message_id())] if message else []
        push = [*head, *fields, *tail, ("AgentID", self.config.agent_id)]
        return await self.webhook.deliver(push, sender, self._reader(sender))

    def replace_buttons(self, member: Member, task_id: str, words: str) -> None:
        """The card's buttons give way to words that cannot be pressed."""
        for bubble in member.screen:
            if bubble.kind == "template_card" and bubble.content.get("task_id") == task_id:
                card = {k: v for k, v in bubble.content["card"].items() if k != "button_list"}
                content = {**bubble.content, "card": card, "replaced": words}
                text = f"{card_text(card)}\n{words}"
                member.screen.replace(replace(bubble, text=text, content=content))

    def replace_card(self, member: Member, task_id: str, card: dict[str, Any]) -> None:
        """The whole card is exchanged for another."""
        for bubble in member.screen:
            if bubble.kind == "template_card" and bubble.content.get("task_id") == task_id:
                words = str(card.get("replace_text", ""))
                content = {**bubble.content, "card": card, "replaced": words}
                text = f"{card_text(card)}\n{words}".rstrip()
                member.screen.replace(replace(bubble, text=text, content=content))

    def withdraw(self, member: Member, bubble: Bubble) -> None:
        line = f"{self.config.title}撤回了一条消息"
        member.screen.replace(replace(bubble, side=Side.SYSTEM, kind="recalled", text=line, content={}))

    def _reader(self, userid: str) -> Reader:
        def read(body: bytes) -> Reply:
            return read_reply(
                body,
                sender=self.config.corp_id,
                receiver=userid,
                kinds=APP_REPLIES,
                most_articles=ARTICLES_AFTER_AN_EVENT,
            )

        return read


class Employee:
    """A member with the app open: reads notices, presses their buttons, writes to the app."""

    def __init__(self, wecom: Wecom, member: Member) -> None:
        self._wecom = wecom
        self.member = member

    @property
    def userid(self) -> str:
        return self.member.userid

    @property
    def screen(self) -> Screen:
        return self.member.screen

    async def receives(
        self, words: str = "", *, kind: str = "", since: int = 0, within: float = 5.0
    ) -> Bubble:
        """Wait for a bubble, see `Screen.wait_for`."""
        return await self.screen.wait_for(words, kind=kind, since=since, within=within)

    async def says(self, text: str) -> Reply:
        self.screen.show(self._wecom.clock.now(), Side.MINE, "text", text, "me")
        fields: list[Field] = [("MsgType", "text"), ("Content", text)]
        return await self._push(fields, message=True)

    async def sends(self, kind: str, **fields: str | float) -> Reply:
        """Another message type: image, voice, video, location, link."""
        self.screen.show(self._wecom.clock.now(), Side.MINE, kind, str(fields.get("Label", "")), "me")
        return await self._push([("MsgType", kind), *fields.items()], message=True)

    async def enters(self) -> Reply:
        """Open the app's chat (enter_agent)."""
        return await self.event("enter_agent", EventKey="")

    async def clicks(self, key: str) -> Reply:
        return await self.event("click", EventKey=key)

    async def event(self, name: str, **fields: str | float) -> Reply:
        """Any event of this member, under its exact name."""
        return await self._push([("MsgType", "event"), ("Event", name), *fields.items()])

    async def presses(self, button: str, *, task_id: str = "") -> Reply:
        """Press a button of the newest card (or the one of *task_id*) by its words or its key.

        The card stays as it is until the server updates it. Raises LookupError when there is no such
        button, or it has been replaced.
        """
        for bubble in reversed(self.screen.received):
            if bubble.kind != "template_card" or task_id not in ("", bubble.content.get("task_id")):
                continue
            for choice in bubble.content["card"].get("button_list", []):
                if button in (choice.get("text"), choice.get("key")):
                    return await self.answers_card(bubble, str(choice["key"]))
        raise LookupError(f"no button {button} on the screen")

    async def answers_card(
        self, card: Bubble, key: str, selected: dict[str, list[str]] | None = None
    ) -> Reply:
        """Send a card's answer: the key pressed and, for selections, the options by question."""
        task_id = str(card.content["task_id"])
        fields: list[Field] = [
            ("MsgType", "event"),
            ("Event", "template_card_event"),
            ("EventKey", key),
            ("TaskId", task_id),
            ("CardType", str(card.content["card"]["card_type"])),
            ("ResponseCode", self._wecom.new_response_code(task_id)),
        ]
        if selected:
            fields.append(("SelectedItems", self._selected(selected)))
        reply = await self._push(fields)
        if reply.kind == "update_button":
            self._wecom.replace_buttons(self.member, task_id, reply.fields["ReplaceName"])
        return reply

    def _selected(self, selected: dict[str, list[str]]) -> list[Field]:
        # The platform's own samples misspell the element; which one comes is an option.
        name = "OpitonId" if self._wecom.config.misspelt_options else "OptionId"
        items: list[Field] = []
        for question, options in selected.items():
            chosen: list[Field] = [(name, option) for option in options]
            items.append(("SelectedItem", [("QuestionKey", question), (f"{name}s", chosen)]))
        return items

    async def _push(self, fields: list[Field], *, message: bool = False) -> Reply:
        reply = await self._wecom.callback(self.userid, fields, message=message)
        if reply.kind in ("text", "image", "voice", "video", "news"):
            self.screen.show(self._wecom.clock.now(), Side.THEIRS, reply.kind, reply.text, "passive")
        return reply
