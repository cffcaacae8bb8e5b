"""自定义菜单, the account's menu below the chat, and conditional menus for some of its followers.

Source: developers.weixin.qq.com, 自定义菜单, 个性化菜单.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.simulator.endpoint import OK, Answer, Call, Endpoint, Json, byte_length
from bot.simulator.errors import ApiError

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount
    from bot.simulator.follower import Follower

TOP_BUTTONS, SUB_BUTTONS = 3, 5
TOP_NAME_BYTES, SUB_NAME_BYTES = 16, 60
KEY_BYTES, URL_BYTES = 128, 1024
FIRST_MENU_ID = 208_379_500
RETIRED_RULES = frozenset({"sex", "country", "province", "city", "language", "group_id"})

# type → the field it needs
BUTTONS: Mapping[str, str] = MappingProxyType(
    {
        "click": "key",
        "view": "url",
        "scancode_push": "key",
        "scancode_waitmsg": "key",
        "pic_sysphoto": "key",
        "pic_photo_or_album": "key",
        "pic_weixin": "key",
        "location_select": "key",
        "media_id": "media_id",
        "view_limited": "media_id",
        "article_id": "article_id",
        "article_view_limited": "article_id",
        "miniprogram": "url",
    }
)


@dataclass(frozen=True, slots=True)
class ConditionalMenu:
    id: str
    buttons: list[Json]
    rule: Json

    def matches(self, follower: Follower) -> bool:
        tag = self.rule.get("tag_id")
        platform = self.rule.get("client_platform_type")
        # Every simulated phone is an Android one.
        return (not tag or int(tag) in follower.tags) and platform in (None, "", "2")


class MenuBook:
    """The default menu and the conditional ones, newest first."""

    def __init__(self) -> None:
        self.default: list[Json] | None = None
        self.conditional: list[ConditionalMenu] = []
        self._next_id = FIRST_MENU_ID

    def seen_by(self, follower: Follower) -> list[Json]:
        """The buttons this follower sees; the newest matching rule wins."""
        for menu in self.conditional:
            if menu.matches(follower):
                return menu.buttons
        return self.default or []

    def add(self, buttons: list[Json], rule: Json) -> ConditionalMenu:
        self._next_id += 1
        menu = ConditionalMenu(str(self._next_id), buttons, rule)
        self.conditional.insert(0, menu)
        return menu


def create(call: Call[OfficialAccount]) -> Answer:
    call.subject.menus.default = _buttons(call)
    call.subject.platform.publish("menu", account=call.subject.config.name)
    return OK


def _buttons(call: Call[OfficialAccount]) -> list[Json]:
    buttons = call.items("button", 40016)
    if len(buttons) > TOP_BUTTONS:
        raise ApiError(40016)
    for button in buttons:
        _check_name(button, TOP_NAME_BYTES, 40018)
        children = button.get("sub_button") or []
        if len(children) > SUB_BUTTONS:
            raise ApiError(40023)
        for child in children:
            _check_name(child, SUB_NAME_BYTES, 40025)
            _check_leaf(child)
        if not children:
            _check_leaf(button)
    return buttons


def _check_name(button: Json, most: int, code: int) -> None:
    if not 0 < byte_length(str(button.get("name", ""))) <= most:
        raise ApiError(code)


def _check_leaf(button: Json) -> None:
    kind = str(button.get("type"))
    if kind not in BUTTONS:
        raise ApiError(40017)
    value = button.get(BUTTONS[kind])
    if not isinstance(value, str) or not value:
        raise ApiError(40019 if BUTTONS[kind] == "key" else 40020)
    if BUTTONS[kind] == "key" and byte_length(value) > KEY_BYTES:
        raise ApiError(40019)
    if BUTTONS[kind] == "url":
        if byte_length(value) > URL_BYTES:
            raise ApiError(40020)
        if not value.startswith(("http://", "https://")):
            raise ApiError(40055)


def get(call: Call[OfficialAccount]) -> Answer:
    menus = call.subject.menus
    if menus.default is None:
        raise ApiError(46003)
    answer: dict[str, Any] = {"menu": {"button": menus.default}}
    if menus.conditional:
        answer["conditionalmenu"] = [
            {"button": m.buttons, "matchrule": m.rule, "menuid": m.id} for m in menus.conditional
        ]
    return answer


def current(call: Call[OfficialAccount]) -> Answer:
    """`get_current_selfmenu_info`."""
    buttons = call.subject.menus.default
    return {"is_menu_open": int(buttons is not None), "selfmenu_info": {"button": buttons or []}}


def delete(call: Call[OfficialAccount]) -> Answer:
    """Takes all conditional menus along."""
    menus = call.subject.menus
    menus.default, menus.conditional = None, []
    call.subject.platform.publish("menu", account=call.subject.config.name)
    return OK


def add_conditional(call: Call[OfficialAccount]) -> Answer:
    menus, rule = call.subject.menus, call.part("matchrule", 65305)
    if menus.default is None:
        raise ApiError(65303)
    if any(rule.get(name) for name in RETIRED_RULES):
        raise ApiError(65320)
    if not (rule.get("tag_id") or rule.get("client_platform_type")):
        raise ApiError(65305)
    return {"menuid": menus.add(_buttons(call), rule).id}


def delete_conditional(call: Call[OfficialAccount]) -> Answer:
    menus, wanted = call.subject.menus, call.text("menuid", 65301)
    kept = [menu for menu in menus.conditional if menu.id != wanted]
    if len(kept) == len(menus.conditional):
        raise ApiError(65301)
    menus.conditional = kept
    return OK


def try_match(call: Call[OfficialAccount]) -> Answer:
    follower = call.subject.known(call.text("user_id", 40003))
    if call.subject.menus.default is None:
        raise ApiError(65302)
    return {"button": call.subject.menus.seen_by(follower)}


ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    Endpoint("POST", "/cgi-bin/menu/create", create),
    Endpoint("GET", "/cgi-bin/menu/get", get),
    Endpoint("GET", "/cgi-bin/get_current_selfmenu_info", current),
    Endpoint("GET", "/cgi-bin/menu/delete", delete),
    Endpoint("POST", "/cgi-bin/menu/addconditional", add_conditional),
    Endpoint("POST", "/cgi-bin/menu/delconditional", delete_conditional),
    Endpoint("POST", "/cgi-bin/menu/trymatch", try_match),
)
