"""Who carries a letter the last mile: one carrier a way. A new platform adds its own to the postman's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, cast

from bot.channels.api import Refused
from bot.channels.errors import Reaction
from bot.channels.kf_api import KfApi
from bot.channels.sms import Sms, SmsPort
from bot.channels.wechat_api import WeChatApi
from bot.channels.wecom_api import WeComApi
from bot.domain.clock import Clock
from bot.domain.letter import Purpose
from bot.outbox.routes import Way, client_id

CARD_TASK_USED: Final = 42014  # this very card was shown before (developer.work.weixin.qq.com, 全局错误码)
CLAIM: Final = "claim:"  # the key of the button that takes an alarm: claim:<alert number>


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed letter with the way it goes."""

    letter_id: int
    key: str
    purpose: Purpose
    way: Way
    fence: int
    attempts: int
    author: str
    patient_code: str | None
    alert: int | None  # the alarm's number, when it is one
    repeated: bool = False  # handed over before, and nobody knows whether it arrived


class Carrier(Protocol):
    """Hands one message of a letter to a platform."""

    async def carry(self, parcel: Parcel, number: int) -> str:
        """Send message *number* of the letter (0 …); the platform's name for it, empty when it gives none.

        Raises:
            Refused: the platform said no.
            Unreached: nothing was done.
            OutcomeUnknown: it may have been done.
        """
        ...


class CustomerServiceCarrier:
    """客服消息, one official account's."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def carry(self, parcel: Parcel, number: int) -> str:
        await self._api.write(parcel.way.to, parcel.way.texts[number])
        return ""


class TemplateCarrier:
    """模板消息, one official account's."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def carry(self, parcel: Parcel, number: int) -> str:
        way = parcel.way
        return await self._api.notify(
            way.to, way.template, way.values, client_id=client_id(parcel.key), url=way.url
        )


class WeComCarrier:
    """应用消息; alarms as a card with a button to take them."""

    def __init__(self, api: WeComApi) -> None:
        self._api = api

    async def carry(self, parcel: Parcel, number: int) -> str:
        way = parcel.way
        if parcel.alert is None:
            return await self._api.write(way.to, way.texts[number])
        try:
            return await self._api.show_card(way.to, alarm_card(parcel, way.texts[number]))
        except Refused as refusal:
            if refusal.code == CARD_TASK_USED:
                return ""
            if refusal.reaction is not Reaction.PERMANENT:
                raise
            return await self._api.write(way.to, way.texts[number])  # an old client knows no cards


class KfCarrier:
    """微信客服, every account of the corporation."""

    def __init__(self, api: KfApi) -> None:
        self._api = api

    async def carry(self, parcel: Parcel, number: int) -> str:
        way = parcel.way
        msgid = client_id(f"{parcel.key}:{way.first + number}")
        return await self._api.write(way.account.removeprefix("kf/"), way.to, way.texts[number], msgid)


def alarm_card(parcel: Parcel, text: str) -> Mapping[str, Any]:
    """The card of an alarm. Source: developer.work.weixin.qq.com, 发送应用消息, 按钮交互型."""
    return {
        "card_type": "button_interaction",
        "task_id": f"alert-{parcel.alert}-{client_id(parcel.key)}",
        "source": {"desc": "小护", "desc_color": 2},
        "main_title": {"title": f"警报 {parcel.alert}", "desc": "请认领并处理"},
        "sub_title_text": text[:160],
        "button_list": [{"text": "认领", "style": 1, "key": f"{CLAIM}{parcel.alert}"}],
    }


class SmsCarrier:
    """Text messages and voice calls."""

    def __init__(self, port: SmsPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock

    async def carry(self, parcel: Parcel, number: int) -> str:
        kind = cast(Literal["code", "notice", "alarm", "voice"], parcel.way.kind)
        number_of_ours = client_id(parcel.key)
        text = parcel.way.texts[number]
        await self._port.send(Sms(number_of_ours, self._clock.now(), parcel.way.to, kind, text))
        return number_of_ours
