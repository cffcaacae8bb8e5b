"""Whom a broadcast is for: the lines of the form as conditions, and conditions as lines of the form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, get_args
from urllib.parse import urlencode

from bot.domain.letter import Purpose
from bot.hospital import segments
from bot.hospital.segments import (
    Age,
    Agreed,
    Bound,
    Condition,
    Described,
    NotTagged,
    NotVisited,
    Outcome,
    Preview,
    Reached,
    Rfm,
    Segment,
    Tagged,
    Tier,
    Vip,
    Visited,
)

Fields: TypeAlias = Mapping[str, Sequence[str]]

MOST: Final = 120  # characters of one field
A_YEAR: Final = 365
LONGEST: Final = 3650  # days back
TIERS: Final = {"VIP": "VIP（前1%）", "main": "主要（前5%）", "normal": "普通（前20%）", "small": "小额"}
_BETWEEN: Final = re.compile(r"\s*[、，,;；\n]\s*")

# Why somebody falls out, in the order in which it counts, and what would have to change.
FALLEN: Final[Mapping[str, tuple[str, str]]] = {
    "deceased": ("已故", ""),
    "pregnancy_loss": ("近期妊娠丢失", "此类内容一律不发"),
    "minor": ("未成年", "营销不发给未成年人"),
    "sensitive": ("肿瘤、精神、性病等科室或标签", "营销一律不发"),
    "bereaved": ("家中近期有人去世", "营销一律不发"),
    "unbound": ("没有绑定微信", "可在窗口或短信邀请绑定"),
    "opted_out": ("已退订", "退订后一律不发"),
    "no_consent": ("没有同意营销", "需患者本人同意"),
    "open_alert": ("有未关闭的警报", "警报关闭后可再发"),
    "after_emergency": ("紧急情况后14天内", ""),
    "open_complaint": ("有未办结的投诉", "办结后可再发"),
    "after_complaint": ("投诉办结不满30天", "30天后可再发"),
    "cap_day": ("今天已收到营销", "每天最多1条"),
    "cap_month": ("本月已收到2条营销", "每月最多2条"),
    "same_reader": ("同一微信已代家人收到", "同一微信只收一条"),
    "held_out": ("对照组", "用于比较效果"),
    "stopped": ("群发被停止", ""),
    "nurse_speaks": ("护士正在对话", ""),
    "no_route": ("没有可用的发送方式", "需48小时内互动过，或可群发"),
    "quota": ("平台额度用完", ""),
    "too_late": ("过了有效时间", ""),
    "quiet_hours": ("夜间不打扰，过了有效时间", ""),
    "no_lawful_route": ("没有合规的发送方式", ""),
    "refused": ("平台拒绝", ""),
}


class Form(Protocol):
    """A query or a posted form: names may come more than once."""

    def __iter__(self) -> Any:
        """The names."""
        ...

    def getall(self, key: str) -> Any:
        """Every value of a name."""
        ...


@dataclass(frozen=True, slots=True)
class Fallen:
    """Members that get nothing, for one reason."""

    reason: str
    size: int
    hint: str
    left: int  # so many are left after it


def fields_of(form: Form) -> Fields:
    """What was filled in, as texts; names may come more than once."""
    return {
        name: [str(one).strip()[:MOST] for one in form.getall(name) if str(one).strip()] for name in set(form)
    }


def read_segment(form: Fields) -> Segment:
    """The conditions that the form's lines say. A line that is empty, or no number, says nothing."""
    found: list[Condition | None] = [
        *(Tagged(tags) if (tags := _tags(form, name)) else None for name in ("tag", "tag_also")),
        NotTagged(tags) if (tags := _tags(form, "no_tag")) else None,
        _age(form),
        *(
            Described(what, tuple(form[what])) if form.get(what) else None
            for what in ("sex", "region", "source")
        ),
        Vip(level) if (level := _number(form, "vip", 1, 9)) else None,
        _visited(form),
        NotVisited(days) if (days := _number(form, "away", 1, LONGEST)) else None,
        Tier(tiers) if (tiers := tuple(one for one in form.get("tier", ()) if one in TIERS)) else None,  # type: ignore[arg-type]
        _rfm(form),
        *(Agreed(one) for one in form.get("agreed", ()) if one in segments.AGREEMENTS),
        {"1": Bound(True), "0": Bound(False)}.get(_first(form, "bound")),
        _reached(form),
    ]
    return Segment(tuple(one for one in found if one is not None))


def written(segment: Segment) -> dict[str, list[str]]:
    """The form's fields that say these conditions. Two of a kind beyond what the form has are left out."""
    found: dict[str, list[str]] = {}
    for one in segment.all_of:
        for name, values in _fields(one, found).items():
            found.setdefault(name, []).extend(values)
    return found


def whole(segment: Segment) -> bool:
    """Whether the form can say all of it; what came from elsewhere it may not."""
    return set(read_segment(written(segment)).all_of) == set(segment.all_of)


def address(segment: Segment) -> str:
    """The query of a page on which the form is filled in so."""
    return urlencode(written(segment), doseq=True)


def waterfall(preview: Preview) -> list[Fallen]:
    """Who falls out, in the order in which the reasons count."""
    order = list(FALLEN)
    ranked = sorted(
        preview.withheld.items(), key=lambda item: order.index(item[0]) if item[0] in order else 99
    )
    found, left = [], preview.count
    for reason, size in ranked:
        left -= size
        words, hint = FALLEN.get(reason, (reason, ""))
        found.append(Fallen(words, size, hint, left))
    return found


def words_of(reason: str) -> str:
    """Why somebody got nothing, in the staff's words."""
    return FALLEN.get(reason, (reason, ""))[0]


def purpose_of(form: Fields) -> Purpose:
    """What the message is for; marketing, the strictest, when nobody said."""
    said = _first(form, "purpose")
    return Purpose(said) if said in ("care", "greeting", "marketing") else Purpose.MARKETING


def _first(form: Fields, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _number(form: Fields, name: str, least: int, most: int) -> int | None:
    said = _first(form, name)
    return int(said) if said.isascii() and said.isdigit() and least <= int(said) <= most else None


def _tags(form: Fields, name: str) -> tuple[str, ...]:
    parts = (part for text in form.get(name, ()) for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _age(form: Fields) -> Age | None:
    least, below = _number(form, "age_from", 0, 130), _number(form, "age_below", 1, 130)
    return None if least is None and below is None else Age(least, below)


def _visited(form: Fields) -> Visited | None:
    least, days = _number(form, "visits", 1, 99), _number(form, "days", 1, LONGEST)
    kinds = tuple(one for one in form.get("kind", ()) if one in segments.KINDS)
    departments = tuple(form.get("department", ()))
    if not (least or days or kinds or departments):
        return None
    return Visited(days or A_YEAR, least or 1, kinds, departments)


def _rfm(form: Fields) -> Rfm | None:
    r, f, m = (_number(form, name, 1, 5) or 1 for name in "rfm")
    return Rfm(r, f, m) if max(r, f, m) > 1 else None  # type: ignore[arg-type]


def _reached(form: Fields) -> Reached | None:
    number, outcome = _number(form, "broadcast", 1, 10**9), _first(form, "outcome") or "sent"
    if number is None or outcome not in get_args(Outcome):
        return None
    return Reached(number, outcome)  # type: ignore[arg-type]


def _fields(one: Condition, so_far: Iterable[str]) -> dict[str, list[str]]:
    match one:
        case Tagged(names):
            free = next((name for name in ("tag", "tag_also") if name not in so_far), "")
            return {free: ["、".join(names)]} if free else {}
        case NotTagged(names):
            return {"no_tag": ["、".join(names)]}
        case Age(least, below):
            return _said({"age_from": least, "age_below": below})
        case Described(what, values):
            return {what: list(values)}
        case Vip(level):
            return _said({"vip": level})
        case Visited(days, least, kinds, departments):
            counted = _said({"days": days, "visits": least})
            return counted | {"kind": list(kinds), "department": list(departments)}
        case NotVisited(days):
            return _said({"away": days})
        case Tier(names):
            return {"tier": list(names)}
        case Rfm(r, f, m):
            return _said({"r": r, "f": f, "m": m})
        case Agreed(purpose):
            return {"agreed": [purpose]}
        case Bound(bound):
            return {"bound": ["1" if bound else "0"]}
        case Reached(number, outcome):
            return _said({"broadcast": number}) | {"outcome": [outcome]}


def _said(values: Mapping[str, int | None]) -> dict[str, list[str]]:
    return {name: [str(value)] for name, value in values.items() if value is not None}
