"""`xiaohu serve`: the webhook server and the console."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import sys
import time

import click
from aiohttp import web

from bot.app import House, open_house, web_application
from bot.command.database import in_database
from bot.settings import Settings, read_settings

RESTART_AFTER = 1.0  # seconds; a process that dies at once must not spin


@click.command(help="Run the webhook server and the console.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Processes; more than one needs PostgreSQL.")
@click.option("--no-flows", is_flag=True, help="Start no plan, greeting, reminder or broadcast.")
def serve(host: str, port: int, workers: int, no_flows: bool) -> None:
    """Until it is told to stop."""
    settings = read_settings()
    if workers == 1:
        asyncio.run(_serve(settings, host, port, flows=not no_flows))
    elif settings.database_url.startswith("sqlite:"):
        click.echo("--workers: more than one process needs PostgreSQL; see XIAOHU_DATABASE_URL", err=True)
        sys.exit(1)
    else:
        _supervise(settings, host, port, workers, flows=not no_flows)


async def _serve(settings: Settings, host: str, port: int, *, flows: bool, shared: bool = False) -> None:
    house = await open_house(settings, flows=flows)
    await run_until_told(house, web_application(house), host, port, f"http://{host}:{port}", shared=shared)


async def run_until_told(
    house: House, app: web.Application, host: str, port: int, greeting: str, *, shared: bool = False
) -> None:
    """Listen, tick, and finish what was begun when a signal says stop."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, reuse_port=shared or None).start()
    house.worker.start()
    # Templates, lexicon and tables stay: looking through them for garbage, every 700 new objects, costs a
    # sixth of the time it takes to answer a message.
    gc.freeze()
    gc.set_threshold(50_000)
    click.echo(greeting)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    await house.close()


def _supervise(settings: Settings, host: str, port: int, workers: int, *, flows: bool) -> None:
    """Several processes on one port; one that dies is started again."""
    in_database(lambda _db: None, settings)  # migrate once, before all of them
    context = multiprocessing.get_context("spawn")
    stopping = False

    def start() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=_child, args=(settings, host, port, flows))
        process.start()
        return process

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    processes = [start() for _ in range(workers)]
    while not stopping:
        time.sleep(0.2)
        for place, process in enumerate(processes):
            if not process.is_alive() and not stopping:
                time.sleep(RESTART_AFTER)
                processes[place] = start()
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()


def _child(settings: Settings, host: str, port: int, flows: bool) -> None:
    asyncio.run(_serve(settings, host, port, flows=flows, shared=True))


COMMANDS = (serve,)
