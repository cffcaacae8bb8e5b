"""群发 and 用户标签 of an official account.

Sources: developers.weixin.qq.com, 群发接口和原创校验, 用户标签管理; read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.channels.api import Api, Refused
from bot.channels.limits import MASS_AT_LEAST, TAG_BATCH

SEND_LIST: Final = "/cgi-bin/message/mass/send"
SEND_TAG: Final = "/cgi-bin/message/mass/sendall"
TAGS: Final = "/cgi-bin/tags/get"
CREATE_TAG: Final = "/cgi-bin/tags/create"
WEARERS: Final = "/cgi-bin/user/tag/get"
TAG: Final = "/cgi-bin/tags/members/batchtagging"
UNTAG: Final = "/cgi-bin/tags/members/batchuntagging"
OF_ONE: Final = "单人消息"  # the tag that whoever is alone in a mass message wears
TAG_TAKEN: Final = 45157
SPURIOUS: Final = 45159  # "no such tag", seen when calls overlap; once more then


class WeChatMass:
    """One official account's. Every method raises what `Api.post` raises."""

    def __init__(self, api: Api, account: str) -> None:
        self.account = account
        self._api = api

    async def send(self, openids: Sequence[str], text: str, client_id: str) -> str:
        """Hand in one message for up to 10,000 users; the platform's number of the job.

        Accepted is not sent: the outcome comes as MASSSENDJOBFINISH. *client_id* makes a repetition within a day
        harmless. A list must have two users at least, so one alone is reached by a tag.
        """
        content = {"msgtype": "text", "text": {"content": text}, "clientmsgid": client_id}
        if len(openids) >= MASS_AT_LEAST:
            answer = await self._api.post(SEND_LIST, {"touser": list(openids), **content})
        else:
            number = await self._only_wearer(openids[0])
            scope = {"is_to_all": False, "tag_id": number}
            answer = await self._api.post(SEND_TAG, {"filter": scope, **content})
        return str(answer.get("msg_id", ""))

    async def _only_wearer(self, openid: str) -> int:
        """Give one user, and nobody else, the tag of those who are alone; its number."""
        number = await self.tag_number(OF_ONE)
        others = [other for other in await self.wearers(number) if other != openid]
        for start in range(0, len(others), TAG_BATCH):
            await self.untag(number, others[start : start + TAG_BATCH])
        await self.tag(number, [openid])
        return number

    async def tags(self) -> Mapping[str, int]:
        """The platform's tags: number by name."""
        answer = await self._api.get(TAGS)
        return {str(one["name"]): int(one["id"]) for one in answer.get("tags", ())}

    async def tag_number(self, name: str) -> int:
        """The number of a tag, which is made when it is missing."""
        try:
            answer = await self._api.post(CREATE_TAG, {"tag": {"name": name}})
        except Refused as refusal:
            if refusal.code != TAG_TAKEN:
                raise
            return (await self.tags())[name]
        return int(answer["tag"]["id"])

    async def wearers(self, number: int) -> Sequence[str]:
        """The openids that wear a tag: its first ten thousand."""
        answer = await self._api.post(WEARERS, {"tagid": number, "next_openid": ""})
        data: Mapping[str, Any] = answer.get("data") or {}
        return [str(openid) for openid in data.get("openid", ())]

    async def tag(self, number: int, openids: Sequence[str]) -> None:
        """Give up to fifty users a tag."""
        await self._move(TAG, number, openids)

    async def untag(self, number: int, openids: Sequence[str]) -> None:
        """Take it from up to fifty users."""
        await self._move(UNTAG, number, openids)

    async def _move(self, path: str, number: int, openids: Sequence[str]) -> None:
        body = {"openid_list": list(openids), "tagid": number}
        try:
            await self._api.post(path, body)
        except Refused as refusal:
            if refusal.code != SPURIOUS:
                raise
            await self._api.post(path, body)
