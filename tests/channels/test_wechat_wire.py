"""The official account's wire format, against the platform's own published vectors (platform.md §1.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import xmltodict

from bot.channels.envelope import Envelope, cdata, is_signed, parse, signature
from bot.channels.wechat import OfficialAccount
from bot.domain.errors import PushRefused
from bot.domain.inbound import Article, Inbound, Reply
from tests.serving import AES_KEY, APP_ID, TOKEN

ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6J"
    "sXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8"
    "EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
QUERY = {
    "timestamp": "1714112445",
    "nonce": "415670741",
    "signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
    "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    "encrypt_type": "aes",
}
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
TEXT = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oU1]]></FromUserName>"
    "<CreateTime>1348831860</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[{}]]></Content><MsgId>1234567890123456</MsgId></xml>"
)


@pytest.fixture
def account() -> OfficialAccount:
    return OfficialAccount("default", APP_ID, TOKEN, AES_KEY, "safe")


@pytest.fixture
def plain_account() -> OfficialAccount:
    return OfficialAccount("default", APP_ID, TOKEN, AES_KEY, "plain")


def plain_query() -> dict[str, str]:
    return {"timestamp": "1", "nonce": "2", "signature": signature(TOKEN, "1", "2")}


def test_verification_echoes_byte_for_byte(account: OfficialAccount) -> None:
    query = {
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
    }
    assert account.verify(query) == "4375120948345356249"
    with pytest.raises(PushRefused):
        account.verify(query | {"signature": "f464b24fc39322e44b38aa78f5edd27bd1441697"})


def test_strings_are_sorted_as_strings() -> None:
    assert signature(TOKEN, "1714037059", "486452656") == "899cf89e464efb63f54ddac96b0a0a235f53aa78"


def test_the_published_ciphertext_opens() -> None:
    inside = Envelope(TOKEN, AES_KEY, APP_ID).open(QUERY, ENCRYPTED)
    assert b'"Event":"debug_demo"' in inside
    assert b"hello world" in inside


@pytest.mark.parametrize("position", [0, 40, len(ENCRYPTED) - 2])
def test_one_altered_byte_is_refused(position: int) -> None:
    altered = ENCRYPTED[:position] + ("B" if ENCRYPTED[position] != "B" else "C") + ENCRYPTED[position + 1 :]
    envelope = Envelope(TOKEN, AES_KEY, APP_ID)
    with pytest.raises(PushRefused, match="signature"):
        envelope.open(QUERY, altered)
    signed = signature(TOKEN, QUERY["timestamp"], QUERY["nonce"], altered)
    with pytest.raises(PushRefused):  # even a forger who can sign needs the key
        envelope.open(QUERY | {"msg_signature": signed}, altered)


def test_a_foreign_account_is_refused() -> None:
    with pytest.raises(PushRefused, match="receiver"):
        Envelope(TOKEN, AES_KEY, "wx0000000000000000").open(QUERY, ENCRYPTED)


def test_a_reply_opens_with_the_same_key() -> None:
    envelope = Envelope(TOKEN, AES_KEY, APP_ID)
    fields = parse(envelope.close("<xml><A>好</A></xml>", "1713424427", "415670741").encode())
    assert is_signed(fields["MsgSignature"], TOKEN, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
    query = {"timestamp": "1713424427", "nonce": "415670741", "msg_signature": fields["MsgSignature"]}
    assert envelope.open(query, fields["Encrypt"]).decode() == "<xml><A>好</A></xml>"


def test_safe_mode_refuses_a_plain_body_with_a_valid_signature(account: OfficialAccount) -> None:
    with pytest.raises(PushRefused, match="not_encrypted"):
        account.read(plain_query(), TEXT.format("你好").encode())


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("你好", "你好"),
        ("我😷了👨‍👩‍👧", "我😷了👨‍👩‍👧"),
        ("a\x00b\x0bc", "abc"),
        ("一" * 10_000, "一" * 10_000),
        ("]]]]><![CDATA[>", "]]>"),
    ],
)
def test_whatever_patients_type_is_read(plain_account: OfficialAccount, typed: str, read: str) -> None:
    inbound = plain_account.read(plain_query(), TEXT.format(typed).encode())
    assert inbound.text == read
    assert inbound.key == "1234567890123456:oU1"
    assert inbound.written_at == datetime(2012, 9, 28, 11, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<xml/>",
        b"<root><MsgType>text</MsgType></root>",
        b'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "b">]><xml><Content>&a;</Content></xml>',
        b"<xml>" + b"<a>" * 10_000,
        b"<xml><FromUserName>o</FromUserName><MsgType>text</MsgType></xml>",
        b"<xml><FromUserName>o</FromUserName><MsgType>text</MsgType><CreateTime>soon</CreateTime></xml>",
    ],
)
def test_what_is_no_push_is_refused_without_an_error(plain_account: OfficialAccount, body: bytes) -> None:
    with pytest.raises(PushRefused):
        plain_account.read(plain_query(), body)


def test_events_in_the_same_second_are_told_apart(plain_account: OfficialAccount) -> None:
    event = (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oU1</FromUserName><CreateTime>1700000000</CreateTime>"
        "<MsgType>event</MsgType><Event>{}</Event><EventKey>{}</EventKey></xml>"
    )
    keys = {
        plain_account.read(plain_query(), event.format(name, key).encode()).key
        for name, key in [("subscribe", ""), ("SCAN", "clinic7"), ("CLICK", "A"), ("CLICK", "B")]
    }
    assert len(keys) == 4
    again = plain_account.read(plain_query(), event.format("CLICK", "A").encode())
    assert again.key in keys
    assert (again.event, again.choice) == ("CLICK", "A")


def test_every_field_is_kept(plain_account: OfficialAccount) -> None:
    body = (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oU1</FromUserName><CreateTime>1700000000</CreateTime>"
        "<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>"
        "<List><TemplateId>T1</TemplateId></List><List><TemplateId>T2</TemplateId></List>"
        "</SubscribeMsgPopupEvent></xml>"
    )
    inbound = plain_account.read(plain_query(), body.encode())
    assert inbound.payload["SubscribeMsgPopupEvent"]["List"][1]["TemplateId"] == "T2"


@pytest.mark.parametrize("text", ["好的]]>", "]]>]]>", "😷\x00\x1f", "<a href='https://x'>点</a>&"])
def test_a_reply_survives_any_text(plain_account: OfficialAccount, text: str) -> None:
    inbound = plain_account.read(plain_query(), TEXT.format("你好").encode())
    xml = plain_account.write(inbound, Reply(text=text), NOW, plain_query())
    fields = xmltodict.parse(xml)["xml"]
    assert fields["Content"] == "".join(character for character in text if character >= " ")
    assert (fields["ToUserName"], fields["FromUserName"]) == ("oU1", "gh_1")
    assert cdata("plain") == "plain"


def test_one_article_after_a_message_eight_after_a_tap(plain_account: OfficialAccount) -> None:
    articles = tuple(Article(title=str(number), url="https://x") for number in range(10))
    message = plain_account.read(plain_query(), TEXT.format("你好").encode())
    tap = Inbound(
        account="wechat/default",
        openid="oU1",
        key="k",
        type="event:CLICK",
        written_at=NOW,
        payload={"gh": "gh_1"},
    )
    for inbound, count in ((message, "1"), (tap, "8")):
        fields = xmltodict.parse(plain_account.write(inbound, Reply(articles=articles), NOW, plain_query()))[
            "xml"
        ]
        assert fields["ArticleCount"] == count


def test_nothing_to_say_is_success(account: OfficialAccount) -> None:
    inbound = Inbound(account="wechat/default", openid="o", key="k", type="text", written_at=NOW)
    assert account.write(inbound, Reply(), NOW, QUERY) == "success"
