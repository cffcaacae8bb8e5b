"""模板消息 and 订阅通知: notices to users who are not talking to the account just now.

Sources: developers.weixin.qq.com, 发送模板消息, 发送订阅通知.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.simulator import events
from bot.simulator.config import AccountConfig, AccountKind, Template, TypedValues
from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json
from bot.simulator.errors import ApiError
from bot.simulator.screen import Side
from bot.simulator.typed_values import RETIRED, cut, fits, lines_of
from bot.simulator.wire import Value

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount

MOST_TEMPLATES = 25
REPEATS_SUPPRESSED = timedelta(minutes=10)
FIRST_MESSAGE_ID = 200_000_000
INDUSTRY = {"first_class": "医药护理", "second_class": "保健与卫生"}


@dataclass(frozen=True, slots=True)
class SentTemplate:
    message_id: int
    at: datetime


class TemplateBook:
    """The templates of one account. The next *system_failures* notices end as `failed: system failed`."""

    def __init__(self, config: AccountConfig) -> None:
        self.templates = {template.id: template for template in config.templates}
        self.system_failures = 0
        self._sent: dict[tuple[str, str], SentTemplate] = {}
        self._next_message_id = FIRST_MESSAGE_ID

    def get(self, template_id: str) -> Template:
        """Raises ApiError 40037."""
        if template_id not in self.templates:
            raise ApiError(40037)
        return self.templates[template_id]

    def repeated(self, openid: str, client_id: str, now: datetime) -> SentTemplate | None:
        """The message sent under this client_msg_id in the last ten minutes."""
        sent = self._sent.get((openid, client_id))
        return sent if sent is not None and now - sent.at < REPEATS_SUPPRESSED else None

    def number(self, openid: str, client_id: str, now: datetime) -> int:
        self._next_message_id += 1
        if client_id:
            self._sent[openid, client_id] = SentTemplate(self._next_message_id, now)
        return self._next_message_id

    def outcome(self, *, refused: bool) -> str:
        if refused:
            return "failed:user block"
        if self.system_failures:
            self.system_failures -= 1
            return "failed: system failed"
        return "success"


def send(call: Call[OfficialAccount]) -> Answer:
    """`message/template/send`. The result follows as TEMPLATESENDJOBFINISH, failures included."""
    account, openid = call.subject, call.text("touser", 40003)
    template = account.templates.get(call.text("template_id", 40037))
    follower = account.subscriber(openid)
    rows = _rows(template, call.part("data", 47003), account.platform.config.typed_values)
    client_id = str(call.body.get("client_msg_id", ""))
    if client_id and (before := account.templates.repeated(openid, client_id, call.now)):
        return {**OK, "msgid": before.message_id}
    number = account.templates.number(openid, client_id, call.now)
    outcome = account.templates.outcome(refused=follower.refuses_templates)
    if outcome == "success":
        content = {"title": template.title, "rows": rows, "url": call.body.get("url", "")}
        text = "\n".join([template.title, *(f"{label}：{value}" for label, value in rows)])
        follower.screen.show(call.now, Side.THEIRS, "template", text, "template", **content)
    account.push_later(openid, events.template_sent(number, outcome))
    return {**OK, "msgid": number}


def subscription_send(call: Call[OfficialAccount]) -> Answer:
    """`message/subscribe/bizsend`. Uses up one grant; the answer has no message id."""
    account, openid = call.subject, call.text("touser", 40003)
    if account.config.kind is AccountKind.SANDBOX:
        raise ApiError(48001)
    template = account.templates.get(call.text("template_id", 40037))
    follower = account.known(openid)
    rows = _rows(template, call.part("data", 47003), TypedValues.REFUSE)
    if follower.granted[template.id] <= 0:
        raise ApiError(43101)
    follower.granted[template.id] -= 1
    content = {"title": template.title, "rows": rows, "url": call.body.get("page", "")}
    text = "\n".join([template.title, *(f"{label}：{value}" for label, value in rows)])
    follower.screen.show(call.now, Side.THEIRS, "template", text, "subscribe", **content)
    result: dict[str, Value] = {
        "TemplateId": template.id,
        "MsgID": secrets.randbelow(10**18) + 10**18,
        "ErrorCode": 0,
        "ErrorStatus": "success",
    }
    account.push_later(openid, events.subscription_event("subscribe_msg_sent_event", [result]))
    return OK


def _rows(template: Template, facts: Json, typed: TypedValues) -> list[list[str]]:
    """The labelled values as the phone shows them. Raises ApiError 47003 naming the first bad field."""
    rows = []
    for label, key in lines_of(template):
        value = _value(facts, key)
        if not fits(template, key, value):
            if typed is TypedValues.REFUSE:
                raise ApiError(47003, f"data.{key}.value invalid")
            value = cut(key, value)
        rows.append([label, value])
    return rows


def _value(facts: Json, key: str) -> str:
    fact = facts.get(key)
    value = fact.get("value") if isinstance(fact, dict) else None
    # Newlines vanish on the way; what is left of the value must not be empty.
    text = re.sub(r"[\r\n]+", "", str(value)) if isinstance(value, str | int | float) else ""
    if not text.strip():
        raise ApiError(47003, f"data.{key}.value is empty")
    return text


def list_templates(call: Call[OfficialAccount]) -> Answer:
    return {
        "template_list": [
            {
                "template_id": template.id,
                "title": template.title,
                "primary_industry": INDUSTRY["first_class"],
                "deputy_industry": INDUSTRY["second_class"],
                "content": template.content,
                "example": "",
            }
            for template in call.subject.templates.templates.values()
        ]
    }


def add_template(call: Call[OfficialAccount]) -> Answer:
    """`template/api_add_template`: each keyword becomes a line of its own."""
    short_id, known = call.text("template_id_short"), call.subject.templates.templates
    if len(known) >= MOST_TEMPLATES:
        raise ApiError(45026)
    names = [name for name in call.items("keyword_name_list") if name not in RETIRED]
    lines = [f"{name}：{{{{thing{number}.DATA}}}}" for number, name in enumerate(names, 1)]
    template = Template(id=secrets.token_urlsafe(32), title=short_id, content="\n".join(lines))
    known[template.id] = template
    return {**OK, "template_id": template.id}


def delete_template(call: Call[OfficialAccount]) -> Answer:
    template = call.subject.templates.get(call.text("template_id", 40037))
    del call.subject.templates.templates[template.id]
    return OK


def industry(call: Call[OfficialAccount]) -> Answer:
    return {"primary_industry": INDUSTRY, "secondary_industry": INDUSTRY}


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("POST", "/cgi-bin/message/template/send", send, verified=True),
    Endpoint("POST", "/cgi-bin/message/subscribe/bizsend", subscription_send, verified=True),
    Endpoint("GET", "/cgi-bin/template/get_all_private_template", list_templates, verified=True),
    Endpoint("POST", "/cgi-bin/template/api_add_template", add_template, verified=True),
    Endpoint("POST", "/cgi-bin/template/del_private_template", delete_template, verified=True),
    Endpoint("GET", "/cgi-bin/template/get_industry", industry, verified=True),
)
