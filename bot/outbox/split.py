"""Cutting a text the way a platform counts it: in UTF-8 bytes, of which a Chinese character has three."""

from __future__ import annotations

from collections.abc import Iterator

ENDS = "\n。！？!?；;，, "


def split(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` UTF-8 bytes, broken after a line or a sentence where one ends in the last half.

    Raises:
        ValueError: the limit is too small for a single character.
    """
    if limit < 4:
        raise ValueError(f"a limit of {limit} bytes cannot hold every character")
    while len(raw := text.encode(errors="replace")) > limit:
        head = raw[:limit].decode(errors="ignore")
        yield head[: _break(head)]
        text = text[_break(head) :]
    if text:
        yield text


def _break(head: str) -> int:
    for end in ENDS:
        position = head.rfind(end) + 1
        if position > len(head) // 2:
            return position
    return len(head)
