"""群发: jobs that are accepted now and told of later, with caps for the account and for each recipient.

Source: developers.weixin.qq.com, 群发接口和原创校验.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.simulator import events
from bot.simulator.config import AccountKind
from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError
from bot.simulator.quota import BEIJING
from bot.simulator.screen import Side
from bot.simulator.wire import Field, Reply

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

A_USER_A_MONTH = 4
TO_ALL_A_DAY, TO_ALL_A_MONTH, SUBSCRIPTION_A_DAY = 1, 4, 1
CLIENT_ID_BYTES = 64
REMEMBERED, TOO_FAST = timedelta(hours=24), timedelta(minutes=1)
CONFIRM_WITHIN = timedelta(minutes=30)
FIRST_ID = 1_000_000_600
TEXT_BYTES = 2048
ADMIN = "oAccountAdministrator"
KINDS = frozenset({"text", "mpnews", "voice", "music", "mpvideo", "image", "wxcard"})


@dataclass
class Job:
    """One accepted job; *status* is SENDING, SEND_SUCCESS, SEND_FAIL or DELETE."""

    id: int
    at: datetime
    kind: str
    text: str
    recipients: list[Follower]
    total: int
    status: str = "SENDING"
    awaits_administrator: bool = False
    sent: list[str] = field(default_factory=list)


class MassDesk:
    """The jobs of one account."""

    def __init__(self, account: OfficialAccount) -> None:
        self._account = account
        self.jobs: dict[int, Job] = {}
        self.speed = 0
        self._client_ids: dict[str, tuple[int, datetime]] = {}
        self._days: Counter[tuple[str, date]] = Counter()
        self._months: Counter[tuple[str, int, int]] = Counter()

    def check_client_id(self, client_id: str, now: datetime) -> None:
        """Raises ApiError 45067 too long, 45066 again within a minute, 45065 again within a day."""
        if byte_length(client_id) > CLIENT_ID_BYTES:
            raise ApiError(45067)
        before = self._client_ids.get(client_id)
        if before is None or now - before[1] > REMEMBERED:
            return
        number = before[0]
        raise ApiError(45066 if now - before[1] < TOO_FAST else 45065, msg_id=number)

    def charge(self, *, to_all: bool, now: datetime) -> None:
        """Count one job against the account's own caps. Raises ApiError 45028."""
        today = now.astimezone(BEIJING).date()
        name = "all" if to_all else "tag"
        if self._account.config.kind is AccountKind.SUBSCRIPTION:
            if self._days["all", today] + self._days["tag", today] >= SUBSCRIPTION_A_DAY:
                raise ApiError(45028)
        elif to_all and (
            self._days[name, today] >= TO_ALL_A_DAY
            or self._months[name, today.year, today.month] >= TO_ALL_A_MONTH
        ):
            raise ApiError(45028)
        self._days[name, today] += 1
        self._months[name, today.year, today.month] += 1

    def accept(self, client_id: str, job: Job) -> None:
        self.jobs[job.id] = job
        self._client_ids[client_id] = (job.id, job.at)
        if not job.awaits_administrator:
            self._account.platform.later(self._run(job))

    def next_id(self) -> int:
        return FIRST_ID + len(self.jobs)

    def get(self, number: object) -> Job:
        if not isinstance(number, int) or number not in self.jobs:
            raise ApiError(40059)
        self.expire()
        return self.jobs[number]

    async def confirm(self, number: int) -> None:
        """The administrator agrees to a job that was sent to all."""
        job = self.get(number)
        if job.awaits_administrator:
            job.awaits_administrator = False
            await self._run(job)

    async def refuse(self, number: int) -> None:
        job = self.get(number)
        if job.awaits_administrator:
            await self._fail(job, "err(40001)")

    def expire(self) -> None:
        """Jobs whose administrator has said nothing for half an hour fail."""
        for job in self.jobs.values():
            if job.awaits_administrator and self._account.clock.now() - job.at > CONFIRM_WITHIN:
                job.awaits_administrator = False
                job.status = "SEND_FAIL"
                self._account.platform.later(self._tell(job, "err(40002)", 0, 0))

    async def _run(self, job: Job) -> None:
        now = self._account.clock.now()
        local = now.astimezone(BEIJING)
        month = (local.year, local.month)
        allowed = [f for f in job.recipients if f.mass_months[month] < A_USER_A_MONTH]
        for follower in allowed:
            if follower.subscribed and not follower.refuses_messages:
                follower.mass_months[month] += 1
                follower.screen.show(now, Side.THEIRS, _shown_kind(job.kind), job.text, "mass")
                job.sent.append(follower.openid)
        job.status = "SEND_SUCCESS"
        await self._tell(job, "send success", len(allowed), len(job.sent))

    async def _fail(self, job: Job, status: str) -> None:
        job.awaits_administrator, job.status = False, "SEND_FAIL"
        await self._tell(job, status, 0, 0)

    async def _tell(self, job: Job, status: str, filtered: int, sent: int) -> None:
        counts: list[Field] = [
            ("MsgID", job.id),
            ("Status", status),
            ("TotalCount", job.total),
            ("FilterCount", filtered),
            ("SentCount", sent),
            ("ErrorCount", filtered - sent),
        ]
        push = self._account.addressed(ADMIN, events.event("MASSSENDJOBFINISH", *counts))
        await self._account.webhook.deliver(push, ADMIN, lambda body: Reply("text", raw=body))


def _shown_kind(kind: str) -> str:
    return "mpnewsarticle" if kind == "mpnews" else kind


def _content(account: OfficialAccount, body: Json) -> tuple[str, str]:
    kind = body.get("msgtype")
    if kind not in KINDS:
        raise ApiError(40008)
    part = body.get("images" if kind == "image" else kind)
    if not isinstance(part, dict):
        raise ApiError(44004)
    if kind == "text":
        text = text_in(part, "content", 44004)
        if byte_length(text) > TEXT_BYTES:
            raise ApiError(45002)
        return kind, text
    if kind == "mpnews":
        articles = account.drafts.get(text_in(part, "media_id", 40007))
        if articles is None:
            raise ApiError(40007)
        return kind, "\n".join(str(article.get("title", "")) for article in articles)
    for media_id in part.get("media_ids") or [part.get("media_id", "")]:
        if kind != "wxcard":
            account.media.get(str(media_id))
    return str(kind), ""


def _start(call: Call[OfficialAccount], recipients: Sequence[Follower], *, to_all: bool) -> Answer:
    account, desk = call.subject, call.subject.mass
    kind, text = _content(account, call.body)
    client_id = str(call.body.get("clientmsgid") or _digest(call.body))
    desk.check_client_id(client_id, call.now)
    desk.charge(to_all=to_all, now=call.now)
    job = Job(desk.next_id(), call.now, kind, text, list(recipients), len(recipients))
    job.awaits_administrator = to_all and account.config.mass_protection
    desk.accept(client_id, job)
    message = "send job submission success"
    return {"errcode": 0, "errmsg": message, "msg_id": job.id, "msg_data_id": job.id + 206_227_730}


def _digest(body: Json) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def send_all(call: Call[OfficialAccount]) -> Answer:
    """`mass/sendall`: errcode 0 means accepted; the outcome is MASSSENDJOBFINISH."""
    scope = call.part("filter", 40097)
    following = [f for f in call.subject.followers.values() if f.subscribed]
    if scope.get("is_to_all") is True:
        return _start(call, following, to_all=True)
    if scope.get("tag_id") not in call.subject.tags.names:
        raise ApiError(40152)
    return _start(call, [f for f in following if scope["tag_id"] in f.tags], to_all=False)


def send_list(call: Call[OfficialAccount]) -> Answer:
    """`mass/send`, to 2 to 10,000 openids, service accounts only."""
    if call.subject.config.kind is not AccountKind.SERVICE:
        raise ApiError(48001)
    openids = call.items("touser", 40130)
    if len(openids) < 2:
        raise ApiError(40130)
    if len(openids) > 10_000:
        raise ApiError(40032)
    known = [call.subject.followers[o] for o in dict.fromkeys(openids) if o in call.subject.followers]
    return _start(call, known, to_all=False)


def preview(call: Call[OfficialAccount]) -> Answer:
    """`mass/preview`: one person sees it now, outside the caps."""
    follower = call.subject.subscriber(call.text("touser", 40003))
    kind, text = _content(call.subject, call.body)
    follower.screen.show(call.now, Side.THEIRS, _shown_kind(kind), text, "preview")
    return {**OK, "errmsg": "preview success", "msg_id": call.subject.mass.next_id()}


def get(call: Call[OfficialAccount]) -> Answer:
    job = call.subject.mass.get(call.body.get("msg_id"))
    return {"msg_id": job.id, "msg_status": job.status}


def delete(call: Call[OfficialAccount]) -> Answer:
    job = call.subject.mass.get(call.body.get("msg_id"))
    if job.kind not in ("mpnews", "mpvideo"):
        raise ApiError(40059)
    job.status = "DELETE"
    return OK


SPEEDS = (80, 60, 45, 30, 10)
"""Ten thousand recipients a minute, by speed 0 to 4."""


def speed_get(call: Call[OfficialAccount]) -> Answer:
    speed = call.subject.mass.speed
    return {"speed": speed, "realspeed": SPEEDS[speed]}


def speed_set(call: Call[OfficialAccount]) -> Answer:
    if "speed" not in call.body:
        raise ApiError(45084)
    speed = call.number("speed", 0, 45083)
    if not 0 <= speed < len(SPEEDS):
        raise ApiError(45083)
    call.subject.mass.speed = speed
    return OK


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("POST", "/cgi-bin/message/mass/sendall", send_all, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/send", send_list, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/preview", preview, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/get", get, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/delete", delete, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/speed/get", speed_get, verified=True),
    Endpoint("POST", "/cgi-bin/message/mass/speed/set", speed_set, verified=True),
)
