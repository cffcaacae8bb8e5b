"""`xiaohu plan` and `worker --once --now`, as an operator types them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.shell import Shell

HOSPITAL = {
    "hospital": "key,value\nname,青禾市人民医院\nshort_name,青禾医院\n",
    "departments": "code,name,location,aliases,description\nGK,骨科,3楼,,\n",
    "doctors": "code,name,title,department_code,specialties,fee\nD1,张三,主任医师,GK,,50\n",
    "patients": "code,name,sex,birth_date,lunar_birthday,phone,id_number,language,source,region,allergies,history,"
    "vip_level,marketing_consent,deceased_on\nP1,王小明,M,1980-06-01,0,13800000001,,,,,,,,0,\n",
}
PROCEDURES = "code,patient_code,name,family,department_code,doctor_code,date,time,discharged_on,status\n"


@pytest.fixture
def shell(xiaohu: Shell) -> Shell:
    """A hospital with one patient, text messages into a file, and one follower."""
    xiaohu.settings |= {"XIAOHU_ENV": "test", "XIAOHU_SMS__URL": f"file://{xiaohu.folder}/sms.jsonl"}
    xiaohu.imports(**HOSPITAL)
    xiaohu.succeeds("bind", "oWang", "P1")
    return xiaohu


def operated(shell: Shell, day: str, status: str = "done") -> None:
    shell.imports(procedures=f"{PROCEDURES}OP1,P1,胆囊切除术,abdominal,GK,D1,{day},09:00,,{status}\n")


def planned(shell: Shell, since: str, until: str) -> list[dict[str, Any]]:
    lines = shell.succeeds("plan", "--from", since, "--to", until, "--patient", "P1").splitlines()
    return [json.loads(line) for line in lines]


def test_it_shows_what_would_go_out_and_writes_nothing(shell: Shell) -> None:
    operated(shell, "2026-11-17")
    lines = planned(shell, "2026-11-18T00:00", "2026-11-21T00:00")
    sent = [line for line in lines if line["decision"] == "send"]
    assert [(line["plan"], line["step"], line["at"][:10]) for line in sent] == [
        ("abdominal", "d1", "2026-11-18"),
        ("abdominal", "d3", "2026-11-20"),
    ]
    assert sent[0].keys() == {
        *("at", "patient", "openid", "plan", "step", "purpose", "channel", "text", "decision", "why")
    }
    assert (sent[0]["openid"], sent[0]["purpose"], sent[0]["channel"]) == ("oWang", "care", "sms")
    assert "胆囊" not in sent[0]["text"]
    assert shell.shows("letters") == []


def test_what_is_withheld_is_shown_with_its_reason(shell: Shell) -> None:
    operated(shell, "2026-11-17")
    shell.succeeds("unbind", "oWang", "P1")
    lines = planned(shell, "2026-11-18T08:30", "2026-11-19T00:00")
    assert [(line["step"], line["openid"], line["decision"]) for line in lines] == [
        ("d1", None, "no_contact")
    ]


def test_the_worker_sends_the_ten_oclock_contact_by_half_past(shell: Shell) -> None:
    operated(shell, "2026-11-17")
    early = json.loads(shell.succeeds("worker", "--once", "--now", "2026-11-18T07:59"))
    assert early["sent"] == 0
    line = json.loads(shell.succeeds("worker", "--once", "--now", "2026-11-18T10:30"))
    assert line["sent"] == 1
    assert line["planned"] > 0
    again = json.loads(shell.succeeds("worker", "--once", "--now", "2026-11-18T10:30"))
    assert again["sent"] == 0
    letters = shell.shows("letters", "--patient", "P1")
    assert [(row["plan"], row["step"], row["state"]) for row in letters] == [("abdominal", "d1", "sent")]


def test_in_production_an_unsigned_plan_is_withheld(shell: Shell) -> None:
    shell.settings["XIAOHU_ENV"] = "production"
    operated(shell, "2026-11-17")
    lines = planned(shell, "2026-11-18T08:30", "2026-11-19T00:00")
    assert [line["decision"] for line in lines] == ["unsigned"]


def test_a_moved_operation_is_planned_for_its_new_day_at_once(shell: Shell) -> None:
    operated(shell, "2026-12-01", "planned")
    shell.succeeds("worker", "--once", "--now", "2026-11-18T10:30")
    operated(shell, "2026-12-05", "planned")
    days = {line["step"]: line["at"][:10] for line in planned(shell, "2026-11-20T00:00", "2026-12-10T00:00")}
    assert days["t7"] == "2026-11-28"
    assert days["d1"] == "2026-12-06"
