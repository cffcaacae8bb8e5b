"""Learnt models on disk: JSON of whole numbers, a feature a line, so that changes can be read.

Most features of a model are never met by one process. So a line is only cut from the file when it is read, and
its numbers are read when the feature is first met.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = dict[str, str]  # feature → its numbers, as written


def save_model(path: Path, head: Mapping[str, Any], rows: Iterable[tuple[str, Sequence[int]]]) -> None:
    """Write a model: *head*, then every feature's numbers, in this order."""
    lines = ",\n".join(
        f"{json.dumps(feature, ensure_ascii=False)}:{json.dumps(row, separators=(',', ':'))}"
        for feature, row in rows
    )
    described = ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in head.items())
    path.write_text(f'{{{described},"weights":{{\n{lines}\n}}}}\n', "utf-8")


def read_model(path: Path) -> tuple[dict[str, Any], Rows]:
    """The head of a model and its rows, unread. Raises ValueError when the file is none."""
    first, *lines = path.read_text("utf-8").split("\n")
    if lines[-2:] != ["}}", ""] or not first.endswith(',"weights":{'):
        raise ValueError(f"{path.name} is no model")
    head = json.loads(first.removesuffix(',"weights":{') + "}")
    rows = {line[1:at]: line[at + 3 :] for line in lines[:-2] if (at := line.rfind('":[')) > 0}
    for feature in [feature for feature in rows if "\\" in feature]:
        rows[json.loads(f'"{feature}"')] = rows.pop(feature)
    return head, rows


def numbers(row: str) -> list[int]:
    """The numbers of one row, as `read_model` cut it."""
    return [int(each) for each in row.rstrip("],").split(",")]
