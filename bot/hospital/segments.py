"""Segments: whom a message to many is for, as a value that can be read, stored, previewed and compiled.

    Segment((Tagged(("会员",)), Age(at_least=60), Visited(within_days=365, at_least=2)))

means everybody with the tag 会员 who is sixty or older and came twice within a year. Conditions are joined by "and".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from storage.queries import broadcast_desk
from storage.queries import segments as rows

WORDS: Final = Path(__file__).with_suffix(".toml")
CHILD_UNTIL, ADULT_FROM = 14, 18  # years
HEALTH_MARKETING: Final = "health_marketing"  # the separate consent that marketing by diagnosis needs
SAMPLES: Final = 5
TIERS: Final = {
    "VIP": (0, 1),
    "main": (1, 5),
    "normal": (5, 20),
    "small": (20, 100),
}  # per cent (contract §5)

ATTRIBUTED: Final = broadcast_desk.ATTRIBUTED

Places = Literal["VIP", "main", "normal", "small"]
Outcome = Literal["sent", "replied", "silent", "booked", "failed", "withheld"]
Score = Literal[1, 2, 3, 4, 5]


class Tagged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="tagged"):
    """Wears one of the tags."""

    any_of: tuple[str, ...]


class NotTagged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="not_tagged"):
    """Wears none of the tags."""

    none_of: tuple[str, ...]


class Age(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="age"):
    """Full years; who has no birth date has no age."""

    at_least: int | None = None
    below: int | None = None


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="described"):
    """What the hospital's record says."""

    what: Literal["sex", "region", "source"]
    any_of: tuple[str, ...]


class Vip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="vip"):
    """Of this VIP level or above."""

    at_least: int


class Visited(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="visited"):
    """Came at least so often within so many days."""

    within_days: int
    at_least: int = 1
    kinds: tuple[str, ...] = ()  # outpatient, inpatient, exam; empty: any
    departments: tuple[str, ...] = ()  # codes; empty: any


class NotVisited(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="not_visited"):
    """Did not come within so many days."""

    within_days: int


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="tier"):
    """Of one of these value tiers today."""

    any_of: tuple[Places, ...]


class Rfm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="rfm"):
    """Recency, frequency and money score at least so much; 5 is the best fifth."""

    r: Score = 1
    f: Score = 1
    m: Score = 1


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="agreed"):
    """Said yes to a purpose, and did not take it back."""

    purpose: str


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="bound"):
    """Somebody speaks for the patient in WeChat or WeCom; or nobody does."""

    bound: bool = True


class Reached(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="reached"):
    """Was in the audience of an earlier broadcast, and this came of it."""

    broadcast: int
    outcome: Outcome = "sent"


Condition: TypeAlias = (
    Tagged | NotTagged | Age | Described | Vip | Visited | NotVisited | Tier | Rfm | Agreed | Bound | Reached
)


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody who fulfils all the conditions. None: everybody."""

    all_of: tuple[Condition, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag that brings somebody in."""
        return tuple(tag for one in self.all_of if isinstance(one, Tagged) for tag in one.any_of)

    @property
    def earlier(self) -> tuple[int, ...]:
        """The broadcasts whose readers it builds on."""
        return tuple(one.broadcast for one in self.all_of if isinstance(one, Reached))


class SegmentRefused(Exception):
    """This audience must not be used for that purpose; the message says why, in the staff's words."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a broadcast to a segment would come to now."""

    count: int  # all members
    reached: int
    withheld: Mapping[str, int]  # by reason, in the order in which they count
    samples: Sequence[str]  # masked: 张*｜女｜62岁


def dump(segment: Segment) -> str:
    """As it is stored: JSON."""
    return msgspec.json.encode(segment).decode()


def load(text: str) -> Segment:
    """What `dump` made.

    Raises:
        msgspec.ValidationError: it is no segment.
    """
    return msgspec.json.decode(text, type=Segment)


def check(segment: Segment, purpose: Purpose) -> None:
    """Whether the purpose may use these conditions.

    Raises:
        SegmentRefused: marketing by a tag of health, without the consent that this needs (MKT-07).
    """
    if purpose is not Purpose.MARKETING or Agreed(HEALTH_MARKETING) in segment.all_of:
        return
    told = [tag for tag in segment.tags if _holds(tag, "diagnosis")]
    if told:
        raise SegmentRefused(f"标签“{'、'.join(told)}”涉及健康信息，未经单独同意不得用于营销（MKT-07）")


def compiled(segment: Segment, now: datetime, zone: ZoneInfo) -> list[rows.Condition]:
    """The conditions over the rows, for the queries."""
    today = now.astimezone(zone).date()
    return [_compiled(one, now, today) for one in segment.all_of]


def rules(segment: Segment, purpose: Purpose, now: datetime, zone: ZoneInfo) -> rows.Rules:
    """What keeps members out of a message of that purpose, at a moment."""
    today = now.astimezone(zone).date()
    return rows.Rules(
        purpose=purpose.value,
        now=now,
        today=today,
        day_start=datetime.combine(today, time(), zone),
        month_start=datetime.combine(today.replace(day=1), time(), zone),
        child_until=_years_before(today, CHILD_UNTIL),
        adult_until=_years_before(today, ADULT_FROM),
        sensitive=_words()["sensitive"],
        of_pregnancy=any(_holds(tag, "pregnancy") for tag in segment.tags),
    )


def preview(db: sa.Connection, segment: Segment, purpose: Purpose, now: datetime, zone: ZoneInfo) -> Preview:
    """How many it would reach now, who would fall out and why, and a few of them, masked."""
    members = compiled(segment, now, zone)
    fallen = rows.waterfall(db, members, rules(segment, purpose, now, zone))
    reached = fallen.pop("", 0)
    today = now.astimezone(zone).date()
    return Preview(
        count=reached + sum(fallen.values()),
        reached=reached,
        withheld=fallen,
        samples=[
            _masked(row.name, row.sex, row.birth_date, today) for row in rows.samples(db, members, SAMPLES)
        ],
    )


def describe(segment: Segment) -> str:
    """The segment as staff read it: 有标签“会员”，且 60岁及以上."""
    return "，且".join(_described(one) for one in segment.all_of) or "全部患者"


def _compiled(one: Condition, now: datetime, today: date) -> rows.Condition:
    match one:
        case Tagged(names):
            return rows.tagged(names, now)
        case NotTagged(names):
            return sa.not_(rows.tagged(names, now))
        case Age(at_least, below):
            return rows.born_between(
                None if below is None else _years_before(today, below),
                None if at_least is None else _years_before(today, at_least),
            )
        case Described(what, values):
            return rows.described(what, values)
        case Vip(level):
            return rows.vip_from(level)
        case Visited(days, least, kinds, departments):
            return rows.visited(today - timedelta(days=days), least, kinds, departments)
        case NotVisited(days):
            return sa.not_(rows.visited(today - timedelta(days=days), 1, (), ()))
        case Tier(names):
            return sa.or_(*(rows.value_rank_between(*TIERS[name], today) for name in names))
        case Rfm(r, f, m):
            return rows.scores_from(r, f, m, today)
        case Agreed(purpose):
            return rows.agreed(purpose)
        case Bound(bound):
            return rows.is_bound(now) if bound else sa.not_(rows.is_bound(now))
        case Reached(number, outcome):
            return broadcast_desk.reached(number, outcome, ATTRIBUTED)


KINDS: Final = {"outpatient": "门诊", "inpatient": "住院", "exam": "体检"}
COLUMNS: Final = {"sex": "性别", "region": "地区", "source": "来源"}
NAMES: Final = {"VIP": "VIP", "main": "主要", "normal": "普通", "small": "小额", "M": "男", "F": "女"}
AGREEMENTS: Final = {
    "marketing": "营销消息",
    HEALTH_MARKETING: "按健康信息营销（单独同意）",
    "care": "随访",
    "greeting": "问候",
}
OUTCOMES: Final = {
    "sent": "收到了",
    "replied": "收到后48小时内回复了",
    "silent": "收到后48小时内没有回复",
    "booked": "收到后48小时内预约了",
    "failed": "发送失败",
    "withheld": "没有发给他",
}


def _described(one: Condition) -> str:
    match one:
        case Tagged(names):
            return "有标签" + _either(names)
        case NotTagged(names):
            return "没有标签" + _either(names)
        case Age(at_least, below):
            parts = [f"{at_least}岁及以上"] if at_least is not None else []
            return "、".join([*parts, *([f"未满{below}岁"] if below is not None else [])]) or "任何年龄"
        case Described(what, values):
            return COLUMNS[what] + "为" + _either(values)
        case Vip(level):
            return f"VIP等级{level}级及以上"
        case Visited(days, least, kinds, departments):
            of = "、".join([*(KINDS.get(kind, kind) for kind in kinds), *departments])
            return f"近{days}天{of or '就诊'}至少{least}次"
        case NotVisited(days):
            return f"近{days}天没有就诊"
        case Tier(names):
            return "价值等级为" + _either(names)
        case Rfm(r, f, m):
            return f"RFM评分不低于R{r} F{f} M{m}"
        case Agreed(purpose):
            return f"同意接收{AGREEMENTS.get(purpose, purpose)}"
        case Bound(bound):
            return "已绑定" if bound else "未绑定"
        case Reached(number, outcome):
            return f"群发{number}号{OUTCOMES[outcome]}"


def _either(names: Sequence[str]) -> str:
    return "或".join(f"“{NAMES.get(name, name)}”" for name in names)


def _years_before(today: date, years: int) -> date:
    """Whoever was born on that day or before it is that old today; 29 February counts as the 28th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def _masked(name: str, sex: str, born: date | None, today: date) -> str:
    patient = Patient("", name, birth_date=born)
    age = patient.age(today)
    return "｜".join(
        [patient.masked_name, NAMES.get(sex, "性别不详"), "年龄不详" if age is None else f"{age}岁"]
    )


def tells_of_health(tag: str) -> bool:
    """Whether a tag says something of somebody's health, as far as its words tell."""
    return _holds(tag, "diagnosis") or _holds(tag, "sensitive")


@cache
def _words() -> Mapping[str, Sequence[str]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def _holds(tag: str, kind: str) -> bool:
    return any(word.casefold() in tag.casefold() for word in _words()[kind])
