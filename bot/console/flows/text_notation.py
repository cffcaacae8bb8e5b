"""Patients' texts as staff write them: `{姓名}，今天是{如果：是否本人}您{否则}家人{结束}的生日`, not as templates.

Every tag of the text that ships has one label. Reading is looking labels up, so nothing is guessed and nothing lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.outbox.own_texts import HOSPITAL

WORDS: Final[Mapping[str, str]] = {
    "name": "姓名",
    "patient": "就诊人",
    "number": "编号",
    "start": "开始时间",
    "end": "结束时间",
    "doctor": "医生",
    "title": "职称",
    "department": "科室",
    "location": "地点",
    "place": "地点",
    "fee": "费用",
    "phone": "电话",
    "code": "验证码",
    "text": "正文",
    "day": "日期",
    "at": "时间",
    "points": "积分",
    "balance": "余额",
    "own": "本人",
    "quiet": "哀悼日",
    "hospital.name": "医院名称",
    "hospital.short_name": "医院简称",
    "hospital.phone": "医院电话",
    "hospital.nurse_phone": "护士站电话",
    "hospital.complaint_phone": "投诉电话",
    "hospital.address": "医院地址",
    "hospital.emergency_name": "急诊位置",
    "not": "不是",
    "and": "并且",
    "or": "或者",
    "in": "属于",
    "loop.last": "最后一个",
}
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_WRITTEN: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{([^{}%\n]{1,80})\}", re.DOTALL)
_FACT: Final = re.compile(r"\{\{ ([\w.]+) \}\}")
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
_CALL: Final = re.compile(r"[(\[{]")
LONGEST: Final = 60  # characters of a label
_ENDS: Final = {"else": "否则", "endif": "结束", "endfor": "每个结束"}
_BEGINS: Final = {"if": "如果", "elif": "否则如果", "for": "每个"}
_FULL_WIDTH: Final = str.maketrans({"\uff5b": "{", "\uff5d": "}", "\uff1a": "："})


class Notation:
    """The labels of one text's tags."""

    def __init__(self, shipped: str) -> None:
        self._label: dict[str, str] = {}  # by tag
        self._tag: dict[str, str] = {}  # by label
        for tag in _TAG.findall(shipped):
            self._add(tag)
        for fact in sorted(HOSPITAL):
            self._add(f"{{{{ hospital.{fact} }}}}")

    def _add(self, tag: str) -> None:
        if tag in self._label:
            return
        label = first = _label(tag)
        again = 2
        while label in self._tag:
            label, again = f"{first}{again}", again + 1
        self._label[tag], self._tag[label] = label, tag

    @property
    def labels(self) -> list[str]:
        """What may be put in: the facts, not the conditions."""
        return [label for label, tag in self._tag.items() if tag.startswith("{{")]

    def show(self, source: str) -> str:
        """A template as staff read it."""
        return _TAG.sub(lambda tag: self._shown(tag[0]), source)

    def _shown(self, tag: str) -> str:
        return f"{{{self._label[tag]}}}" if tag in self._label else tag

    def read(self, written: str) -> tuple[str, list[str]]:
        """The template that staff's words mean, and the labels that nobody knows."""
        unknown: list[str] = []

        def tag(found: re.Match[str]) -> str:
            label = (found[1] or "").strip().replace(":", "：")
            if not label:
                return found[0]  # a template's own tag: checked like everything else
            if label not in self._tag:
                unknown.append(label)
            return self._tag.get(label, found[0])

        return _WRITTEN.sub(tag, written.translate(_FULL_WIDTH)), unknown


def in_words(fault: str) -> str:
    """What is wrong with a template, with the facts as staff know them: 缺少变量 {姓名}."""
    return _FACT.sub(lambda fact: f"{{{WORDS.get(fact[1], fact[1])}}}", fault)


def _label(tag: str) -> str:
    inner = tag[2:-2].strip("- \n")
    if tag.startswith("{{"):
        return _words(_first_fact(inner) if _CALL.search(inner) else re.split(r"\||\bor\b", inner)[0])
    keyword, _, rest = inner.partition(" ")
    if keyword in _ENDS:
        return _ENDS[keyword]
    return f"{_BEGINS.get(keyword, keyword)}：{_words(rest)}"


def _first_fact(expression: str) -> str:
    """Of an expression that is more than a fact: what it is about."""
    found = _NAME.search(re.sub(r"\.\w+\(", "(", re.sub(r"\"[^\"]*\"|'[^']*'", "", expression)))
    return found[0] if found else expression


def _words(expression: str) -> str:
    """A fact or a condition in Chinese, as far as it has a name."""
    named = _NAME.sub(lambda name: WORDS.get(name[0], name[0]), expression)
    return re.sub(r"[{}%]", "", " ".join(named.split())).replace(":", "：")[:LONGEST]
