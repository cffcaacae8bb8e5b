"""Signatures and encryption of pushes (消息加解密说明), written from the documentation alone.

Shared by official accounts and WeCom. Kept free of any SDK so that the server under test, which may use
one, is checked by a second implementation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # PKCS#7 pads to 32 bytes here, not to AES's 16


class CryptoError(Exception):
    """The ciphertext is not ours, or has been altered."""


def sign(*parts: str) -> str:
    """SHA-1 of the parts sorted as strings and joined, in lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def new_nonce() -> str:
    """A random decimal number of nine or ten digits, as the platform sends."""
    return str(secrets.randbelow(9_000_000_000) + 100_000_000)


class MessageCipher:
    """AES-256-CBC under an EncodingAESKey of 43 characters.

    *receiver* is the AppID of an official account or the CorpID; it closes every plaintext and is checked.
    """

    def __init__(self, aes_key: str, receiver: str) -> None:
        # The platform issues keys whose last character may carry stray bits: decode leniently.
        self._key = base64.b64decode(aes_key + "=")
        if len(self._key) != 32:
            raise ValueError("an EncodingAESKey has 43 characters")
        self._receiver = receiver.encode()

    def encrypt(self, message: bytes, prefix: bytes | None = None) -> str:
        """The message as base64 in a single line. *prefix* fixes the 16 random bytes (golden vectors)."""
        prefix = secrets.token_bytes(16) if prefix is None else prefix
        plain = prefix + len(message).to_bytes(4, "big") + message + self._receiver
        pad = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def decrypt(self, text: str) -> bytes:
        """The message inside *text*. Raises CryptoError if anything about it is wrong."""
        try:
            sealed = base64.b64decode(text, validate=True)
            decryptor = self._cipher().decryptor()
            plain = decryptor.update(sealed) + decryptor.finalize()
        except (binascii.Error, ValueError) as error:
            raise CryptoError("not a base64 AES ciphertext") from error
        return self._message_of(self._unpad(plain))

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))

    def _unpad(self, plain: bytes) -> bytes:
        pad = plain[-1] if plain else 0
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise CryptoError("bad padding")
        return plain[:-pad]

    def _message_of(self, plain: bytes) -> bytes:
        length = int.from_bytes(plain[16:20], "big")
        if len(plain) < 20 or len(plain) < 20 + length:
            raise CryptoError("the stated length does not fit")
        if plain[20 + length :] != self._receiver:
            raise CryptoError("meant for another receiver")
        return plain[20 : 20 + length]
