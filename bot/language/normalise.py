"""One spelling for everything that follows: width, script, invisible characters, spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache

from opencc import OpenCC

from bot.domain.language import Language

_SPACES = re.compile(r"\s+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_CANTONESE = re.compile(
    r"[唔冇咗喺佢嘅啲嚟嗰哋畀攞瞓嘢乜嗌睇]|点解|點解|边度|邊度|几时|幾時|咁(?!么)|而家|听日|聽日|琴日|尋日|寻日"
)
# One Latin word is a button, an abbreviation or a code to a Chinese writer ("ok", "TD", "CT"), except these.
_ENGLISH_ALONE = frozenset(
    {
        "hello",
        "hi",
        "hey",
        "help",
        "thanks",
        "thank",
        "please",
        "doctor",
        "nurse",
        "appointment",
        "cancel",
        "booking",
        "report",
        "complaint",
        "emergency",
        "bleeding",
        "pain",
        "fever",
        "sorry",
        "english",
        "menu",
        "yes",
        "no",
        "points",
        "parking",
    }
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn"})


@cache
def _converter(name: str) -> Callable[[str], str]:
    convert: Callable[[str], str] = OpenCC(name).convert
    return convert


@lru_cache(maxsize=8)  # the readers of one message ask for the same text
def normalise(text: str) -> str:
    """Fold *text* to NFKC, half width, Simplified characters and single spaces.

    Control and zero-width characters go, line breaks become spaces, emoji and case stay. Safe for any
    string, lone surrogates included; the time grows with the length and with nothing else.
    """
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", text))
    if not text.isascii():
        return _SPACES.sub(" ", _converter("tw2sp")(_visible(text))).strip()
    text = _visible(text)
    return _SPACES.sub(" ", text).strip()


def _visible(text: str) -> str:
    return "".join(c for c in text if " " <= c <= "~" or unicodedata.category(c) not in _UNSEEN)


def detect_language(text: str) -> Language:
    """The language to answer in: Traditional or Cantonese, English, or Simplified for all else."""
    if _HAN.search(text):
        return Language.TRADITIONAL if _is_traditional(_visible(text)) else Language.SIMPLIFIED
    words = _LATIN_WORD.findall(text)
    if len(words) > 1 or (words and words[0].lower() in _ENGLISH_ALONE):
        return Language.ENGLISH
    return Language.SIMPLIFIED


def language_after(text: str, last: Language) -> Language:
    """The language to answer in, when *last* was the one before: a text that tells nothing changes nothing.

    Many short Chinese answers (道歉) are written alike in both scripts.
    """
    found = detect_language(text)
    if found is not Language.SIMPLIFIED or last is Language.SIMPLIFIED:
        return found
    if not _HAN.search(text):
        return last
    visible = _visible(text)
    alike = _converter("s2t")(visible) == visible
    return last if alike and last is Language.TRADITIONAL else found


def _is_traditional(text: str) -> bool:
    if _CANTONESE.search(text):
        return True
    changed = _converter("t2s")(text)
    traditional = sum(a != b for a, b in zip(text, changed, strict=False))
    if not traditional:
        return False
    changed = _converter("s2t")(text)
    return traditional >= sum(a != b for a, b in zip(text, changed, strict=False))
