"""The real server on a real port, with the settings a test gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.app import House, open_house, web_application
from bot.domain.clock import Clock
from bot.settings import Settings, read_settings
from tests.secret import SECRET

TOKEN = "AAAAA"
AES_KEY = "A" * 43
APP_ID = "wxba5fad812f8e6fb9"


@dataclass(frozen=True)
class Server:
    """A running server."""

    house: House
    url: str


def settings(database_url: str, **environment: str) -> Settings:
    """Settings as a hospital would write them into the environment."""
    return read_settings(
        {
            "XIAOHU_ENV": "test",
            "XIAOHU_SECRET_KEY": SECRET,
            "XIAOHU_DATABASE_URL": database_url,
            "XIAOHU_PUBLIC_URL": "https://xiaohu.example",
            "XIAOHU_WECHAT__APP_ID": APP_ID,
            "XIAOHU_WECHAT__APP_SECRET": "secret",
            "XIAOHU_WECHAT__TOKEN": TOKEN,
            "XIAOHU_WECHAT__AES_KEY": AES_KEY,
            **environment,
        }
    )


@asynccontextmanager
async def serving(settings: Settings, clock: Clock, *, port: int = 0) -> AsyncIterator[Server]:
    """Run it until the test is over."""
    house = await open_house(settings, clock)
    runner = web.AppRunner(web_application(house), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    try:
        yield Server(house, f"http://{host}:{bound}")
    finally:
        await runner.cleanup()
        await house.close()
