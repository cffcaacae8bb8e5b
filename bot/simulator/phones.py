"""Phones as the browser sees them: their state as JSON, and what their owners can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.simulator.endpoint import Json
from bot.simulator.kf import Customer
from bot.simulator.platform import Platform
from bot.simulator.screen import Screen
from bot.simulator.user import User
from bot.simulator.wecom import Employee

NEWEST_BUBBLES = 200


class CannotDo(ValueError):
    """That phone cannot do that; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone: *kind* is wx, wecom or kf; *owner* acts for the person holding it."""

    id: str
    kind: str
    name: str
    hint: str
    title: str
    owner: User | Employee | Customer

    @property
    def screen(self) -> Screen:
        return self.owner.screen

    def as_json(self) -> Json:
        state: Json = {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "hint": self.hint,
            "title": self.title,
            "following": True,
            "menu": [],
            "templates": [],
            "bubbles": [bubble.as_json() for bubble in list(self.screen)[-NEWEST_BUBBLES:]],
        }
        if isinstance(self.owner, User):
            state["following"] = self.owner.follower.subscribed
            account = self.owner.account
            state["menu"] = account.menus.seen_by(self.owner.follower)
            state["templates"] = [[t.id, t.title] for t in account.templates.templates.values()]
        return state


def all_phones(platform: Platform) -> list[Phone]:
    """Everybody's phone: followers of every account, members of the corporation, customers of 微信客服."""
    phones = [
        Phone(f.screen.owner, "wx", f.name, f.hint, account.config.title, User(account, f))
        for account in platform.accounts.values()
        for f in account.followers.values()
    ]
    wecom = platform.corporation
    if wecom is not None:
        phones += [
            Phone(m.screen.owner, "wecom", m.config.name, "企业微信", wecom.config.title, Employee(wecom, m))
            for m in wecom.members.values()
        ]
        phones += [
            Phone(
                screen.owner,
                "kf",
                wecom.kf.names[user],
                "微信客服",
                wecom.kf.accounts[desk].name,
                Customer(wecom.kf, desk, user),
            )
            for (desk, user), screen in wecom.kf.screens.items()
        ]
    return phones


def find(platform: Platform, phone_id: str) -> Phone:
    """Raises LookupError."""
    for phone in all_phones(platform):
        if phone.id == phone_id:
            return phone
    raise LookupError(phone_id)


def _word(wish: Json, name: str) -> str:
    value = wish.get(name)
    if not isinstance(value, str) or not value:
        raise CannotDo(f"缺少 {name}")
    return value


def _number(wish: Json, name: str, default: float) -> float:
    value = wish.get(name, default)
    return float(value) if isinstance(value, int | float) else default


Action = Callable[[Any, Json], Awaitable[object]]


def _place(user: User, wish: Json) -> Awaitable[object]:
    latitude, longitude = _number(wish, "latitude", 23.134521), _number(wish, "longitude", 113.358803)
    return user.sends_location(latitude, longitude, str(wish.get("label") or "示范路1号"))


USER_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "say": lambda user, wish: user.says(_word(wish, "text")),
        "choose": lambda user, wish: user.chooses(_word(wish, "text"), _word(wish, "item")),
        "press": lambda user, wish: user.presses(_word(wish, "name")),
        "follow": lambda user, wish: user.follows(),
        "unfollow": lambda user, wish: user.unfollows(),
        "scan": lambda user, wish: user.scans(_word(wish, "scene")),
        "voice": lambda user, wish: user.sends_voice(seconds=int(_number(wish, "seconds", 3))),
        "video": lambda user, wish: user.sends_video(),
        "place": _place,
        "allow": lambda user, wish: user.answers_subscription(_word(wish, "template")),
    }
)
EMPLOYEE_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "say": lambda employee, wish: employee.says(_word(wish, "text")),
        "enter": lambda employee, wish: employee.enters(),
        "card": lambda employee, wish: employee.presses(_word(wish, "key"), task_id=_word(wish, "task")),
    }
)
CUSTOMER_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "say": lambda customer, wish: customer.says(_word(wish, "text")),
        "choose": lambda customer, wish: customer.chooses(_word(wish, "text")),
        "enter": lambda customer, wish: customer.enters(),
        "voice": lambda customer, wish: customer.sends_voice(),
    }
)
ACTIONS: Mapping[str, Mapping[str, Action]] = MappingProxyType(
    {"wx": USER_ACTIONS, "wecom": EMPLOYEE_ACTIONS, "kf": CUSTOMER_ACTIONS}
)


def prepare(phone: Phone, wish: Json) -> Awaitable[object]:
    """What to await so that the phone does what is wished. Raises CannotDo."""
    action = ACTIONS[phone.kind].get(str(wish.get("do")))
    if action is None:
        raise CannotDo("这台手机做不到")
    return action(phone.owner, wish)


def picture(phone: Phone, content: bytes, content_type: str) -> Awaitable[object]:
    """Send a picture chosen in the browser. Raises CannotDo on a member's phone."""
    if isinstance(phone.owner, User):
        return phone.owner.sends_picture(content, "photo.jpg", content_type)
    if isinstance(phone.owner, Customer):
        return phone.owner.sends_picture(content)
    raise CannotDo("企业微信里不能发图片")
