"""Doctors and departments as patients name them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language.meaning import DepartmentName, DoctorName, Vocabulary
from bot.language.names import NameIndex
from bot.language.normalise import normalise

HOSPITAL = Vocabulary(
    departments=(
        DepartmentName("gk", "骨科", ("骨伤科",)),
        DepartmentName("xn", "心血管内科"),
        DepartmentName("sn", "神经内科"),
        DepartmentName("sw", "神经外科"),
        DepartmentName("xh", "消化内科", ("胃肠病区", "GI")),
        DepartmentName("hx", "呼吸与危重症医学科"),
        DepartmentName("pf", "皮肤科"),
        DepartmentName("kq", "口腔科"),
        DepartmentName("eb", "耳鼻咽喉科"),
        DepartmentName("fc", "妇产科"),
        DepartmentName("ek", "儿科"),
        DepartmentName("pw", "普外科"),
        DepartmentName("mn", "泌尿外科"),
        DepartmentName("nf", "內分泌科"),
        DepartmentName("jz", "急诊科"),
    ),
    doctors=(
        DoctorName("d1", "章建国", "主任医师", "gk"),
        DoctorName("d2", "张伟", "主治医师", "xn"),
        DoctorName("d3", "张丽华", "副主任医师", "gk"),
        DoctorName("d4", "高兴", "医师", "ek"),
        DoctorName("d5", "欧阳锋", "主任医师", "sn"),
        DoctorName("d6", "单雄信", "主任医师", "xn"),
        DoctorName("d7", "曾可", "主治医师", "pf"),
        DoctorName("d8", "王芳", "主任医师", "fc"),
        DoctorName("d9", "王芳", "主治医师", "ek"),
        DoctorName("d10", "陳曉東", "主任医师", "kq"),
        DoctorName("d11", "平安", "主任医师", "jz"),
    ),
)
INDEX = NameIndex(HOSPITAL)


def departments(text: str) -> dict[str, float]:
    return {named.code: named.score for named in INDEX.departments(normalise(text))}


def doctors(text: str) -> dict[str, float]:
    return {named.code: named.score for named in INDEX.doctors(normalise(text))}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("我想挂骨科", "gk"), ("骨伤科在几楼", "gk"), ("心血管内科", "xn"), ("心内科有号吗", "xn"), ("挂个心内", "xn"),
        ("心血管科", "xn"), ("神内的号", "sn"), ("神外", "sw"), ("消化科", "xh"), ("胃肠病区怎么走", "xh"), ("GI", "xh"),
        ("呼吸科", "hx"), ("挂皮肤的号", "pf"), ("皮肤专家", "pf"), ("挂消化", "xh"), ("牙科", "kq"), ("耳鼻喉科", "eb"),
        ("耳鼻喉", "eb"), ("妇科", "fc"), ("产科建档", "fc"), ("小儿科", "ek"), ("普外", "pw"), ("泌尿科", "mn"), ("内分泌科", "nf"),
        ("急诊在哪", "jz"), ("骨頭科", "gk"), ("xinneike", "xn"), ("gu ke", "gk"), ("想看pifuke", "pf"),
        ("皮夫科", "pf"), ("估科", "gk"), ("而科", "ek"), ("神精内科", "sn"),
    ],
)  # fmt: skip
def test_a_department_is_found_by_what_people_call_it(text: str, code: str) -> None:
    found = departments(text)
    assert next(iter(found)) == code
    assert found[code] >= 0.7


@pytest.mark.parametrize(
    "text",
    [
        "皮肤痒",
        "消化不好",
        "呼吸困难",
        "口腔溃疡",
        "挂什么科",
        "科学",
        "内分泌失调",
        "心里难受",
        "骨头疼",
        "儿子发烧",
    ],
)
def test_an_organ_is_no_department(text: str) -> None:
    assert departments(text) == {}


def test_a_name_inside_a_longer_one_is_not_found_twice() -> None:
    assert list(departments("妇产科")) == ["fc"]
    assert list(departments("先去神经内科再去骨科")) == ["sn", "gk"]


def test_who_says_only_internal_medicine_is_asked_which() -> None:
    found = departments("挂内科")
    assert set(found) == {"xn", "sn", "xh"}
    assert len(set(found.values())) == 1
    assert max(found.values()) < 0.7


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("挂章建国的号", "d1"), ("章建国", "d1"), ("挂张建国的号", "d1"), ("张建国主任什么时候出诊", "d1"), ("张健国医生", "d1"),
        ("zhangjianguo", "d1"), ("我想约zhang jianguo", "d1"), ("Zhang Jian Guo yisheng", "d1"), ("jianguo zhang", "d1"),
        ("zhangjiangguo", "d1"), ("章主任", "d1"), ("建国医生在吗", "d1"), ("约张丽花医生", "d3"), ("挂张丽话的号", "d3"),
        ("欧阳主任", "d5"), ("单主任", "d6"), ("shanxiongxin", "d6"), ("曾医生", "d7"), ("zengke", "d7"), ("陈晓东主任", "d10"),
        ("陈小东医生", "d10"), ("高兴医生", "d4"), ("挂高兴的号", "d4"), ("平安主任", "d11"),
    ],
)  # fmt: skip
def test_a_doctor_is_found_by_name_ear_or_pinyin(text: str, code: str) -> None:
    found = doctors(text)
    assert next(iter(found)) == code
    assert found[code] >= 0.7


def test_a_written_name_counts_more_than_one_by_ear() -> None:
    assert doctors("挂章建国的号")["d1"] == 1.0
    assert doctors("挂张建国的号")["d1"] < 1.0


@pytest.mark.parametrize(
    "text",
    [
        "很高兴认识你",
        "祝你平安",
        "我高兴不起来",
        "祝一路平安",
        "今天天气不错",
        "头疼得厉害",
        "医生你好",
        "请问专家号多少钱",
    ],
)
def test_a_common_word_is_no_doctor(text: str) -> None:
    assert all(score < 0.7 for score in doctors(text).values())


def test_namesakes_are_a_tie() -> None:
    found = doctors("王芳医生")
    assert found["d8"] == found["d9"] == 1.0


def test_the_department_breaks_a_tie() -> None:
    found = doctors("儿科王芳医生")
    assert next(iter(found)) == "d9"
    assert found["d9"] > found["d8"]


@pytest.mark.parametrize("text", ["张大夫", "老张大夫", "小张医生", "找张医生", "挂老张的号"])
def test_a_surname_with_a_title_is_a_tie_of_all_who_bear_it(text: str) -> None:
    found = doctors(text)
    assert {"d2", "d3"} <= set(found)
    assert found["d2"] == found["d3"]


def test_a_director_is_looked_for_among_directors_first() -> None:
    found = doctors("张主任")
    assert found["d3"] > found["d2"]


def test_a_surname_nobody_bears_is_tried_by_ear_and_stays_weak() -> None:
    found = doctors("山主任在吗")  # 单 is read shan as a surname
    assert 0 < found["d6"] < 0.7


def test_the_words_that_named_somebody_are_told() -> None:
    (named,) = INDEX.doctors("想约张建国主任")
    assert (named.text, named.name) == ("张建国", "章建国")


def test_an_empty_hospital_names_nobody() -> None:
    index = NameIndex(Vocabulary())
    assert index.doctors("张主任") == ()
    assert index.departments("骨科") == ()


@given(text=st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    INDEX.doctors(text)
    INDEX.departments(text)


NAMES = st.text("张王李赵章长国建华丽伟芳欧阳单a -", max_size=4)


@given(names=st.lists(NAMES, max_size=8), text=st.text("张王李章建国华医生主任挂号的科 a", max_size=30))
def test_any_staff_list_is_indexed(names: list[str], text: str) -> None:
    staff = tuple(DoctorName(str(n), name, "", "") for n, name in enumerate(names))
    rooms = tuple(DepartmentName(str(n), name + "科") for n, name in enumerate(names))
    index = NameIndex(Vocabulary(rooms, staff))
    for found in (index.doctors(text), index.departments(text)):
        scores = [named.score for named in found]
        assert scores == sorted(scores, reverse=True)
        assert len({named.code for named in found}) == len(found)
        assert all(0 < score <= 1 for score in scores)


@pytest.mark.parametrize("words", ["张", "张主任", "医生", "zhang ", "章建", "科", "a-"])
def test_ten_kilobytes_of_anything_are_read_in_a_blink(words: str) -> None:
    text = (words * 10_000)[:10_000]
    INDEX.doctors(text)
    began = time.process_time()
    INDEX.doctors(text)
    INDEX.departments(text)
    assert time.process_time() - began < 3  # about 0.01; quadratic time would take minutes
