"""The lexicon as data: checked when loaded, and every wrong entry named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.language.meaning import Urgency
from bot.language.red_flags import Lexicon, LexiconError
from bot.language.red_flags.watched import WatchedLexicon
from tests.language.red_flag_fixtures import lexicon

HEAD = 'version = "1"\nsigner = "王医生"\n'
COUGH = """
[words]
cough = "咳嗽 咳"
[[concept]]
id = "X1"
name = "cough"
urgency = "U"
patterns = ["<cough>"]
"""

ROWS = "G01-28 P01-10 AB1-5 OB1-8 OR1-4 EY1-4 DE1-4 EN1-4 CO1-6 CA1-6 ES1-3 K01-15 M01-07 D01-10"  # safety.md §1.1


def _ids() -> set[str]:
    ids = set()
    for block in ROWS.split():
        match = re.fullmatch(r"([A-Z]+)(\d+)-(\d+)", block)
        assert match
        width = len(match[2])
        ids |= {f"{match[1]}{n:0{width}}" for n in range(int(match[2]), int(match[3]) + 1)}
    return ids


def test_every_row_of_the_clinical_table_has_rules() -> None:
    concepts = lexicon().entries.concepts
    assert set(concepts) == _ids()
    assert all(concept.rules for concept in concepts.values())


def test_every_concept_can_reach_the_urgency_it_states() -> None:
    for concept in lexicon().entries.concepts.values():
        assert concept.urgency in {rule.urgency for rule in concept.rules}


def _load(folder: Path, *files: str) -> Lexicon:
    for number, text in enumerate(files):
        (folder / f"{number}.toml").write_text(text, "utf-8")
    return Lexicon.load(folder)


def test_a_hospital_loads_its_own_lexicon(tmp_path: Path) -> None:
    own = _load(tmp_path, HEAD, COUGH)
    flags = own.read("一直咳嗽")
    assert flags.urgency is Urgency.URGENT
    assert flags.lexicon == "1 王医生"
    assert lexicon().read("一直咳嗽").urgency is None


def test_loading_again_reads_the_new_words(tmp_path: Path) -> None:
    assert _load(tmp_path, HEAD, COUGH).read("打喷嚏").urgency is None
    changed = _load(tmp_path, HEAD.replace('"1"', '"2"'), COUGH.replace("咳嗽 咳", "咳嗽 打喷嚏"))
    assert changed.read("打喷嚏").urgency is Urgency.URGENT
    assert changed.version.startswith("2 ")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (COUGH.replace("<cough>", "<sneeze>"), "X1.*names no class"),
        (COUGH.replace('["<cough>"]', '["<cough>", "<cough>"]'), "X1: duplicate"),
        (COUGH + '[[concept.also]]\nurgency = "E"\npatterns = ["<cough>"]\n', "X1: contradictory"),
        (COUGH.replace("咳嗽 咳", "咳嗽 咳嗽"), "'cough': '咳嗽' is given twice"),
        (COUGH.replace("咳嗽 咳", ""), "'cough' is empty"),
        (COUGH.replace('["<cough>"]', '["@X9 & <cough>"]'), "X1.*names no concept"),
        (COUGH.replace('["<cough>"]', '["#kidney & <cough>"]'), "X1.*names no fact 'kidney'"),
        (COUGH.replace('["<cough>"]', '["<cough> & "]'), "X1: empty part"),
        (COUGH.replace('["<cough>"]', '["<cough> …"]'), "X1: a rule begins and ends with a word"),
        (COUGH.replace('"U"', '"X"'), "concept X1"),
        (COUGH.replace('name = "cough"\n', ""), "concept X1: 'name'"),
        (COUGH.replace('["<cough>"]', "[]"), "X1: no rule"),
        (COUGH + '[[concept.also]]\nurgency = "U"\npoints = -20\npatterns = ["咳血"]\n', "X1: unreachable"),
        (COUGH + COUGH.split("\n[[")[1].join(("[[", "")), "'X1' is given twice"),
        (COUGH + '[scopes]\n[measures]\nhot = { of = "体温", from = 38 }\n', "class 'hot' is unreachable"),
        ("[wrods]\na = 'b'\n", "unknown entry 'wrods'"),
        ("[words\n", r"1\.toml"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, wrong: str, named: str) -> None:
    with pytest.raises(LexiconError, match=named):
        _load(tmp_path, HEAD, wrong)


def test_a_lexicon_without_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="no version"):
        _load(tmp_path, COUGH)
    with pytest.raises(LexiconError, match="no lexicon in"):
        Lexicon.load(tmp_path / "nowhere")


def _plain_emergency() -> str:
    return '[[concept]]\nid = "X2"\nname = "breath"\nurgency = "E"\npatterns = ["喘不上气"]\n'


def test_a_lexicon_is_read_again_when_its_files_have_changed_and_come_to_rest(tmp_path: Path) -> None:
    (tmp_path / "lexicon.toml").write_text(HEAD + COUGH + _plain_emergency(), "utf-8")
    watched = WatchedLexicon(tmp_path)
    assert watched.changed() is None
    (tmp_path / "lexicon.toml").write_text(HEAD.replace('"1"', '"2b"') + COUGH + _plain_emergency(), "utf-8")
    assert watched.changed() is None  # somebody may still be writing
    changed = watched.changed()
    assert changed is not None
    assert changed.read("一直咳嗽").lexicon == "2b 王医生"
    assert watched.changed() is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (COUGH.replace("<cough>", "<sneeze>") + _plain_emergency(), "X1.*names no class"),
        (COUGH, "does not take 我喘不上气了"),
    ],
)
def test_a_change_that_must_not_be_used_is_named_once_and_the_old_lexicon_stays(
    tmp_path: Path, wrong: str, named: str
) -> None:
    (tmp_path / "lexicon.toml").write_text(HEAD + COUGH + _plain_emergency(), "utf-8")
    watched = WatchedLexicon(tmp_path)
    (tmp_path / "lexicon.toml").write_text(HEAD.replace('"1"', '"22"') + wrong, "utf-8")
    assert watched.changed() is None
    with pytest.raises(LexiconError, match=named) as refused:
        watched.changed()
    assert "\n" not in str(refused.value)
    assert watched.changed() is None
    assert watched.lexicon.version == "1 王医生"
