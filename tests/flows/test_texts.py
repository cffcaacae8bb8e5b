"""What plans say: short enough, and nothing that tells of the illness or promises too much."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from bot.domain.language import Language
from bot.domain.words import say
from bot.flows import PLANS
from bot.hospital.departments import alias
from bot.outbox.wording import Wording
from tests.chat import ZONE

FACTS = {
    "name": "青禾市第一人民医院",
    "short_name": "青禾市第一医院",
    "phone": "0571-88880000",
    "nurse_phone": "0571-88880120",
}
TEXTS = sorted(
    {
        step.text or f"plan/{key}"
        for plan in PLANS.values()
        for step in plan.steps
        for key in step.questions or ("",)
    }
)
BANNED = re.compile(
    "保证|一定能|根治|没事了|不用去医院|加量|减量|优惠|折扣|预约成功|改约成功|绑定成功|已登记"
)
OPERATIONS = re.compile("手术名|阑尾|胆囊|支架|人流|流产|宫|乳腺|甲状腺|化疗")


def letter(template: str, *, again: bool) -> str:
    """The longest letter that may carry this text."""
    wording = Wording(ZONE)
    wording.hospital = FACTS
    facts = {
        "start": datetime(2026, 11, 20, 8, 30, tzinfo=ZONE),
        "department": "心血管内科",
        "doctor": "欧阳建国",
    }
    body = wording.text(say(template, **facts, day="2026-11-20"), Language.SIMPLIFIED)
    return wording.text(
        say("plan/letter", name="欧**国", own=False, body=body, nurse=True, again=again, moved=False),
        Language.SIMPLIFIED,
    )


@pytest.mark.parametrize("template", TEXTS)
def test_a_letter_is_short_and_neutral(template: str) -> None:
    text = letter(template, again=True)
    assert len(text) <= 200, f"{len(text)} characters"
    assert not BANNED.search(text)
    assert not OPERATIONS.search(text)


@pytest.mark.parametrize("name", ["妇产科", "肿瘤内科", "皮肤性病科", "精神科", "生殖医学中心"])
def test_a_department_that_says_too_much_is_called_a_clinic(name: str) -> None:
    assert alias(name) == "门诊"
    assert alias("骨科") == "骨科"
