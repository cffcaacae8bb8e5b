"""A WeChat user with the account's chat open: everything a thumb can do there."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from bot.simulator import events
from bot.simulator.config import AccountKind
from bot.simulator.follower import Follower
from bot.simulator.media import SILENCE, Upload, plain_picture
from bot.simulator.screen import Bubble, Screen, Side
from bot.simulator.window import Trigger
from bot.simulator.wire import Field, Reply, Value

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount

_LINK = re.compile(r"<a\s[^>]*?href=[\"'](?P<url>[^\"']+)[\"'][^>]*>(?P<label>.*?)</a>", re.DOTALL)

MENU_ID = 400000001


class NotOnScreen(LookupError):
    """The user looked for something to tap and did not find it."""


class User:
    """Acts for one person; every action pushes what the real app would and returns the server's reply.

    The reply is on `screen` too, as is everything the account sends by itself.
    """

    def __init__(self, account: OfficialAccount, follower: Follower) -> None:
        self.account = account
        self.follower = follower

    @property
    def openid(self) -> str:
        return self.follower.openid

    @property
    def screen(self) -> Screen:
        return self.follower.screen

    async def receives(
        self, words: str = "", *, kind: str = "", since: int = 0, within: float = 5.0
    ) -> Bubble:
        """Wait for a bubble, see `Screen.wait_for`."""
        return await self.screen.wait_for(words, kind=kind, since=since, within=within)

    # Messages

    async def says(self, text: str) -> Reply:
        """Type a text and press send."""
        return await self._sends("text", text, [("Content", text)])

    async def says_together(self, *texts: str, reverse: bool = False) -> list[Reply]:
        """Send several texts at once; *reverse* lets the later ones reach the server first."""
        pushes = [self._prepared("text", text, [("Content", text)]) for text in texts]
        order = list(reversed(pushes)) if reverse else pushes
        tasks = {}
        for push in order:
            tasks[id(push)] = asyncio.ensure_future(self.account.push(self.follower, push, chat=True))
            await asyncio.sleep(0.005 if reverse else 0)  # lets the request leave before the next one
        return [await tasks[id(push)] for push in pushes]

    async def repeats(self) -> Reply:
        """The platform pushes this user's last message once more, with the same MsgId."""
        deliveries = self.account.webhook.deliveries
        last = next(d for d in reversed(deliveries) if d.sender == self.openid)
        return await self.account.push(self.follower, last.push, chat=False, show=False)

    async def sends_picture(
        self, content: bytes | None = None, filename: str = "photo.png", content_type: str = "image/png"
    ) -> Reply:
        file = Upload(filename, content_type, content or plain_picture())
        media = self.account.media.keep("image", file)
        url = self.account.media_url(media.id)
        return await self._sends("image", "", [("PicUrl", url), ("MediaId", media.id)], url=url)

    async def sends_voice(
        self, content: bytes = SILENCE, *, recognition: str | None = "", seconds: int = 3
    ) -> Reply:
        """A voice note. *recognition*, of a retired feature, comes empty, filled, or not at all (None)."""
        media = self.account.media.keep("voice", Upload("voice.amr", "audio/amr", content))
        fields: list[Field] = [("MediaId", media.id), ("Format", "amr")]
        if recognition is not None:
            fields.append(("Recognition", recognition))
        return await self._sends("voice", "", fields, seconds=seconds)

    async def sends_video(self, *, short: bool = False) -> Reply:
        media = self.account.media.keep("video", Upload("video.mp4", "video/mp4", b"\0\0\0\x18ftypmp42"))
        thumb = self.account.media.keep("thumb", Upload("thumb.png", "image/png", plain_picture()))
        fields: list[Field] = [("MediaId", media.id), ("ThumbMediaId", thumb.id)]
        return await self._sends("shortvideo" if short else "video", "", fields)

    async def sends_location(
        self, latitude: float = 23.134521, longitude: float = 113.358803, label: str = "示范路1号"
    ) -> Reply:
        fields: list[Field] = [
            ("Location_X", latitude),
            ("Location_Y", longitude),
            ("Scale", 20),
            ("Label", label),
        ]
        return await self._sends("location", label, fields)

    async def sends_link(self, title: str, url: str, description: str = "") -> Reply:
        fields: list[Field] = [("Title", title), ("Description", description), ("Url", url)]
        return await self._sends("link", title, fields, url=url)

    async def sends(self, kind: str, text: str = "", **fields: Value) -> Reply:
        """Any other message type, for example one that is documented nowhere: `sends("file", Title=…)`."""
        return await self._sends(kind, text, list(fields.items()))

    # Following and codes

    async def follows(self, scene: str | None = None) -> Reply:
        """Follow the account; with *scene* by scanning its QR code."""
        follower, now = self.follower, self.account.clock.now()
        follower.subscribed, follower.subscribed_at = True, now
        follower.scene = "ADD_SCENE_SEARCH" if scene is None else "ADD_SCENE_QR_CODE"
        follower.qr_scene = scene or ""
        self._opens(Trigger.FOLLOW)
        return await self._event(events.subscribe(scene, self._ticket(scene)))

    async def unfollows(self) -> Reply:
        self.follower.leave()
        fields = events.event("unsubscribe", ("EventKey", ""))
        return await self._event(fields, chat=False, show=False)

    async def scans(self, scene: str) -> Reply:
        """Scan a parametric QR code: SCAN for a follower, otherwise a subscription through it."""
        if not self.follower.subscribed:
            return await self.follows(scene)
        self._opens(Trigger.SCAN)
        return await self._event(events.scan(scene, self._ticket(scene)))

    async def scans_code(self, ticket: str) -> Reply:
        """Scan the code of a ticket. Raises NotOnScreen when it is unknown or has expired."""
        code = self.account.qrcodes.find(ticket)
        if code is None:
            raise NotOnScreen("the code is not valid any more")
        return await self.scans(code.scene)

    def authorizes(self, url: str) -> str:
        """Open an OAuth page in WeChat and agree; returns where the browser is sent, with its code.

        Raises RedirectRefused.
        """
        return self.account.oauth.authorize(url, self.follower)

    def _ticket(self, scene: str | None) -> str:
        return "" if scene is None else self.account.qrcodes.ticket_of(scene)

    # Menu and links

    async def clicks(self, key: str) -> Reply:
        """A menu button of type click."""
        self._opens(Trigger.MENU_CLICK)
        return await self._event(events.event("CLICK", ("EventKey", key)))

    async def presses(self, name: str) -> Reply | str:
        """Press a button of the account's menu by its name and do what its type asks for.

        A view or mini-program button pushes its event and returns the address it opens. Raises
        NotOnScreen.
        """
        tops = self.account.menus.seen_by(self.follower)
        leaves = [leaf for top in tops for leaf in (top.get("sub_button") or [top])]
        button = next((leaf for leaf in leaves if leaf["name"] == name), None)
        if button is None:
            raise NotOnScreen(name)
        return await self._act_on(button)

    async def _act_on(self, button: dict[str, Any]) -> Reply | str:
        kind, key = button["type"], button.get("key", "")
        if kind == "click":
            return await self.clicks(key)
        if kind == "view":
            await self.views(button["url"])
            return str(button["url"])
        if kind == "miniprogram":
            path = str(button.get("pagepath", ""))
            fields = events.view_miniprogram(path, MENU_ID)
            await self._event(fields, chat=False, show=False)
            return path
        if kind in ("scancode_push", "scancode_waitmsg"):
            return await self.scans_in_menu(key, "https://h.example/1", waits=kind == "scancode_waitmsg")
        if kind == "location_select":
            await self._event(events.location_select(key, 23.134521, 113.358803, "示范路1号"))
            return await self.sends_location()
        if kind.startswith("pic_"):
            digest = hashlib.md5(plain_picture(), usedforsecurity=False).hexdigest()
            await self._event(events.pictures(kind, key, [digest]))
            return await self.sends_picture()
        return str(button.get("media_id") or button.get("article_id"))

    async def views(self, url: str, menu_id: int = MENU_ID) -> Reply:
        """A menu button that opens a page: no window opens, no reply is shown."""
        return await self._event(events.view(url, menu_id), chat=False, show=False)

    async def scans_in_menu(self, key: str, result: str, *, waits: bool = True) -> Reply:
        """A menu button of type scancode_waitmsg (or scancode_push)."""
        self._opens(Trigger.MENU_CLICK)
        name = "scancode_waitmsg" if waits else "scancode_push"
        return await self._event(events.scancode(name, key, result), chat=waits)

    async def taps(self, label: str) -> Reply | str:
        """Tap an item of the newest msgmenu, or a link in a text, by its words.

        Returns the reply to a menu item, or the address of an ordinary link, which opens in the browser.
        Raises NotOnScreen.
        """
        for bubble in reversed(self.screen.received):
            for item in bubble.content.get("list", []):
                if label in (item.get("content"), item.get("id")):
                    return await self.chooses(item["content"], item["id"])
            for link in _LINK.finditer(bubble.text):
                if link["label"] == label:
                    return await self._follows_link(link["url"])
            if label == bubble.text and "url" in bubble.content:
                return str(bubble.content["url"])
        raise NotOnScreen(label)

    async def chooses(self, text: str, item_id: str) -> Reply:
        """An item of a msgmenu: arrives as a text, counts as a menu click."""
        self._opens(Trigger.MENU_CLICK)
        fields: list[Field] = [("Content", text)]
        if self.account.config.kind is AccountKind.SERVICE:
            fields.append(("bizmsgmenuid", item_id))
        push = self._prepared("text", text, fields, opens=False)
        return await self.account.push(self.follower, push, chat=True)

    async def _follows_link(self, url: str) -> Reply | str:
        if not url.startswith("weixin://bizmsgmenu"):
            return url
        query = parse_qs(urlsplit(url.replace("&amp;", "&")).query)
        return await self.chooses(unquote(query["msgmenucontent"][0]), query["msgmenuid"][0])

    # Other things that happen

    async def shares_location(self, latitude: float = 23.1, longitude: float = 113.3) -> Reply:
        """Opens the chat with location sharing allowed."""
        return await self._event(events.shared_location(latitude, longitude, 65.0), chat=False)

    async def answers_subscription(self, template_id: str, *, accept: bool = True) -> Reply:
        """Answer the pop-up of a page that asks to allow one subscription notice."""
        if accept:
            self.follower.granted[template_id] += 1
        answer = "accept" if accept else "reject"
        item: dict[str, Value] = {
            "TemplateId": template_id,
            "SubscribeStatusString": answer,
            "PopupScene": 1,
        }
        fields = events.subscription_event("subscribe_msg_popup_event", [item])
        return await self._event(fields, chat=False)

    async def turns_off_subscriptions(self, template_ids: Sequence[str]) -> Reply:
        for template_id in template_ids:
            self.follower.granted.pop(template_id, None)
        items: list[dict[str, Value]] = [
            {"TemplateId": template_id, "SubscribeStatusString": "reject"} for template_id in template_ids
        ]
        fields = events.subscription_event("subscribe_msg_change_event", items)
        return await self._event(fields, chat=False)

    async def event(self, name: str, **fields: Value) -> Reply:
        """Any other event, under its exact name."""
        return await self._event(events.event(name, *fields.items()), chat=False)

    # Below the thumb

    async def _sends(self, kind: str, text: str, fields: list[Field], **content: Any) -> Reply:
        push = self._prepared(kind, text, fields, **content)
        return await self.account.push(self.follower, push, chat=True)

    def _prepared(
        self, kind: str, text: str, fields: list[Field], *, opens: bool = True, **content: Any
    ) -> list[Field]:
        now = self.account.clock.now()
        self.screen.show(now, Side.MINE, kind, text, "me", **content)
        self.follower.last_message_at = now
        if opens:
            self._opens(Trigger.MESSAGE)
        message_id = self.account.next_message_id()
        return self.account.addressed(self.openid, events.message(kind, *fields), message_id)

    async def _event(self, fields: list[Field], *, chat: bool = True, show: bool = True) -> Reply:
        push = self.account.addressed(self.openid, fields)
        return await self.account.push(self.follower, push, chat=chat, show=show)

    def _opens(self, trigger: Trigger) -> None:
        if self.follower.subscribed:
            self.follower.window.opened_by(trigger, self.account.clock.now())
