"""The invented hospital: rich, steady, and a data folder like any other."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.demo.hospital import PATIENTS, WEEKS, Hospital, write
from bot.hospital.importing.layouts import FAMILIES
from tests.shell import Shell

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital(TODAY)


def test_there_is_enough_to_try(hospital: Hospital) -> None:
    tables = hospital.tables()
    assert len(tables["departments"]) >= 8
    assert len(tables["doctors"]) >= 30
    assert len(tables["patients"]) == PATIENTS == 200
    assert {row["family"] for row in tables["procedures"]} == set(FAMILIES)
    assert len(tables["reports"]) > 200
    assert len(tables["points"]) > 100
    assert sum(len(row["questions"].split("|")) for row in tables["answers"]) > 100
    assert all(row["answer"] and row["answer_zh_hant"] and row["answer_en"] for row in tables["answers"])


def test_places_for_four_weeks_from_today(hospital: Hospital) -> None:
    days = {date.fromisoformat(row["start"][:10]) for row in hospital.tables()["slots"]}
    assert min(days) >= TODAY
    assert max(days) >= TODAY + timedelta(weeks=WEEKS) - timedelta(days=3)
    assert not any(day.weekday() == 6 for day in days)
    everyone = {row["code"] for row in hospital.tables()["doctors"]}
    assert {row["doctor_code"] for row in hospital.tables()["slots"]} == everyone


def test_it_says_that_it_is_invented(hospital: Hospital) -> None:
    facts = {row["key"]: row["value"] for row in hospital.tables()["hospital"]}
    assert "虚构" in facts["name"]
    assert facts["phone"].startswith("0000-")


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11-2, by its recursion."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def test_identity_numbers_have_the_right_shape_and_belong_to_nobody(hospital: Hospital) -> None:
    assert check_digit("11010519491231002") == "X"  # the example of GB 11643-1999
    patients = hospital.tables()["patients"]
    for row in patients:
        number = row["id_number"]
        assert number.startswith("999999" + row["birth_date"].replace("-", ""))
        assert number[17] == check_digit(number[:17])
        assert int(number[16]) % 2 == (row["sex"] == "M")
    assert len({row["id_number"] for row in patients}) == PATIENTS


def test_the_same_day_gives_the_same_hospital(tmp_path: Path) -> None:
    people = write(tmp_path / "a", TODAY)
    assert write(tmp_path / "b", TODAY) == people
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_it_is_imported_today_and_again_tomorrow(xiaohu: Shell) -> None:
    people = write(xiaohu.folder / "demo", TODAY)
    xiaohu.succeeds("import", str(xiaohu.folder / "demo"))
    before = xiaohu.shows("points")
    write(xiaohu.folder / "demo", TODAY + timedelta(days=1))
    xiaohu.succeeds("import", str(xiaohu.folder / "demo"))
    assert len(xiaohu.shows("tiers")) == PATIENTS
    assert xiaohu.shows("points") == before
    with (xiaohu.folder / "demo" / "patients.csv").open(encoding="utf-8", newline="") as file:
        patients = {row["code"]: row for row in csv.DictReader(file)}
    for person in people:
        assert patients[person.code]["id_number"].endswith(person.id_ending)
        assert patients[person.code]["phone"] == person.phone
