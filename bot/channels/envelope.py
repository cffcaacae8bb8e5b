"""The envelope both platforms put their pushes in: signature, AES, XML.

Source: platform.md §1.2-1.4 and §3.1. AES and its padding are wechatpy's; comparing is ours, in constant time,
and comes first: nothing is decrypted or parsed that is not signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.utils import to_binary

from bot.domain.errors import PushRefused

MOST_TAGS = 4000  # of one push; the largest real one has a few dozen
_FORBIDDEN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
# Characters XML 1.0 does not know. Patients' phones send them all the same, and a message must not be lost for one.
_NOT_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, as the platform signs."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324  the platform's choice


def is_signed(given: str, *parts: str) -> bool:
    """Whether `given` signs the parts, compared in constant time."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode())


def parse(body: bytes) -> dict[str, Any]:
    """The fields of `<xml>…</xml>`.

    Raises:
        PushRefused: it is not such XML, or it tries to declare entities.
    """
    if _FORBIDDEN.search(body) or body.count(b"<") > MOST_TAGS:
        raise PushRefused("xml", 400)
    try:
        document = xmltodict.parse(body.decode("utf-8", errors="replace").translate(_NOT_XML))
    except (ExpatError, ValueError) as error:
        raise PushRefused("xml", 400) from error
    fields = document.get("xml")
    if not isinstance(fields, dict):
        raise PushRefused("xml", 400)
    return fields


class Envelope:
    """Opens and closes envelopes for one account."""

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        self._token = token
        self._receiver = receiver  # AppID or CorpID: the last bytes inside every ciphertext
        self._aes = PrpCrypto(base64.b64decode(aes_key + "=")) if aes_key else None

    def check_plain(self, query: Mapping[str, str]) -> None:
        """The signature over token, timestamp and nonce. It does not cover the body.

        Raises:
            PushRefused: it is wrong or missing.
        """
        if not is_signed(
            query.get("signature", ""), self._token, query.get("timestamp", ""), query.get("nonce", "")
        ):
            raise PushRefused("signature")

    def open(self, query: Mapping[str, str], sealed: str) -> bytes:
        """What is inside, when it is signed and meant for us.

        Raises:
            PushRefused: wrong signature, altered or foreign ciphertext.
        """
        given = query.get("msg_signature", "")
        if not is_signed(given, self._token, query.get("timestamp", ""), query.get("nonce", ""), sealed):
            raise PushRefused("signature")
        if self._aes is None:
            raise PushRefused("no_key")
        try:
            inside = self._aes.decrypt(sealed, self._receiver)
        except InvalidAppIdException as error:
            raise PushRefused("receiver") from error
        except Exception as error:  # wechatpy lets struct, base64 and padding errors through
            raise PushRefused("ciphertext") from error
        return bytes(to_binary(inside))

    def close(self, xml: str, timestamp: str, nonce: str) -> str:
        """An encrypted reply."""
        assert self._aes is not None
        sealed = self._aes.encrypt(xml, self._receiver).decode()
        signed = signature(self._token, timestamp, nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )


def digest(fields: Mapping[str, Any]) -> str:
    """A number for an event, which has none of its own: equal for every retry of it, whatever the wrapping."""
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode(errors="replace")
    return "event:" + hashlib.sha256(canonical).hexdigest()


def cdata(text: str) -> str:
    """Text made safe for a CDATA section: `]]>` is split, characters XML does not know are left out."""
    return text.translate(_NOT_XML).replace("]]>", "]]]]><![CDATA[>")
