"""One person, several accounts: the platforms' own number of a person (unionid) joins them.

Sources: developers.weixin.qq.com, 批量获取用户基本信息; developer.work.weixin.qq.com, 客户基本信息 (platform.md §2.10, §4.6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.channels.api import Api, OutcomeUnknown, Refused, Unreached
from storage.database import Database
from storage.queries import conversations

log = structlog.get_logger()

FOLLOWERS = "/cgi-bin/user/info/batchget"
CUSTOMERS = "/cgi-bin/kf/customer/batchget"
AT_ONCE = 100  # of one call, on both platforms


@dataclass(slots=True)
class UnionIds:
    """Asks for the unionids of users we do not have one of; nobody is asked about twice."""

    database: Database
    api: Api
    accounts: str  # the account, or with a trailing /% every account of a platform: kf/%

    async def look_up(self) -> None:
        """One batch."""
        strangers = await self.database.read(
            lambda db: conversations.without_unionid(db, self.accounts, AT_ONCE)
        )
        if not strangers:
            return
        try:
            found = await self._ask([row.openid for row in strangers])
        except (Refused, Unreached, OutcomeUnknown) as error:
            log.warning("unionids_not_asked", account=self.accounts, error=type(error).__name__)
            found = {}
        known = {row.id: found.get(row.openid, "") for row in strangers}
        await self.database.write(lambda db: conversations.keep_unionids(db, known))

    async def _ask(self, openids: Sequence[str]) -> Mapping[str, str]:
        if self.accounts.startswith("kf/"):
            answer = await self.api.post(CUSTOMERS, {"external_userid_list": list(openids)})
            return _pairs(answer.get("customer_list"), "external_userid")
        answer = await self.api.post(FOLLOWERS, {"user_list": [{"openid": openid} for openid in openids]})
        return _pairs(answer.get("user_info_list"), "openid")


def _pairs(rows: Any, name: str) -> Mapping[str, str]:
    found = rows if isinstance(rows, list) else []
    return {str(row.get(name)): str(row.get("unionid") or "") for row in found if isinstance(row, dict)}
