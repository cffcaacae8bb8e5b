"""A little server behind the webhook; its crypto is wechatpy's, which the simulator does not use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from aiohttp import web
from wechatpy import crypto, utils
from wechatpy.enterprise import crypto as enterprise_crypto

from bot.simulator import AccountConfig, WecomConfig

wechatpy_crypto: Any = crypto  # the library is untyped
wechatpy_utils: Any = utils
wecom_crypto: Any = enterprise_crypto


@dataclass
class Received:
    """One request of the platform. *fields* are the push's leaves by tag, the decrypted ones in safe mode."""

    method: str
    query: dict[str, str]
    body: str
    fields: dict[str, str]


def leaves(xml: str) -> dict[str, str]:
    return {e.tag: e.text or "" for e in ElementTree.fromstring(xml).iter() if len(e) == 0}


def text_reply(push: dict[str, str], content: str) -> str:
    safe = content.replace("]]>", "]]]]><![CDATA[>")
    return reply_xml(push, f"<MsgType>text</MsgType><Content><![CDATA[{safe}]]></Content>")


def reply_xml(push: dict[str, str], inner: str) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{push['FromUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{push['ToUserName']}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime>{inner}</xml>"
    )


Answer = Callable[[dict[str, str]], Awaitable[str | bytes | web.Response]]


async def echo(push: dict[str, str]) -> str:
    """Repeat what was said; acknowledge everything else."""
    if push["MsgType"] != "text":
        return "success"
    return text_reply(push, push["Content"])


@dataclass
class Server:
    """Answers pushes with `answer`, encrypted where the push was (unless `encrypts` is off)."""

    config: AccountConfig
    answer: Answer = echo
    encrypts: bool = True
    echo_suffix: str = ""
    received: list[Received] = field(default_factory=list)

    @property
    def pushes(self) -> list[dict[str, str]]:
        return [r.fields for r in self.received if r.method == "POST"]

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        if request.method == "GET":
            self.received.append(Received("GET", query, "", {}))
            wechatpy_utils.check_signature(
                self.config.token, query["signature"], query["timestamp"], query["nonce"]
            )
            return web.Response(text=query["echostr"] + self.echo_suffix)
        body = await request.text()
        xml = self._decrypted(body, query)
        self.received.append(Received("POST", query, body, leaves(xml)))
        answer = await self.answer(leaves(xml))
        if isinstance(answer, web.Response):
            return answer
        return web.Response(body=self._encrypted(answer, query))

    def _decrypted(self, body: str, query: dict[str, str]) -> str:
        wechatpy_utils.check_signature(
            self.config.token, query["signature"], query["timestamp"], query["nonce"]
        )
        if query.get("encrypt_type") != "aes":
            return body
        plain = self._crypto().decrypt_message(
            body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        return str(plain)

    def _encrypted(self, answer: str | bytes, query: dict[str, str]) -> bytes:
        raw = answer.encode() if isinstance(answer, str) else answer
        if query.get("encrypt_type") != "aes" or not self.encrypts or raw in (b"", b"success"):
            return raw
        sealed: str = self._crypto().encrypt_message(raw.decode(), query["nonce"], query["timestamp"])
        return sealed.encode()

    def _crypto(self) -> Any:
        return wechatpy_crypto.WeChatCrypto(self.config.token, self.config.aes_key, self.config.app_id)


async def acknowledge(push: dict[str, str]) -> str:
    return ""


@dataclass
class WecomServer:
    """Answers WeCom's callbacks, always encrypted."""

    config: WecomConfig
    answer: Answer = acknowledge
    received: list[Received] = field(default_factory=list)
    decrypts_echo: bool = True

    @property
    def pushes(self) -> list[dict[str, str]]:
        return [r.fields for r in self.received if r.method == "POST"]

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        crypto = wecom_crypto.WeChatCrypto(self.config.token, self.config.aes_key, self.config.corp_id)
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        if request.method == "GET":
            echo = crypto.check_signature(*signed, query["echostr"])
            return web.Response(body=echo if self.decrypts_echo else query["echostr"].encode())
        body = await request.text()
        xml = crypto.decrypt_message(body, *signed)
        self.received.append(Received("POST", query, body, leaves(xml)))
        answer = await self.answer(leaves(xml))
        if isinstance(answer, web.Response) or answer in ("", b"", "success"):
            return answer if isinstance(answer, web.Response) else web.Response(text="")
        return web.Response(text=crypto.encrypt_message(answer, query["nonce"], query["timestamp"]))


def slow_then(fast: Answer, *, slow_attempts: int, seconds: float = 30) -> Answer:
    """Too slow the first times, quick afterwards."""
    attempts = 0

    async def answer(push: dict[str, str]) -> str | bytes | web.Response:
        nonlocal attempts
        attempts += 1
        if attempts <= slow_attempts:
            await asyncio.sleep(seconds)
        return await fast(push)

    return answer


def always(body: str | bytes) -> Answer:
    async def answer(push: dict[str, str]) -> str | bytes:
        return body

    return answer


async def serve(stack: AsyncExitStack, server: Server, wecom_server: WecomServer) -> str:
    """Put the servers under test on a port until the stack closes; returns their base URL."""
    app = web.Application()
    app.router.add_route("*", "/wechat", server.handle)
    app.router.add_route("*", "/wecom", wecom_server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
