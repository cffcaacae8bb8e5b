"""Booking a visit, in one sentence and step by step, and everything that can stand in the way."""

from __future__ import annotations

import pytest

from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    return chat


async def test_a_complete_sentence_goes_straight_to_the_confirmation(hospital: Chat) -> None:
    await hospital.reads("""
        患者 下周三上午张建国主任的号
        小护 11月25日 周三 08:30
        小护 张建国 主任医师
        小护 骨科（门诊楼3层东区）
        小护 50元
        小护 林*远
        小护 ~ 预约成功
        患者 是
        小护 预约成功
        小护 YY000001
        小护 11月25日 周三 08:30
    """)
