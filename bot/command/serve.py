"""`xiaohu serve`: the webhook server and the console."""

from __future__ import annotations

import asyncio
import signal

import click
from aiohttp import web

from bot.app import open_house, web_application
from bot.settings import read_settings


@click.command(help="Run the webhook server and the console.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Processes; more than one needs PostgreSQL.")
@click.option("--no-flows", is_flag=True, help="Start no plan, greeting, reminder or broadcast.")
def serve(host: str, port: int, workers: int, no_flows: bool) -> None:
    """Until it is told to stop."""
    asyncio.run(_serve(host, port, flows=not no_flows))


async def _serve(host: str, port: int, *, flows: bool) -> None:
    house = await open_house(read_settings(), flows=flows)
    runner = web.AppRunner(web_application(house), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    click.echo(f"http://{host}:{port}")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    house.worker.start()
    await stop.wait()
    await runner.cleanup()
    await house.close()


COMMANDS = (serve,)
