"""The golden vectors of the official documentation."""

from __future__ import annotations

import base64
import json

import pytest

from bot.simulator.crypto import CryptoError, MessageCipher, sign

TOKEN, KEY, APP_ID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6Js"
    "XUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8Eaj"
    "AsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
WECOM_PUSH = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvu"
    "JTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwG"
    "c2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9"
    "EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0"
    "lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)
WECOM_CIPHER = MessageCipher("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
WECOM_ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("AAAAA", "1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (("AAAAA", "1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (("AAAAA", "1714112445", "415670741"), "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
        (("AAAAA", "1714112445", "415670741", ENCRYPTED), "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        (("QDG6eK", "1409659813", "1372623149", WECOM_PUSH), "477715d11cdb4164915debcba66cb864d751f3e6"),
        (("QDG6eK", "1409659589", "263014780", WECOM_ECHO), "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"),
    ],
)
def test_signatures_are_the_documents(parts: tuple[str, ...], expected: str) -> None:
    assert sign(*parts) == expected


def test_the_documents_push_is_decrypted() -> None:
    message = json.loads(MessageCipher(KEY, APP_ID).decrypt(ENCRYPTED))
    assert message["debug_str"] == "hello world"
    assert message["FromUserName"] == "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"


def test_the_documents_reply_is_encrypted_to_the_byte() -> None:
    sealed = MessageCipher(KEY, APP_ID).encrypt(b'{"demo_resp":"good luck"}', prefix=b"707722b803182950")
    assert sealed == (
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    )
    assert sign(TOKEN, "1713424427", "415670741", sealed) == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


def test_wecoms_echo_is_decrypted() -> None:
    assert WECOM_CIPHER.decrypt(WECOM_ECHO) == b"1616140317555161061"


def test_wecoms_push_is_decrypted() -> None:
    xml = WECOM_CIPHER.decrypt(WECOM_PUSH).decode()
    for part in ("mycreate", "<![CDATA[hello]]>", "4561255354251345929", "218"):
        assert part in xml


@pytest.mark.parametrize("length", range(66))
def test_every_length_survives_and_padding_fills_32_bytes(length: int) -> None:
    cipher = MessageCipher(KEY, APP_ID)
    sealed = cipher.encrypt(b"x" * length)
    assert cipher.decrypt(sealed) == b"x" * length
    assert len(base64.b64decode(sealed)) % 32 == 0


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "not base64!",
        ENCRYPTED[:-5] + "AAAA=",
        ENCRYPTED[:64],
        MessageCipher(KEY, "wxother").encrypt(b"hi"),
    ],
    ids=["empty", "no base64", "altered", "cut", "another receiver"],
)
def test_what_is_not_ours_is_refused(broken: str) -> None:
    with pytest.raises(CryptoError):
        MessageCipher(KEY, APP_ID).decrypt(broken)
