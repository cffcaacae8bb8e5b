"""Pushes no sound platform makes: what a server must refuse early, or read with a shrug."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.simulator.config import Mode
from bot.simulator.crypto import MessageCipher, new_nonce, sign
from bot.simulator.envelope import Sealed
from bot.simulator.wire import Field, xml_of

if TYPE_CHECKING:
    from bot.simulator.account import OfficialAccount


class Garbage(StrEnum):
    """What is wrong with the push. The last four are signed and sealed properly."""

    BAD_SIGNATURE = "bad signature"
    NO_SIGNATURE = "no signature"
    FOREIGN_APPID = "another account's AppID"
    ALTERED = "altered ciphertext"
    TRUNCATED = "truncated ciphertext"
    OVERSIZE = "a body of 300 KB"
    NOT_XML = "no XML"
    EMPTY = "no body"
    ENTITIES = "DTD with entities"
    CONTROL_CHARACTERS = "NUL and control characters"
    UNKNOWN_MESSAGE = "unknown MsgType"
    UNKNOWN_EVENT = "unknown Event"
    MISSING_FIELDS = "a text without Content"


ENTITY_BOMB = (
    '<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<xml><ToUserName>gh</ToUserName><FromUserName>&b;</FromUserName><CreateTime>1</CreateTime>"
    "<MsgType>text</MsgType><Content>&b;</Content><MsgId>1</MsgId></xml>"
)


def spoilt(account: OfficialAccount, openid: str, kind: Garbage) -> Sealed:
    """One request of the given kind, in the account's mode."""
    return _MAKERS[kind](account, openid)


def _text(account: OfficialAccount, openid: str, content: str = "你好") -> str:
    fields: list[Field] = [("MsgType", "text"), ("Content", content)]
    return xml_of(account.addressed(openid, fields, account.next_message_id()))


def _sealed(account: OfficialAccount, openid: str, xml: str, encrypted: str | None = None) -> Sealed:
    token, timestamp, nonce = account.config.token, str(int(account.clock.now().timestamp())), new_nonce()
    query = {
        "signature": sign(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": openid,
    }
    if account.config.mode is Mode.PLAIN and encrypted is None:
        return Sealed(query, xml.encode(errors="surrogatepass"))
    if encrypted is None:
        encrypted = account.cipher.encrypt(xml.encode())
    query.update(encrypt_type="aes", msg_signature=sign(token, timestamp, nonce, encrypted))
    fields: list[Field] = [("ToUserName", account.config.original_id), ("Encrypt", encrypted)]
    return Sealed(query, xml_of(fields).encode())


def _bad_signature(account: OfficialAccount, openid: str) -> Sealed:
    sealed = _sealed(account, openid, _text(account, openid))
    names = {"signature", "msg_signature"} & sealed.query.keys()
    wrong = dict.fromkeys(names, "0" * 40)
    return Sealed({**sealed.query, **wrong}, sealed.body)


def _no_signature(account: OfficialAccount, openid: str) -> Sealed:
    return Sealed({"openid": openid}, _sealed(account, openid, _text(account, openid)).body)


def _foreign(account: OfficialAccount, openid: str) -> Sealed:
    cipher = MessageCipher(account.config.aes_key, "wx0000000000000000")
    return _sealed(account, openid, "", cipher.encrypt(_text(account, openid).encode()))


def _altered(account: OfficialAccount, openid: str) -> Sealed:
    encrypted = account.cipher.encrypt(_text(account, openid).encode())
    middle = len(encrypted) // 2
    swapped = "A" if encrypted[middle] != "A" else "B"
    return _sealed(account, openid, "", encrypted[:middle] + swapped + encrypted[middle + 1 :])


def _truncated(account: OfficialAccount, openid: str) -> Sealed:
    return _sealed(account, openid, "", account.cipher.encrypt(_text(account, openid).encode())[:-40])


def _oversize(account: OfficialAccount, openid: str) -> Sealed:
    return _sealed(account, openid, _text(account, openid, "长" * 100_000))


def _raw(body: str) -> Callable[[OfficialAccount, str], Sealed]:
    def make(account: OfficialAccount, openid: str) -> Sealed:
        query = _sealed(account, openid, _text(account, openid)).query
        return Sealed(query, body.encode())

    return make


def _inner(*fields: Field) -> Callable[[OfficialAccount, str], Sealed]:
    def make(account: OfficialAccount, openid: str) -> Sealed:
        return _sealed(
            account, openid, xml_of(account.addressed(openid, list(fields), account.next_message_id()))
        )

    return make


def _control(account: OfficialAccount, openid: str) -> Sealed:
    return _sealed(account, openid, _text(account, openid, "你好MARK").replace("MARK", "\0\x01\x1f\x7f"))


def _entities(account: OfficialAccount, openid: str) -> Sealed:
    return _sealed(account, openid, ENTITY_BOMB)


_MAKERS: Mapping[Garbage, Callable[[OfficialAccount, str], Sealed]] = MappingProxyType(
    {
        Garbage.BAD_SIGNATURE: _bad_signature,
        Garbage.NO_SIGNATURE: _no_signature,
        Garbage.FOREIGN_APPID: _foreign,
        Garbage.ALTERED: _altered,
        Garbage.TRUNCATED: _truncated,
        Garbage.OVERSIZE: _oversize,
        Garbage.NOT_XML: _raw("你好"),
        Garbage.EMPTY: _raw(""),
        Garbage.ENTITIES: _entities,
        Garbage.CONTROL_CHARACTERS: _control,
        Garbage.UNKNOWN_MESSAGE: _inner(("MsgType", "hologram"), ("Content", "?")),
        Garbage.UNKNOWN_EVENT: _inner(("MsgType", "event"), ("Event", "shake_around_user"), ("EventKey", "")),
        Garbage.MISSING_FIELDS: _inner(("MsgType", "text")),
    }
)
