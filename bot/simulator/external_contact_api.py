"""The calls of 客户联系. Changes made through them never come back as a callback.

Source: developer.work.weixin.qq.com, 客户联系.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError
from bot.simulator.external_contacts import ContactBook, CorpTag, MassTask, Relation
from bot.simulator.screen import Side

if TYPE_CHECKING:
    from bot.simulator.wecom import App

WELCOME_BYTES = 4000
ATTACHMENTS = 9
TAGS_A_RELATION, TAGS_A_CORP, TAG_CHARACTERS = 3000, 10_000, 30
RECIPIENTS, REMINDERS = 10_000, 3


def _book(call: Call[App]) -> ContactBook:
    if call.subject.agent_id is None:
        raise ApiError(84074)
    return call.subject.wecom.contacts


def _relation(book: ContactBook, userid: str, external_userid: str) -> Relation:
    if external_userid not in book.names:
        raise ApiError(40096)
    if (userid, external_userid) not in book.relations:
        raise ApiError(84061)
    return book.relations[userid, external_userid]


def followers(call: Call[App]) -> Answer:
    return {**OK, "follow_user": list(_book(call).wecom.members)}


def list_of(call: Call[App]) -> Answer:
    userid = call.query.get("userid", "")
    mine = [external for member, external in _book(call).relations if member == userid]
    if not mine:
        raise ApiError(84061)
    return {**OK, "external_userid": mine}


def get(call: Call[App]) -> Answer:
    book, external = _book(call), call.query.get("external_userid", "")
    if external not in book.names:
        raise ApiError(40096)
    contact: Json = {"external_userid": external, "name": book.names[external], "type": 1}
    if external in book.unionids:
        contact["unionid"] = book.unionids[external]
    follow = [_follow(book, userid, r) for (userid, e), r in book.relations.items() if e == external]
    return {**OK, "external_contact": contact, "follow_user": follow}


def _follow(book: ContactBook, userid: str, relation: Relation) -> Json:
    tags = [{"tag_name": book.tags[tag].name, "tag_id": tag, "type": 1} for tag in sorted(relation.tags)]
    return {"userid": userid, "remark": relation.remark, "state": relation.state, "tags": tags}


def remark(call: Call[App]) -> Answer:
    relation = _relation(_book(call), call.text("userid", 40058), call.text("external_userid", 40058))
    relation.remark = str(call.body.get("remark", relation.remark))
    return OK


def tag_list(call: Call[App]) -> Answer:
    book = _book(call)
    groups, tags = call.body.get("group_id") or [], call.body.get("tag_id") or []
    found = [t for t in book.tags.values() if (t.group_id in groups if groups else not tags or t.id in tags)]
    return {**OK, "tag_group": [_group(book, g, found) for g in dict.fromkeys(t.group_id for t in found)]}


def _group(book: ContactBook, group_id: str, tags: list[CorpTag]) -> Json:
    mine = [
        {
            "id": t.id,
            "name": t.name,
            "create_time": int(t.created_at.timestamp()),
            "order": 0,
            "deleted": False,
        }
        for t in tags
        if t.group_id == group_id
    ]
    return {
        "group_id": group_id,
        "group_name": book.groups[group_id],
        "order": 0,
        "deleted": False,
        "tag": mine,
    }


def tag_add(call: Call[App]) -> Answer:
    """`add_corp_tag`: an existing group name is used again, a tag name twice in it is refused."""
    book, group_id = _book(call), call.body.get("group_id")
    if group_id is not None and group_id not in book.groups:
        raise ApiError(40068)
    if group_id is None:
        name = call.text("group_name", 40063)
        group_id = next((g for g, n in book.groups.items() if n == name), None)
        if group_id is None:
            group_id = "eg" + secrets.token_urlsafe(20)
            book.groups[group_id] = name
    added = [_add_tag(book, group_id, text_in(tag, "name", 40063), call) for tag in call.items("tag", 40063)]
    return {**OK, "tag_group": _group(book, group_id, added)}


def _add_tag(book: ContactBook, group_id: str, name: str, call: Call[App]) -> CorpTag:
    taken = any(tag.group_id == group_id and tag.name == name for tag in book.tags.values())
    if taken or len(name) > TAG_CHARACTERS:
        raise ApiError(40071)
    if len(book.tags) >= TAGS_A_CORP:
        raise ApiError(40058)
    tag = CorpTag("et" + secrets.token_urlsafe(20), name, group_id, call.now)
    book.tags[tag.id] = tag
    return tag


def tag_edit(call: Call[App]) -> Answer:
    book, number = _book(call), call.text("id", 40063)
    if number in book.groups:
        book.groups[number] = call.text("name", 40063)
    elif number in book.tags and book.tags[number].by_api:
        book.tags[number].name = call.text("name", 40063)
    else:
        raise ApiError(40068)
    return OK


def tag_delete(call: Call[App]) -> Answer:
    book = _book(call)
    groups, tags = call.body.get("group_id") or [], call.body.get("tag_id") or []
    for tag in [t for t in book.tags.values() if t.id in tags or t.group_id in groups]:
        del book.tags[tag.id]
        for relation in book.relations.values():
            relation.tags.discard(tag.id)
    used = {tag.group_id for tag in book.tags.values()}
    book.groups = {group: name for group, name in book.groups.items() if group in used}
    return OK


def mark(call: Call[App]) -> Answer:
    """`mark_tag`, on the relation of one member and one customer."""
    book = _book(call)
    relation = _relation(book, call.text("userid", 40063), call.text("external_userid", 40063))
    add, remove = set(call.body.get("add_tag") or []), set(call.body.get("remove_tag") or [])
    if not add and not remove:
        raise ApiError(40063)
    if not add <= book.tags.keys() or not remove <= book.tags.keys():
        raise ApiError(40068)
    if len((relation.tags | add) - remove) > TAGS_A_RELATION:
        raise ApiError(40058)
    relation.tags = (relation.tags | add) - remove
    return OK


def welcome(call: Call[App]) -> Answer:
    """`send_welcome_msg`: once, within 20 seconds of the event; the first app wins."""
    book = _book(call)
    known = book.welcomes.get(call.text("welcome_code", 41050))
    if known is None or call.now > known.expires_at:
        raise ApiError(41050)
    if known.done:
        raise ApiError(41051)
    if known.sending:
        raise ApiError(41096)
    text, attachments = _content(call)
    known.done = True
    screen = book.screens[known.external_userid]
    screen.show(call.now, Side.THEIRS, "text", text, "welcome", attachments=attachments)
    return OK


def _content(call: Call[App]) -> tuple[str, list[Any]]:
    text = str((call.body.get("text") or {}).get("content", ""))
    attachments = call.body.get("attachments") or []
    if not text and not attachments:
        raise ApiError(40063)
    if byte_length(text) > WELCOME_BYTES:
        raise ApiError(45002)
    if len(attachments) > ATTACHMENTS:
        raise ApiError(40058)
    return text, attachments


def mass_add(call: Call[App]) -> Answer:
    """`add_msg_template` makes a task; nothing is sent before a member confirms it."""
    book = _book(call)
    text, attachments = _content(call)
    wanted = call.body.get("external_userid") or _filtered(book, call)
    if len(wanted) > RECIPIENTS:
        raise ApiError(40058)
    recipients: dict[str, list[str]] = {}
    failed = []
    for external in dict.fromkeys(wanted):
        senders = [u for u, e in book.relations if e == external]
        if senders:
            recipients.setdefault(senders[-1], []).append(external)
        else:
            failed.append(external)
    if not recipients:
        raise ApiError(41048)
    task = MassTask("msg" + secrets.token_urlsafe(20), call.now, text, attachments, recipients)
    book.tasks[task.id] = task
    return {**OK, "fail_list": failed, "msgid": task.id}


def _filtered(book: ContactBook, call: Call[App]) -> list[str]:
    sender = call.body.get("sender")
    groups = (call.body.get("tag_filter") or {}).get("group_list") or []
    wanted = [set(group.get("tag_list", [])) for group in groups]
    return [
        external
        for (userid, external), relation in book.relations.items()
        if sender in (None, userid) and all(relation.tags & tags for tags in wanted)
    ]


def _task(call: Call[App]) -> MassTask:
    task = _book(call).tasks.get(call.text("msgid", 40058))
    if task is None:
        raise ApiError(40058)
    if task.cancelled:
        raise ApiError(41093)
    return task


def mass_list(call: Call[App]) -> Answer:
    start, end = call.number("start_time", 0, 40058), call.number("end_time", 2**40, 40058)
    found = [
        {
            "msgid": task.id,
            "create_time": str(int(task.created_at.timestamp())),
            "create_type": 0,
            "text": {"content": task.text},
        }
        for task in _book(call).tasks.values()
        if start <= task.created_at.timestamp() <= end
    ]
    return {**OK, "next_cursor": "", "group_msg_list": found}


def mass_task(call: Call[App]) -> Answer:
    task = _task(call)
    tasks: list[Json] = []
    for userid in task.recipients:
        sent = task.sent_at.get(userid)
        entry: Json = {"userid": userid, "status": 0 if sent is None else 2}
        tasks.append(entry if sent is None else {**entry, "send_time": int(sent.timestamp())})
    return {**OK, "next_cursor": "", "task_list": tasks}


def mass_result(call: Call[App]) -> Answer:
    task, userid = _task(call), call.text("userid", 40058)
    sent = [
        {
            "external_userid": external,
            "userid": userid,
            "status": task.results.get((userid, external), 0),
        }
        for external in task.recipients.get(userid, [])
    ]
    return {**OK, "next_cursor": "", "send_list": sent}


def mass_remind(call: Call[App]) -> Answer:
    task = _task(call)
    if task.reminded >= REMINDERS:
        raise ApiError(41094)
    task.reminded += 1
    return OK


def mass_cancel(call: Call[App]) -> Answer:
    _task(call).cancelled = True
    return OK


_PREFIX = "/cgi-bin/externalcontact/"

ENDPOINTS: tuple[Endpoint[App], ...] = (
    Endpoint("GET", _PREFIX + "get_follow_user_list", followers),
    Endpoint("GET", _PREFIX + "list", list_of),
    Endpoint("GET", _PREFIX + "get", get),
    Endpoint("POST", _PREFIX + "remark", remark),
    Endpoint("POST", _PREFIX + "get_corp_tag_list", tag_list),
    Endpoint("POST", _PREFIX + "add_corp_tag", tag_add),
    Endpoint("POST", _PREFIX + "edit_corp_tag", tag_edit),
    Endpoint("POST", _PREFIX + "del_corp_tag", tag_delete),
    Endpoint("POST", _PREFIX + "mark_tag", mark),
    Endpoint("POST", _PREFIX + "send_welcome_msg", welcome),
    Endpoint("POST", _PREFIX + "add_msg_template", mass_add),
    Endpoint("POST", _PREFIX + "get_groupmsg_list_v2", mass_list),
    Endpoint("POST", _PREFIX + "get_groupmsg_task", mass_task),
    Endpoint("POST", _PREFIX + "get_groupmsg_send_result", mass_result),
    Endpoint("POST", _PREFIX + "remind_groupmsg_send", mass_remind),
    Endpoint("POST", _PREFIX + "cancel_groupmsg_send", mass_cancel),
)
