"""Recognising our own warnings when a patient quotes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container

from bot.language.normalise import normalise

_PIECE = re.compile(r"[^\n。!?！？「」『』]+[。!?！？]*|[「」『』\n]+")
_MARKS = re.compile(r"[\W_]+")
_LONGEST = 40  # pieces of one of our texts


def fingerprint(text: str) -> str:
    """A hash of the words of *text*, whatever its script, width, spaces and punctuation."""
    return hashlib.sha256(_MARKS.sub("", normalise(text)).encode()).hexdigest()


def without_own_texts(text: str, own: Container[str]) -> str | None:
    """*text* without our own texts in it. None when nothing else is there."""
    if not own:
        return text
    if fingerprint(text) in own:
        return None
    pieces = _PIECE.findall(text)[: 3 * _LONGEST]
    for length in range(min(len(pieces), _LONGEST), 0, -1):
        for start in range(len(pieces) - length + 1):
            run = "".join(pieces[start : start + length])
            if len(run) > 8 and fingerprint(run) in own:
                rest = "\n".join(("".join(pieces[:start]), "".join(pieces[start + length :])))
                return rest if _MARKS.sub("", rest) else None
    return text
