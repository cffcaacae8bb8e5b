"""Pushes as XML, and the strict reading of what a server answers them with.

Sources: developers.weixin.qq.com, 接收普通消息, 接收事件推送, 回复用户消息; developer.work.weixin.qq.com,
接收消息与事件.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Value: TypeAlias = "str | int | float | Sequence[Field]"
Field: TypeAlias = "tuple[str, Value]"

TEXT_BYTES = 2048
ARTICLES_AFTER_A_MESSAGE = 1
ARTICLES_AFTER_AN_EVENT = 8

_ILLEGAL_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class BadReply(Exception):
    """The server's answer cannot be shown; the message says what is wrong with it."""


def xml_of(fields: Sequence[Field], root: str = "xml") -> str:
    """The fields as the platform writes them: text in CDATA, numbers bare, lists nested."""
    return f"<{root}>{''.join(_element(name, value) for name, value in fields)}</{root}>"


def _element(name: str, value: Value) -> str:
    if isinstance(value, str):
        return f"<{name}>{_cdata(value)}</{name}>"
    if isinstance(value, int | float):
        return f"<{name}>{value}</{name}>"
    return xml_of(value, name)


def _cdata(text: str) -> str:
    # WeChat's own clients never send what XML cannot carry.
    clean = _ILLEGAL_IN_XML.sub("", text)
    return f"<![CDATA[{clean.replace(']]>', ']]]]><![CDATA[>')}]]>"


def parse(body: bytes) -> Element:
    """The root `<xml>` element. Raises BadReply for anything else, a DOCTYPE included."""
    if b"<!DOCTYPE" in body:
        raise BadReply("a DOCTYPE in the answer")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 – written by the server under test, no DTD
    except (ElementTree.ParseError, ValueError) as error:
        raise BadReply(f"not XML: {error}") from error
    if root.tag != "xml":
        raise BadReply(f"the root is <{root.tag}>, not <xml>")
    return root


@dataclass(frozen=True, slots=True)
class Article:
    title: str
    description: str
    picture_url: str
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one push.

    *kind* is the reply's MsgType, "none" when the server acknowledged without words, "failure" when the
    platform gave up on it; then *failure* says why. *attempts* counts the pushes it took.
    """

    kind: str
    text: str = ""
    media_id: str = ""
    articles: tuple[Article, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: bytes = b""
    failure: str = ""
    attempts: int = 1

    def __contains__(self, words: str) -> bool:
        return words in self.text


NOTHING = Reply("none")

_REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("Content",),
        "image": ("Image/MediaId",),
        "voice": ("Voice/MediaId",),
        "video": ("Video/MediaId",),
        "music": ("Music/ThumbMediaId",),
        "news": ("ArticleCount", "Articles/item/Title"),
        "transfer_customer_service": (),
        "update_button": ("Button/ReplaceName",),
        "update_template_card": ("TemplateCard/CardType",),
    }
)

OFFICIAL_ACCOUNT_REPLIES = frozenset(
    {"text", "image", "voice", "video", "music", "news", "transfer_customer_service"}
)
APP_REPLIES = frozenset({"text", "image", "voice", "video", "news", "update_button", "update_template_card"})


def read_reply(
    body: bytes, *, sender: str, receiver: str, kinds: frozenset[str], most_articles: int
) -> Reply:
    """Read a decrypted passive reply. *sender* and *receiver* are what the reply must carry.

    Raises BadReply where the platform would tell the user that the service is out of order.
    """
    root = parse(body)
    if _text(root, "ToUserName") != receiver or _text(root, "FromUserName") != sender:
        raise BadReply("ToUserName and FromUserName are not the push's, swapped")
    if not _text(root, "CreateTime").isdigit():
        raise BadReply("CreateTime is not a number")
    kind = _text(root, "MsgType")
    if kind not in kinds:
        raise BadReply(f"unknown MsgType {kind!r}")
    for path in _REQUIRED[kind]:
        if not _text(root, path):
            raise BadReply(f"{path} is missing or empty in a {kind} reply")
    return _reply(root, kind, body, most_articles)


def _reply(root: Element, kind: str, body: bytes, most_articles: int) -> Reply:
    text = root.findtext("Content") or ""
    if len(text.encode()) > TEXT_BYTES:
        raise BadReply(f"Content has {len(text.encode())} bytes, more than {TEXT_BYTES}")
    articles = _articles(root, most_articles) if kind == "news" else ()
    media_id = next((e.text or "" for e in root.iter() if e.tag in ("MediaId", "ThumbMediaId")), "")
    return Reply(
        kind=kind,
        text=text or "\n".join(f"{a.title}\n{a.description}" for a in articles),
        media_id=media_id.strip(),
        articles=articles,
        fields=MappingProxyType({e.tag: e.text or "" for e in root.iter() if len(e) == 0}),
        raw=body,
    )


def _articles(root: Element, most: int) -> tuple[Article, ...]:
    items = root.findall("Articles/item")
    if _text(root, "ArticleCount") != str(len(items)):
        raise BadReply("ArticleCount does not count the articles")
    if len(items) > most:
        raise BadReply(f"{len(items)} articles where {most} may be sent")
    names = ("Title", "Description", "PicUrl", "Url")
    return tuple(Article(*(item.findtext(name) or "" for name in names)) for item in items)


def _text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()
