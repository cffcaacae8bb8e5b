"""What a message means for danger: the golden sentences and the traps of language."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.language.meaning import Context, Procedure, Urgency
from bot.language.red_flags import fingerprint
from tests.language.red_flag_fixtures import GRAVITY, Sentence, lexicon, read, sentences

AFTER_SURGERY = Context(procedures=(Procedure("other", 3),))
WARNING = "如果出现喘不上气、胸痛、止不住的出血、叫不醒，请立即拨打120，不要等。"


@pytest.mark.parametrize("sentence", sentences("golden"), ids=lambda s: s.text)
def test_golden_sentence(sentence: Sentence) -> None:
    flags = read(sentence)
    concepts = {flag.concept for flag in flags.flags}
    if sentence.expect == "S+":
        assert flags.urgency is not None
    else:
        assert flags.urgency == sentence.expect
    if sentence.ask:
        assert flags.ask
    if sentence.only:
        assert concepts == {sentence.only}
    if sentence.concept:
        assert sentence.concept in concepts
    if sentence.other_person:
        assert all(flag.other_person for flag in flags.flags)


@pytest.mark.parametrize("sentence", sentences("traps"), ids=lambda s: f"{s.kind}: {s.text}")
def test_trap(sentence: Sentence) -> None:
    flags = read(sentence)
    gravity = GRAVITY[flags.urgency]
    if sentence.expect is None:
        assert gravity < GRAVITY[Urgency.URGENT]
    else:
        least = {"S+": 1, "S": 1, "U": 2, "alarm": 2, "E": 3}[sentence.expect]
        assert gravity >= least
    if sentence.ask:
        assert flags.ask


def test_every_trap_has_at_least_five_sentences() -> None:
    kinds = Counter(sentence.kind for sentence in sentences("traps"))
    assert len(kinds) >= 17
    assert min(kinds.values()) >= 5


def test_a_decision_explains_itself() -> None:
    flags = lexicon().read("没有胸痛，但是突然喘不上气")
    (breath,) = (f for f in flags.flags if f.concept == "G02")
    assert breath.text == "喘不上气"
    assert "sudden" in breath.rule
    assert ("G01", "胸痛", "negated") in {(s.concept, s.text, s.why) for s in flags.suppressed}
    assert flags.lexicon.endswith("unsigned")


def test_the_words_quoted_are_the_writers_own() -> None:
    assert lexicon().read("胸口tong得厉害").flags[0].text.startswith("胸口tong")
    assert lexicon().read("胸 口 疼，出冷汗").flags[0].text == "胸 口 疼"


def test_a_quoted_warning_of_ours_is_no_alarm() -> None:
    own = {fingerprint(WARNING)}
    flags = lexicon().read(WARNING, own_texts=own)
    assert flags.urgency is None
    assert flags.suppressed[0].why == "own_text"
    assert lexicon().read(f"「{WARNING}」\n- - - - - -\n好的收到", own_texts=own).urgency is None
    assert lexicon().read(WARNING.replace("，", ",").replace("喘", " 喘"), own_texts=own).urgency is None


def test_what_is_added_to_a_quoted_warning_is_read() -> None:
    own = {fingerprint(WARNING)}
    flags = lexicon().read(f"「{WARNING}」\n- - - - - -\n我现在就喘不上气", own_texts=own)
    assert flags.urgency is Urgency.EMERGENCY


def test_facts_of_the_record_raise() -> None:
    bite = "被狗咬了"
    assert lexicon().read(bite).urgency is Urgency.SAME_DAY
    for context in (
        Context(age_days=60),
        Context(age_days=80 * 366),
        Context(pregnant_weeks=20),
        Context(postpartum_days=30),
        Context(immunosuppressed=True),
        Context(anticoagulated=True),
        Context(alone=True),
        Context(seen_within_24_hours=frozenset({"G28"})),
        AFTER_SURGERY,
    ):
        assert lexicon().read(bite, context).urgency is Urgency.URGENT


def test_only_the_listed_pairs_raise_to_an_emergency() -> None:
    fever = "发烧38度5"
    assert lexicon().read(fever, Context(age_days=60)).urgency is Urgency.URGENT
    assert lexicon().read(fever, Context(age_days=20)).urgency is Urgency.EMERGENCY
    chills = "发烧打寒战"
    assert lexicon().read(chills, Context(chemotherapy=True)).urgency is Urgency.EMERGENCY
    bleeding = "牙龈一直出血还在流"
    assert lexicon().read(bleeding, Context(anticoagulated=True)).urgency is Urgency.EMERGENCY
    again = Context(seen_within_24_hours=frozenset({"G08"}))
    assert lexicon().read("大便发黑", again).urgency is Urgency.URGENT
    assert lexicon().read("大便发黑越来越重", again).urgency is Urgency.EMERGENCY


def test_procedure_rows_are_not_raised_by_context() -> None:
    wound = "伤口有点红"
    assert lexicon().read(wound, AFTER_SURGERY).urgency is Urgency.SAME_DAY


def test_context_never_lowers() -> None:
    context = Context(procedures=(Procedure("dental", 0),), anticoagulated=True, pregnant_weeks=30)
    for sentence in [s for s in sentences("emergency") if s.context == Context()][::25]:
        assert GRAVITY[lexicon().read(sentence.text, context).urgency] >= GRAVITY[read(sentence).urgency]


def test_the_score_ranks_danger_before_doubt_before_nothing() -> None:
    scores = [
        lexicon().read(text).score
        for text in ("我爸刚刚突然倒地叫不醒", "便血是怎么回事", "胸痛是什么原因", "停车怎么收费")
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9
    assert scores[-1] == 0
