"""Where WeCom knocks: the app, 微信客服's bell, and buttons of cards."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from aiohttp import web

from bot.channels.wecom import Bell, CardPressed, WeComApp
from bot.domain.errors import PushRefused
from bot.outbox import alarm
from bot.outbox.carriers import CLAIM
from bot.web.answering import RECEIVED
from bot.web.health import DATABASE
from bot.web.kf import KfDesk
from bot.web.webhooks import ANSWERING, CLOCK, body_of, refused

log = structlog.get_logger()

APPS = web.AppKey("wecom_apps", Mapping[str, WeComApp])
KF = web.AppKey("kf_desk", KfDesk)

routes = web.RouteTableDef()


def _app(request: web.Request) -> WeComApp:
    app = request.app[APPS].get(request.match_info.get("name", "default"))
    if app is None:
        raise PushRefused("account", 404)
    return app


@routes.get("/wecom")
@routes.get("/wecom/{name}")
async def wecom_verifies(request: web.Request) -> web.Response:
    """WeCom wants to read what it sealed."""
    try:
        return web.Response(text=_app(request).verify(request.query))
    except PushRefused as refusal:
        return refused(refusal)


@routes.post("/wecom")
@routes.post("/wecom/{name}")
async def wecom_says(request: web.Request) -> web.Response:
    """A message to the app, a pressed button, or a bell."""
    try:
        app = _app(request)
        push = app.read(request.query, await body_of(request))
    except PushRefused as refusal:
        return refused(refusal)
    nonce, now = request.query.get("nonce", ""), request.app[CLOCK].now()
    if isinstance(push, Bell):
        if KF in request.app:
            request.app[KF].ring(push)
        return web.Response()
    if isinstance(push, CardPressed):
        text = app.grey_button(push.userid, await _pressed(request, push), now, nonce)
        return web.Response(text=text, content_type="application/xml")
    if push.openid == "sys":  # about the corporation, not from a person
        RECEIVED.labels(push.account, push.type).inc()
        return web.Response()
    reply = await request.app[ANSWERING].answer(push)
    return web.Response(text=app.write(push, reply, now, nonce), content_type="application/xml")


async def _pressed(request: web.Request, card: CardPressed) -> str:
    """Take the alarm; the word the button shows from now on."""
    number = card.key.removeprefix(CLAIM)
    if not card.key.startswith(CLAIM) or not number.isdigit():
        log.warning("unknown_card_button")
        return "已处理"
    now = request.app[CLOCK].now()
    mine = await request.app[DATABASE].write(
        lambda db: alarm.acknowledge_by_wecom(db, int(number), card.userid, now)
    )
    return "已认领" if mine else "已由同事认领"
