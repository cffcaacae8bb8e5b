"""Questions about the hospital in people's own words; a wrong answer is worse than none."""

from __future__ import annotations

import pytest

from bot.conversation.knowledge import Answer
from bot.handlers import answer_search
from tests.chat import Chat
from tests.hospital_folder import ANSWERS, bound, open_hospital

KNOWN = tuple(
    Answer(code, tuple(questions.split("|")), text, traditional, english)
    for code, questions, text, traditional, english in ANSWERS
)


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    return chat


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("停车在哪", "地下停车场"),
        ("你们那里好停车吗？", "地下停车场"),
        ("停车要钱吗", "每小时5元"),
        ("我是外地医保可以报吗", "异地医保直接结算"),
        ("能刷医保卡吗", "医保电子凭证"),
        ("周六上班吗", "周六上午开诊"),
        ("探视时间是几点", "15:00-17:00"),
        ("wifi密码", "Qinghe-Guest"),
        ("胃镜要空腹吗", "空腹8小时"),
        ("医院在哪里", "长春路18号"),
        ("怎么去你们医院", "长春路18号"),
        ("医院电话多少", "0571-88880000"),
        ("投诉电话是多少", "0571-88880315"),
        ("急诊在哪里", "急诊楼一层"),
        ("骨科在几楼", "门诊楼3层东区"),
        ("骨科有哪些医生", "李文博 副主任医师"),
        ("你们有哪些科室", "心血管内科"),
        ("张建国挂号多少钱", "挂号费50元"),
        ("张建国医生擅长什么", "膝关节置换"),
        ("王海燕什么时候出诊", "11月18日 周三 下午"),
        ("哪个医生看膝盖", "张建国 主任医师"),
    ],
)
async def test_known(hospital: Chat, question: str, expected: str) -> None:
    assert expected in await hospital.says(question)


@pytest.mark.parametrize("question", ["食堂几点开", "CT多少钱", "胃镜多少钱", "CT室在哪", "住院押金多少"])
async def test_unknown_is_said_with_a_telephone_and_a_person(hospital: Chat, question: str) -> None:
    answer = await hospital.says(question)
    assert "0571-88880000" in answer
    assert "人工" in answer
    for _, _, text, _, _ in ANSWERS:
        assert text not in answer


async def test_a_department_that_is_not_here(hospital: Chat) -> None:
    await hospital.reads("""
        患者 皮肤科在几楼
        小护 没有皮肤科
        小护 骨科（门诊楼3层东区）
    """)


async def test_two_doctors_of_one_surname_are_both_told_of(hospital: Chat) -> None:
    answer = await hospital.says("张医生什么时候出诊")
    assert "张建国 主任医师" in answer
    assert "张敏 主治医师" in answer


async def test_several_that_fit_are_asked_about(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P01"))
    await hospital.reads("""
        患者 医院信息
        小护 长春路18号
        患者 胃镜检查要多少时间
        小护 哪一个
        小护 做胃镜要空腹吗
        患者 1
        小护 空腹8小时
    """)


async def test_the_menus_eighth_line(hospital: Chat) -> None:
    await hospital.reads("""
        患者 菜单
        患者 8
        小护 直接说
        患者 停车
        小护 地下停车场
    """)


async def test_from_the_overview_to_a_booking(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P01"))
    await hospital.reads("""
        患者 医院信息
        患者 我要预约骨科
        小护 骨科近期有号
    """)


async def test_in_the_patients_language(hospital: Chat) -> None:
    await hospital.does(bound("oEmma", "P06"))
    await hospital.does(bound("oWing", "P07"))
    assert "underground car park" in await hospital.says("Where can I park my car?", "oEmma")
    assert "bring your card" in await hospital.says("do you take insurance?", "oEmma")
    assert "15:00-17:00 every day" in await hospital.says("visiting hours", "oEmma")
    assert "地下停車場" in await hospital.says("停車喺邊", "oWing")
    assert "無需密碼" in await hospital.says("有wifi嗎", "oWing")


@pytest.mark.parametrize(
    ("text", "code"),
    [("停车费", "parking"), ("医保报销", "insurance"), ("几点开门", "hours"), ("探视", "visiting")],
)
def test_the_best_answer_comes_first(text: str, code: str) -> None:
    assert answer_search.find(KNOWN, text)[0].answer.code == code


@pytest.mark.parametrize("text", ["", "？", "多少钱", "在哪", "谢谢", "我不舒服", "胃镜多少钱", "a" * 5000])
def test_nothing_rather_than_something_wrong(text: str) -> None:
    assert answer_search.find(KNOWN, text) == []
    assert not answer_search.is_asked(KNOWN, text)


def test_a_hospital_without_answers() -> None:
    assert answer_search.find((), "停车在哪") == []
    assert answer_search.maybe((), "停车在哪") == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("what are your opening hours", "Monday to Friday"),
        ("opening times please", "Monday to Friday"),
        ("Are you open on Sundays?", "Monday to Friday"),
        ("is parking free?", "underground car park"),
        ("do you take insurance from other provinces", "bring your card"),
        ("what time can I visit my father", "15:00-17:00 every day"),
        ("who is Dr. Wang Haiyan", "王海燕"),
        ("你哋禮拜日開唔開", "週六上午開診"),
        ("泊車喺邊度", "長春路南側"),
        ("tingche zai na", "Changchun Road"),
        ("我爸住院，几点能去看他", "15:00-17:00"),
        ("现在几点下班", "周六上午开诊"),
        ("新农合能不能报", "医保"),
        ("挂号费多少", "主任医师 50元"),
        ("有没有泌尿科", "没有泌尿科"),
    ],
)
async def test_in_other_words(hospital: Chat, text: str, part: str) -> None:
    assert part in await hospital.says(text)


@pytest.mark.parametrize("text", ["厕所在哪", "食堂几点开饭", "住院押金多少", "看病流程是什么"])
async def test_no_answer_is_given_to_what_nobody_wrote_one_for(hospital: Chat, text: str) -> None:
    answer = await hospital.says(text)
    assert "人工" in answer
    assert all(row[2] not in answer for row in ANSWERS)


async def test_a_question_and_a_wish_in_one_sentence(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P01"))
    for text in ("帮我挂个明天骨科的号，还有停车要钱吗", "我想问下能不能停车然后帮我挂个明天骨科的号"):
        answer = await hospital.says(text)
        assert "前30分钟免费" in answer
        assert "骨科可以约的时间如下" in answer
        assert "需要预约可以直接说" not in answer
        await hospital.says("取消")


async def test_titles_to_choose_from_are_in_the_patients_script(hospital: Chat) -> None:
    await hospital.does(bound("oWing", "P07"))
    assert "做胃鏡要空腹嗎" in await hospital.says("胃鏡檢查要多少時間", "oWing")
