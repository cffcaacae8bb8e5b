"""A simulated WeChat and WeCom that keeps the real platforms' rules, for tests and for the demo.

It is written from the platforms' documentation alone and shares no code with the server, so that the two
check each other. A test uses it like this::

    clock = ManualClock(datetime(2026, 6, 1, 2, 0, tzinfo=UTC))
    config = SimulatorConfig(
        accounts=(AccountConfig(webhook_url=f"{server}/wechat", mode=Mode.SAFE),),
        reply_timeout=0.5,  # real seconds until the platform gives up one attempt
    )
    platform = Platform(config, clock)
    async with platform.serving() as base:  # XIAOHU_WECHAT__API_BASE = f"{base}/api"
        user = platform.follow("oUser1")  # has followed for long; no event
        reply = await user.says("你好")  # signed, encrypted, pushed over HTTP, up to three times
        assert reply.kind == "text" and "小护" in reply.text

        await user.clicks("MENU_BOOK")  # also: scans, follows, unfollows, taps, sends_picture, sends_voice …
        assert "预约成功" in user.screen  # all they see: passive replies, 客服 messages, templates, failures
        await user.receives("您的报告", within=2)  # waits for what comes by itself

        clock.advance(timedelta(hours=48, seconds=1))  # now message/custom/send answers 45015
        platform.faults.refuse("message/custom/send", -1)  # also: status, garbage, hang, reset, drop_answer …
        assert len(platform.calls.to("message/custom/send")) == 1
        assert platform.sms.newest_code("13800000001") == "123456"  # XIAOHU_SMS__URL = f"{base}/sms"
        await platform.settle()  # events that stand behind no chat (TEMPLATESENDJOBFINISH …) are delivered

WeCom, when `SimulatorConfig.wecom` is given (XIAOHU_WECOM__API_BASE = f"{base}/qyapi")::

        nurse = platform.wecom.member("nurse1")
        await nurse.receives("胸痛", kind="template_card")
        await nurse.presses("我来处理")  # template_card_event with a fresh ResponseCode
        customer = platform.kf.customer("wmPatient1")
        await customer.enters()  # enter_session, with a welcome_code where the rules give one
        await customer.says("你好")  # the bell; the server pulls with kf/sync_msg and answers with kf/send_msg
        await customer.receives("小护")
        await platform.kf.servicer("nurse1").takes(customer)

The demo mounts everything with the phone page below one path::

    application.add_subapp("/simulator/", simulator := build_simulator(config, OffsetClock()))
    platform = simulator[PLATFORM]  # APIs at {public_url}/api, {public_url}/qyapi, SMS at {public_url}/sms

Quotas, windows and lifetimes run on the clock handed in; only the wait for an HTTP answer is real time.
On a clock that stands still two identical events of one user share a CreateTime, which is what a server
recognises a repeated event by: move the clock a second between two clicks of one button.
"""

from bot.simulator.account import OfficialAccount
from bot.simulator.api import build_platform
from bot.simulator.clock import Clock, ManualClock, MovableClock, OffsetClock
from bot.simulator.config import (
    AccountConfig,
    AccountKind,
    CustomerConfig,
    KfAccount,
    Member,
    Mode,
    PatientConfig,
    SimulatorConfig,
    Template,
    TypedValues,
    WecomConfig,
)
from bot.simulator.garbage import Garbage
from bot.simulator.kf import Customer, Servicer
from bot.simulator.phone_page import PLATFORM, build_simulator
from bot.simulator.platform import Platform
from bot.simulator.screen import Bubble, Screen, Side
from bot.simulator.user import NotOnScreen, User
from bot.simulator.wecom import Employee, Wecom
from bot.simulator.wire import Reply

__all__ = [
    "PLATFORM",
    "AccountConfig",
    "AccountKind",
    "Bubble",
    "Clock",
    "Customer",
    "CustomerConfig",
    "Employee",
    "Garbage",
    "KfAccount",
    "ManualClock",
    "Member",
    "Mode",
    "MovableClock",
    "NotOnScreen",
    "OfficialAccount",
    "OffsetClock",
    "PatientConfig",
    "Platform",
    "Reply",
    "Screen",
    "Servicer",
    "Side",
    "SimulatorConfig",
    "Template",
    "TypedValues",
    "User",
    "Wecom",
    "WecomConfig",
    "build_platform",
    "build_simulator",
]
