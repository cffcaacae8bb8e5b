"""Phone, code, ID ending and name, recognised by their shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language.normalise import normalise
from bot.language.papers import Papers, read_papers


def read(text: str, **asked: bool) -> tuple[str, str, str, str]:
    papers = read_papers(normalise(text), **asked)
    return papers.phone, papers.code, papers.ending, papers.name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("张三 13800000001", ("13800000001", "", "", "张三")),
        ("张三13800000001 123X", ("13800000001", "", "123X", "张三")),
        ("１３８０００００００１", ("13800000001", "", "", "")),
        ("+86 138-0000-0001", ("13800000001", "", "", "")),
        ("+852 9123 4567", ("+85291234567", "", "", "")),
        ("123456", ("", "123456", "", "")),
        ("123 456", ("", "123456", "", "")),
        ("验证码是123456。", ("", "123456", "", "")),
        ("1234", ("", "", "1234", "")),
        ("123x", ("", "", "123X", "")),
        ("330101198503121232", ("", "", "1232", "")),
        ("33010119850312123x", ("", "", "123X", "")),
        (
            "我叫林志远，手机13800000001，验证码 123456，身份证后四位1232",
            ("13800000001", "123456", "1232", "林志远"),
        ),
        ("13800000001 123456 1232 林志远", ("13800000001", "123456", "1232", "林志远")),
        ("张三女士 1234", ("", "", "1234", "张三")),
        ("张三123X", ("", "", "123X", "张三")),
        ("我妈王芳 13800000002", ("13800000002", "", "", "王芳")),
        ("添加家人 我妈 王芳 13800000002", ("13800000002", "", "", "王芳")),
        ("陳大文 9876", ("", "", "9876", "陈大文")),
        ("阿依古丽·买买提", ("", "", "", "阿依古丽·买买提")),
        ("Emma Clark 13800000006", ("13800000006", "", "", "Emma Clark")),
        ("my name is Emma Clark", ("", "", "", "Emma Clark")),
        ("١٢٣٤٥٦", ("", "", "", "")),  # digits, but none that a phone or code is written in
    ],
)
def test_by_shape(text: str, found: tuple[str, str, str, str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize("text", ["没收到", "谢谢", "停车在哪", "好的", "不知道", "重新发", "我妈"])
def test_what_is_no_name(text: str) -> None:
    assert read(text)[3] == ""


def test_a_rare_name_is_one_when_it_was_asked_for() -> None:
    assert read("测试甲")[3] == ""
    assert read("测试甲", name_asked=True)[3] == "测试甲"
    assert read("Madonna")[3] == ""
    assert read("Madonna", name_asked=True)[3] == "Madonna"
    assert read("okay", name_asked=True)[3] == ""


def test_other_papers_than_mainland_ones_when_asked_for() -> None:
    assert read("6(7)")[2] == ""
    assert read("6(7)", ending_asked=True)[2] == "6(7)"


def test_whether_anything_else_was_said() -> None:
    assert read_papers("张三 13800000001").alone
    assert not read_papers("送积分给 13800000001").alone


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(read_papers(normalise(text), name_asked=True, ending_asked=True), Papers)
