"""The calls of 微信客服: pulling messages, answering within the limits, handing sessions on.

Source: developer.work.weixin.qq.com, 微信客服: 读取消息, 发送消息, 发送欢迎语等事件响应消息, 会话状态.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError
from bot.simulator.kf import (
    HISTORY,
    REPLY_WINDOW,
    TRANSITIONS,
    Account,
    Kf,
    Session,
    State,
)
from bot.simulator.screen import Side

if TYPE_CHECKING:
    from bot.simulator.wecom import App

MOST_MESSAGES = 1000
TEXT_BYTES = 2048
MESSAGE_ID = re.compile(r"[0-9a-zA-Z_\-]{1,32}")
MENU_ITEMS = 10
MENU_ENDS_BYTES = 1024

Shown = tuple[str, dict[str, Any]]


def _kf(call: Call[App]) -> Kf:
    if call.subject.agent_id is not None:
        raise ApiError(95011)
    return call.subject.wecom.kf


def sync(call: Call[App]) -> Answer:
    """`kf/sync_msg`. The list may be empty while has_more is 1; API messages are not in it."""
    kf = _kf(call)
    account = kf.account(call.body.get("open_kfid"))
    if token := call.body.get("token"):
        kf.check_bell(str(token), account.open_kfid)
    limit = call.number("limit", MOST_MESSAGES, 40058)
    if not 0 < limit <= MOST_MESSAGES:
        raise ApiError(40058)
    start = _position(account, str(call.body.get("cursor", "")))
    if kf.empty_pages:
        kf.empty_pages -= 1
        limit = 0
    recent = [(at, m) for at, m in account.messages[start : start + limit]]
    kept = [message for at, message in recent if call.now - at <= HISTORY]
    end = start + len(recent)
    return {
        **OK,
        "next_cursor": f"{account.open_kfid}#{end}",
        "has_more": int(end < len(account.messages)),
        "msg_list": kept,
    }


def _position(account: Account, cursor: str) -> int:
    if not cursor:
        return 0
    name, _, number = cursor.rpartition("#")
    if name != account.open_kfid or not number.isdigit():
        raise ApiError(40058, "invalid cursor")
    return int(number)


def send(call: Call[App]) -> Answer:
    """`kf/send_msg`. errcode 0 is not delivery: a failure follows as msg_send_fail."""
    kf = _kf(call)
    account, userid = kf.account(call.body.get("open_kfid")), call.text("touser", 40058)
    if (account.open_kfid, userid) not in kf.screens:
        raise ApiError(40096)
    number = _message_id(account, call.body)
    shown = _shown(kf, call)
    session = kf.session(account.open_kfid, userid)
    _permit(session, call)
    session.answers_left -= 1
    account.sent_ids.add(number)
    if kf.fail_next:
        facts = {"external_userid": userid, "fail_msgid": number, "fail_type": kf.fail_next.pop(0)}
        kf.wecom.platform.later(kf.event(account, "msg_send_fail", **facts))
    else:
        _show(kf, account, userid, call, shown)
    return {**OK, "msgid": number}


def _message_id(account: Account, body: Json) -> str:
    number = body.get("msgid")
    if number is None:
        return secrets.token_urlsafe(20)
    if not isinstance(number, str) or not MESSAGE_ID.fullmatch(number):
        raise ApiError(40058, "invalid msgid")
    if number in account.sent_ids:
        raise ApiError(40058, "msgid exists")
    return number


def _permit(session: Session, call: Call[App]) -> None:
    last = session.last_message_at
    if last is not None and call.now - last > REPLY_WINDOW:
        raise ApiError(95002)
    if session.state not in (State.NEW, State.BOT):
        raise ApiError(95018)
    if session.answers_left <= 0:
        raise ApiError(95001)


def _shown(kf: Kf, call: Call[App]) -> tuple[str, Shown]:
    kind = call.text("msgtype", 40008)
    if kind not in MESSAGES:
        raise ApiError(40008)
    return kind, MESSAGES[kind](kf, call.part(kind, 44004))


def _show(kf: Kf, account: Account, userid: str, call: Call[App], shown: tuple[str, Shown]) -> None:
    kind, (text, content) = shown
    screen = kf.screens[account.open_kfid, userid]
    screen.show(call.now, Side.THEIRS, kind, text, "kf", **content)


def send_on_event(call: Call[App]) -> Answer:
    """`kf/send_msg_on_event`: one message for one code."""
    kf = _kf(call)
    code = kf.codes.pop(call.text("code", 40058), None)
    if code is None or call.now > code.expires_at:
        raise ApiError(95007, "invalid code")
    if call.body.get("msgtype") not in ("text", "msgmenu"):
        raise ApiError(40008)
    session = kf.session(code.open_kfid, code.external_userid)
    if code.state is not None and session.state is not code.state:
        raise ApiError(95018)
    account = kf.account(code.open_kfid)
    number = _message_id(account, call.body)
    account.sent_ids.add(number)
    _show(kf, account, code.external_userid, call, _shown(kf, call))
    if code.state is None:
        session.welcomed_at = call.now
    return {**OK, "msgid": number}


def _text(kf: Kf, part: Json) -> Shown:
    text = text_in(part, "content", 44004)
    if byte_length(text) > TEXT_BYTES:
        raise ApiError(45002)
    return text, {}


def _file(kf: Kf, part: Json) -> Shown:
    media = kf.wecom.media.get(text_in(part, "media_id", 40007))
    return "", {"url": kf.wecom.media_url(media.id)}


def _link(kf: Kf, part: Json) -> Shown:
    kf.wecom.media.get(text_in(part, "thumb_media_id", 40007))
    title, url = text_in(part, "title", 40058), text_in(part, "url", 40058)
    if byte_length(title) > 128 or byte_length(str(part.get("desc", ""))) > 512 or byte_length(url) > 2048:
        raise ApiError(45002)
    return f"{title}\n{part.get('desc', '')}", {"title": title, "url": url}


def _mini_program(kf: Kf, part: Json) -> Shown:
    kf.wecom.media.get(text_in(part, "thumb_media_id", 40007))
    title = text_in(part, "title", 40058)
    return title, {"appid": text_in(part, "appid", 40058), "path": text_in(part, "pagepath", 40058)}


def _location(kf: Kf, part: Json) -> Shown:
    return f"{part.get('name', '')}\n{part.get('address', '')}", dict(part)


def _plain(kf: Kf, part: Json) -> Shown:
    return "", dict(part)


# item type → (where its words are, most bytes of them)
_ITEMS: Mapping[str, int] = MappingProxyType({"click": 128, "view": 1024, "miniprogram": 1024, "text": 256})


def _menu(kf: Kf, part: Json) -> Shown:
    items = part.get("list", [])
    head, tail = str(part.get("head_content", "")), str(part.get("tail_content", ""))
    if len(items) > MENU_ITEMS:
        raise ApiError(95008)
    if max(byte_length(head), byte_length(tail)) > MENU_ENDS_BYTES:
        raise ApiError(45002)
    words = [_item_words(item) for item in items]
    text = "\n".join(line for line in (head, *words, tail) if line)
    return text, {"head": head, "list": items, "tail": tail}


def _item_words(item: Json) -> str:
    kind = str(item.get("type"))
    if kind not in _ITEMS or not isinstance(item.get(kind), dict):
        raise ApiError(95009)
    words = text_in(item[kind], "content", 40058)
    if byte_length(words) > _ITEMS[kind] or byte_length(str(item[kind].get("id", ""))) > 64:
        raise ApiError(45002)
    return words


MESSAGES: Mapping[str, Callable[[Kf, Json], Shown]] = MappingProxyType(
    {
        "text": _text,
        "image": _file,
        "voice": _file,
        "video": _file,
        "file": _file,
        "link": _link,
        "miniprogram": _mini_program,
        "msgmenu": _menu,
        "location": _location,
        "business_card": _plain,
        "ca_link": _plain,
    }
)


def state_get(call: Call[App]) -> Answer:
    session = _session(call)
    answer: Json = {**OK, "service_state": int(session.state)}
    if session.state is State.HUMAN:
        answer["servicer_userid"] = session.servicer
    return answer


def state_trans(call: Call[App]) -> Answer:
    """`kf/service_state/trans`, in the order of checks: ended, allowed, servicer."""
    kf, session = _kf(call), _session(call)
    account, userid = kf.account(call.body["open_kfid"]), call.text("external_userid", 40058)
    target = call.number("service_state", -1, 40058)
    if session.state is State.ENDED:
        raise ApiError(95013)
    if target not in TRANSITIONS[session.state]:
        raise ApiError(95016)
    new = State(target)
    session.servicer = _servicer(account, call.body) if new is State.HUMAN else ""
    session.state = new
    if new is State.ENDED:
        session.since = None
    if new is State.POOL:
        return {**OK, "msg_code": kf.new_code(account.open_kfid, userid, REPLY_WINDOW, State.POOL)}
    return OK


def _servicer(account: Account, body: Json) -> str:
    userid = str(body.get("servicer_userid", ""))
    if userid not in account.servicers:
        raise ApiError(95014)
    if not account.servicers[userid]:
        raise ApiError(95019)
    return userid


def _session(call: Call[App]) -> Session:
    kf = _kf(call)
    account, userid = kf.account(call.body.get("open_kfid")), call.text("external_userid", 40058)
    if (account.open_kfid, userid) not in kf.screens:
        raise ApiError(40096)
    return kf.session(account.open_kfid, userid)


def account_list(call: Call[App]) -> Answer:
    accounts = [{"open_kfid": a.open_kfid, "name": a.name, "avatar": ""} for a in _kf(call).accounts.values()]
    start = call.number("offset", 0, 40058)
    return {**OK, "account_list": accounts[start : start + call.number("limit", 100, 40058)]}


def account_add(call: Call[App]) -> Answer:
    name = call.text("name", 95006)
    open_kfid = "wk" + secrets.token_urlsafe(20)
    _kf(call).accounts[open_kfid] = Account(open_kfid, name, {})
    return {**OK, "open_kfid": open_kfid}


def account_update(call: Call[App]) -> Answer:
    account = _kf(call).account(call.body.get("open_kfid"))
    account.name = str(call.body.get("name", account.name))
    return OK


def account_delete(call: Call[App]) -> Answer:
    kf = _kf(call)
    del kf.accounts[kf.account(call.body.get("open_kfid")).open_kfid]
    return OK


def contact_way(call: Call[App]) -> Answer:
    account = _kf(call).account(call.body.get("open_kfid"))
    scene = str(call.body.get("scene", ""))
    if len(scene) > 32:
        raise ApiError(40058)
    return {**OK, "url": f"https://work.weixin.qq.com/kf/{account.open_kfid}?enc_scene={scene}"}


def servicer_list(call: Call[App]) -> Answer:
    account = _kf(call).account(call.query.get("open_kfid"))
    servicers = [{"userid": u, "status": 0 if serving else 1} for u, serving in account.servicers.items()]
    return {**OK, "servicer_list": servicers}


def servicer_add(call: Call[App]) -> Answer:
    kf = _kf(call)
    account = kf.account(call.body.get("open_kfid"))
    results = []
    for userid in call.items("userid_list", 40058)[:100]:
        known = kf.wecom.known(str(userid)) is not None
        if known:
            account.servicers.setdefault(str(userid), True)
        results.append({"userid": userid, "errcode": 0 if known else 60111, "errmsg": "success"})
    return {**OK, "result_list": results}


def servicer_delete(call: Call[App]) -> Answer:
    account = _kf(call).account(call.body.get("open_kfid"))
    results = []
    for userid in call.items("userid_list", 40058)[:100]:
        gone = account.servicers.pop(str(userid), None) is not None
        results.append({"userid": userid, "errcode": 0 if gone else 95014, "errmsg": "success"})
    return {**OK, "result_list": results}


def customers(call: Call[App]) -> Answer:
    """`kf/customer/batchget`: only who has written in the last 48 hours is described (95031 if nobody)."""
    kf, wanted = _kf(call), [str(u) for u in call.items("external_userid_list", 40058)[:100]]
    found, missing = [], []
    for userid in wanted:
        last = [kf.session(o, u).last_message_at for o, u in kf.screens if u == userid]
        if any(at is not None and call.now - at <= REPLY_WINDOW for at in last):
            found.append(_described(kf, userid))
        else:
            missing.append(userid)
    if not found:
        raise ApiError(95031)
    return {**OK, "customer_list": found, "invalid_external_userid": missing}


def _described(kf: Kf, userid: str) -> Json:
    described: Json = {"external_userid": userid, "nickname": kf.names[userid], "avatar": "", "gender": 0}
    if userid in kf.unionids:
        described["unionid"] = kf.unionids[userid]
    return described


ENDPOINTS: tuple[Endpoint[App], ...] = (
    Endpoint("POST", "/cgi-bin/kf/sync_msg", sync),
    Endpoint("POST", "/cgi-bin/kf/send_msg", send),
    Endpoint("POST", "/cgi-bin/kf/send_msg_on_event", send_on_event),
    Endpoint("POST", "/cgi-bin/kf/service_state/get", state_get),
    Endpoint("POST", "/cgi-bin/kf/service_state/trans", state_trans),
    Endpoint("POST", "/cgi-bin/kf/account/list", account_list),
    Endpoint("POST", "/cgi-bin/kf/account/add", account_add),
    Endpoint("POST", "/cgi-bin/kf/account/update", account_update),
    Endpoint("POST", "/cgi-bin/kf/account/del", account_delete),
    Endpoint("POST", "/cgi-bin/kf/add_contact_way", contact_way),
    Endpoint("GET", "/cgi-bin/kf/servicer/list", servicer_list),
    Endpoint("POST", "/cgi-bin/kf/servicer/add", servicer_add),
    Endpoint("POST", "/cgi-bin/kf/servicer/del", servicer_delete),
    Endpoint("POST", "/cgi-bin/kf/customer/batchget", customers),
)
