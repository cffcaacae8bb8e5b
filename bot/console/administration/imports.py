"""The hospital's data from the browser: the same importer as `xiaohu import`, all or nothing, followed while it runs."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import structlog
from aiohttp import BodyPartReader, web

from bot.console.pages import HEADERS, moved, shown
from bot.console.people import STAFF
from bot.console.tickets.pages import harmless
from bot.domain.clock import Clock
from bot.hospital.importing.applying import Outcome, import_folder
from bot.hospital.importing.layouts import LAYOUTS
from bot.settings import Settings
from bot.web.api import SETTINGS
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.database import Database, on_own_connection
from storage.queries import audit
from storage.queries import console_imports as runs
from storage.rows import Row

LARGEST: Final = 200_000_000  # bytes of all files, unpacked
MOST_FILES: Final = 40
NAME: Final = re.compile(r"[\w.-]{1,80}\.(?:csv|xlsx)")
ALIVE: Final = timedelta(hours=2)  # whoever is not done by then died with its process
TELL_EVERY: Final = 0.5  # seconds
STATES: Final = {
    "waiting": "等待开始",
    "reading": "正在检查",
    "refused": "有错误，未作任何改动",
    "checked": "检查通过，未作改动",
    "done": "导入完成",
    "failed": "中断，未作任何改动",
}
# What the importer says of a cell, for those who filled it in.
REASONS: Final = (
    (re.compile("unknown column"), "没有这样的列"),
    (re.compile("missing column"), "缺少这一列"),
    (re.compile("column given twice"), "这一列出现了两次"),
    (re.compile("empty"), "不能为空"),
    (re.compile("not UTF-8"), "文件不是UTF-8编码"),
    (re.compile("not a workbook"), "不是有效的XLSX文件"),
    (re.compile("no hospital data in this folder"), "没有可以导入的文件"),
    (re.compile("given twice, as CSV and in a workbook"), "CSV和XLSX里都有，只能留一份"),
    (re.compile("not one of (.+)"), "只能是：{}"),
    (re.compile("not a date YYYY-MM-DD"), "日期要写成 2026-01-31"),
    (re.compile("no such (?:date|time)"), "没有这个日期或时间"),
    (re.compile("not a time (.+)"), "时间要写成 {}"),
    (re.compile("not a telephone number"), "不是电话号码"),
    (re.compile("not a whole number"), "不是整数"),
    (re.compile("not between (.+) and (.+)"), "要在 {} 到 {} 之间"),
    (re.compile("not 0 or 1"), "只能是0或1"),
    (re.compile("not an amount in yuan.*"), "金额只写数字，最多两位小数"),
    (re.compile("text begins with (.+)"), "不能以 {} 开头（防止公式）"),
    (re.compile("control character"), "含有不可见字符"),
    (re.compile("over ([\\d,]+) characters"), "超过 {} 个字"),
    (re.compile(r"(\d+) cells, the header has (\d+)"), "这一行有 {} 格，表头有 {} 格"),
)

routes = web.RouteTableDef()
log = structlog.get_logger()


class Refused(Exception):
    """The upload cannot be taken; what to say."""


@dataclass
class Running:
    """Imports under way in this process, so that none is forgotten while it works."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, task: asyncio.Task[None]) -> None:
        """Keep it until it is done."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


RUNNING = web.AppKey("imports_running", Running)


def in_chinese(reason: str) -> str:
    """What is wrong with a cell."""
    for pattern, chinese in REASONS:
        if (found := pattern.fullmatch(reason)) is not None:
            return chinese.format(*found.groups())
    return reason


@routes.get("/console/admin/imports")
async def imports(request: web.Request) -> web.Response:
    """Those before, and a new one."""
    return await _imports(request)


async def _imports(request: web.Request, problem: str = "") -> web.Response:
    found = await request.app[DATABASE].read(runs.newest)
    return shown(
        request,
        "imports.html",
        runs=found,
        states=STATES,
        layouts=LAYOUTS,
        problem=problem,
        status=422 if problem else 200,
    )


@routes.post("/console/admin/imports")
async def begin(request: web.Request) -> web.Response:
    """Take the files, and begin."""
    app, by, now = request.app, request[STAFF].name, request.app[CLOCK].now()
    folder = Path(tempfile.mkdtemp(prefix="xiaohu-import-"))
    try:
        only_checks = await _take(request, folder)
        total = await asyncio.to_thread(_unpack, folder)
        if await app[DATABASE].read(lambda db: runs.going(db, now, ALIVE)):
            raise Refused("另一个导入还没有结束。")
    except Refused as refused:
        shutil.rmtree(folder)
        return await _imports(request, str(refused))
    number = await app[DATABASE].write(lambda db: runs.begin(db, by, total, now, only_checks=only_checks))
    work = _run(app[DATABASE], app[SETTINGS], app[CLOCK], folder, number, by, only_checks=only_checks)
    app[RUNNING].start(asyncio.create_task(work))
    return moved(f"/console/admin/imports/{number}")


async def _take(request: web.Request, folder: Path) -> bool:
    """Write the uploaded files down; whether they shall only be checked."""
    if not request.content_type.startswith("multipart/"):
        raise Refused("请选择文件。")
    only_checks, size, files = False, 0, 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "only_checks":
            only_checks = bool(await part.read())
        elif part.name == "files" and part.filename:
            files += 1
            with (folder / _name(part.filename, zipped=True)).open("xb") as file:
                while chunk := await part.read_chunk(1 << 16):
                    size += len(chunk)
                    if size > LARGEST or files > MOST_FILES:
                        raise Refused("文件太多或太大：最多40个，共200 MB。")
                    file.write(chunk)
    if not files:
        raise Refused("请选择文件。")
    return only_checks


def _name(given: str, *, zipped: bool = False) -> str:
    """A plain name of a file: no folders, nothing hidden."""
    name = re.split(r"[\\/]", given)[-1]
    if NAME.fullmatch(name) or (zipped and re.fullmatch(r"[\w.-]{1,80}\.zip", name)):
        return name
    raise Refused(f"只接受 CSV、XLSX 和 ZIP：{name[:60]}")


def _unpack(folder: Path) -> int:
    """Take the files out of archives; how many bytes there are to read."""
    for archive in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(archive) as packed:
                inside = [one for one in packed.infolist() if not one.is_dir() and _wanted(one.filename)]
                if len(inside) > MOST_FILES or sum(one.file_size for one in inside) > LARGEST:
                    raise Refused("文件太多或太大：最多40个，共200 MB。")
                for one in inside:
                    _extract(packed, one, folder / _name(one.filename))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise Refused("ZIP 文件打不开。") from error
        archive.unlink()
    return sum(path.stat().st_size for path in folder.iterdir())


def _wanted(name: str) -> bool:
    last = name.rpartition("/")[2]
    return not name.startswith("__MACOSX") and not last.startswith((".", "~$")) and bool(NAME.fullmatch(last))


def _extract(packed: zipfile.ZipFile, one: zipfile.ZipInfo, path: Path) -> None:
    """One file, never longer than it says it is."""
    if path.exists():
        raise Refused(f"ZIP 里有两个 {path.name}。")
    with packed.open(one) as source, path.open("xb") as file:
        left = one.file_size
        while chunk := source.read(1 << 16):
            left -= len(chunk)
            if left < 0:
                raise Refused("ZIP 文件打不开。")
            file.write(chunk)


async def _run(
    database: Database,
    settings: Settings,
    clock: Clock,
    folder: Path,
    number: int,
    by: str,
    *,
    only_checks: bool,
) -> None:
    """Import in a thread, and write down how far it is."""
    read: dict[str, Any] = {"file": "", "read": 0}  # written by the thread, looked at here

    def progress(file: str, size: int) -> None:
        read.update(file=file, read=read["read"] + size)

    def work(connection: sa.Connection) -> Outcome:
        return import_folder(
            connection,
            folder,
            zone=settings.zone,
            now=clock.now(),
            by=by,
            dry_run=only_checks,
            progress=progress,
        )

    try:
        job = asyncio.create_task(asyncio.to_thread(on_own_connection, settings.database_url, work))
        while not job.done():
            await asyncio.wait({job}, timeout=TELL_EVERY)
            so_far = {"state": "reading", **read}
            await database.write(partial(_change, number=number, values=so_far))
        outcome = job.result()
        values = _ended(outcome, only_checks)
    except Exception as error:
        log.error("import_failed", error=type(error).__name__)
        values = {"state": "failed"}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ended = clock.now()

    def write(db: sa.Connection) -> None:
        runs.change(db, number, ended_at=ended, **values)
        audit.append(db, by, f"import {values['state']}", f"import:{number}", "", ended)

    await database.write(write)


def _change(db: sa.Connection, number: int, values: Mapping[str, Any]) -> None:
    runs.change(db, number, **values)


def _ended(outcome: Outcome, only_checks: bool) -> dict[str, Any]:
    faults = [[one.file, one.line, one.column, one.reason] for one in outcome.faults]
    return {
        "state": "refused" if faults else "checked" if only_checks else "done",
        "counts": json.dumps(dict(outcome.counts), ensure_ascii=False),
        "faults": json.dumps(faults, ensure_ascii=False),
        "strangers": json.dumps(list(outcome.strangers), ensure_ascii=False),
        "file": "",
    }


async def _one(request: web.Request) -> tuple[Row, dict[str, Any]]:
    number = int(request.match_info["run"])
    row = await request.app[DATABASE].read(lambda db: runs.run(db, number))
    if row is None:
        raise web.HTTPNotFound
    faults: Sequence[Sequence[Any]] = json.loads(row.faults or "[]")
    going = row.state in runs.GOING
    dead = going and request.app[CLOCK].now() - row.at > ALIVE
    return row, {
        "run": row,
        "going": going and not dead,
        "state": "failed" if dead else row.state,
        "states": STATES,
        "share": 0 if not row.total else min(100, 100 * row.read // row.total),
        "counts": json.loads(row.counts or "{}"),
        "strangers": json.loads(row.strangers or "[]"),
        "faults": [(file, line, column, in_chinese(reason), reason) for file, line, column, reason in faults],
    }


@routes.get("/console/admin/imports/{run:\\d+}")
async def one(request: web.Request) -> web.Response:
    """How far it is, or what became of it."""
    _, facts = await _one(request)
    return shown(request, "import.html", **facts)


@routes.get("/console/admin/imports/{run:\\d+}/progress")
async def progress(request: web.Request) -> web.Response:
    """The part of the page that follows it."""
    _, facts = await _one(request)
    return shown(request, "import_run.html", **facts)


@routes.get("/console/admin/imports/{run:\\d+}/faults")
async def faults(request: web.Request) -> web.Response:
    """Every refused cell, for those who mend the files."""
    row, facts = await _one(request)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(("文件", "行", "列", "原因", "reason"))
    writer.writerows([harmless("" if cell is None else cell) for cell in fault] for fault in facts["faults"])
    return web.Response(
        body=written.getvalue().encode("utf-8-sig"),
        headers={
            **HEADERS,
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="import-{row.id}-faults.csv"',
        },
    )
