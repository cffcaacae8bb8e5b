"""Points: balance, gifts, and giving them to somebody who must say yes."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from functools import partial

import sqlalchemy as sa

from bot.hospital import loyalty, points
from storage.tables import gifts, letters, redemptions
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


async def arrange(chat: Chat, *, stock: int = 5) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("oGiver", "P01"))
    await chat.does(bound("oReceiver", "P05"))
    now = chat.clock.now()
    await chat.does(lambda db: points.record_purchase(db, "C1", "P01", Decimal("10001"), now))
    await chat.does(
        lambda db: db.execute(
            gifts.insert().values(code="G1", name="体温计", points=800, cash_cents=0, stock=stock)
        )
    )


async def balance(chat: Chat, patient: str) -> int:
    return await chat.asks(lambda db: loyalty.available(db, patient))


async def test_the_balance_explains_itself(chat: Chat) -> None:
    await arrange(chat)
    await chat.reads(
        """
        患者 我还有多少积分
        小护 10501
        小护 消费 10001.00
        """,
        "oGiver",
    )


async def test_a_gift_is_redeemed_once(chat: Chat) -> None:
    await arrange(chat)
    await chat.reads(
        """
        患者 积分兑换
        小护 体温计
        患者 1
        小护 是否确认
        """,
        "oGiver",
    )
    answer = await chat.says("是", "oGiver")
    assert "已登记" in answer
    assert re.search(r"DH\d{6,}", answer)
    assert await balance(chat, "P01") == 9701


async def test_the_last_gift_goes_to_one_of_many(chat: Chat) -> None:
    await arrange(chat, stock=1)
    now = chat.clock.now()

    async def take(number: int) -> bool:
        try:
            await chat.database.write(lambda db: loyalty.redeem(db, now, "P01", "G1"))
        except loyalty.OutOfStock:
            return False
        return True

    assert sum(await asyncio.gather(*(take(number) for number in range(20)))) == 1
    assert len(await chat.asks(lambda db: db.execute(sa.select(redemptions)).all())) == 1


async def test_points_are_given_in_one_sentence_and_accepted(chat: Chat) -> None:
    await arrange(chat)
    phone = await phone_of(chat, "P05")
    await chat.reads(
        f"""
        患者 送积分 500 给 {phone}
        小护 500 积分
        小护 {phone[-4:]}
        患者 1
        小护 正在等待对方接受
        """,
        "oGiver",
    )
    assert (await balance(chat, "P01"), await balance(chat, "P05")) == (10001, 0)
    offers = await chat.asks(lambda db: db.execute(sa.select(letters)).all())
    assert "500 积分" in offers[0].body["text"]
    await chat.reads(
        """
        患者 1
        小护 已收下 500 积分
        """,
        "oReceiver",
    )
    assert (await balance(chat, "P01"), await balance(chat, "P05")) == (10001, 500)


async def test_points_refused_or_unanswered_return(chat: Chat) -> None:
    await arrange(chat)
    phone = await phone_of(chat, "P05")
    for answer, told in (("2", "退回给对方"), (None, "")):
        await chat.says(f"送积分 500 给 {phone}", "oGiver")
        await chat.says("是", "oGiver")
        assert await balance(chat, "P01") == 10001
        if answer:
            assert told in await chat.says(answer, "oReceiver")
        else:
            chat.passes(hours=49)
            now = chat.clock.now()
            assert await chat.does(partial(loyalty.expire, now=now)) == 1
        assert (await balance(chat, "P01"), await balance(chat, "P05")) == (10501, 0)


async def test_step_by_step_and_too_much(chat: Chat) -> None:
    await arrange(chat)
    phone = await phone_of(chat, "P05")
    await chat.reads(
        f"""
        患者 送积分
        小护 要送多少
        患者 很多
        小护 要送多少
        患者 99999
        小护 送给谁
        患者 {phone}
        小护 还不够
        患者 送积分 10 给 13999999999
        小护 没有找到可以接收的人
        """,
        "oGiver",
    )


async def phone_of(chat: Chat, patient: str) -> str:
    from storage.tables import patients

    return str(
        await chat.asks(
            lambda db: db.execute(sa.select(patients.c.phone).where(patients.c.code == patient)).scalar()
        )
    )


async def test_the_receiver_is_not_whom_it_is_about(chat: Chat) -> None:
    await arrange(chat)
    await chat.reads(
        """
        患者 我要送积分给我妈
        小护 ~ 还没有关联
        小护 多少
        患者 200
        小护 手机号
        患者 13800000005
        小护 200 积分
        患者 送积分 300 给 13800000005
        小护 300 积分
        患者 好的
        小护 预留 300 积分
        """,
        "oGiver",
    )


async def test_what_was_said_is_kept_while_it_is_asked_for_whom(chat: Chat) -> None:
    await arrange(chat)
    await chat.does(bound("oGiver", "P02", "child"))
    await chat.reads(
        """
        患者 送积分 300 给 13800000005
        小护 请问是为谁
        患者 1
        小护 300 积分
        患者 取消
        患者 我要兑换体温计
        小护 请问是为谁
        患者 1
        小护 体温计
        小护 是否确认
        """,
        "oGiver",
    )


async def test_points_that_are_not_there_cannot_be_given(chat: Chat) -> None:
    await arrange(chat)
    await chat.reads(
        """
        患者 送积分 999999 给 13800000005
        小护 还不够
        患者 送积分 10 给 13800000001
        小护 没有找到
        患者 送积分 10 给 13899999999
        小护 没有找到
        """,
        "oGiver",
    )
    assert await balance(chat, "P01") == 10501
