"""The classifier learns the same model from the same sentences, and keeps it in JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.language.classifier import Classifier, learn
from bot.language.intents.rules import standard_rules
from bot.language.intents.training import MODEL, SENTENCES, read_sentences, train

ANIMALS = [
    ("cat", ["soft", "meow", "small"]),
    ("cat", ["meow", "quick"]),
    ("dog", ["bark", "big"]),
    ("dog", ["bark", "soft", "quick"]),
] * 3


def test_it_learns_what_tells_the_labels_apart() -> None:
    taught = learn(ANIMALS)
    believed = taught.probabilities(["meow", "soft"])
    assert believed["cat"] > 0.75
    assert sum(believed.values()) == pytest.approx(1.0)


def test_what_it_has_never_seen_says_nothing() -> None:
    assert learn(ANIMALS).probabilities(["moo"]) == {"cat": 0.5, "dog": 0.5}


def test_a_saved_model_believes_what_it_believed(tmp_path: Path) -> None:
    taught = learn(ANIMALS)
    taught.save(tmp_path / "model.json")
    again = Classifier.load(tmp_path / "model.json")
    for grams in (["bark"], ["meow", "big"], ["soft", "quick"]):
        assert again.scores(grams) == taught.scores(grams)


def test_a_model_learnt_from_something_else_is_refused(tmp_path: Path) -> None:
    learn(ANIMALS).save(tmp_path / "model.json", "yesterday's file")
    with pytest.raises(ValueError, match="learnt from other files"):
        Classifier.load(tmp_path / "model.json", "today's file")


def test_the_shipped_model_is_what_the_shipped_sentences_teach(tmp_path: Path) -> None:
    train(read_sentences(SENTENCES), standard_rules()).save(tmp_path / "model.json")
    assert (tmp_path / "model.json").read_text("utf-8") == MODEL.read_text("utf-8"), (
        "run python -m bot.language.intents.training"
    )
