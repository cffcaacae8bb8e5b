"""What the patient said, as a step reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.conversation.turn import Choice
from bot.language.meaning import Meaning

YES = frozenset(
    [
        "1",
        "是",
        "是的",
        "确认",
        "确定",
        "好的",
        "好",
        "对",
        "对的",
        "可以",
        "行",
        "嗯",
        "同意",
        "愿意",
        "要",
        "好啊",
        "ok",
        "okay",
        "yes",
        "y",
        "sure",
        "confirm",
        "系",  # 係, as it is normalised
        "啱",
    ]
)
NO = frozenset(
    [
        "2",
        "否",
        "不",
        "不是",
        "不要",
        "不用",
        "不行",
        "不对",
        "不同意",
        "不愿意",
        "算了",
        "no",
        "n",
        "nope",
        "唔系",
        "唔要",
        "唔使",
    ]
)

# 好的好的, 嗯确认, 可以的谢谢; 先不约了, 还是不要了吧.
_YES = re.compile(
    r"(?:嗯+|好+的?|对+的?|是+的?|行|可以的?|确认(?:预约|改约|兑换|提交|赠送)?|确定|没问题|没错|同意|愿意|就这个|就这样"
    r"|约吧|ok(?:ay)?|yes|yeah|sure|confirm|系|啱)+(?:呀|啊|吧|啦|哦|噢|哈|的|呢|谢谢|多谢|thanks|thankyou|please)*"
)
_NO = re.compile(
    r"(?:还是|先|暂时|那|就|我|都|可能)*(?:不|别|甭|唔)"
    r"(?:用|要|去|约|挂|改|办|行|是|系|使|对|好|可以|同意|想|愿意|需要|换|送|兑|合适|方便|了)*(?:吧|啦|呢|先|谢谢|多谢)*"
)
# 不投诉了, 先不查了, 不想说了: what was begun is given up.
_GIVEN_UP = re.compile(
    r"我?(?:还是|先|暂时|那|就|算了)*(?:不|别)(?:想|用|要|再)?"
    r"(?:投诉|表扬|预约|挂号|约号|查询|查|兑换|送|绑定|添加|办理|办|说|弄|问|写|填)(?:了|啦)(?:吧|谢谢)*"
)
_JOINTS = re.compile(r"[\s,，。.!！~、]+")

_CHINESE_DIGITS = {
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_NUMBER = re.compile(
    r"^(?:第|选|选择|我选|no\.?|#)?\s*(\d{1,2}|[一二两三四五六七八九十])\s*(?:号|个|项|、|\.|。|吧|谢谢)?$"
)
_ENDS = " \t\n。.!！,，~～?？"


def plain(text: str) -> str:
    """A short answer, ready to compare: half-width, lower case, without closing punctuation."""
    return unicodedata.normalize("NFKC", text).strip(_ENDS).lower()


def number_in(text: str) -> int | None:
    """The number that is the whole answer: "2", "二", "第2个", "选二"; None for anything longer."""
    match = _NUMBER.match(plain(text))
    if match is None:
        return None
    digits = match[1]
    return int(digits) if digits.isdigit() else _CHINESE_DIGITS[digits]


@dataclass(frozen=True, slots=True)
class Said:
    """One message, bound to the question that was open."""

    text: str  # as it was typed
    meaning: Meaning
    type: str = "text"  # image, voice, …
    choice: str | None = None  # the key of the choice that was meant
    tapped: str = ""  # the ID of a tapped menu item

    @property
    def plain(self) -> str:
        """The text, ready to compare with a word."""
        return plain(self.meaning.text or self.text)

    @property
    def gives_up(self) -> bool:
        """Taking back what was begun."""
        return _GIVEN_UP.fullmatch(_JOINTS.sub("", self.plain)) is not None

    @property
    def yes(self) -> bool:
        """A yes to a yes/no question."""
        return self.plain in YES or _YES.fullmatch(_JOINTS.sub("", self.plain)) is not None

    @property
    def no(self) -> bool:
        """A no to a yes/no question."""
        return self.plain in NO or _NO.fullmatch(_JOINTS.sub("", self.plain)) is not None


def chosen(text: str, tapped: str, choices: Sequence[Choice], *, exactly: bool = False) -> str | None:
    """Which of the offered choices is meant: by number, by tap, by label or word. None: none, or not only one.

    `exactly`: what says a little more or less than a choice is none, because it means something else: 我的预约.
    """
    for choice in choices:
        if tapped and tapped == choice.key:
            return choice.key
    number = number_in(text)
    if number is not None:
        return choices[number - 1].key if 1 <= number <= len(choices) else None
    wanted = plain(text)
    if not wanted:
        return None
    exact = [choice for choice in choices if wanted in {plain(choice.label), *map(plain, choice.words)}]
    if len(exact) == 1 or exactly:
        return exact[0].key if len(exact) == 1 else None
    part = [
        choice
        for choice in choices
        if wanted in plain(choice.label) or any(_meant(plain(word), wanted) for word in choice.words if word)
    ]
    return part[0].key if len(part) == 1 and len(wanted) > 1 else None


def _meant(word: str, text: str) -> bool:
    """Whether the text says hardly more than the word: 选骨科吧 chooses it, 骨科在几楼 asks something."""
    return word in text and len(text) <= len(word) + 2
