"""One spelling for everything that follows."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.language import Language
from bot.language.normalise import detect_language, normalise


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ＡＢＣ１２３，血压１８０／１１０", "ABC123,血压180/110"),
        ("我媽喘不過氣，嘴唇發紫", "我妈喘不过气,嘴唇发紫"),
        ("搭計程車去醫院要多久", "搭出租车去医院要多久"),
        ("胸\u200b口\u2060疼\ufeff", "胸口疼"),
        ("第一行\r\n第二行\t\t第三  行 ", "第一行 第二行 第三 行"),
        ("好的👌谢谢🌹", "好的👌谢谢🌹"),
        ("后天下午复诊，面条可以吃吗", "后天下午复诊,面条可以吃吗"),
        ("坏\x00的\x07\ud83d字", "坏的字"),
        ("", ""),
    ],
)
def test_one_spelling(typed: str, read: str) -> None:
    assert normalise(typed) == read


@given(st.text())
def test_any_text_is_safe_and_nothing_invisible_is_left(text: str) -> None:
    once = normalise(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cs"} for c in once)
    assert "  " not in once
    assert once == once.strip()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我想挂号", Language.SIMPLIFIED),
        ("我想掛號", Language.TRADITIONAL),
        ("唔舒服，想睇医生", Language.TRADITIONAL),
        ("点解咁耐都未到我", Language.TRADITIONAL),
        ("I would like to see a doctor", Language.ENGLISH),
        ("help", Language.ENGLISH),
        ("TD", Language.SIMPLIFIED),
        ("ok", Language.SIMPLIFIED),
        ("3", Language.SIMPLIFIED),
        ("", Language.SIMPLIFIED),
        ("我要做 CT and MRI", Language.SIMPLIFIED),
        ("张後主任的号，我想换到明天下午可以吗", Language.SIMPLIFIED),
        ("👍", Language.SIMPLIFIED),
    ],
)
def test_the_language_to_answer_in(text: str, language: Language) -> None:
    assert detect_language(text) is language


@given(st.text())
def test_any_text_has_a_language(text: str) -> None:
    assert detect_language(text) in Language
