"""The same data out of workbooks, where phones are numbers and days are dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from bot.hospital.importing.reading import LostDigits, as_text
from storage.tables import patients, procedures, slots
from tests.hospital import files
from tests.shell import Shell


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """Write a workbook as a hospital's clerk would have saved it."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    book.close()


PATIENT_HEADER = files.PATIENT_COLUMNS.split(",")


def patient(**cells: Any) -> list[Any]:
    row = {"code": "P1", "name": "王小明"} | cells
    return [row.get(name) for name in PATIENT_HEADER]


def test_sheets_are_called_like_the_files(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({"departments.csv": files.DEPARTMENTS, "doctors.csv": files.DOCTORS})
    workbook(
        folder / "医院数据.xlsx",
        {
            "说明": [["这一页是给人看的"]],
            "patients": [
                PATIENT_HEADER,
                patient(
                    phone=13800000001,
                    birth_date=date(1980, 1, 2),
                    lunar_birthday=True,
                    id_number="110101198001021234",
                    vip_level=3,
                    deceased_on=datetime(2026, 1, 2),  # noqa: DTZ001  a workbook knows no zones
                ),
            ],
            "slots.csv": [
                files.SLOTS.splitlines()[0].split(","),
                ["S1", "D1", datetime(2026, 11, 23, 8), datetime(2026, 11, 23, 8, 30), 3.0],  # noqa: DTZ001
                ["S2", "D1", "2026-11-24T08:00", "2026-11-24T08:30", 1],
            ],
            "procedures": [
                files.PROCEDURES.splitlines()[0].split(","),
                ["O1", "P1", "手术", "joint", "GK", "D1", date(2026, 11, 15), time(9, 30), None, None],
                [None] * 10,
            ],
        },
    )
    printed = xiaohu.succeeds("import", str(folder))
    assert "医院数据.xlsx[说明]" in printed
    (row,) = xiaohu.ask(lambda db: db.execute(sa.select(patients)).all())
    assert (row.phone, row.birth_date, row.lunar_birthday) == ("13800000001", date(1980, 1, 2), True)
    assert (row.id_number, row.vip_level, row.deceased_on) == ("110101198001021234", 3, date(2026, 1, 2))
    first, second = xiaohu.ask(lambda db: db.execute(sa.select(slots).order_by(slots.c.code)).all())
    assert (first.start_at, first.capacity) == (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), 3)
    assert second.start_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    (row,) = xiaohu.ask(lambda db: db.execute(sa.select(procedures)).all())
    assert (row.date, row.time) == (date(2026, 11, 15), time(9, 30))


def test_a_workbook_of_one_sheet_may_itself_be_called_like_the_file(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({})
    workbook(folder / "patients.xlsx", {"Sheet1": [PATIENT_HEADER, patient()]})
    xiaohu.succeeds("import", str(folder))


def test_faults_have_the_sheets_line_and_column(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({"tags.csv": files.TAGS})
    workbook(
        folder / "hospital.xlsx",
        {
            "patients": [
                PATIENT_HEADER,
                patient(vip_level=3.5),
                [None],
                patient(code="P2", id_number=110101198001021234),
                patient(code="P3", name="@cmd"),
                [*patient(code="P4"), "too much"],
                patient(),
            ],
            "tags": [["patient_code", "tag"]],
        },
    )
    assert xiaohu.refuses("import", str(folder)) == [
        "tags.csv:::given twice, as CSV and in a workbook",
        "patients.csv:2:vip_level: not a whole number",
        "patients.csv:4:id_number: a number of more than 15 digits, which workbooks round: make the cell text",
        "patients.csv:5:name: text begins with @",
        "patients.csv:6:: 16 cells, the header has 15",
        "patients.csv:7:code: the same key as line 2",
    ]


def test_what_is_no_workbook_is_said(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({"hospital.xlsx": b"not a zip file"})
    assert xiaohu.refuses("import", str(folder)) == ["hospital.xlsx:::not a workbook"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800000001.0, "13800000001"),
        (0.0, "0"),
        (-3.0, "-3"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "0.0000001"),
        (True, "1"),
        ("", ""),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 8, 29, 59, 999_999), "2026-01-02T08:30:00"),  # noqa: DTZ001
        (time(9, 30), "09:30:00"),
    ],
)
def test_a_cell_says_what_was_typed(value: object, text: str) -> None:
    assert as_text(value) == text


def test_digits_that_a_workbook_rounded_are_known_to_be_lost() -> None:
    assert isinstance(as_text(110101198001021234.0), LostDigits)
