"""How long an import of 100,000 patients takes, and how long it keeps others from writing meanwhile.

The import runs as an operator runs it, beside this process, which writes a row every few milliseconds as a
server would. Prints one JSON line an import.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

import storage.migrate
from storage.database import Database, open_database
from storage.dialect import upsert
from storage.tables import cursors
from storage.types import Seal
from tests import postgres

PATIENTS = 100_000
PAUSE = 0.005  # seconds between two writes
COLUMNS = (
    "code,name,sex,birth_date,lunar_birthday,phone,id_number,language,source,region,"
    "allergies,history,vip_level,marketing_consent,deceased_on"
)


def write_folder(folder: Path) -> None:
    """patients.csv with every column filled."""
    folder.mkdir()
    with (folder / "patients.csv").open("w", encoding="utf-8") as file:
        file.write(COLUMNS + "\n")
        for number in range(PATIENTS):
            born = f"19{number % 90 + 10}-0{number % 9 + 1}-1{number % 10}"
            file.write(
                f"P{number:06},张{number},{'MF'[number % 2]},{born},0,138{number:08},999999{number:011}X,zh-Hans,"
                f"门诊,湖滨区,青霉素,高血压 {number % 9} 年,{number % 10},{number % 2},\n"
            )


async def write_beside(database: Database, done: asyncio.Event) -> float:
    """Write like a server until it is done; the longest that one write took, in seconds."""
    longest, number = 0.0, 0

    def write(connection: sa.Connection) -> None:
        upsert(connection, cursors, [{"name": "benchmark", "value": str(number)}], keys=("name",))

    while not done.is_set():
        began = time.perf_counter()
        await database.write(write)
        longest = max(longest, time.perf_counter() - began)
        number += 1
        await asyncio.sleep(PAUSE)
    return longest


async def measure(url: str, folder: Path, figure: str) -> None:
    """One import and its figures."""
    database, done = open_database(url), asyncio.Event()
    await database.write(storage.migrate.upgrade)
    beside = asyncio.create_task(write_beside(database, done))
    settings = {"XIAOHU_DATABASE_URL": url, "XIAOHU_SECRET_KEY": "benchmark"}
    began = time.perf_counter()
    importing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "import", str(folder)),
        env=os.environ | settings,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await importing.wait() == 0
    seconds = time.perf_counter() - began
    done.set()
    longest = await beside
    await database.close()
    figures = {
        "figure": figure,
        "database": database.dialect,
        "patients": PATIENTS,
        "seconds": round(seconds, 1),
        "patients_per_second": round(PATIENTS / seconds),
        "longest_write_beside_seconds": round(longest, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Each database, new and again."""
    Seal.use("benchmark")
    with tempfile.TemporaryDirectory() as name, postgres.running() as server:
        folder = Path(name) / "hospital"
        write_folder(folder)
        for url in (f"sqlite:///{name}/xiaohu.db", server.create()):
            for figure in ("import.new", "import.again"):
                asyncio.run(measure(url, folder, figure))


if __name__ == "__main__":
    main()
