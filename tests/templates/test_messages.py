"""What patients read: every text in every language, no promise a bot may not make, no confirmation by accident."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

from bot.domain.language import Language
from bot.outbox.wording import MESSAGES, Wording
from tests.chat import ZONE

NAMES = sorted(
    str(path.relative_to(MESSAGES)).removesuffix(".zh-Hans.txt") for path in MESSAGES.rglob("*.zh-Hans.txt")
)

# Contract §5: these words confirm, so no other text may use them.
CONFIRMING = {
    Language.SIMPLIFIED: re.compile("预约成功|已取消|改约成功|绑定成功|已登记"),
    Language.ENGLISH: re.compile(r"\b(booked|cancelled|rescheduled|linked|registered)\b", re.IGNORECASE),
}
CONFIRMATIONS = frozenset(
    {
        "appointment/booked",
        "appointment/cancelled",
        "appointment/moved",
        "binding/linked",
        "complaint/praise_registered",
        "complaint/registered",
        "family/linked",
        "plan/preop_cancelled",  # safety.md §2.6: the operation's own cancellation
        "points/redeemed",
        "waiting_list/joined",
    }
)
# safety.md §1.3 and §5.1 MKT-03: never said to a patient. 没事 may stand as an answer to choose.
NEVER = re.compile(
    r"您得的是|考虑是|正常现象|不要紧|不用去医院|等明天看看|护士马上就到|保证|一定能好|根治|治愈率|最好的医|"
    r"(?<!不要自行)(?<!不要自己)(?<!不自行)加量|减量|换药|\d+ ?(mg|毫克)"
)


def source(name: str, language: Language) -> str:
    return (MESSAGES / f"{name}.{language}.txt").read_text(encoding="utf-8")


def test_there_are_texts() -> None:
    assert len(NAMES) > 150


@pytest.mark.parametrize("name", NAMES)
def test_every_text_stands_in_every_language_and_parses(name: str) -> None:
    wording = Wording(ZONE)
    for language in Language:
        assert wording._environment.get_template(f"{name}.{language}")  # compiles; Traditional is made


def test_no_english_text_is_an_orphan() -> None:
    english = {str(path.relative_to(MESSAGES)).removesuffix(".en.txt") for path in MESSAGES.rglob("*.en.txt")}
    assert english == set(NAMES)


@pytest.mark.parametrize("language", [Language.SIMPLIFIED, Language.ENGLISH])
def test_only_confirmations_confirm(language: Language) -> None:
    confirming = {name for name in NAMES if CONFIRMING[language].search(_words(source(name, language)))}
    assert confirming <= CONFIRMATIONS


@pytest.mark.parametrize("name", NAMES)
def test_the_bot_never_plays_doctor(name: str) -> None:
    found = NEVER.search(source(name, Language.SIMPLIFIED))
    assert found is None, found


def _words(text: str) -> str:
    """Without quoted examples of what to reply, and without the template's own language."""
    return re.sub(r"“[^”]*”|\{[%{#].*?[%}#]\}", "", text, flags=re.DOTALL)


def test_a_missing_fact_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "m.zh-Hans.txt").write_text("您好，{{ name }}", encoding="utf-8")
    from bot.domain.words import say

    with pytest.raises(jinja2.UndefinedError):
        Wording(ZONE, tmp_path).text(say("t/m"), Language.SIMPLIFIED)
    assert Wording(ZONE, tmp_path).text(say("t/m", name="预约"), Language.TRADITIONAL) == "您好，预约"
