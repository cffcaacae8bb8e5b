"""The second reader of danger: learnt, reproducible, and only ever adding alarms."""

from __future__ import annotations

import json
from functools import cache

from bot.language.meaning import Urgency
from bot.language.red_flags import Lexicon
from bot.language.red_flags.training import learnt_from
from bot.language.red_flags.witness import MODEL, standard_witness
from tests.language.red_flag_fixtures import FOLDER, GRAVITY, lexicon, sentences


@cache
def both() -> Lexicon:
    return lexicon().heard_with(standard_witness())


def test_the_shipped_model_was_learnt_from_the_shipped_sentences() -> None:
    """If this fails: `python -m bot.language.red_flags.training tests/language/fixtures/red_flags`."""
    assert json.loads(MODEL.read_text("utf-8"))["learnt_from"] == learnt_from(FOLDER)


def test_it_takes_nothing_back() -> None:
    for sentence in sentences("emergency")[::5] + sentences("routine")[::20]:
        rules, together = (each.read(sentence.text, sentence.context) for each in (lexicon(), both()))
        assert GRAVITY[together.urgency] >= GRAVITY[rules.urgency]
        assert set(rules.flags) <= set(together.flags)


def test_what_the_rules_found_is_left_as_it_is() -> None:
    assert both().read("我爸喘不上气嘴唇发紫") == lexicon().read("我爸喘不上气嘴唇发紫")


def test_an_unheard_wording_of_danger_is_an_alarm_that_says_who_raised_it() -> None:
    text = "老伴说心里像有只手攥着，脸灰白，衣服都湿透了"
    flags = both().read(text)
    assert flags.urgency in (Urgency.EMERGENCY, Urgency.URGENT)
    if lexicon().read(text).urgency is None:
        assert flags.flags[0].rule.startswith("second reader")


def test_it_may_make_an_urgent_sign_an_emergency() -> None:
    text = "打完玻尿酸，眼睛突然啥也看不到"
    assert lexicon().read(text).urgency is Urgency.URGENT
    assert both().read(text).urgency is Urgency.EMERGENCY


def test_wordings_nobody_taught_are_heard() -> None:
    """Written before anybody looked at what reads them, and never learnt from: it may only get better."""
    rows = sentences("unseen")
    alarms = [GRAVITY[both().read(row.text).urgency] >= GRAVITY[Urgency.URGENT] for row in rows]
    of = {
        level: [a for a, row in zip(alarms, rows, strict=True) if row.expect == level]
        for level in ("E", "U", None)
    }
    assert sum(of["E"]) / len(of["E"]) >= 0.96
    assert sum(of["U"]) / len(of["U"]) >= 0.96
    assert sum(of[None]) / len(of[None]) <= 0.12  # all of them chosen to sound like danger


def test_nothing_and_noise_raise_no_alarm() -> None:
    for text in ("", " ", "。。。", "1", "👍", "asdf", "好的"):
        assert both().read(text).urgency is None
