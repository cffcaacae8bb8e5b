"""What a patient sent, whatever the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message or event from a platform."""

    account: str  # the door it came through: wechat/default, wecom/default, kf/<open_kfid>
    openid: str
    key: str  # the platform's number of it, or a digest of the body: equal for every retry
    type: str  # text, image, voice, video, location, link, …, event:subscribe, event:CLICK
    written_at: datetime  # when the platform says it was written
    text: str = ""
    choice: str = ""  # the ID of a tapped menu item or button
    payload: Mapping[str, Any] = field(default_factory=dict)  # whatever else was sent
    unionid: str = ""

    @property
    def words(self) -> str:
        """What was written, or what the platform heard in a voice message: danger is looked for in both."""
        return self.text or (str(self.payload.get("Recognition") or "") if self.type == "voice" else "")

    @property
    def is_event(self) -> bool:
        """Something that happened, rather than something that was said."""
        return self.type.startswith("event:")

    @property
    def event(self) -> str:
        """The event's name in the platform's own spelling; empty for a message."""
        return self.type.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Article:
    """A card with a picture that opens a page."""

    title: str
    description: str = ""
    picture_url: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back in answer to one inbound. Empty: nothing is shown."""

    text: str = ""
    articles: tuple[Article, ...] = ()
    image: str = ""  # a media ID

    def __bool__(self) -> bool:
        return bool(self.text or self.articles or self.image)
