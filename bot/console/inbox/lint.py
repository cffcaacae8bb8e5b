"""What never goes out to a patient, whoever writes it (safety.md §1.3): checked before a colleague's words are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that may not go, and why."""

    words: str
    why: str


_NUMBER = r"[0-9０-９一二两三四五六七八九十半]+"
_ALWAYS: Final = (
    (
        re.compile(
            r"您?得的是|(?:考虑|应该|可能|怀疑|估计)(?:就?是|为|得了)[^，。,.!！?？\s]{0,12}?(?:病|炎|癌|瘤|症|梗)"
        ),
        "不能在线下诊断",
    ),
    (
        re.compile(rf"(?:吃|服|用|加|减)\s*{_NUMBER}\s*(?:片|粒|颗|支|袋|mg|毫克|ml|毫升|单位|滴)"),
        "不能在线指导用药剂量",
    ),
    (re.compile(rf"{_NUMBER}(?:\.\d+)?\s*(?:mg|毫克|片|粒|个?单位)(?![a-z])", re.I), "不能写药物剂量"),
    (re.compile(r"加量|减量|停药|(?<!伤口)换药(?!室|时间|门诊|处)|自行(?:服|用)药"), "不能在线调整用药"),
    (re.compile(r"等(?:到)?明天(?:再)?看看|先观察(?:观察)?(?:几天|一晚)"), "不能让患者等着看"),
    (re.compile(r"保证(?:能|会|治|没)|一定(?:能|会)(?:治?好|痊愈|没事)|百分之?百|包治"), "不能保证疗效"),
    (re.compile(r"(?:删|撤)(?:掉|除|回)?(?:帖|评论|差评|投诉)"), "不能要求删帖或撤诉"),
)
_IN_DANGER: Final = (
    (
        re.compile(r"没事|正常现象|正常反应|不要紧|不用(?:去|来)医院|不用担心|放心吧"),
        "有未关闭的警报时不能宽慰",
    ),
    (re.compile(r"积分|优惠|活动|满意度|评价一下|打个分"), "有未关闭的警报时不能谈营销和评价"),
)
_UNACKNOWLEDGED: Final = (
    (re.compile(r"马上(?:就)?(?:到|来|过去)|已经?在路上"), "警报还没有人认领，不能承诺"),
)
_UNFILLED: Final = re.compile(r"\{[^{}\n]{0,30}\}")


def check(text: str, *, alarm: bool = False, acknowledged: bool = True) -> list[Finding]:
    """Everything in `text` that may not go. `alarm`: one is open in this conversation."""
    rules = [*_ALWAYS]
    if alarm:
        rules += _IN_DANGER
        if not acknowledged:
            rules += _UNACKNOWLEDGED
    found = [Finding(match[0], why) for pattern, why in rules if (match := pattern.search(text))]
    found += [Finding(match[0], "还有没填的变量") for match in _UNFILLED.finditer(text)]
    return found
