"""Bodies of messages and events, in the exact spelling and case of the platform.

Source: developers.weixin.qq.com, 接收普通消息, 接收事件推送, 自定义菜单事件推送, 订阅通知事件推送.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.simulator.wire import Field, Value


def message(kind: str, *fields: Field) -> list[Field]:
    return [("MsgType", kind), *fields]


def event(name: str, *fields: Field) -> list[Field]:
    return [("MsgType", "event"), ("Event", name), *fields]


def subscribe(scene: str | None = None, ticket: str = "") -> list[Field]:
    """A new follower; with a scene when a parametric QR code was scanned."""
    if scene is None:
        return event("subscribe", ("EventKey", ""))
    return event("subscribe", ("EventKey", f"qrscene_{scene}"), ("Ticket", ticket))


def scan(scene: str, ticket: str) -> list[Field]:
    """Somebody who follows already has scanned a parametric QR code."""
    return event("SCAN", ("EventKey", scene), ("Ticket", ticket))


def shared_location(latitude: float, longitude: float, precision: float) -> list[Field]:
    return event("LOCATION", ("Latitude", latitude), ("Longitude", longitude), ("Precision", precision))


def view(url: str, menu_id: int) -> list[Field]:
    return event("VIEW", ("EventKey", url), ("MenuId", menu_id))


def view_miniprogram(path: str, menu_id: int) -> list[Field]:
    return event("view_miniprogram", ("EventKey", path), ("MenuId", menu_id))


def scancode(name: str, key: str, result: str, scan_type: str = "qrcode") -> list[Field]:
    """*name* is scancode_push or scancode_waitmsg."""
    info: list[Field] = [("ScanType", scan_type), ("ScanResult", result)]
    return event(name, ("EventKey", key), ("ScanCodeInfo", info))


def pictures(name: str, key: str, digests: Sequence[str]) -> list[Field]:
    """*name* is pic_sysphoto, pic_photo_or_album or pic_weixin; *digests* are the pictures' MD5 sums."""
    items: list[Field] = [("item", [("PicMd5Sum", digest)]) for digest in digests]
    info: list[Field] = [("Count", len(digests)), ("PicList", items)]
    return event(name, ("EventKey", key), ("SendPicsInfo", info))


def location_select(key: str, latitude: float, longitude: float, label: str) -> list[Field]:
    place: list[Field] = [
        ("Location_X", str(latitude)),
        ("Location_Y", str(longitude)),
        ("Scale", "16"),
        ("Label", label),
        ("Poiname", ""),
    ]
    return event("location_select", ("EventKey", key), ("SendLocationInfo", place))


def template_sent(message_id: int, status: str) -> list[Field]:
    """*status*: success, `failed:user block`, `failed: system failed`."""
    return event("TEMPLATESENDJOBFINISH", ("MsgID", message_id), ("Status", status))


def subscription_event(name: str, templates: Sequence[Mapping[str, Value]]) -> list[Field]:
    """*name* is subscribe_msg_popup_event, …_change_event or …_sent_event; one `List` element a template."""
    wrapper = "".join(part.capitalize() for part in name.split("_"))
    items: list[Field] = [("List", list(template.items())) for template in templates]
    return event(name, (wrapper, items))
