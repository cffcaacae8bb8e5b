"""What may stand in a template's typed keys: `thing1` holds twenty characters, `time2` a time, and so on.

Source: developers.weixin.qq.com, 类目模板消息 and 订阅通知, 参数值内容限制说明.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.simulator.config import Template

_CLOCK = r"([01]?\d|2[0-3])[:：][0-5]\d([:：][0-5]\d)?"
_DAY = r"\d{4}(年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
_TIME = rf"({_DAY}\s*)?{_CLOCK}"
_DATE = rf"{_DAY}(\s*{_CLOCK})?"


@dataclass(frozen=True, slots=True)
class Rule:
    """*pattern* must match the whole value; *most* is where a lenient platform cuts it."""

    pattern: re.Pattern[str]
    most: int


def _rule(pattern: str, most: int) -> Rule:
    return Rule(re.compile(pattern, re.DOTALL), most)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "thing": _rule(r".{1,20}", 20),
        "number": _rule(r"(?=(\D*\d){1,32}\D*$)-?\d+(\.\d+)?", 32),
        "letter": _rule(r"[A-Za-z]{1,32}", 32),
        "symbol": _rule(r"[^\w\s]{1,5}", 5),
        "character_string": _rule(r"[\x20-\x7e]{1,32}", 32),
        "time": _rule(rf"{_TIME}(\s*~\s*{_TIME})?", 40),
        "date": _rule(rf"{_DATE}(\s*~\s*{_DATE})?", 40),
        "amount": _rule(r"[¥￥$€£]?\d{1,10}(\.\d{1,10})?元?", 24),
        "phone_number": _rule(r"[\d+\-()（） *#]{1,17}", 17),
        "car_number": _rule(r".{1,8}", 8),
        "name": _rule(r"[^\d]{1,10}|[A-Za-z .,'*\-]{1,20}", 10),
        "phrase": _rule(r"[\u4e00-\u9fff]{1,5}", 5),
    }
)

_KEY = re.compile(r"\{\{(?P<key>\w+)\.DATA\}\}")
_NUMBERED = re.compile(r"(?P<kind>[a-z_]+?)\d+")
RETIRED = frozenset({"first", "remark"})


def lines_of(template: Template) -> list[tuple[str, str]]:
    """(label, key) of each line of the template; keys retired in 2023 are left out."""
    found = []
    for line in template.content.splitlines():
        key = _KEY.search(line)
        if key is not None and key["key"] not in RETIRED:
            found.append((line[: key.start()].rstrip("：: "), key["key"]))
    return found


def fits(template: Template, key: str, value: str) -> bool:
    """Whether the platform accepts *value* for *key*. Keys without a type take anything."""
    if key in template.choices:
        return value in template.choices[key]
    rule = _rule_of(key)
    return rule is None or rule.pattern.fullmatch(value) is not None


def cut(key: str, value: str) -> str:
    """The value as a lenient platform shows it."""
    rule = _rule_of(key)
    return value if rule is None else value[: rule.most]


def _rule_of(key: str) -> Rule | None:
    kind = _NUMBERED.fullmatch(key)
    return RULES.get(kind["kind"]) if kind else None
