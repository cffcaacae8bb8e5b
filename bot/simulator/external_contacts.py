"""客户联系: customers whom members have added, their tags, welcomes, and mass messages members confirm.

Source: developer.work.weixin.qq.com, 客户联系: 变更回调, 企业标签, 发送新客户欢迎语, 创建企业群发.
"""

from __future__ import annotations

import secrets
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.simulator.quota import BEIJING
from bot.simulator.screen import Screen, Side
from bot.simulator.wire import Field

if TYPE_CHECKING:
    from bot.simulator.wecom import Wecom

WELCOME_LIFE = timedelta(seconds=20)


@dataclass
class Relation:
    """One member and one customer. Either side may leave; tags hang here, not on the customer."""

    tags: set[str] = field(default_factory=set)
    remark: str = ""
    state: str = ""
    added_at: datetime | None = None
    kept_by_customer: bool = True


@dataclass
class CorpTag:
    id: str
    name: str
    group_id: str
    created_at: datetime
    by_api: bool = True


@dataclass
class Welcome:
    """A welcome_code: *sending_by* is the app that is at it, *done* whether the customer has it."""

    userid: str
    external_userid: str
    expires_at: datetime
    sending: bool = False
    done: bool = False


@dataclass
class MassTask:
    """A 群发 task: one confirmation for each sender, nothing is sent by the call itself."""

    id: str
    created_at: datetime
    text: str
    attachments: list[Any]
    recipients: dict[str, list[str]]
    sent_at: dict[str, datetime] = field(default_factory=dict)
    results: dict[tuple[str, str], int] = field(default_factory=dict)
    cancelled: bool = False
    reminded: int = 0


class ContactBook:
    """Everything between members and customers."""

    def __init__(self, wecom: Wecom) -> None:
        self.wecom = wecom
        self.names: dict[str, str] = {}
        self.unionids: dict[str, str] = {}
        self.screens: dict[str, Screen] = {}
        self.relations: dict[tuple[str, str], Relation] = {}
        self.groups: dict[str, str] = {}
        self.tags: dict[str, CorpTag] = {}
        self.welcomes: dict[str, Welcome] = {}
        self.tasks: dict[str, MassTask] = {}
        self._received: Counter[tuple[str, int, int]] = Counter()

    def customer(self, external_userid: str, *, name: str = "", unionid: str | None = None) -> Contact:
        """Somebody in WeChat whom members may add."""
        if external_userid not in self.names:
            self.names[external_userid] = name or external_userid
            self.screens[external_userid] = self.wecom.platform.new_screen(f"contact:{external_userid}")
        if unionid is not None:
            self.unionids[external_userid] = unionid
        return Contact(self, external_userid)

    async def change(self, change: str, **facts: str) -> None:
        """Push change_external_contact; changes the API makes never come here."""
        await self._event("change_external_contact", ("ChangeType", change), *facts.items())

    async def tag_changed(self, change: str, tag_id: str, tag_type: str = "tag") -> None:
        """Somebody changed a tag in the console (create, update, delete, shuffle)."""
        fields: list[Field] = [("Id", tag_id), ("TagType", tag_type), ("ChangeType", change)]
        await self._event("change_external_tag", *fields)

    async def _event(self, name: str, *fields: Field) -> None:
        await self.wecom.callback("sys", [("MsgType", "event"), ("Event", name), *fields])

    async def confirm(self, userid: str, task_id: str) -> None:
        """A member confirms a mass task in the client; only now the messages go out."""
        task, now = self.tasks[task_id], self.wecom.clock.now()
        if task.cancelled or userid in task.sent_at:
            return
        task.sent_at[userid] = now
        for external_userid in task.recipients[userid]:
            task.results[userid, external_userid] = self._deliver(userid, external_userid, task, now)

    def _deliver(self, userid: str, external_userid: str, task: MassTask, now: datetime) -> int:
        relation = self.relations.get((userid, external_userid))
        if relation is None or not relation.kept_by_customer:
            return 2
        local = now.astimezone(BEIJING)
        month = (external_userid, local.year, local.month)
        if self._received[month] >= monthrange(local.year, local.month)[1]:
            return 3
        self._received[month] += 1
        self.screens[external_userid].show(now, Side.THEIRS, "text", task.text, "groupmsg")
        return 1


class Contact:
    """A customer seen from their WeChat, and what members do with them in the client."""

    def __init__(self, book: ContactBook, external_userid: str) -> None:
        self._book = book
        self.external_userid = external_userid

    @property
    def screen(self) -> Screen:
        return self._book.screens[self.external_userid]

    async def is_added_by(self, userid: str, *, state: str = "", half: bool = False) -> str:
        """A member and the customer become contacts; returns the welcome_code, good for 20 seconds."""
        book, now = self._book, self._book.wecom.clock.now()
        book.relations[userid, self.external_userid] = Relation(state=state, added_at=now)
        code = secrets.token_urlsafe(24)
        book.welcomes[code] = Welcome(userid, self.external_userid, now + WELCOME_LIFE)
        facts = {"UserID": userid, "ExternalUserID": self.external_userid}
        if state:
            facts["State"] = state
        change = "add_half_external_contact" if half else "add_external_contact"
        await book.change(change, **facts, WelcomeCode=code)
        return code

    async def deletes(self, userid: str) -> None:
        """The customer deletes the member: the member keeps a one-way relation."""
        self._book.relations[userid, self.external_userid].kept_by_customer = False
        await self._book.change("del_follow_user", UserID=userid, ExternalUserID=self.external_userid)

    async def is_deleted_by(self, userid: str) -> None:
        del self._book.relations[userid, self.external_userid]
        await self._book.change("del_external_contact", UserID=userid, ExternalUserID=self.external_userid)

    async def is_tagged_by(self, userid: str, tag_id: str) -> None:
        """A member tags the customer in the client, which is told to the server."""
        self._book.relations[userid, self.external_userid].tags.add(tag_id)
        await self._book.change("edit_external_contact", UserID=userid, ExternalUserID=self.external_userid)
