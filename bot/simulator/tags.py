"""用户标签 and the blacklist. Changing tags pushes no event.

Source: developers.weixin.qq.com, 用户标签管理, 黑名单管理.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length, text_in
from bot.simulator.errors import ApiError

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

MOST_TAGS, FIRST_TAG = 100, 100
NAME_BYTES = 30
TAGS_A_USER, OPENIDS_A_CALL, BLACKLIST_A_CALL = 20, 50, 20
FANS_TO_DELETE, PAGE = 100_000, 10_000
SYSTEM_TAGS = {0: "黑名单", 1: "屏蔽组", 2: "星标组"}


class TagBook:
    """The account's tags by id; those of the system cannot be changed."""

    def __init__(self) -> None:
        self.names: dict[int, str] = dict(SYSTEM_TAGS)
        self._next = FIRST_TAG

    def add(self, name: str) -> int:
        self._check(name)
        if len(self.names) - len(SYSTEM_TAGS) >= MOST_TAGS:
            raise ApiError(45056)
        self._next += 1
        self.names[self._next] = name
        return self._next

    def rename(self, number: int, name: str) -> None:
        self.own(number)
        self._check(name)
        self.names[number] = name

    def own(self, number: int) -> int:
        """A tag that may be changed. Raises ApiError 45058 for the system's, 45159 for an unknown one."""
        if number in SYSTEM_TAGS:
            raise ApiError(45058)
        return self.known(number)

    def known(self, number: int) -> int:
        if number not in self.names:
            raise ApiError(45159)
        return number

    def _check(self, name: str) -> None:
        if byte_length(name) > NAME_BYTES:
            raise ApiError(45158)
        if name in self.names.values():
            raise ApiError(45157)


def _wearers(account: OfficialAccount, number: int) -> list[Follower]:
    return [follower for follower in account.followers.values() if number in follower.tags]


def create(call: Call[OfficialAccount]) -> Answer:
    name = text_in(call.part("tag"), "name", 45157)
    return {"tag": {"id": call.subject.tags.add(name), "name": name}}


def get(call: Call[OfficialAccount]) -> Answer:
    account = call.subject
    return {
        "tags": [
            {"id": number, "name": name, "count": len(_wearers(account, number))}
            for number, name in account.tags.names.items()
        ]
    }


def update(call: Call[OfficialAccount]) -> Answer:
    tag = call.part("tag")
    call.subject.tags.rename(_id(tag, "id"), text_in(tag, "name", 45157))
    return OK


def delete(call: Call[OfficialAccount]) -> Answer:
    number = call.subject.tags.own(_id(call.part("tag"), "id"))
    wearers = _wearers(call.subject, number)
    if len(wearers) > FANS_TO_DELETE:
        raise ApiError(45057)
    for follower in wearers:
        follower.tags.discard(number)
    del call.subject.tags.names[number]
    return OK


def _id(part: Json, name: str) -> int:
    value = part.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ApiError(45159)
    return value


def wearers(call: Call[OfficialAccount]) -> Answer:
    """`user/tag/get`, 10,000 a page."""
    number = call.subject.tags.known(_id(call.body, "tagid"))
    openids = [f.openid for f in _wearers(call.subject, number) if f.subscribed]
    return page(openids, str(call.body.get("next_openid") or ""))


def page(openids: list[str], after: str) -> Json:
    """One page of openids; the end has neither `data` nor a next_openid."""
    start = openids.index(after) + 1 if after in openids else 0
    part = openids[start : start + PAGE]
    if not part:
        return {"count": 0, "next_openid": ""}
    return {"count": len(part), "data": {"openid": part}, "next_openid": part[-1]}


def tag(call: Call[OfficialAccount]) -> Answer:
    number, followers = _batch(call)
    if any(len(f.tags | {number}) > TAGS_A_USER for f in followers):
        raise ApiError(45059)
    for follower in followers:
        follower.tags.add(number)
    return OK


def untag(call: Call[OfficialAccount]) -> Answer:
    number, followers = _batch(call)
    for follower in followers:
        follower.tags.discard(number)
    return OK


def _batch(call: Call[OfficialAccount]) -> tuple[int, list[Follower]]:
    openids = call.items("openid_list", 40032)
    if len(openids) > OPENIDS_A_CALL:
        raise ApiError(40032)
    number = call.subject.tags.known(_id(call.body, "tagid"))
    return number, [call.subject.known(str(openid)) for openid in openids]


def of_user(call: Call[OfficialAccount]) -> Answer:
    return {"tagid_list": sorted(call.subject.known(call.text("openid", 40003)).tags)}


def blacklist(call: Call[OfficialAccount]) -> Answer:
    openids = [f.openid for f in call.subject.followers.values() if f.blacklisted]
    return {"total": len(openids), **page(openids, str(call.body.get("begin_openid") or ""))}


def block(call: Call[OfficialAccount]) -> Answer:
    return _set_blacklisted(call, blacklisted=True)


def unblock(call: Call[OfficialAccount]) -> Answer:
    return _set_blacklisted(call, blacklisted=False)


def _set_blacklisted(call: Call[OfficialAccount], *, blacklisted: bool) -> Answer:
    openids = call.items("openid_list", 40032)
    if len(openids) > BLACKLIST_A_CALL:
        raise ApiError(40032)
    for follower in [call.subject.known(str(openid)) for openid in openids]:
        follower.blacklisted = blacklisted
    return OK


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("POST", "/cgi-bin/tags/create", create, verified=True),
    Endpoint("GET", "/cgi-bin/tags/get", get, verified=True),
    Endpoint("POST", "/cgi-bin/tags/update", update, verified=True),
    Endpoint("POST", "/cgi-bin/tags/delete", delete, verified=True),
    Endpoint("POST", "/cgi-bin/user/tag/get", wearers, verified=True),
    Endpoint("POST", "/cgi-bin/tags/members/batchtagging", tag, verified=True),
    Endpoint("POST", "/cgi-bin/tags/members/batchuntagging", untag, verified=True),
    Endpoint("POST", "/cgi-bin/tags/getidlist", of_user, verified=True),
    Endpoint("POST", "/cgi-bin/tags/members/getblacklist", blacklist, verified=True),
    Endpoint("POST", "/cgi-bin/tags/members/batchblacklist", block, verified=True),
    Endpoint("POST", "/cgi-bin/tags/members/batchunblacklist", unblock, verified=True),
)
