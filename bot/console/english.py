"""The console in English: one catalogue, put in where templates are compiled.

Templates, code and script are written in plain Chinese, without any marks. `templates/console/english.toml` says
each of their phrases in English, and the English edition of a template is compiled out of the same file: its text
and its constants go through the catalogue once, when it is loaded. What people wrote passes through values and is
never touched, unless a template says `|t`, which it does for our own words only: labels, outcomes, problems.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

CATALOGUE: Final = Path(__file__).parents[2] / "templates" / "console" / "english.toml"

CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_EDGES: Final = " \t（）()：:，,。、；;！!？?·“”「」…|＋+%/\\"
_RUN: Final = re.compile(r"[^<>\"'`${}\n]*[\u3400-\u9fff][^<>\"'`${}\n]*")
_PUNCTUATION: Final = str.maketrans(
    {
        "（": " (",
        "）": ")",
        "：": ": ",
        "，": ", ",
        "。": ". ",
        "、": ", ",
        "；": "; ",
        "！": "! ",
        "？": "? ",
        "“": "“",
        "”": "”",
    }
)
_BEFORE: Final = re.compile(r"</(?:b|strong|a|small|em|span|i|q|code|time|kbd)>\Z")
_AFTER: Final = re.compile(r"<(?:b|strong|a|small|em|span|i|q|code|time|kbd)\b")


@cache
def catalogue() -> Mapping[str, str]:
    """Every phrase in Chinese → in English. `{}` stands for a value."""
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The phrases with values in them, the most particular first."""
    patterned = [phrase for phrase in catalogue() if "{}" in phrase]
    patterned.sort(key=lambda phrase: (-len(phrase.replace("{}", "")), phrase))
    return tuple(
        (re.compile("(.*?)".join(map(re.escape, phrase.split("{}"))), re.DOTALL), catalogue()[phrase])
        for phrase in patterned
    )


def say(text: str) -> str:
    """One of our own phrases in English; what is not in the catalogue stays as it is.

    >>> say("昨天 10:05"), say("张三")
    ('yesterday 10:05', '张三')
    """
    if not CHINESE.search(text):
        return text.translate(_PUNCTUATION)
    if (known := catalogue().get(text)) is not None:
        return known
    for pattern, english in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return english.format(*found.groups())
    if "；" in text:
        return "; ".join(say(part) for part in text.split("；"))
    return text


def phrases(markup: str) -> Iterator[str]:
    """The Chinese phrases of a piece of a template or a script, without the punctuation around them."""
    for run in _RUN.finditer(markup):
        yield run[0].strip(_EDGES)


def in_english(markup: str) -> str:
    """A piece of a template, or a script, with its phrases in English. Values stand on either side of a piece."""
    return _RUN.sub(lambda run: _put(run, markup), markup)


def _put(run: re.Match[str], markup: str) -> str:
    phrase = run[0].strip(_EDGES)
    before, after = (edge.translate(_PUNCTUATION) for edge in run[0].split(phrase, 1))
    english = catalogue().get(phrase, phrase)
    left, right = markup[: run.start()], markup[run.end() :]
    if not before and english and (not left or _BEFORE.search(left)):
        before = " "
    if not after and english and (not right or _AFTER.match(right)):
        after = " "
    return before + english + after


class InEnglish(Extension):
    """Compiles templates out of Chinese into English."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Text and constants through the catalogue; code as it is."""
        translated: dict[str, Callable[[str], str]] = {"data": text, "string": constant}
        for token in stream:
            change = translated.get(token.type)
            yield token if change is None else Token(token.lineno, token.type, change(token.value))


def text(piece: str) -> str:
    """Text and markup between a template's codes."""
    return in_english(piece).translate(_PUNCTUATION)


def constant(piece: str) -> str:
    """A constant inside a template's code."""
    return text(piece).strip(" ") if CHINESE.search(piece) else piece.translate(_PUNCTUATION)
