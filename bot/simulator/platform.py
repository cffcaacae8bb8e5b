"""The simulated platform as one object: accounts, people, SMS tray, log of calls, faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from bot.simulator.account import OfficialAccount
from bot.simulator.calls import CallLog
from bot.simulator.clock import Clock
from bot.simulator.config import PatientConfig, SimulatorConfig
from bot.simulator.faults import Faults
from bot.simulator.follower import Follower
from bot.simulator.kf import Kf
from bot.simulator.screen import Bubble, Screen
from bot.simulator.sms import Sms, SmsTray
from bot.simulator.user import User
from bot.simulator.wecom import Wecom

Listener = Callable[[str, dict[str, Any]], None]


class Platform:
    """Everything that is WeChat, WeCom or the telephone network, in one process, on one clock."""

    def __init__(self, config: SimulatorConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.base_url = config.public_url.rstrip("/")
        self.calls = CallLog()
        self.faults = Faults()
        self.sms = SmsTray(self._sms_came)
        self._listeners: list[Listener] = []
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self.accounts = {account.name: OfficialAccount(account, self) for account in config.accounts}
        self.corporation = Wecom(config.wecom, self) if config.wecom is not None else None
        for patient in config.patients:
            self._add(patient)
        for customer in config.customers:
            self.kf.customer(
                customer.external_userid, customer.open_kfid, name=customer.name, unionid=customer.unionid
            )

    def account(self, name: str = "default") -> OfficialAccount:
        return self.accounts[name]

    @property
    def wecom(self) -> Wecom:
        """The corporation. Raises LookupError when none is configured."""
        if self.corporation is None:
            raise LookupError("no WeCom is configured")
        return self.corporation

    @property
    def kf(self) -> Kf:
        """微信客服 of the corporation. Raises LookupError when there is none."""
        return self.wecom.kf

    # People

    def follow(
        self, openid: str, *, account: str = "default", name: str = "", unionid: str | None = None
    ) -> User:
        """Somebody who has followed for a while: no event is pushed, no window is open."""
        return self._add(PatientConfig(openid=openid, name=name or openid, account=account, unionid=unionid))

    def stranger(self, openid: str, *, account: str = "default", name: str = "") -> User:
        """Somebody who does not follow yet; `await user.follows()` pushes the event."""
        config = PatientConfig(openid=openid, name=name or openid, account=account, following=False)
        return self._add(config)

    def user(self, openid: str, account: str = "default") -> User:
        return User(self.accounts[account], self.accounts[account].followers[openid])

    def _add(self, patient: PatientConfig) -> User:
        account = self.accounts[patient.account]
        follower = account.followers.get(patient.openid)
        if follower is None:
            screen = self.new_screen(f"wx:{patient.account}:{patient.openid}")
            follower = Follower(patient.openid, patient.name, screen, patient.unionid, hint=patient.hint)
            account.followers[patient.openid] = follower
        follower.subscribed = patient.following
        follower.subscribed_at = self.clock.now() if patient.following else None
        return User(account, follower)

    # Life

    @asynccontextmanager
    async def serving(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve both APIs and the SMS port on a port of their own; yields the base URL.

        The official account's API is then at `{base}/api`, WeCom's at `{base}/qyapi`, SMS at `{base}/sms`.
        """
        from bot.simulator.api import build_platform  # the routes know the platform, not the other way

        runner = web.AppRunner(build_platform(self), shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            bound = runner.addresses[0][1]
            self.base_url = f"http://{host}:{bound}"
            yield self.base_url
        finally:
            await self.close()
            await runner.cleanup()

    def session(self) -> aiohttp.ClientSession:
        """The HTTP client that carries pushes."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
            )
        return self._session

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something soon, beside whatever is being answered now."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def expire(self) -> None:
        """Let everything end whose time is over; to be called when the clock has been moved."""
        for account in self.accounts.values():
            account.mass.expire()

    async def settle(self) -> None:
        """Wait until every push that stands behind no chat, and is due by now, has been delivered."""
        self.expire()
        while others := [task for task in self._running if task is not asyncio.current_task()]:
            await asyncio.gather(*others)

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # Watching

    def new_screen(self, owner: str) -> Screen:
        return Screen(owner, self._screen_changed)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with the name and facts of everything that changes; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, what: str, **facts: Any) -> None:
        for listener in list(self._listeners):
            listener(what, facts)

    def _screen_changed(self, screen: Screen, bubble: Bubble) -> None:
        if self._listeners:
            self.publish("bubble", phone=screen.owner, bubble=bubble.as_json())

    def _sms_came(self, sms: Sms) -> None:
        self.publish("sms", sms=sms.as_json())
