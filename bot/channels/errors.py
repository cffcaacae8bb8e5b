"""What a platform's error codes mean for us: the code → what to do, as data.

Sources: developers.weixin.qq.com, 全局返回码; developer.work.weixin.qq.com, 全局错误码 and 微信客服; read 2026-11-22.
A code that is in no table is permanent: it is logged with the platform's request id, and never retried blindly.
Numbers overlap between the platforms but mean different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Reaction(StrEnum):
    """What an error code asks us to do."""

    SENT = "sent"  # the platform has it already
    RENEW_TOKEN = "renew_token"  # noqa: S105  drop the token, fetch once, try once more
    RETRY = "retry"  # busy: try again, with growing gaps
    NEXT_MINUTE = "next_minute"  # this API is closed to us until the next minute
    QUOTA = "quota"  # this API is closed to us until the quota's reset
    USER = "user"  # this user does not get messages from this account: remember it, take another way
    NEXT_ROUTE = "next_route"  # not now and not by this way
    PERMANENT = "permanent"  # never by this way; somebody must look


def _table(reactions: Mapping[Reaction, tuple[int, ...]]) -> Mapping[int, Reaction]:
    return MappingProxyType({code: reaction for reaction, codes in reactions.items() for code in codes})


# Users whose error says they are gone, not only that they switched something off.
UNFOLLOWED = frozenset({40003, 43004, 46004, 50005})

WECHAT = _table(
    {
        Reaction.SENT: (0, 40241, 45065),
        Reaction.RENEW_TOKEN: (40001, 40014, 42001),
        Reaction.RETRY: (-1, 43108, 43117, 45066),
        Reaction.NEXT_MINUTE: (45011,),
        Reaction.QUOTA: (45009, 45028, 45093),
        Reaction.USER: (40003, 43004, 43019, 46004, 48002, 50002, 50005),
        Reaction.NEXT_ROUTE: (40200, 43101, 45015, 45047),
    }
)

WECOM = _table(
    {
        Reaction.SENT: (0,),
        Reaction.RENEW_TOKEN: (40014, 42001),
        Reaction.RETRY: (-1, 6000, 45033, 60020),
        Reaction.NEXT_MINUTE: (45009,),
        Reaction.USER: (43004, 60111, 81013, 84061),
        Reaction.NEXT_ROUTE: (41096, 95001, 95002, 95013, 95016, 95018, 95031, 95032),
    }
)

# While fetching a token these mean that the secret is wrong, not that a token died.
WRONG_SECRET = frozenset({40001, 40013, 40091, 40125})


def reaction(table: Mapping[int, Reaction], code: int) -> Reaction:
    """What to do about *code*."""
    return table.get(code, Reaction.PERMANENT)
