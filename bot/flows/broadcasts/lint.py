"""What a message to many must not say (MKT-02 to MKT-04, MKT-06, MKT-08). The words are in `advertising.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from bot.domain.letter import Purpose
from bot.flows.broadcasts import variables

WORDS: Final = Path(__file__).with_name("advertising.toml")
LONGEST: Final = (
    1_800  # bytes: one message on every platform, with the words that are put around an advertisement
)


def faults(
    text: str, purpose: Purpose, *, licence: str, licence_until: date | None, today: date
) -> list[str]:
    """Why the text must not go out for that purpose, in the staff's words; empty: it may."""
    plain = "".join(unicodedata.normalize("NFKC", variables.same_for_all(text)).split())
    found = variables.faults(text)
    if not plain:
        found.append("内容为空")
    if variables.longest(text) > LONGEST:
        found.append(f"内容过长：最多{LONGEST // 3}个汉字")
    if purpose is Purpose.MARKETING:
        if variables.has_any(text):
            found.append("广告只能群发，群发的内容对所有人相同，不能含变量")
        found += [f"广告不得含有“{word}”" for word in _in(plain, "banned")]
        found += _unlicensed(plain, licence, licence_until, today)
    else:
        found += [f"含有“{word}”，属于营销，请改用marketing" for word in _in(plain, "offers")]
    return found


def _unlicensed(plain: str, licence: str, licence_until: date | None, today: date) -> list[str]:
    if licence and licence_until is not None and licence_until >= today:
        return []
    return [f"“{word}”属于医疗广告，需要有效的医疗广告审查证明" for word in _in(plain, "medical")]


def _in(plain: str, kind: str) -> Sequence[str]:
    return [word for word in _words()[kind] if unicodedata.normalize("NFKC", word) in plain]


@cache
def _words() -> Mapping[str, Sequence[str]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
