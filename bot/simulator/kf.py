"""微信客服: customers in WeChat, a queue of messages to pull, and who is serving whom.

Source: developer.work.weixin.qq.com, 微信客服: 接收消息和事件, 会话分配.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from bot.simulator.errors import ApiError
from bot.simulator.media import SILENCE, Upload, plain_picture
from bot.simulator.screen import Bubble, Screen, Side
from bot.simulator.webhook import Webhook
from bot.simulator.wire import Field, Reply

if TYPE_CHECKING:
    from bot.simulator.wecom import Wecom

HISTORY = timedelta(days=3)
BELL_TOKEN_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=48)
REPLY_WINDOW, REPLIES = timedelta(hours=48), 5
WELCOME_LIFE = timedelta(seconds=20)
WELCOME_AGAIN = timedelta(hours=48)


class Origin(IntEnum):
    CUSTOMER = 3
    SYSTEM = 4
    SERVICER = 5


class State(IntEnum):
    NEW = 0
    BOT = 1
    POOL = 2
    HUMAN = 3
    ENDED = 4


# state → states the API may put a session into
TRANSITIONS = {
    State.NEW: {State.BOT, State.POOL, State.HUMAN},
    State.BOT: {State.POOL, State.HUMAN},
    State.POOL: {State.HUMAN},
    State.HUMAN: {State.HUMAN, State.ENDED},
    State.ENDED: set[State](),
}


@dataclass
class Session:
    """One customer's talk with one account. *answers_left* counts from the customer's last message."""

    state: State = State.ENDED
    servicer: str = ""
    since: datetime | None = None
    last_message_at: datetime | None = None
    answers_left: int = 0
    has_written: bool = False
    welcomed_at: datetime | None = None


@dataclass
class EventCode:
    """A welcome_code or msg_code: one message for an event, in its time, in its state."""

    open_kfid: str
    external_userid: str
    expires_at: datetime
    state: State | None


@dataclass
class Account:
    """One 客服 account: its servicers (userid → is serving) and the messages of the last three days."""

    open_kfid: str
    name: str
    servicers: dict[str, bool]
    messages: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    sent_ids: set[str] = field(default_factory=set)


class Kf:
    """All 客服 accounts of the corporation, and their customers.

    The next messages fail after their ok with the fail_types in *fail_next*; the next *empty_pages* pulls
    bring nothing but has_more.
    """

    def __init__(self, wecom: Wecom, webhook: Webhook) -> None:
        self.wecom = wecom
        self.webhook = webhook
        self.accounts = {
            account.open_kfid: Account(
                account.open_kfid, account.name, dict.fromkeys(account.servicers, True)
            )
            for account in wecom.config.kf_accounts
        }
        self.screens: dict[tuple[str, str], Screen] = {}
        self.names: dict[str, str] = {}
        self.unionids: dict[str, str] = {}
        self.codes: dict[str, EventCode] = {}
        self.fail_next: list[int] = []
        self.empty_pages = 0
        self._sessions: dict[tuple[str, str], Session] = {}
        self._bells: dict[str, tuple[str, datetime]] = {}

    @property
    def now(self) -> datetime:
        return self.wecom.clock.now()

    def account(self, open_kfid: object) -> Account:
        """Raises ApiError 95000 for no id, 95004 for an unknown one."""
        if not isinstance(open_kfid, str) or not open_kfid:
            raise ApiError(95000)
        if open_kfid not in self.accounts:
            raise ApiError(95004)
        return self.accounts[open_kfid]

    def customer(
        self, external_userid: str, open_kfid: str = "", *, name: str = "", unionid: str | None = None
    ) -> Customer:
        """Somebody in WeChat who may open the account's chat; by default the first account's."""
        open_kfid = open_kfid or next(iter(self.accounts))
        key = (open_kfid, external_userid)
        if key not in self.screens:
            self.screens[key] = self.wecom.platform.new_screen(f"kf:{open_kfid}:{external_userid}")
            self.names[external_userid] = name or external_userid
        if unionid is not None:
            self.unionids[external_userid] = unionid
        return Customer(self, open_kfid, external_userid)

    def session(self, open_kfid: str, external_userid: str) -> Session:
        """The session as it stands now: one older than 48 hours has ended by itself."""
        session = self._sessions.setdefault((open_kfid, external_userid), Session())
        if session.since is not None and self.now - session.since >= SESSION_LIFE:
            session.state, session.servicer, session.since = State.ENDED, "", None
        return session

    async def deliver(self, account: Account, message: dict[str, Any]) -> None:
        """Store a message or event for `sync_msg` and ring the bell."""
        self.store(account, message)
        await self.ring(account.open_kfid)

    def store(self, account: Account, message: dict[str, Any]) -> None:
        stored = {"msgid": secrets.token_urlsafe(24), "send_time": int(self.now.timestamp()), **message}
        account.messages.append((self.now, stored))

    async def ring(self, open_kfid: str) -> Reply:
        """Push kf_msg_or_event: no sender, no content, only a token to pull with."""
        token = "ENC" + secrets.token_urlsafe(32)
        self._bells[token] = (open_kfid, self.now + BELL_TOKEN_LIFE)
        push: list[Field] = [
            ("ToUserName", self.wecom.config.corp_id),
            ("CreateTime", int(self.now.timestamp())),
            ("MsgType", "event"),
            ("Event", "kf_msg_or_event"),
            ("Token", token),
            ("OpenKfId", open_kfid),
        ]
        return await self.webhook.deliver(push, "kf", lambda body: Reply("text", raw=body))

    def check_bell(self, token: str, open_kfid: str) -> None:
        """Raises ApiError 95007 for a foreign or expired token."""
        known = self._bells.get(token)
        if known is None or known[0] != open_kfid or self.now > known[1]:
            raise ApiError(95007)

    async def event(self, account: Account, event_type: str, **facts: Any) -> None:
        """An event in the message list; it names account and customer inside `event` only."""
        event = {"event_type": event_type, "open_kfid": account.open_kfid, **facts}
        await self.deliver(account, {"origin": Origin.SYSTEM, "msgtype": "event", "event": event})

    def new_code(self, open_kfid: str, external_userid: str, lasts: timedelta, state: State | None) -> str:
        code = secrets.token_urlsafe(24)
        self.codes[code] = EventCode(open_kfid, external_userid, self.now + lasts, state)
        return code

    def servicer(self, userid: str, open_kfid: str = "") -> Servicer:
        """An employee at the account's desk in their own client."""
        return Servicer(self, open_kfid or next(iter(self.accounts)), userid)


class Customer:
    """Somebody writing to a 客服 account from WeChat."""

    def __init__(self, kf: Kf, open_kfid: str, external_userid: str) -> None:
        self._kf = kf
        self.open_kfid = open_kfid
        self.external_userid = external_userid

    @property
    def screen(self) -> Screen:
        return self._kf.screens[self.open_kfid, self.external_userid]

    @property
    def session(self) -> Session:
        return self._kf.session(self.open_kfid, self.external_userid)

    async def receives(
        self, words: str = "", *, kind: str = "", since: int = 0, within: float = 5.0
    ) -> Bubble:
        """Wait for a bubble, see `Screen.wait_for`: answers come after the bell, not in it."""
        return await self.screen.wait_for(words, kind=kind, since=since, within=within)

    async def enters(self, scene: str = "", scene_param: str = "") -> None:
        """Open the chat. A welcome_code comes along if nobody has welcomed or been written to of late."""
        facts: dict[str, Any] = {"external_userid": self.external_userid, "scene": scene}
        if scene_param:
            facts["scene_param"] = scene_param
        session, kf = self.session, self._kf
        welcomed = session.welcomed_at is not None and kf.now - session.welcomed_at < WELCOME_AGAIN
        if not (welcomed or session.has_written or kf.wecom.config.native_welcome):
            facts["welcome_code"] = kf.new_code(self.open_kfid, self.external_userid, WELCOME_LIFE, None)
        await kf.event(kf.accounts[self.open_kfid], "enter_session", **facts)

    async def says(self, text: str, *, menu_id: str = "") -> None:
        content = {"content": text, "menu_id": menu_id} if menu_id else {"content": text}
        await self._sends("text", text, content)

    async def says_without_bell(self, text: str) -> None:
        """The message is there to be pulled, but the push about it got lost."""
        self._arrive("text", text, {"content": text})

    async def chooses(self, words: str) -> None:
        """Tap a click item of the newest msgmenu by its words. Raises LookupError."""
        for bubble in reversed(self.screen.received):
            for item in bubble.content.get("list", []):
                if item.get("type", "click") == "click" and item["click"]["content"] == words:
                    await self.says(words, menu_id=item["click"].get("id", ""))
                    return
        raise LookupError(f"no menu item {words} on the screen")

    async def sends_picture(self, content: bytes | None = None) -> None:
        file = Upload("photo.png", "image/png", content or plain_picture())
        media = self._kf.wecom.media.keep("image", file)
        await self._sends("image", "", {"media_id": media.id}, url=self._kf.wecom.media_url(media.id))

    async def sends_voice(self) -> None:
        media = self._kf.wecom.media.keep("voice", Upload("voice.amr", "audio/amr", SILENCE))
        await self._sends("voice", "", {"media_id": media.id})

    async def sends(self, kind: str, text: str = "", **part: Any) -> None:
        """Any other message type: location, link, miniprogram …"""
        await self._sends(kind, text, part)

    async def recalls(self, number: int) -> None:
        """Take back one of the customer's stored messages, counted from the newest (1)."""
        account = self._kf.accounts[self.open_kfid]
        own = [m for _, m in account.messages if m.get("external_userid") == self.external_userid]
        facts = {"external_userid": self.external_userid, "recall_msgid": own[-number]["msgid"]}
        await self._kf.event(account, "user_recall_msg", **facts)

    async def _sends(self, kind: str, text: str, part: dict[str, Any], **content: Any) -> None:
        self._arrive(kind, text, part, **content)
        await self._kf.ring(self.open_kfid)

    def _arrive(self, kind: str, text: str, part: dict[str, Any], **content: Any) -> None:
        kf, session = self._kf, self.session
        self.screen.show(kf.now, Side.MINE, kind, text, "me", **content)
        session.last_message_at, session.answers_left, session.has_written = kf.now, REPLIES, True
        if session.state is State.ENDED:
            session.state, session.since = State.NEW, kf.now
        message = {
            "open_kfid": self.open_kfid,
            "external_userid": self.external_userid,
            "origin": Origin.CUSTOMER,
            "msgtype": kind,
            kind: part,
        }
        kf.store(kf.accounts[self.open_kfid], message)


class Servicer:
    """An employee serving customers in the WeCom client: these acts come as events, API acts do not."""

    def __init__(self, kf: Kf, open_kfid: str, userid: str) -> None:
        self._kf = kf
        self._account = kf.accounts[open_kfid]
        self.userid = userid

    async def takes(self, customer: Customer) -> None:
        """Take a customer from the pool, or reopen an ended session by writing first."""
        session = customer.session
        change = 1 if session.state is State.POOL else 4
        session.state, session.servicer, session.since = State.HUMAN, self.userid, self._kf.now
        code = self._code(customer, timedelta(hours=48), State.HUMAN) if change == 1 else ""
        await self._changed(customer, change, new=self.userid, code=code)

    async def transfers(self, customer: Customer, userid: str) -> None:
        customer.session.servicer = userid
        await self._changed(customer, 2, old=self.userid, new=userid)

    async def ends(self, customer: Customer) -> None:
        session = customer.session
        session.state, session.servicer, session.since = State.ENDED, "", None
        code = self._code(customer, WELCOME_LIFE, State.ENDED)
        await self._changed(customer, 3, old=self.userid, code=code)

    async def says(self, customer: Customer, text: str) -> None:
        """A message typed in the client; the server sees it with origin 5."""
        if customer.session.state is not State.HUMAN:
            await self.takes(customer)
        customer.screen.show(self._kf.now, Side.THEIRS, "text", text, "servicer")
        message = {
            "open_kfid": customer.open_kfid,
            "external_userid": customer.external_userid,
            "origin": Origin.SERVICER,
            "servicer_userid": self.userid,
            "msgtype": "text",
            "text": {"content": text},
        }
        await self._kf.deliver(self._account, message)

    async def stops(self, *, serving: bool = False) -> None:
        """Stop (or start) serving: the event says 2 (or 1), the list of servicers 1 (or 0)."""
        self._account.servicers[self.userid] = serving
        facts = {"servicer_userid": self.userid, "status": 1 if serving else 2, "stop_type": 0}
        await self._kf.event(self._account, "servicer_status_change", **facts)

    def _code(self, customer: Customer, lasts: timedelta, state: State) -> str:
        return self._kf.new_code(customer.open_kfid, customer.external_userid, lasts, state)

    async def _changed(
        self, customer: Customer, change: int, *, old: str = "", new: str = "", code: str = ""
    ) -> None:
        facts: dict[str, Any] = {"external_userid": customer.external_userid, "change_type": change}
        named = (("old_servicer_userid", old), ("new_servicer_userid", new), ("msg_code", code))
        facts.update({name: value for name, value in named if value})
        await self._kf.event(self._account, "session_status_change", **facts)
