"""What an official account's platform knows about one WeChat user."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.screen import Screen
from bot.simulator.window import Window


@dataclass
class Follower:
    """*subscribed* is whether they follow now; the rest survives an unfollow only where it does for real.

    *refuses_messages* is the user's own switch 接收消息, *blacklisted* the account's.
    """

    openid: str
    name: str
    screen: Screen
    unionid: str | None = None
    hint: str = ""
    subscribed: bool = False
    subscribed_at: datetime | None = None
    scene: str = "ADD_SCENE_SEARCH"
    qr_scene: str = ""
    language: str = "zh_CN"
    remark: str = ""
    tags: set[int] = field(default_factory=set)
    blacklisted: bool = False
    refuses_messages: bool = False
    refuses_templates: bool = False
    window: Window = field(default_factory=Window)
    last_message_at: datetime | None = None
    typing_until: datetime | None = None
    granted: Counter[str] = field(default_factory=Counter)
    mass_months: Counter[tuple[int, int]] = field(default_factory=Counter)

    def leave(self) -> None:
        """Unfollowing empties tags, window and granted subscriptions."""
        self.subscribed = False
        self.subscribed_at = None
        self.tags.clear()
        self.granted.clear()
        self.window.shut()
        self.last_message_at = None
