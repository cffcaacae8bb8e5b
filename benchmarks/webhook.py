"""Webhook throughput and latency: `python -m benchmarks.webhook`, one JSON line a figure.

Safe mode; every push is verified, decrypted, deduplicated, understood, stored durably and answered. Beside it, in the
same run: a bare aiohttp handler that only verifies, decrypts and echoes, and WeRoBot under gunicorn with two workers,
without and with its SQLite sessions. Load comes from wrk on the same two cores.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bot.channels.envelope import Envelope, parse, signature

TOKEN, AES_KEY, APP_ID = "benchmark", "a" * 43, "wx0123456789abcdef"
SECONDS = int(os.environ.get("XIAOHU_BENCH_SECONDS", "6"))
CONNECTIONS = 32
PATIENTS = 2_000
TEXTS = (
    "你好",
    "我想看看菜单",
    "停车在哪里",
    "谢谢",
    "明天上午骨科还有号吗",
    "人工费怎么收",
    "我的报告出来了吗",
)
ROOT = Path(__file__).parents[1]

LUA = """
local lines, index = {}, 0
local counter = 0
function setup(thread) thread:set("offset", counter) counter = counter + 1 end
function init(args)
  local file = io.open(os.getenv("PUSHES"))
  local number = 0
  for line in file:lines() do
    if number % 2 == offset then
      local path, body = line:match("^(%S+)\\t(.*)$")
      lines[#lines + 1] = wrk.format("POST", path, {["Content-Type"] = "text/xml"}, body)
    end
    number = number + 1
  end
  file:close()
end
function request() index = index % #lines + 1 return lines[index] end
"""


def write_pushes(path: Path, count: int, where: str = "/wechat") -> None:
    """Distinct pushes of many patients, encrypted as the platform does."""
    envelope = Envelope(TOKEN, AES_KEY, APP_ID)
    with path.open("w") as file:
        for number in range(count):
            xml = (
                f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o{number % PATIENTS}]]>"
                f"</FromUserName><CreateTime>{1_790_000_000 + number}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
                f"<Content><![CDATA[{TEXTS[number % len(TEXTS)]}]]></Content><MsgId>{24_000_000_000_000_000 + number}</MsgId></xml>"
            )
            closed = parse(envelope.close(xml, "1790000000", "n").encode())
            query = urlencode(
                {
                    "signature": signature(TOKEN, "1790000000", "n"),
                    "timestamp": "1790000000",
                    "nonce": "n",
                    "openid": f"o{number % PATIENTS}",
                    "encrypt_type": "aes",
                    "msg_signature": closed["MsgSignature"],
                }
            )
            body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{closed['Encrypt']}]]></Encrypt></xml>"
            file.write(f"{where}?{query}\t{body}\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """A server, until the measurement is over."""
    process = subprocess.Popen(
        command, env=os.environ | environment, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for _ in range(600):
            try:
                with socket.create_connection(("127.0.0.1", port), 0.2):
                    break
            except OSError:
                time.sleep(0.1)
        time.sleep(0.5)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def load(port: int, pushes: Path, script: Path, *, seconds: int = SECONDS) -> dict[str, float]:
    """Requests a second, and the 99th percentile in milliseconds."""
    output = subprocess.run(
        [
            "wrk",
            "-t2",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(script),
            f"http://127.0.0.1:{port}",
        ],
        env=os.environ | {"PUSHES": str(pushes)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    assert rate is not None, output
    assert p99 is not None, output
    milliseconds = float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]]
    return {"per_second": float(rate[1]), "p99_ms": milliseconds, "refused": float(bad[1]) if bad else 0}


def say(figure: str, **values: Any) -> None:
    """One figure."""
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
    print(json.dumps({"figure": figure, **rounded}, ensure_ascii=False), flush=True)


def settings(database_url: str) -> dict[str, str]:
    return {
        "XIAOHU_ENV": "test",
        "XIAOHU_SECRET_KEY": "benchmark",
        "XIAOHU_DATABASE_URL": database_url,
        "XIAOHU_WECHAT__APP_ID": APP_ID,
        "XIAOHU_WECHAT__TOKEN": TOKEN,
        "XIAOHU_WECHAT__AES_KEY": AES_KEY,
        "PYTHONPATH": str(ROOT),
    }


def ours(port: int, database_url: str, workers: int) -> Any:
    command = [sys.executable, "-m", "bot", "serve", "--port", str(port), "--workers", str(workers)]
    return running(command, port, settings(database_url))


def main() -> None:
    """Everything, one after another: two cores allow no more."""
    if shutil.which("wrk") is None:
        print("webhook: needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="xiaohu-bench-") as name:
        folder = Path(name)
        script = folder / "push.lua"
        script.write_text(LUA)
        pushes = folder / "pushes.tsv"
        write_pushes(pushes, 12_000 * SECONDS)
        figures: dict[str, dict[str, float]] = {}
        for label, processes in (("bare_1", 1), ("bare_2", 2)):
            port = free_port()
            with running([sys.executable, "-m", "benchmarks.bare_echo", str(port), str(processes)], port, {}):
                figures[label] = load(port, pushes, script)
        port = free_port()
        with ours(port, f"sqlite:///{folder}/xiaohu.db", 1):
            figures["ours_sqlite_1"] = load(port, pushes, script)
        figures |= _postgresql(folder, pushes, script)
        figures |= _werobot(folder, pushes, script)
        for label, found in figures.items():
            say(f"webhook/{label}", **found)
        for label, reference in (
            ("ours_sqlite_1", "bare_1"),
            ("ours_postgresql_2", "bare_2"),
            ("ours_postgresql_2", "werobot_2"),
            ("ours_postgresql_2", "werobot_sessions_2"),
        ):
            if label in figures and reference in figures:
                ratio = figures[label]["per_second"] / figures[reference]["per_second"]
                say(f"webhook/{label} ÷ {reference}", ratio=ratio)


def _postgresql(folder: Path, pushes: Path, script: Path) -> dict[str, dict[str, float]]:
    from tests import postgres

    with postgres.running() as server:
        port = free_port()
        with ours(port, server.create(), 2):
            return {"ours_postgresql_2": load(port, pushes, script)}


def _werobot(folder: Path, pushes: Path, script: Path) -> dict[str, dict[str, float]]:
    robot_pushes = folder / "robot.tsv"
    write_pushes(robot_pushes, 6_000 * SECONDS, "/")
    found = {}
    for label, sessions in (("werobot_2", ""), ("werobot_sessions_2", str(folder / "sessions.db"))):
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-w",
            "2",
            "-b",
            f"127.0.0.1:{port}",
            "benchmarks.robot:application",
        ]
        environment = {"SESSIONS": sessions, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        try:
            with running(command, port, environment):
                found[label] = load(port, robot_pushes, script)
        except (AssertionError, subprocess.CalledProcessError) as error:
            print(f"{label}: {error}", file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
