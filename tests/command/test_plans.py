"""`xiaohu plans`, as an operator types it."""

from __future__ import annotations

import json

import pytest

from tests.flows.test_plan_command import HOSPITAL, operated, planned
from tests.shell import Shell


@pytest.fixture
def shell(xiaohu: Shell) -> Shell:
    xiaohu.settings |= {"XIAOHU_ENV": "test", "XIAOHU_SMS__URL": f"file://{xiaohu.folder}/sms.jsonl"}
    xiaohu.imports(**HOSPITAL)
    xiaohu.succeeds("bind", "oWang", "P1")
    operated(xiaohu, "2026-11-17")
    xiaohu.succeeds("worker", "--once", "--now", "2026-11-17T12:00")
    return xiaohu


def test_a_plan_is_held_back_and_goes_on(shell: Shell) -> None:
    assert json.loads(shell.succeeds("plans", "pause", "abdominal", "--by", "li")) == {
        "plan": "abdominal",
        "paused": True,
    }
    line = planned(shell, "2026-11-18T09:00", "2026-11-18T12:00")[0]
    assert (line["step"], line["decision"]) == ("d1", "paused")
    listed = [json.loads(line) for line in shell.succeeds("plans", "list").splitlines()]
    [found] = [one for one in listed if one["plan"] == "abdominal"]
    assert (found["running"], found["paused"], found["signed_by"]) == (1, True, None)

    shell.succeeds("plans", "resume", "abdominal")
    line = planned(shell, "2026-11-18T09:00", "2026-11-18T12:00")[0]
    assert (line["step"], line["decision"]) == ("d1", "send")


def test_what_does_not_exist_is_refused(shell: Shell) -> None:
    for words in (("pause", "nonsense"), ("migrate", "abdominal", "--to", "99")):
        assert "there is no such plan" in shell.refuses("plans", *words)[0]


def test_a_migration_is_shown_before_it_is_done(shell: Shell) -> None:
    assert shell.succeeds("plans", "migrate", "abdominal", "--to", "1") == ""  # everybody follows it already
