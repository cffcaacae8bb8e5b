"""Where WeChat and WeCom knock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import web

from bot.channels.wechat import OfficialAccount
from bot.domain.clock import Clock
from bot.domain.errors import PushRefused
from bot.web.answering import REFUSED, Answering

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024  # bytes; the largest real push is a tenth of it
BODY_PATIENCE = 5.0  # seconds for a body to arrive

ACCOUNTS = web.AppKey("official_accounts", Mapping[str, OfficialAccount])
ANSWERING = web.AppKey("answering", Answering)
CLOCK = web.AppKey("clock", Clock)

routes = web.RouteTableDef()


@routes.get("/wechat")
@routes.get("/wechat/{name}")
async def wechat_verifies(request: web.Request) -> web.Response:
    """The platform asks whether this address is ours."""
    try:
        return web.Response(text=_account(request).verify(request.query))
    except PushRefused as refusal:
        return refused(refusal)


@routes.post("/wechat")
@routes.post("/wechat/{name}")
async def wechat_says(request: web.Request) -> web.Response:
    """Keep what was said, answer it, and say yes only then."""
    try:
        account = _account(request)
        inbound = account.read(request.query, await body_of(request))
    except PushRefused as refusal:
        return refused(refusal)
    reply = await request.app[ANSWERING].answer(inbound)
    text = account.write(inbound, reply, request.app[CLOCK].now(), request.query)
    return web.Response(text=text, content_type="application/xml" if reply else "text/plain")


def _account(request: web.Request) -> OfficialAccount:
    account = request.app[ACCOUNTS].get(request.match_info.get("name", "default"))
    if account is None:
        raise PushRefused("account", 404)
    return account


async def body_of(request: web.Request) -> bytes:
    """The body, when it is not too large, too slow or compressed.

    Raises:
        PushRefused: it is.
    """
    if (request.content_length or 0) > BODY_LIMIT or "Content-Encoding" in request.headers:
        raise PushRefused("body", 413)
    body = bytearray()
    if request.content.is_eof():  # it came with the headers, as pushes do: nothing to wait for
        body += request.content.read_nowait()
        if len(body) > BODY_LIMIT:
            raise PushRefused("body", 413)
        return bytes(body)
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise PushRefused("body", 413)
    except TimeoutError as error:
        raise PushRefused("slow", 408) from error
    return bytes(body)


def refused(refusal: PushRefused) -> web.Response:
    """One word for the operator's metric, nothing for the caller."""
    REFUSED.labels(refusal.reason).inc()
    log.warning("push_refused", reason=refusal.reason)
    return web.Response(status=refusal.status)
