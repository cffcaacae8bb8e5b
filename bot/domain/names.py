"""What a Chinese name is made of."""

from __future__ import annotations

from typing import Final

_OF_TWO = "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 夏侯 轩辕 长孙 宇文 端木 独孤 南宫"
COMPOUND_SURNAMES: Final = frozenset(_OF_TWO.split())


def surname(name: str) -> str:
    """王 of 王敏, 欧阳 of 欧阳海; of a name of two characters the first one."""
    return name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]
