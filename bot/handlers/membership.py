"""会员: level, points, and where coupons are."""

from __future__ import annotations

from bot.conversation.form import Form, NoDraft
from bot.conversation.talk import Talk
from bot.conversation.turn import Done, Turn
from bot.domain.words import say
from bot.hospital import loyalty


class Membership(Form[NoDraft]):
    """What being a member of this hospital brings this patient."""

    name = "membership"
    intents = frozenset({"membership.coupon"})
    words = frozenset({"会员", "我的会员", "优惠券", "我的优惠券", "membership", "coupons"})
    personal = True
    level = 1

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        assert talk.patient is not None
        return Done(
            say(
                "membership/account",
                name=talk.patient.masked_name,
                level=talk.patient.vip_level,
                balance=loyalty.available(talk.db, talk.patient.code),
            )
        )
