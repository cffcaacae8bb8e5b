"""The platform's doors: both APIs, the SMS port, media, as one aiohttp application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Generic

from aiohttp import BodyPartReader, web

from bot.simulator import (
    app_messages,
    credentials,
    customer_service,
    directory,
    external_contact_api,
    followers_api,
    kf_api,
    mass,
    menus,
    oauth,
    qrcodes,
    tags,
    templates,
)
from bot.simulator.account import OfficialAccount
from bot.simulator.calls import ApiCall
from bot.simulator.endpoint import Answer, Binary, Call, Credential, Endpoint, Json, Subject
from bot.simulator.errors import WECHAT_ERRORS, WECOM_ERRORS, ApiError, ConnectionCut, refusal
from bot.simulator.faults import Fault, FaultKind
from bot.simulator.media import Upload, plain_picture
from bot.simulator.oauth import RedirectRefused
from bot.simulator.platform import Platform
from bot.simulator.sms import BadSms
from bot.simulator.wecom import App, Wecom

CLOSING = web.AppKey("simulator_closing", asyncio.Event)
POLL = 0.05
LARGEST_UPLOAD = 64 * 1024 * 1024

OFFICIAL_ACCOUNT_ENDPOINTS: tuple[Endpoint[OfficialAccount], ...] = (
    *credentials.ENDPOINTS,
    *customer_service.ENDPOINTS,
    *templates.ENDPOINTS,
    *menus.ENDPOINTS,
    *tags.ENDPOINTS,
    *followers_api.ENDPOINTS,
    *qrcodes.ENDPOINTS,
    *oauth.ENDPOINTS,
    *mass.ENDPOINTS,
)

WECOM_ENDPOINTS: tuple[Endpoint[App], ...] = (
    *directory.ENDPOINTS,
    *app_messages.ENDPOINTS,
    *external_contact_api.ENDPOINTS,
    *kf_api.ENDPOINTS,
)

Asked = tuple[Mapping[str, str], Json, str]
"""A call before it is known whom it is for: query, body, address of the caller."""


class ApiHost(Generic[Subject]):
    """One API host. *identify* finds whom a call is for, and refuses bad credentials."""

    def __init__(
        self,
        name: str,
        platform: Platform,
        endpoints: Iterable[Endpoint[Subject]],
        texts: Mapping[int, str],
        identify: Callable[[Endpoint[Subject], Asked], Subject],
    ) -> None:
        self._name = name
        self._platform = platform
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self._texts = texts
        self._identify = identify

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: always HTTP 200 and JSON, unless a fault is waiting for it."""
        path = "/" + request.match_info["path"]
        fault = self._platform.faults.take(self._name, path)
        if fault is not None:
            self._platform.publish("fault")
        content, upload = await _content_of(request)
        query = dict(request.query)
        try:
            answer = await self._answer(request, path, query, content, upload, fault)
        except ConnectionCut:
            self._log(path, query, _readable(content), None)
            return _cut(request)
        logged = answer if isinstance(answer, dict) else None
        self._log(path, query, _readable(content), logged)
        if fault is not None and fault.kind is FaultKind.DROPPED:
            return _cut(request)
        return _response(answer)

    async def _answer(
        self,
        request: web.Request,
        path: str,
        query: dict[str, str],
        content: bytes,
        upload: Upload | None,
        fault: Fault | None,
    ) -> Answer | web.Response:
        try:
            if fault is not None and (spoilt := await _befall(fault, request)) is not None:
                return spoilt
            kill = fault is not None and fault.kind is FaultKind.DEAD_TOKEN
            return self._dispatch(request, path, query, content, upload, kill=kill)
        except ApiError as error:
            return refusal(error, self._texts, self._platform.clock.now())

    def _dispatch(
        self,
        request: web.Request,
        path: str,
        query: dict[str, str],
        content: bytes,
        upload: Upload | None,
        *,
        kill: bool,
    ) -> Answer:
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            raise ApiError(40066, path)
        if request.method != endpoint.method:
            raise ApiError(43001 if endpoint.method == "GET" else 43002)
        body = self._body(content) if endpoint.method == "POST" and upload is None else {}
        asked = (query, body, request.remote or "")
        if kill:
            _kill_tokens(self._identify(endpoint, asked))
        subject = self._identify(endpoint, asked)
        return endpoint.answer(Call(subject, query, body, self._platform.clock.now(), upload))

    def _body(self, content: bytes) -> Json:
        if not content.strip():
            raise ApiError(44002)
        if self._platform.config.refuse_unicode_escapes and b"\\u" in content:
            raise ApiError(40033)
        try:
            body = json.loads(content)
        except ValueError as error:
            raise ApiError(47001) from error
        if not isinstance(body, dict):
            raise ApiError(47001)
        return body

    def _log(self, path: str, query: dict[str, str], body: Any, answer: Any) -> None:
        call = ApiCall(self._platform.clock.now(), self._name, path, query, body, answer)
        self._platform.calls.add(call)
        self._platform.publish("call", call=call)


async def _befall(fault: Fault, request: web.Request) -> web.Response | None:
    if fault.kind is FaultKind.ERROR:
        raise ApiError(fault.code, **fault.fields)
    if fault.kind is FaultKind.HTTP:
        page = f"<html><body><h1>{fault.code}</h1></body></html>"
        return web.Response(status=fault.code, text=page, content_type="text/html")
    if fault.kind is FaultKind.GARBAGE:
        return web.Response(text='{"errcode":0,"errm', content_type="application/json")
    if fault.kind is FaultKind.HANG:
        await _caller_gone(request)
    if fault.kind in (FaultKind.HANG, FaultKind.RESET):
        raise ConnectionCut
    return None


async def _caller_gone(request: web.Request) -> None:
    """Say nothing until the caller hangs up or the simulator closes."""
    closing = request.app[CLOSING]
    while request.transport is not None and not request.transport.is_closing() and not closing.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), POLL)


def _kill_tokens(subject: object) -> None:
    tokens = getattr(subject, "tokens", None)
    if tokens is not None:
        tokens.kill()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _response(answer: Answer | web.Response) -> web.Response:
    if isinstance(answer, web.Response):
        return answer
    if isinstance(answer, Binary):
        headers = {"Content-Type": answer.content_type}
        if answer.filename:
            headers["Content-Disposition"] = f'attachment; filename="{answer.filename}"'
        return web.Response(body=answer.content, headers=headers)
    # The real API's content type: clients that insist on application/json alone trip over it.
    text = json.dumps(answer, ensure_ascii=False).encode()
    return web.Response(body=text, headers={"Content-Type": "application/json; encoding=utf-8"})


def _readable(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


async def _content_of(request: web.Request) -> tuple[bytes, Upload | None]:
    if not request.content_type.startswith("multipart/"):
        return await request.read(), None
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "media":
            kind = part.headers.get("Content-Type", "application/octet-stream")
            return b"", Upload(part.filename or "", kind, bytes(await part.read()))
    raise web.HTTPBadRequest


class OfficialAccountIdentity:
    """Finds the account of a call by token, or by AppID and AppSecret."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __call__(self, endpoint: Endpoint[OfficialAccount], asked: Asked) -> OfficialAccount:
        query, body, remote = asked
        match endpoint.credential:
            case Credential.TOKEN:
                account = self._by_token(query.get("access_token", ""))
            case Credential.SECRET_IN_QUERY:
                account = self._by_secret(query.get("appid"), query.get("secret"), remote)
            case Credential.SECRET_IN_BODY:
                secret = body.get("secret") or body.get("appsecret")
                account = self._by_secret(body.get("appid"), secret, remote)
            case Credential.APP_ID_IN_QUERY:
                account = self._by_app_id(query.get("appid"))
            case Credential.USER_TOKEN:
                account = self._by_user_token(query.get("access_token", ""))
        if endpoint.verified and not account.config.verified:
            raise ApiError(48001)
        account.quota.use(endpoint.path, self._platform.clock.now())
        return account

    def _by_token(self, token: str) -> OfficialAccount:
        accounts = list(self._platform.accounts.values())
        account = next((a for a in accounts if a.tokens.owns(token)), accounts[0])
        account.tokens.check(token)
        return account

    def _by_secret(self, app_id: Any, secret: Any, remote: str) -> OfficialAccount:
        account = self._by_app_id(app_id)
        if not secret:
            raise ApiError(41004)
        if account.config.app_secret != secret:
            raise ApiError(40125)
        allowed = account.config.ip_whitelist
        if allowed is not None and remote not in allowed:
            raise ApiError(40164, f": {remote} ipv6 ::ffff:{remote}")
        return account

    def _by_app_id(self, app_id: Any) -> OfficialAccount:
        if not app_id:
            raise ApiError(41002)
        for account in self._platform.accounts.values():
            if account.config.app_id == app_id:
                return account
        raise ApiError(40013)

    def _by_user_token(self, token: str) -> OfficialAccount:
        for account in self._platform.accounts.values():
            if token in account.oauth.tokens:
                return account
        raise ApiError(40001)


class WecomIdentity:
    """Finds the app of a call by token, or by CorpID and secret."""

    def __init__(self, wecom: Wecom) -> None:
        self._wecom = wecom

    def __call__(self, endpoint: Endpoint[App], asked: Asked) -> App:
        query, _, remote = asked
        allowed = self._wecom.config.ip_whitelist
        if allowed is not None and remote not in allowed:
            raise ApiError(60020, f"from ip: {remote}")
        if endpoint.credential is Credential.SECRET_IN_QUERY:
            return self._by_secret(query)
        token = query.get("access_token", "")
        app = next((app for app in self._wecom.apps if app.tokens.owns(token)), self._wecom.app)
        app.tokens.check(token)
        return app

    def _by_secret(self, query: Mapping[str, str]) -> App:
        if query.get("corpid") != self._wecom.config.corp_id:
            raise ApiError(40013)
        for app in self._wecom.apps:
            if app.secret == query.get("corpsecret"):
                return app
        raise ApiError(40001)


def add_platform_routes(app: web.Application, platform: Platform) -> None:
    """Add `/api/…`, `/qyapi/…`, `/sms` and `/media/…` to an application."""
    app[CLOSING] = asyncio.Event()
    app.on_shutdown.append(_say_closing)
    official = ApiHost(
        "wechat", platform, OFFICIAL_ACCOUNT_ENDPOINTS, WECHAT_ERRORS, OfficialAccountIdentity(platform)
    )
    app.router.add_route("*", "/api/{path:.*}", official.serve)
    if platform.corporation is not None:
        wecom = ApiHost("wecom", platform, WECOM_ENDPOINTS, WECOM_ERRORS, WecomIdentity(platform.corporation))
        app.router.add_route("*", "/qyapi/{path:.*}", wecom.serve)
    app.router.add_post("/sms", _sms(platform))
    app.router.add_get("/media/{account}/{media_id}", _media(platform))
    app.router.add_get("/mp/cgi-bin/showqrcode", _show_code(platform))
    app.router.add_get("/open/connect/oauth2/authorize", _authorize(platform))


async def _say_closing(app: web.Application) -> None:
    app[CLOSING].set()


def build_platform(platform: Platform) -> web.Application:
    """Both API hosts, the SMS port and media under one base URL."""
    app = web.Application(client_max_size=LARGEST_UPLOAD)
    add_platform_routes(app, platform)
    return app


def _sms(platform: Platform) -> Callable[[web.Request], Any]:
    async def accept(request: web.Request) -> web.Response:
        fault = platform.faults.take("sms", "/sms")
        try:
            if fault is not None and (spoilt := await _befall(fault, request)) is not None:
                return spoilt
            posted = await request.json()
            platform.sms.accept(posted, platform.clock.now())
        except ConnectionCut:
            return _cut(request)
        except (ApiError, BadSms, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        platform.calls.add(ApiCall(platform.clock.now(), "sms", "/sms", {}, posted, {}))
        return web.json_response({}, status=202)

    return accept


def _media(platform: Platform) -> Callable[[web.Request], Any]:
    async def show(request: web.Request) -> web.Response:
        name = request.match_info["account"]
        store = platform.corporation if name == "wecom" else platform.accounts.get(name)
        try:
            if store is None:
                raise ApiError(40007)
            media = store.media.get(request.match_info["media_id"])
        except ApiError:
            raise web.HTTPNotFound from None
        return web.Response(body=media.file.content, content_type=media.file.content_type)

    return show


def _show_code(platform: Platform) -> Callable[[web.Request], Any]:
    async def show(request: web.Request) -> web.Response:
        ticket = request.query.get("ticket", "")
        if all(account.qrcodes.find(ticket) is None for account in platform.accounts.values()):
            raise web.HTTPNotFound
        return web.Response(body=plain_picture(), content_type="image/png")

    return show


def _authorize(platform: Platform) -> Callable[[web.Request], Any]:
    """The OAuth page. A browser here is nobody's phone: `&simulated_openid=` says whose it stands for."""

    async def authorize(request: web.Request) -> web.Response:
        wanted = [a for a in platform.accounts.values() if a.config.app_id == request.query.get("appid")]
        openid = request.query.get("simulated_openid", "")
        if not wanted or openid not in wanted[0].followers:
            raise web.HTTPBadRequest
        try:
            target = wanted[0].oauth.authorize(str(request.url), wanted[0].followers[openid])
        except RedirectRefused as error:
            return web.Response(text=str(error), status=400)
        raise web.HTTPFound(target)

    return authorize
