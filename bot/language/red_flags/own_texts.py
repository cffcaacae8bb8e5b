"""Recognising our own warnings when a patient quotes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container

from bot.language.normalise import normalise

_PIECE = re.compile(r"[^\n。!?！？「」『』]+[。!?！？]*|[。!?！？「」『』\n]+")
_MARKS = re.compile(r"[\W_]+")
_MOST = 40  # pieces of a message that are compared
_SHORTEST = 8  # characters; less may be the patient's own words


def fingerprint(text: str) -> str:
    """A hash of the words of *text*, whatever its script, width, spaces and punctuation."""
    return hashlib.sha256(_words(text).encode()).hexdigest()


def _words(text: str) -> str:
    return _MARKS.sub("", normalise(text))


def without_own_texts(text: str, own: Container[str]) -> str | None:
    """*text* without our own texts in it. None when nothing else is there.

    *own* are the fingerprints of what we sent, facts filled in. A text of ours is found when it begins
    and ends with a sentence, a line or a quotation mark of the message.
    """
    if fingerprint(text) in own:
        return None
    pieces = _PIECE.findall(text)
    words = [_words(piece) for piece in pieces[:_MOST]]
    kept: list[str] = []
    at = 0
    while at < len(words):
        end = _own_run(words, at, own)
        if end == at:
            kept.append(pieces[at])
            end += 1
        at = end
    rest = "".join((*kept, *pieces[len(words) :]))
    return rest if _MARKS.sub("", rest) else None


def _own_run(words: list[str], start: int, own: Container[str]) -> int:
    """Where the longest text of ours that begins at *start* ends; *start* when none does."""
    digest = hashlib.sha256()
    length, found = 0, start
    for end in range(start, len(words)):
        digest.update(words[end].encode())
        length += len(words[end])
        if length >= _SHORTEST and digest.hexdigest() in own:
            found = end + 1
    return found
