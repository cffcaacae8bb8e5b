"""Sealing pushes and opening replies in the three modes of an official account, and in WeCom's only one."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Protocol

from bot.simulator.config import Mode
from bot.simulator.crypto import CryptoError, MessageCipher, new_nonce, sign
from bot.simulator.wire import BadReply, Field, parse, xml_of

ACKNOWLEDGED = (b"", b"success")


@dataclass(frozen=True, slots=True)
class Sealed:
    """One HTTP request of a push: the query and the body."""

    query: dict[str, str]
    body: bytes


class Envelope(Protocol):
    """How one webhook's pushes travel."""

    def seal(self, push: list[Field], sender: str, timestamp: int) -> Sealed:
        """Sign and encrypt a push, with a nonce of its own."""
        ...

    def open(self, body: bytes) -> bytes | None:
        """The reply's XML in plain, None when it is an acknowledgement. Raises BadReply."""
        ...


@dataclass(frozen=True, slots=True)
class OfficialAccountEnvelope:
    token: str
    mode: Mode
    cipher: MessageCipher

    def seal(self, push: list[Field], sender: str, timestamp: int) -> Sealed:
        nonce = new_nonce()
        query = {
            "signature": sign(self.token, str(timestamp), nonce),
            "timestamp": str(timestamp),
            "nonce": nonce,
            "openid": sender,
        }
        if self.mode is Mode.PLAIN:
            return Sealed(query, xml_of(push).encode())
        encrypted = self.cipher.encrypt(xml_of(push).encode())
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign(self.token, str(timestamp), nonce, encrypted)
        visible = push if self.mode is Mode.COMPATIBLE else push[:1]
        return Sealed(query, xml_of([*visible, ("Encrypt", encrypted)]).encode())

    def open(self, body: bytes) -> bytes | None:
        if body.strip() in ACKNOWLEDGED:
            return None
        if self.mode is Mode.PLAIN:
            return body
        if parse(body).find("Encrypt") is None and self.mode is Mode.COMPATIBLE:
            return body
        return _decrypted(body, self.token, self.cipher)


@dataclass(frozen=True, slots=True)
class WecomEnvelope:
    """Always encrypted. *agent_id* None leaves the AgentID out, as 微信客服 does."""

    token: str
    cipher: MessageCipher
    corp_id: str
    agent_id: int | None

    def seal(self, push: list[Field], sender: str, timestamp: int) -> Sealed:
        nonce = new_nonce()
        encrypted = self.cipher.encrypt(xml_of(push).encode())
        query = {
            "msg_signature": sign(self.token, str(timestamp), nonce, encrypted),
            "timestamp": str(timestamp),
            "nonce": nonce,
        }
        agent: list[Field] = [] if self.agent_id is None else [("AgentID", str(self.agent_id))]
        fields: list[Field] = [("ToUserName", self.corp_id), *agent, ("Encrypt", encrypted)]
        return Sealed(query, xml_of(fields).encode())

    def open(self, body: bytes) -> bytes | None:
        if body.strip() in ACKNOWLEDGED:
            return None
        return _decrypted(body, self.token, self.cipher)


def _decrypted(body: bytes, token: str, cipher: MessageCipher) -> bytes:
    root = parse(body)
    names = ("TimeStamp", "Nonce", "Encrypt")
    parts = [(root.findtext(name) or "").strip() for name in names]
    for name, part in zip(names, parts, strict=True):
        if not part:
            raise BadReply(f"an encrypted reply needs {name}")
    signature = (root.findtext("MsgSignature") or "").strip()
    if not hmac.compare_digest(signature, sign(token, *parts)):
        raise BadReply("MsgSignature is wrong")
    try:
        return cipher.decrypt(parts[2])
    except CryptoError as error:
        raise BadReply(f"Encrypt: {error}") from error
