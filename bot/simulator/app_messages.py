"""应用消息: what the self-built app sends to members' phones, cards with buttons included.

Source: developer.work.weixin.qq.com, 发送应用消息, 更新模版卡片消息, 撤回应用消息.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError
from bot.simulator.screen import Side

if TYPE_CHECKING:
    from bot.simulator.wecom import App, Member, Wecom

TEXT_BYTES = 2048
A_MINUTE, AN_HOUR = 30, 1000
MOST_ARTICLES = 8
DUPLICATE_SECONDS, MOST_DUPLICATE_SECONDS = 1800, 4 * 3600
RECALL_WITHIN = timedelta(hours=24)
INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
NOTICES = frozenset({"text_notice", "news_notice"})
TASK_ID = re.compile(r"[0-9a-zA-Z_@\-]{1,128}")

Shown = tuple[str, dict[str, Any]]


def send(call: Call[App]) -> Answer:
    """`message/send`. Partial failure is still errcode 0; what a member gets beyond the rate is dropped."""
    wecom = own_app(call).wecom
    members, unknown = _recipients(wecom, call.body)
    kind = call.text("msgtype", 40008)
    if kind not in MESSAGES:
        raise ApiError(40008)
    text, content = MESSAGES[kind](wecom, call.part(kind, 44004))
    answer: Json = {**OK, **unknown, "msgid": f"msg{wecom.next_message_id()}"}
    if kind == "template_card":
        _register_card(wecom, content["card"])
        if content["card"]["card_type"] in INTERACTIVE:
            answer["response_code"] = wecom.new_response_code(content["task_id"])
    if not _is_duplicate(wecom, call):
        for member in members:
            if _within_rate(member, call.now):
                member.screen.show(
                    call.now, Side.THEIRS, kind, text, "app", message_id=answer["msgid"], **content
                )
    return answer


def own_app(call: Call[App]) -> App:
    """The self-built app of a call. Raises ApiError 48002 for another secret, 40056 for another agent."""
    app = call.subject
    if app.agent_id is None:
        raise ApiError(48002)
    if call.body.get("agentid", app.agent_id) not in (app.agent_id, str(app.agent_id)):
        raise ApiError(40056)
    return app


def _recipients(wecom: Wecom, body: Json) -> tuple[list[Member], Json]:
    lists = {name: _split(body.get(name)) for name in ("touser", "toparty", "totag")}
    if not any(lists.values()):
        raise ApiError(81012)
    if len(lists["touser"]) > 1000:
        raise ApiError(82001)
    if len(lists["toparty"]) > 100:
        raise ApiError(82002)
    if len(lists["totag"]) > 100:
        raise ApiError(82003)
    if lists["touser"] == ["@all"]:
        return [member for member in wecom.members.values() if member.in_scope], {}
    found = {userid: wecom.known(userid) for userid in lists["touser"]}
    members = [member for member in found.values() if member is not None and member.in_scope]
    if not members:
        raise ApiError(81013)
    invalid = [userid for userid, member in found.items() if member is None or not member.in_scope]
    # The corporation has no parties and no tags: those named do not exist.
    answer = {"invaliduser": invalid, "invalidparty": lists["toparty"], "invalidtag": lists["totag"]}
    return members, {name: "|".join(ids) for name, ids in answer.items() if ids}


def _split(value: object) -> list[str]:
    return [part for part in str(value).split("|") if part] if value else []


def _within_rate(member: Member, now: datetime) -> bool:
    member.received_at = [at for at in member.received_at if now - at < timedelta(hours=1)]
    last_minute = sum(now - at < timedelta(minutes=1) for at in member.received_at)
    if last_minute >= A_MINUTE or len(member.received_at) >= AN_HOUR:
        return False
    member.received_at.append(now)
    return True


def _is_duplicate(wecom: Wecom, call: Call[App]) -> bool:
    if call.body.get("enable_duplicate_check") != 1:
        return False
    seconds = min(call.number("duplicate_check_interval", DUPLICATE_SECONDS), MOST_DUPLICATE_SECONDS)
    key = json.dumps(call.body, sort_keys=True, ensure_ascii=False)
    before = wecom.sent_before.get(key)
    wecom.sent_before[key] = call.now
    return before is not None and call.now - before < timedelta(seconds=seconds)


def _text(wecom: Wecom, part: Json) -> Shown:
    whole = text_in(part, "content", 44004).encode()
    return whole[:TEXT_BYTES].decode(errors="ignore"), {}


def _file(wecom: Wecom, part: Json) -> Shown:
    media = wecom.media.get(text_in(part, "media_id", 40007))
    return str(part.get("title", "")), {"url": wecom.media_url(media.id)}


def _text_card(wecom: Wecom, part: Json) -> Shown:
    title, description = text_in(part, "title", 40058), text_in(part, "description", 40058)
    content = {"title": title, "description": description, "url": text_in(part, "url", 40058)}
    return f"{title}\n{re.sub('<[^>]+>', '', description)}", content


def _news(wecom: Wecom, part: Json) -> Shown:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise ApiError(44004)
    if len(articles) > MOST_ARTICLES:
        raise ApiError(45008)
    shown = [
        {
            "title": text_in(article, "title", 40058),
            "description": article.get("description", ""),
            "url": article.get("url", ""),
            "picture": article.get("picurl", ""),
        }
        for article in articles
    ]
    return "\n".join(a["title"] for a in shown), {"articles": shown}


def _mini_program(wecom: Wecom, part: Json) -> Shown:
    title = text_in(part, "title", 40058)
    rows = [[item.get("key", ""), item.get("value", "")] for item in part.get("content_item", [])]
    return "\n".join([title, *(f"{key}：{value}" for key, value in rows)]), {"title": title, "rows": rows}


def _card(wecom: Wecom, part: Json) -> Shown:
    kind = text_in(part, "card_type", 40058)
    if kind not in INTERACTIVE | NOTICES:
        raise ApiError(40058)
    if kind in NOTICES and not isinstance(part.get("card_action"), dict):
        raise ApiError(40058, "card_action is missing")
    task_id = part.get("task_id", "")
    if (kind in INTERACTIVE or "action_menu" in part or task_id) and not TASK_ID.fullmatch(str(task_id)):
        raise ApiError(42014)
    if task_id in wecom.cards:
        raise ApiError(42014)
    buttons = part.get("button_list", [])
    if len(buttons) > 6:
        raise ApiError(40058, "button_list")
    for button in buttons:
        if button.get("type", 0) == 0 and not button.get("key"):
            raise ApiError(42017)
    return card_text(part), {"task_id": task_id, "card": part}


def card_text(card: Json) -> str:
    """Everything readable on a card."""
    main, quote = card.get("main_title", {}), card.get("quote_area", {})
    rows = card.get("horizontal_content_list", []) + card.get("vertical_content_list", [])
    lines = [
        card.get("source", {}).get("desc"),
        main.get("title"),
        main.get("desc"),
        *card.get("emphasis_content", {}).values(),
        card.get("sub_title_text"),
        quote.get("title"),
        quote.get("quote_text"),
        *(
            f"{row.get('keyname') or row.get('title', '')}：{row.get('value') or row.get('desc', '')}"
            for row in rows
        ),
        *(button.get("text") for button in card.get("button_list", [])),
    ]
    return "\n".join(line for line in lines if line)


def _register_card(wecom: Wecom, card: Json) -> None:
    if card.get("task_id"):
        wecom.cards[card["task_id"]] = card


MESSAGES: Mapping[str, Callable[[Wecom, Json], Shown]] = MappingProxyType(
    {
        "text": _text,
        "markdown": _text,
        "image": _file,
        "voice": _file,
        "video": _file,
        "file": _file,
        "textcard": _text_card,
        "news": _news,
        "mpnews": _news,
        "miniprogram_notice": _mini_program,
        "template_card": _card,
    }
)


def update_card(call: Call[App]) -> Answer:
    """`message/update_template_card`: a response_code is good once, for 72 hours."""
    wecom = own_app(call).wecom
    code = wecom.response_codes.pop(call.text("response_code", 40058), None)
    if code is None or call.now > code.expires_at:
        raise ApiError(40058, "invalid response_code")
    members = [wecom.known(str(userid)) for userid in call.body.get("userids", [])]
    if call.body.get("atall") == 1:
        members = list(wecom.members.values())
    unknown = [u for u in call.body.get("userids", []) if wecom.known(str(u)) is None]
    for member in members:
        if member is not None:
            _update(wecom, member, code.task_id, call.body)
    return {**OK, "invaliduser": unknown} if unknown else OK


def _update(wecom: Wecom, member: Member, task_id: str, body: Json) -> None:
    if isinstance(body.get("button"), dict):
        wecom.replace_buttons(member, task_id, text_in(body["button"], "replace_name", 40058))
    elif isinstance(body.get("template_card"), dict):
        wecom.replace_card(member, task_id, body["template_card"])
    else:
        raise ApiError(40063)


def recall(call: Call[App]) -> Answer:
    """`message/recall`: the bubble turns into a grey line."""
    wecom, number = own_app(call).wecom, call.text("msgid", 40058)
    for member in wecom.members.values():
        for bubble in member.screen:
            if bubble.content.get("message_id") == number and call.now - bubble.at < RECALL_WITHIN:
                wecom.withdraw(member, bubble)
    return OK


def menu_create(call: Call[App]) -> Answer:
    buttons = call.items("button", 40058)
    if len(buttons) > 3 or any(byte_length(text_in(b, "name", 40058)) > 16 for b in buttons):
        raise ApiError(40058)
    own_app(call).wecom.menu = buttons
    return OK


def menu_get(call: Call[App]) -> Answer:
    return {**OK, "button": own_app(call).wecom.menu}


def menu_delete(call: Call[App]) -> Answer:
    own_app(call).wecom.menu = []
    return OK


ENDPOINTS: tuple[Endpoint[App], ...] = (
    Endpoint("POST", "/cgi-bin/message/send", send),
    Endpoint("POST", "/cgi-bin/message/update_template_card", update_card),
    Endpoint("POST", "/cgi-bin/message/recall", recall),
    Endpoint("POST", "/cgi-bin/menu/create", menu_create),
    Endpoint("GET", "/cgi-bin/menu/get", menu_get),
    Endpoint("GET", "/cgi-bin/menu/delete", menu_delete),
)
