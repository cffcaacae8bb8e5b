"""Numbers, words and taps are equal; a question that mentions a choice does not choose it."""

from __future__ import annotations

import pytest

from bot.conversation.said import chosen
from bot.conversation.turn import Choice

CHOICES = (
    Choice("book", "预约骨科", ("骨科", "挂号")),
    Choice("nurse", "请护士解答", ("护士",)),
    Choice("none", "不用了", ("不用", "算了")),
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", "book"),
        ("１", "book"),
        ("一", "book"),
        ("第1个", "book"),
        ("选二", "nurse"),
        ("3。", "none"),
        ("预约骨科", "book"),
        ("骨科", "book"),
        ("选骨科吧", "book"),
        ("护士", "nurse"),
        ("不用", "none"),
        ("4", None),
        ("0", None),
        ("骨科在几楼", None),
        ("你们护士态度怎么样", None),
        ("", None),
    ],
)
def test_what_is_chosen(text: str, key: str | None) -> None:
    assert chosen(text, "", CHOICES) == key


def test_a_tap_chooses() -> None:
    assert chosen("请护士解答", "nurse", CHOICES) == "nurse"
