"""How well and how fast messages are understood: `python -m benchmarks.understanding`, one JSON line a figure.

Speeds are taken on our own example sentences. Scores need labelled patient language beside the repository
(`../shared/data`, or the folder given); without it only the speeds are printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from bot.language.intents.training import SENTENCES, read_sentences
from bot.language.understand import Understanding

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NOW = datetime(2026, 3, 18, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
TEN_KILOBYTES = 3_400  # Chinese characters
ADVERSARIAL = (
    "预约取消",
    "疼",
    "下周一到下周三上午",
    "没有不是",
    "一二三四1234",
    "投诉",
    ",",
    "a",
    "我妈头疼。",
)

Row = dict[str, Any]


def main(folder: Path = DATA) -> None:
    """Print every figure."""
    for figure, value in (*loading(), *speeds(), *scores(folder)):
        line = {"benchmark": "understanding", "figure": figure, "value": value}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def loading() -> Iterator[tuple[str, float]]:
    """Seconds and resident megabytes that a fresh process needs before it has read its first message."""
    probe = (
        "import json, pathlib, time\n"
        "def resident(): return int(pathlib.Path('/proc/self/statm').read_text().split()[1]) * 4096\n"
        "before, start = resident(), time.perf_counter()\n"
        "from benchmarks.understanding import NOW, Understanding\n"
        "Understanding().read('你好', NOW)\n"
        "print(json.dumps([time.perf_counter() - start, (resident() - before) / 1e6]))"
    )
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True)
    seconds, megabytes = json.loads(answer.stdout)
    yield "load.seconds", round(seconds, 3)
    yield "load.resident_megabytes", round(megabytes, 1)


def speeds() -> Iterator[tuple[str, float]]:
    """Milliseconds a message, on one core."""
    understanding = Understanding()
    texts = [sentence for _, sentence in read_sentences(SENTENCES)]
    spent = sorted(min(_milliseconds(understanding, text) for _ in range(2)) for text in texts)
    yield "message.median_ms", round(median(spent), 3)
    yield "message.p99_ms", round(spent[len(spent) * 99 // 100], 3)
    yield "message.worst_ms", round(spent[-1], 3)
    longest = ((piece * TEN_KILOBYTES)[:TEN_KILOBYTES] for piece in ADVERSARIAL)
    yield "ten_kilobytes.worst_ms", round(max(_milliseconds(understanding, text) for text in longest), 3)


def scores(folder: Path) -> Iterator[tuple[str, object]]:
    """The scorer's own figures, then what is confused with what."""
    if not (folder / "score.py").exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "scores.json"
        command = f'"{sys.executable}" -m bot.language.command'
        subprocess.run(
            [sys.executable, folder / "score.py", "--quiet", "--cmd", command, "--json", found],
            capture_output=True,
            check=True,
        )
        for name, figures in json.loads(found.read_text("utf-8")).items():
            yield from ((f"{name}.{figure}", value) for figure, value in figures.items())
    yield from _classes(folder / "dev", "intents", "intent")
    yield from _classes(folder / "dev", "triage", "department")


def _classes(folder: Path, name: str, label: str) -> Iterator[tuple[str, object]]:
    understanding = Understanding()
    pairs = []
    for row in _rows(folder / f"{name}.jsonl"):
        meaning = understanding.read(row["text"], NOW)
        answer = meaning.intent if label == "intent" else next(iter(meaning.triage), "none")
        gold = row[label]
        pairs.append((gold, gold if answer in row.get("accept", ()) else answer))
    for gold, figures in sorted(_by_class(pairs).items()):
        yield f"{name}.class.{gold}", figures
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    yield f"{name}.confusions", [[*pair, count] for pair, count in wrong.most_common()]


def _by_class(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Mapping[str, float]]:
    said = Counter(answer for _, answer in pairs)
    right = Counter(gold for gold, answer in pairs if gold == answer)
    count = Counter(gold for gold, _ in pairs)
    return {
        gold: {
            "precision": round(right[gold] / said[gold], 3) if said[gold] else 0.0,
            "recall": round(right[gold] / count[gold], 3),
            "rows": count[gold],
        }
        for gold in count
    }


def _rows(file: Path) -> Iterable[Row]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def _milliseconds(understanding: Understanding, text: str) -> float:
    start = time.perf_counter()
    understanding.read(text, NOW)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
