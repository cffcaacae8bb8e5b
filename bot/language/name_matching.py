"""What matching departments and matching doctors have in common: hits, scores, what stands around."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.language.meaning import Named

# What a score means: 1 is the name itself; under 0.7 it is weak and never taken without asking.
EXACT = 1.0
ABBREVIATED = 0.95
BY_EAR = 0.9
BY_TITLE = 0.9
COLLOQUIAL = 0.85
SLIP = 0.75
GENERAL = 0.6
WEAK = 0.5

_TITLES = "副主任医师|主任医师|主治医师|住院医师|副主任|主任|医生|医师|大夫|教授|专家|院长|老师|博士"
TITLE_AFTER = re.compile(rf" ?({_TITLES})")
_CALLED_AFTER = re.compile(
    rf" ?(?:{_TITLES}|的?(?:专家)?(?:号|门诊|班)|什么时候(?:出|坐)诊|(?:出|坐)诊|在不在)"
)
_ASKED_BEFORE = re.compile(
    rf"(?:挂|约|找|选|换成?|改成?|问|请|指定|见|{_TITLES})(?:一下|一个|个|到|了|下)?(?:[^,。;!? ]{{0,6}}的)? ?$"
)
_LATIN = re.compile(r"[a-z]+(?:['’ -][a-z]+)*")


@dataclass(frozen=True, slots=True)
class Hit:
    """One reading of a stretch of text as a name."""

    code: str
    start: int
    end: int
    score: float


def spoken_of(text: str, start: int, end: int) -> bool:
    """Whether a title, a booking word or nothing else stands around, so that a person is meant."""
    if start == 0 and end == len(text):
        return True
    if TITLE_AFTER.match(text, end):
        return True
    asked = _ASKED_BEFORE.search(text[max(0, start - 12) : start])
    return bool(asked and (end >= len(text) or not text[end].isalnum() or _CALLED_AFTER.match(text, end)))


def latin_runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Every run of up to four Latin words, joined: "zhang jianguo" → zhang, jianguo, zhangjianguo."""
    for run in _LATIN.finditer(text):
        words = [(m.start(), m.end()) for m in re.finditer("[a-z]+", run[0])][:60]
        for i in range(len(words)):
            for j in range(i, min(i + 4, len(words))):
                letters = "".join(run[0][a:b] for a, b in words[i : j + 1])
                if len(letters) > 3:
                    yield run.start() + words[i][0], run.start() + words[j][1], letters


def stands_alone(text: str, start: int, end: int) -> bool:
    before = start > 0 and text[start - 1].isascii() and text[start - 1].isalnum()
    after = end < len(text) and text[end].isascii() and text[end].isalnum()
    return not (before or after)


def best(hits: list[Hit], names: Mapping[str, str], text: str) -> tuple[Named, ...]:
    """One entry a code, best first; a weaker reading of characters that a better one explains is dropped."""
    hits.sort(key=lambda hit: (-hit.score, hit.start))
    kept: list[Hit] = []
    seen: set[str] = set()
    for hit in hits:
        weaker = any(k.score > hit.score and k.start < hit.end and hit.start < k.end for k in kept)
        if hit.code not in seen and (not weaker or hit.score >= SLIP):
            kept.append(hit)
            seen.add(hit.code)
    return tuple(
        Named(hit.code, names[hit.code], text[hit.start : hit.end], round(hit.score, 3)) for hit in kept
    )
