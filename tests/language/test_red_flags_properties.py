"""Whatever is typed: an answer, the same answer, and in time that grows with the length alone."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.meaning import Context, Urgency
from tests.language.red_flag_fixtures import GRAVITY, Sentence, lexicon, sentences

_EMERGENCIES = sentences("emergency")
_HARD = {
    "dense signs": "胸口疼喘不上气",
    "negations": "没有不无未没",
    "a long list": "没有胸痛、发烧、",
    "digits": "38",
    "pressures": "180/110,",
    "no breaks": "今天又没胸口突然疼血不止吐咳拉孩子发烧抽搐",
    "breaks only": "，。！",
    "pinyin": "上qi",
    "split words": "喘 ",
    "supposed": "如果去年没有昨天现在胸疼吗",
    "emoji": "😀",
    "latin": "no chest pain ",
}


@given(st.text(max_size=400))
@settings(deadline=None)
def test_any_text_is_read_and_twice_the_same(text: str) -> None:
    flags = lexicon().read(text)
    assert 0 <= flags.score <= 1
    assert (flags.urgency is None) == (not flags.flags)
    assert lexicon().read(text) == flags


@given(st.text(alphabet="没不无有胸口疼痛血烧喘晕死想,。、吗了过吐38度/ 今昨突然如果会", max_size=60))
@settings(deadline=None)
def test_any_mixture_of_the_words_we_know_is_read(text: str) -> None:
    flags = lexicon().read(text)
    assert flags.urgency == max((f.urgency for f in flags.flags), key=GRAVITY.__getitem__, default=None)


# What people write around an emergency. {} is the emergency; none of it makes it less of one.
_FRAMES = [
    "医生您好,{}",
    "有高血压病史,{}",
    "之前身体一直很好,{}",
    "上个月做过手术,{}",
    "昨天去医院看了没事,现在{}",
    "我去年也这样,今天{}",
    "没发烧,就是{}",
    "本来好了,昨晚又{}",
    "{},请问医生这是怎么回事",
    "{},需要去医院吗",
    "{},严重吗",
    "{},会有生命危险吗",
    "{},我很害怕",
    "{},我爸以前也这样过",
    "{},这是什么病",
]
# What makes the same words a question, a memory or a story.
_UNREAL = [
    "如果{}怎么办",
    "万一{}呢",
    "会不会{}",
    "怎么预防{}",
    "去年{},现在已经好了",
    "上次{},后来好了",
    "有一次{},去医院检查说没事",
    "梦见{}",
    "电视剧里{}",
]


def _plain() -> list[Sentence]:
    """Emergencies said in one breath, at no special time."""
    told = {"今天", "突然", "刚", "昨", "现在", "上次", "去年", "又"}
    return [
        s
        for s in _EMERGENCIES
        if s.kind == "colloquial"
        and s.context == Context()
        and not {",", " "} & set(s.text)
        and not any(word in s.text for word in told)
        and not (s.concept or "").startswith("M")
    ]


@pytest.mark.parametrize("frame", _FRAMES)
def test_what_is_written_around_it_hides_no_emergency(frame: str) -> None:
    rows = _plain()
    found = sum(
        GRAVITY[lexicon().read(frame.format(s.text)).urgency] >= GRAVITY[Urgency.URGENT] for s in rows
    )
    assert found / len(rows) >= 0.96


@pytest.mark.parametrize("frame", _UNREAL)
def test_what_is_supposed_past_or_told_is_not_alarmed(frame: str) -> None:
    rows = _plain()
    found = sum(
        GRAVITY[lexicon().read(frame.format(s.text)).urgency] >= GRAVITY[Urgency.URGENT] for s in rows
    )
    assert found / len(rows) <= 0.04


@pytest.mark.parametrize("sign", ["胸痛", "呕血", "抽搐", "便血", "晕倒", "发烧", "呼吸困难", "出血"])
@pytest.mark.parametrize("denial", ["没有", "没", "并没有出现", "目前没有任何"])
def test_a_denied_sign_is_none(sign: str, denial: str) -> None:
    assert lexicon().read(denial + sign).urgency is None


@pytest.mark.parametrize(
    "sign", ["喘不上气", "叫不醒", "血止不住", "没有呼吸", "尿不出来", "没知觉了人叫不应"]
)
def test_a_sign_that_is_itself_a_negation_stays(sign: str) -> None:
    assert GRAVITY[lexicon().read(sign).urgency] >= GRAVITY[Urgency.URGENT]


def _work(text: str) -> int:
    """How many calls it takes to read *text*: a clock that no busy machine slows."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    reader = lexicon()
    reader.read("先读一遍")
    sys.setprofile(count)
    try:
        reader.read(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("seed", _HARD.values(), ids=_HARD.keys())
def test_ten_kilobytes_of_anything_are_read_in_linear_work(seed: str) -> None:
    whole = (seed * 10_000).encode()[:10_000].decode(errors="ignore")
    half = whole[: len(whole) // 2]
    assert _work(whole) <= 2.5 * _work(half) + 2_000
    assert _work(whole) <= 150_000


def test_a_short_message_is_little_work() -> None:
    works = sorted(_work(s.text) for s in sentences("routine")[::10])
    assert works[len(works) // 2] <= 1_500
