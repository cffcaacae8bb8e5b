"""The phone in the browser: a page, its JSON calls, and a live stream of what changes.

Nothing is loaded from elsewhere and nothing is inline, so it runs under a strict content security policy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from aiohttp import web

from bot.simulator import phones
from bot.simulator.api import LARGEST_UPLOAD, add_platform_routes
from bot.simulator.calls import ApiCall
from bot.simulator.clock import Clock, MovableClock, OffsetClock
from bot.simulator.config import SimulatorConfig
from bot.simulator.endpoint import Json
from bot.simulator.faults import Fault, FaultKind
from bot.simulator.platform import Platform
from bot.simulator.quota import BEIJING
from bot.simulator.webhook import Delivery
from bot.simulator.wire import xml_of

PLATFORM = web.AppKey("simulator_platform", Platform)
STREAMS = web.AppKey("simulator_streams", set[asyncio.Queue[str | None]])

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob: http: https:; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
ASSETS = {
    "phone.css": "text/css",
    "trays.css": "text/css",
    "phone.js": "text/javascript",
    "chat.js": "text/javascript",
    "trays.js": "text/javascript",
    "wire.js": "text/javascript",
    "dom.js": "text/javascript",
}
KEEP_ALIVE = 20.0
NEWEST_PUSHES = 30


def build_simulator(config: SimulatorConfig, clock: Clock | None = None) -> web.Application:
    """The whole simulator, to be mounted below one path: the phone at its root, the APIs beside it.

    Mounted at `/simulator/`: phone `/simulator/`, official account's API `/simulator/api`, WeCom's
    `/simulator/qyapi`, SMS port `/simulator/sms`. The platform itself is `application[PLATFORM]`.
    """
    app = web.Application(client_max_size=LARGEST_UPLOAD)
    app[PLATFORM] = Platform(config, clock if clock is not None else OffsetClock())
    app[STREAMS] = set()
    add_platform_routes(app, app[PLATFORM])
    app.router.add_get("/", _page)
    app.router.add_get("/static/{name}", _asset)
    app.router.add_get("/state", _state)
    app.router.add_get("/events", _events)
    app.router.add_post("/phones/{phone}", _act)
    app.router.add_post("/phones/{phone}/picture", _picture)
    app.router.add_post("/people", _add_person)
    app.router.add_post("/clock", _move_clock)
    app.router.add_post("/faults", _add_fault)
    app.router.add_delete("/faults", _clear_faults)
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(_close)
    return app


async def _page(request: web.Request) -> web.Response:
    return _static("phone.html", "text/html")


async def _asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in ASSETS:
        raise web.HTTPNotFound
    return _static(name, ASSETS[name])


def _static(name: str, content_type: str) -> web.Response:
    text = files("bot.simulator").joinpath("static", name).read_text("utf-8")
    return web.Response(text=text, content_type=content_type, charset="utf-8", headers=HEADERS)


async def _state(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    state = {
        "now": platform.clock.now().isoformat(),
        "base": platform.base_url,
        "movable": isinstance(platform.clock, MovableClock),
        "phones": [phone.as_json() for phone in phones.all_phones(platform)],
        "sms": [sms.as_json() for sms in platform.sms],
        "faults": _faults(platform),
        "pushes": _pushes(platform),
        "calls": [_told(call) for call in platform.calls.newest(NEWEST_PUSHES)],
        "scenes": platform.config.scenes,
        "accounts": list(platform.accounts),
    }
    return web.json_response(state, headers=HEADERS)


def _faults(platform: Platform) -> Json:
    waiting = [
        {"kind": f.kind.value, "path": f.path, "code": f.code, "times": f.times} for f in platform.faults
    ]
    copies = max((a.webhook.copies for a in platform.accounts.values()), default=1)
    return {"waiting": waiting, "copies": copies}


def _pushes(platform: Platform) -> list[Json]:
    hooks = [account.webhook for account in platform.accounts.values()]
    if platform.corporation is not None:
        hooks += [platform.corporation.webhook, platform.corporation.kf.webhook]
    newest = sorted((d for hook in hooks for d in hook.deliveries), key=lambda d: d.at)[-NEWEST_PUSHES:]
    return [_described(delivery) for delivery in newest]


def _described(delivery: Delivery) -> Json:
    fields = {name: value for name, value in delivery.push if isinstance(value, str | int)}
    return {
        "at": delivery.at.isoformat(),
        "type": fields.get("Event") or fields.get("MsgType"),
        "xml": xml_of(delivery.push),
        "attempts": [
            {"status": a.status, "ms": round(a.seconds * 1000), "problem": a.problem}
            for a in delivery.attempts
        ],
        "reply": delivery.reply.kind,
        "answer": delivery.reply.raw.decode(errors="replace"),
        "failure": delivery.reply.failure,
    }


def _told(call: ApiCall) -> Json:
    """A call as the page shows it: without its token, and without the secret that fetches one."""
    code = call.answer.get("errcode", 0) if isinstance(call.answer, dict) else None
    body = None if call.path.endswith("token") else call.body
    return {"at": call.at.isoformat(), "path": call.path, "code": code, "body": body}


async def _events(request: web.Request) -> web.StreamResponse:
    """Server-sent events, one JSON object each, until the browser or the server goes."""
    platform, streams = request.app[PLATFORM], request.app[STREAMS]
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def tell(what: str, facts: Json) -> None:
        told = {"what": what, "now": platform.clock.now().isoformat(), **facts}
        if what == "fault":
            told["faults"] = _faults(platform)
        if what == "call":
            told["call"] = _told(facts["call"])
        queue.put_nowait(json.dumps(told, ensure_ascii=False))

    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    stop = platform.listen(tell)
    streams.add(queue)
    try:
        await _stream(response, queue)
    except ConnectionResetError:
        pass  # the browser has gone
    finally:
        stop()
        streams.discard(queue)
    return response


async def _stream(response: web.StreamResponse, queue: asyncio.Queue[str | None]) -> None:
    while True:
        try:
            told = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        if told is None:
            return
        await response.write(f"data: {told}\n\n".encode())


async def _act(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    wish = await _object(request)
    try:
        phone = phones.find(platform, request.match_info["phone"])
        platform.later(_announced(platform, phone, phones.prepare(phone, wish)))
    except LookupError as error:
        raise web.HTTPNotFound from error
    except phones.CannotDo as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response({}, status=202)


async def _picture(request: web.Request) -> web.Response:
    platform, content = request.app[PLATFORM], await request.read()
    try:
        phone = phones.find(platform, request.match_info["phone"])
        action = phones.picture(phone, content, request.content_type)
    except LookupError as error:
        raise web.HTTPNotFound from error
    except phones.CannotDo as error:
        return web.json_response({"error": str(error)}, status=400)
    platform.later(_announced(platform, phone, action))
    return web.json_response({}, status=202)


async def _announced(platform: Platform, phone: phones.Phone, action: Awaitable[object]) -> None:
    """Do it, and let the page know when the server has answered and what was opened."""
    platform.publish("busy", phone=phone.id, busy=True)
    opened: object = None
    try:
        opened = await action
    except LookupError as error:
        platform.publish("notice", phone=phone.id, text=f"找不到：{error}")
    finally:
        following = phone.as_json()["following"]
        platform.publish("busy", phone=phone.id, busy=False, following=following)
        platform.publish("pushes", pushes=_pushes(platform), faults=_faults(platform))
    if isinstance(opened, str) and opened.startswith(("http://", "https://")):
        platform.publish("open", phone=phone.id, url=opened)


async def _add_person(request: web.Request) -> web.Response:
    """A new WeChat user who does not follow yet."""
    platform, wish = request.app[PLATFORM], await _object(request)
    name, account = str(wish.get("name") or "新访客")[:20], str(wish.get("account") or "default")
    if account not in platform.accounts:
        raise web.HTTPNotFound
    number = sum(len(a.followers) for a in platform.accounts.values()) + 1
    user = platform.stranger(f"oVisitor{number:04d}{account}", account=account, name=name)
    platform.publish("people")
    return web.json_response({"id": user.screen.owner}, status=201)


async def _move_clock(request: web.Request) -> web.Response:
    """`{"seconds": N}` ahead, or `{"to": "2026-06-02T10:00"}` in Beijing time."""
    platform, wish = request.app[PLATFORM], await _object(request)
    clock = platform.clock
    if not isinstance(clock, MovableClock):
        return web.json_response({"error": "这里的时间不能拨动"}, status=409)
    try:
        clock.advance(_step(wish, clock.now()))
    except (ValueError, OverflowError):
        return web.json_response({"error": "时间只能往前拨"}, status=400)
    platform.expire()
    platform.publish("clock")
    return web.json_response({"now": clock.now().isoformat()})


def _step(wish: Json, now: datetime) -> timedelta:
    if "to" not in wish:
        return timedelta(seconds=float(wish.get("seconds", 0)))
    target = datetime.fromisoformat(str(wish["to"]))
    return (target if target.tzinfo else target.replace(tzinfo=BEIJING)) - now


async def _add_fault(request: web.Request) -> web.Response:
    """`{"kind", "path", "code", "times"}`, or `{"copies": 2}` to push everything twice."""
    platform, wish = request.app[PLATFORM], await _object(request)
    if "copies" in wish:
        for account in platform.accounts.values():
            account.webhook.copies = 2 if wish["copies"] == 2 else 1
    else:
        try:
            kind = FaultKind(str(wish.get("kind")))
            times = None if wish.get("times") is None else int(wish["times"])
            platform.faults.add(
                Fault(kind, str(wish.get("path", "")), code=int(wish.get("code", 0)), times=times)
            )
        except (ValueError, TypeError):
            return web.json_response({"error": "没有这种故障"}, status=400)
    return _told_faults(platform)


async def _clear_faults(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    platform.faults.clear()
    for account in platform.accounts.values():
        account.webhook.copies = 1
    return _told_faults(platform)


def _told_faults(platform: Platform) -> web.Response:
    faults = _faults(platform)
    platform.publish("faults", faults=faults)
    return web.json_response(faults)


async def _object(request: web.Request) -> dict[str, Any]:
    # The type is asked for so that no other site's form can move the demo's clock.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


async def _end_streams(app: web.Application) -> None:
    for queue in app[STREAMS]:
        queue.put_nowait(None)


async def _close(app: web.Application) -> None:
    await app[PLATFORM].close()
