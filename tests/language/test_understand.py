"""One message read whole: what a patient writes, and what the other rooms get to see of it."""

from __future__ import annotations

import io
import json
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.command import run
from bot.language.meaning import DepartmentName, DoctorName, Meaning, Vocabulary
from bot.language.understand import Understanding

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
HOSPITAL = Vocabulary(
    departments=(DepartmentName("D01", "骨科"), DepartmentName("D02", "心血管内科", ("心内科",))),
    doctors=(DoctorName("W1", "张建国", "主任医师", "D01"),),
)
READER = Understanding(HOSPITAL)


def read(text: str) -> Meaning:
    return READER.read(text, NOW)


def test_two_wants_of_one_message_are_found_in_the_order_they_were_asked() -> None:
    meaning = read("改约到周五,另外查下积分")
    assert [want.intent for want in meaning.wants] == ["appointment.reschedule", "points.balance"]
    assert meaning.intent == "appointment.reschedule"


def test_what_else_is_asked_beside_a_complaint_is_found() -> None:
    meaning = read("我要投诉,另外退掉我的号")
    assert [want.intent for want in meaning.wants] == ["complaint", "appointment.cancel"]
    assert meaning.intent == "complaint"


def test_three_wants_of_one_message() -> None:
    meaning = read("帮我取消明天的号。顺便看看血常规报告出来没有,还有停车怎么收费")
    assert [want.intent for want in meaning.wants] == ["appointment.cancel", "report.query", "info.faq"]


def test_the_doctor_named_in_a_booking_is_found() -> None:
    meaning = read("想挂张建国主任的号")
    assert meaning.intent == "appointment.book"
    assert [doctor.code for doctor in meaning.doctors] == ["W1"]


def test_below_the_threshold_it_is_unknown() -> None:
    assert read("嘟嘟嘟巴拉巴拉").intent == "unknown"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("送500积分给13800000001", "13800000001"),
        ("我的电话是 138-0000-0001", "13800000001"),
        ("+86 13800000001 王五", "13800000001"),
        ("订单号 9913800000001", None),
        ("打12345", None),
    ],
)
def test_a_mobile_number_is_known_by_its_shape(text: str, phone: str | None) -> None:
    assert read(text).phone == phone


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("帮我妈挂个号", "parent"),
        ("孩子的报告出来了吗", "child"),
        ("老公的复诊改到周五", "spouse"),
        ("给我奶奶约个眼科", "other"),
        ("我想挂号", None),
    ],
)
def test_for_whom_it_is_asked(text: str, relation: str | None) -> None:
    assert read(text).relation == relation


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("昨天抽的血结果出来没", "lab"),
        ("CT报告出了吗", "imaging"),
        ("病理结果什么时候出", "pathology"),
        ("体检报告怎么查", "exam"),
        ("报告出来了吗", None),
    ],
)
def test_which_report_is_meant(text: str, kind: str | None) -> None:
    meaning = read(text)
    assert meaning.intent == "report.query"
    assert meaning.report_kind == kind


def test_how_many_points_are_to_be_given() -> None:
    meaning = read("送积分 500 给 13800000001")
    assert (meaning.intent, meaning.quantity) == ("points.redeem", 500)


def test_the_illnesses_and_medicines_named_are_listed() -> None:
    entities = read("糖尿病头晕吃二甲双胍,要查血常规吗,头晕得厉害").entities
    assert entities == {
        "diseases": ("糖尿病",),
        "symptoms": ("头晕",),
        "drugs": ("二甲双胍",),
        "examinations": ("血常规",),
    }


def test_the_command_answers_each_line_and_echoes_its_id() -> None:
    asked = [{"id": "a", "text": "谢谢"}, {"text": "挂什么科", "now": "2026-03-18T10:20:00"}]
    out = io.StringIO()
    run(io.StringIO("".join(json.dumps(line) + "\n" for line in asked)), out)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["id"], first["intent"]) == ("a", "thanks")
    assert "id" not in second
    assert second["intent"] == "triage.recommend"


@pytest.mark.parametrize(
    "line", ["not json", "[]", '{"id": 1}', '{"text": 5}', '{"text": "a", "now": "soon"}']
)
def test_the_command_names_the_line_it_cannot_read_and_goes_on(line: str) -> None:
    out = io.StringIO()
    run(io.StringIO('{"text": "你好"}\n' + line + '\n{"text": "谢谢"}\n'), out)
    first, wrong, last = (json.loads(answer) for answer in out.getvalue().splitlines())
    assert (first["intent"], last["intent"]) == ("greeting.chitchat", "thanks")
    assert "line 2" in wrong["error"]
    assert wrong.get("id") == (1 if "id" in line else None)


def test_what_no_encoding_can_write_is_answered_in_escapes() -> None:
    out = io.StringIO()
    run(io.StringIO('{"id": "\\ud800", "text": "\\ud800喘不上气"}\n'), out)
    assert json.loads(out.getvalue().encode())["urgency"] == "E"


def test_a_moment_elsewhere_is_the_hospitals_day() -> None:
    out = io.StringIO()
    run(io.StringIO('{"text": "明天", "now": "2026-03-18T20:00:00Z"}\n'), out)
    assert json.loads(out.getvalue())["start"] == "2026-03-20T00:00:00"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert 0.0 <= read(text).confidence <= 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from("预约取消挂号改积分报告出没吗的医院头疼孩子药术后,。!? 1a"), min_size=1, max_size=40
    )
)
def test_ten_kilobytes_of_anything_are_read_in_bounded_time(parts: list[str]) -> None:
    text = ("".join(parts) * 10_000)[:3_300]
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 3  # about 0.04; quadratic time would take minutes
