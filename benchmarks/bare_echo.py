"""The reference: aiohttp that verifies, decrypts and echoes, and does nothing else. `bare_echo PORT PROCESSES`."""

from __future__ import annotations

import multiprocessing
import sys
from datetime import UTC, datetime

from aiohttp import web

from benchmarks.webhook import AES_KEY, APP_ID, TOKEN
from bot.channels.wechat import OfficialAccount
from bot.domain.inbound import Reply

ACCOUNT = OfficialAccount("default", APP_ID, TOKEN, AES_KEY, "safe")


async def echo(request: web.Request) -> web.Response:
    inbound = ACCOUNT.read(request.query, await request.read())
    text = ACCOUNT.write(inbound, Reply(text=inbound.text), datetime.now(UTC), request.query)
    return web.Response(text=text, content_type="application/xml")


def serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/wechat", echo)
    web.run_app(app, host="127.0.0.1", port=port, reuse_port=True, print=None, access_log=None)


if __name__ == "__main__":
    port, processes = int(sys.argv[1]), int(sys.argv[2])
    children = [multiprocessing.Process(target=serve, args=(port,)) for _ in range(processes - 1)]
    for child in children:
        child.start()
    serve(port)
    for child in children:
        child.terminate()
