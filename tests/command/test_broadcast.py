"""`xiaohu broadcast`: written by one, approved by another, delivered by the worker, accounted for to the last member."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from storage.tables import audit, letters, patient_tags, patients, tickets, users
from tests.hospital_folder import OPENED, bound, contact, open_hospital
from tests.shell import Shell

START = "2026-11-18T10:30"


def people(db: sa.Connection) -> None:
    """A hospital with seven people tagged 会员, and three console users."""
    open_hospital(db)
    for name, role in (("小营", "marketing"), ("主任", "manager"), ("护士", "nurse")):
        db.execute(users.insert().values(name=name, role=role, created_at=OPENED))
    for code in ("P01", "P02", "P03", "P05", "P06", "P07", "P08"):
        db.execute(patient_tags.insert().values(patient_code=code, tag="会员"))


@pytest.fixture
def office(xiaohu: Shell) -> Shell:
    """Where broadcasts are written."""
    xiaohu.settings |= {"XIAOHU_ENV": "test"}
    xiaohu.ask(people)
    return xiaohu


def line(output: str) -> dict[str, Any]:
    [only] = output.splitlines()
    values: dict[str, Any] = json.loads(only)
    return values


def created(
    office: Shell, purpose: str = "care", text: str = "明天门诊停电检修，请改天来。", tag: str = "会员"
) -> str:
    words = ("create", "--tag", tag, "--text", text, "--purpose", purpose, "--by", "小营")
    return str(line(office.succeeds("broadcast", *words))["id"])


def approved(office: Shell, *args: str) -> str:
    number = created(office, *args)
    assert line(office.succeeds("broadcast", "approve", number, "--by", "主任"))["state"] == "approved"
    return number


def test_its_life_from_the_shell(office: Shell) -> None:
    number = created(office)
    told = line(office.succeeds("broadcast", "status", number))
    assert (told["id"], told["state"], told["planned"]) == (int(number), "draft", 0)

    assert line(office.succeeds("broadcast", "approve", number, "--by", "主任")) == {
        "id": int(number),
        "state": "approved",
    }
    assert line(office.succeeds("broadcast", "start", number, "--now", START))["state"] == "running"
    told = line(office.succeeds("broadcast", "status", number))
    assert (told["state"], told["planned"], told["withheld"]) == ("running", 7, {"deceased": 1, "unbound": 6})
    assert line(office.succeeds("broadcast", "stop", number))["state"] == "stopped"
    actions = office.ask(lambda db: db.execute(sa.select(audit.c.action, audit.c.actor)).all())
    assert [row.action for row in actions if row.action.startswith("broadcast")] == [
        "broadcast create",
        "broadcast approve",
        "broadcast start",
        "broadcast stop",
    ]


@pytest.mark.parametrize(
    ("by", "named"), [("小营", "wrote"), ("护士", "manager"), ("谁", "no such console user")]
)
def test_somebody_else_must_approve_and_a_manager(office: Shell, by: str, named: str) -> None:
    number = created(office)

    [refusal] = office.refuses("broadcast", "approve", number, "--by", by)

    assert by in refusal
    assert named in refusal
    [refusal] = office.refuses("broadcast", "start", number, "--now", START)
    assert "draft" in refusal


def test_a_manager_who_wrote_it_needs_another_manager(office: Shell) -> None:
    words = ("--tag", "会员", "--text", "停诊通知", "--purpose", "care", "--by", "主任")
    number = str(line(office.succeeds("broadcast", "create", *words))["id"])

    [refusal] = office.refuses("broadcast", "approve", number, "--by", "主任")

    assert "主任" in refusal


def test_only_console_users_write(office: Shell) -> None:
    words = ("--tag", "会员", "--text", "停诊通知", "--purpose", "care", "--by", "路人")
    [refusal] = office.refuses("broadcast", "create", *words)
    assert "路人" in refusal


def test_another_now_is_refused_in_production(office: Shell) -> None:
    number = approved(office)
    office.settings |= {"XIAOHU_ENV": "production"}

    [refusal] = office.refuses("broadcast", "start", number, "--now", START)

    assert "--now" in refusal
    assert line(office.succeeds("broadcast", "start", number))["state"] == "running"


@pytest.mark.parametrize("command", ["approve", "start", "stop", "status"])
def test_what_does_not_exist_is_refused(office: Shell, command: str) -> None:
    words = ("--by", "主任") if command == "approve" else ()
    [refusal] = office.refuses("broadcast", command, "99", *words)
    assert "99" in refusal


def test_what_is_over_cannot_begin_again(office: Shell) -> None:
    number = approved(office)
    office.succeeds("broadcast", "stop", number)

    for words in (("start", number, "--now", START), ("stop", number), ("approve", number, "--by", "主任")):
        [refusal] = office.refuses("broadcast", *words)
        assert "stopped" in refusal


def test_a_diagnosis_is_no_audience_for_marketing(office: Shell) -> None:
    words = ("--tag", "糖尿病", "--text", "体检套餐上新", "--purpose", "marketing", "--by", "小营")
    [refusal] = office.refuses("broadcast", "create", *words)
    assert "糖尿病" in refusal

    created(office, "care", "请记得按时监测血糖。", "糖尿病")


@pytest.mark.parametrize(
    ("purpose", "text", "word"),
    [
        ("marketing", "我院种植技术国家级水平", "国家级"),
        ("marketing", "治 愈 率 高", "治愈率"),
        ("marketing", "近视手术月", "近视手术"),
        ("greeting", "新年快乐，体检八折优惠", "优惠"),
        ("care", "限时抢购体检卡", "抢购"),
        ("care", "  ", "空"),
        ("greeting", "好" * 700, "过长"),
    ],
)
def test_what_must_not_be_said(office: Shell, purpose: str, text: str, word: str) -> None:
    words = ("--tag", "会员", "--text", text, "--purpose", purpose, "--by", "小营")
    [refusal] = office.refuses("broadcast", "create", *words)
    assert word in refusal


def test_the_audience_is_accounted_for(office: Shell) -> None:
    """Dead, unbound, opted out, complaining: everybody has one reason."""
    for openid, code in (("o1", "P01"), ("o3", "P03"), ("o5", "P05"), ("o6", "P06")):
        office.ask(bound(openid, code))
    office.ask(bound("o1", "P02", "child"))
    office.ask(lambda db: db.execute(patients.update().values(marketing_consent=True)))
    office.ask(
        lambda db: db.execute(
            tickets.insert().values(
                at=OPENED, contact_id=contact(db, "o5"), kind="complaint", status="received", severity="C3"
            )
        )
    )
    office.ask(
        lambda db: db.execute(
            patients.update().where(patients.c.code == "P06").values(marketing_consent=False)
        )
    )
    number = approved(office, "marketing", "体检套餐上新，欢迎咨询。")

    office.succeeds("broadcast", "start", number, "--now", START)

    told = line(office.succeeds("broadcast", "status", number))
    assert told["planned"] == 7
    assert told["withheld"] == {
        "deceased": 1,  # P08
        "minor": 1,  # P02
        "no_consent": 1,  # P06
        "open_complaint": 1,  # P05
        "unbound": 1,  # P07
    }
    assert told["waiting"] == 2


def test_the_worker_delivers_within_the_window_and_says_why_not(office: Shell) -> None:
    """Nothing is set up to send with: everybody ends with a reason, and no nurse gets a task."""
    for openid, code in (("o1", "P01"), ("o3", "P03")):
        office.ask(bound(openid, code))
    number = approved(office)
    office.succeeds("broadcast", "start", number, "--now", START)

    done = line(office.succeeds("worker", "--once", "--now", START))

    assert (done["suppressed"], done["failed"]) == (2, 0)
    told = line(office.succeeds("broadcast", "status", number))
    assert told["state"] == "finished"
    assert told["withheld"] == {"deceased": 1, "no_route": 2, "unbound": 4}
    assert office.shows("tasks") == []
    rows = office.ask(lambda db: db.execute(sa.select(letters.c.key)).scalars().all())
    assert sorted(rows) == [f"broadcast:{number}:P01", f"broadcast:{number}:P03"]
